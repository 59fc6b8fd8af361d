/** What has been sent to a socket and not been received yet. */
import type { OpenFile } from "../vfs/open-file.ts";
import { release } from "../vfs/open-file.ts";
import type { Address } from "./address.ts";

/** Who sends: ids as the receiver is told of them (struct ucred). */
export interface Sender {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** What a datagram's IP header says besides where it comes from. */
export interface IpHeader {
  /** How many hops it has left: time to live, or hop limit. */
  readonly hops: number;
  /** Type of service, or traffic class. */
  readonly tos: number;
  /** The address that it was for, where that is not the one that its receiver is bound to. */
  readonly to?: Uint8Array | null;
}
/** That of one whose sender has set none (/proc/sys/net/ipv4/ip_default_ttl). */
export const PLAIN_HEADER: IpHeader = { hops: 64, tos: 0 };

/** One message, or a piece of a stream. */
export interface Message {
  bytes: Uint8Array;
  /** Address that the sender is bound to, if any. */
  readonly from: Address | undefined;
  readonly sender: Sender | undefined;
  /** Descriptions that travel with it; the message holds them. */
  files: readonly OpenFile[];
  /** CLOCK_REALTIME when it was sent, in nanoseconds. */
  readonly time: bigint;
  /** Of a datagram of IP; PLAIN_HEADER where it is absent. */
  readonly header?: IpHeader;
}

/** Pieces of a stream are put together up to this size. */
const PIECE = 4096;
/** What a message counts for besides its bytes, so that empty ones can't be without number. */
export const OVERHEAD = 256;

const isSame = (a: Sender | undefined, b: Sender | undefined): boolean =>
  a === b || (a !== undefined && a.pid === b?.pid && a.uid === b.uid && a.gid === b.gid);

export const sameSender = (a: Message, b: Message): boolean => isSame(a.sender, b.sender);

/** How many descriptions are on their way in a machine's messages. */
export interface InFlight {
  count: number;
}

export class Inbox {
  private readonly messages: Message[] = [];
  private readonly inFlight: InFlight;
  /** Bytes in all messages. */
  size = 0;

  constructor(inFlight: InFlight) {
    this.inFlight = inFlight;
  }

  get count(): number {
    return this.messages.length;
  }
  /** What it counts for against a buffer's size. */
  get weight(): number {
    return this.size + this.messages.length * OVERHEAD;
  }
  at(index: number): Message | undefined {
    return this.messages[index];
  }
  list(): readonly Message[] {
    return this.messages;
  }

  /** Adds a message. Where they only are pieces of a stream, small ones of one sender become one. */
  add(message: Message, isStream: boolean): void {
    const last = this.messages.at(-1);
    this.size += message.bytes.length;
    this.inFlight.count += message.files.length;
    const fits = last !== undefined && last.bytes.length + message.bytes.length <= PIECE;
    const isPlain = last?.files.length === 0 && message.files.length === 0;
    if (isStream && fits && isPlain && sameSender(last, message)) {
      const joined = new Uint8Array(last.bytes.length + message.bytes.length);
      joined.set(last.bytes);
      joined.set(message.bytes, last.bytes.length);
      last.bytes = joined;
    } else this.messages.push(message);
  }

  /** Takes the first message away; who gets it releases its files. */
  shift(): Message | undefined {
    const message = this.messages.shift();
    if (message === undefined) return undefined;
    this.size -= message.bytes.length;
    this.inFlight.count -= message.files.length;
    return message;
  }

  /** Takes the files of the first message, which itself stays. */
  takeFiles(): readonly OpenFile[] {
    const [first] = this.messages;
    const { files } = first;
    first.files = [];
    this.inFlight.count -= files.length;
    return files;
  }

  /** Takes bytes from the beginning of the first message. */
  consume(count: number): void {
    const [first] = this.messages;
    first.bytes = first.bytes.subarray(count);
    this.size -= count;
  }

  /** A byte of a stream, as an array of one. */
  byteAt(index: number): Uint8Array {
    for (const { bytes } of this.messages) {
      if (index < bytes.length) return bytes.slice(index, index + 1);
      index -= bytes.length;
    }
    return new Uint8Array(0);
  }

  /** Takes a byte away from the beginning of a stream, to which no descriptions belong. */
  dropByte(): void {
    if (this.messages[0].bytes.length === 1) this.shift();
    else this.consume(1);
  }

  /** Forgets everything. */
  clear(): void {
    for (let message = this.shift(); message !== undefined; message = this.shift()) {
      for (const file of message.files) release(file);
    }
  }
}
