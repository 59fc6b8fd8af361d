/** POSIX message queues (Linux: ipc/mqueue.c): by name, and as descriptors. */
import type { PosixQueueSnapshot } from "../../ipc-snapshot.ts";
import type { OpenFileSnapshot } from "../../snapshot.ts";
import { NetlinkSocket } from "../net/netlink-socket.ts";
import { isSignal } from "../signals/signal-numbers.ts";
import type { Thread } from "../thread.ts";
import { O_ACCMODE, O_NONBLOCK } from "../vfs/constants.ts";
import { type FileStat, syntheticStat } from "../vfs/file-status.ts";
import type { FreezeContext } from "../vfs/freeze-context.ts";
import { OpenFile, type Waitables } from "../vfs/open-file.ts";
import { cannot, needState, type ThawContext } from "../vfs/thaw-context.ts";
import { WaitQueue } from "../wait-queue.ts";

type NoticeSnapshot = NonNullable<PosixQueueSnapshot["notice"]>;
/** Who is told that a message has come to an empty queue; `thread` where SIGEV_THREAD asks for it. */
export interface QueueNotice extends Omit<NoticeSnapshot, "thread"> {
  readonly thread: { readonly socket: NetlinkSocket; readonly cookie: Uint8Array } | undefined;
}
/** One message. */
type QueueMessage = PosixQueueSnapshot["messages"][number];

/** NOTIFY_COOKIE_LEN, and what its last byte becomes: a message has come, or will not be told of any more. */
export const COOKIE_SIZE = 32;
export const NOTIFY_WOKENUP = 1;
const NOTIFY_REMOVED = 2;

/** Number of the file system that queues are on (mqueue). */
const MQUEUE = 0x13n;
/** What stat(2) says of a queue's size: the most that its description may have. */
const DESCRIPTION_SIZE = 80n;
/** Bounds on what a snapshot may ask for. */
const MOST = 4096;
const MOST_BYTES = 1 << 26;

export class PosixQueue {
  /** Tells it from all others. */
  readonly id: number;
  /** "" once it has been unlinked. */
  name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Most messages, and bytes in each. */
  readonly maxMessages: number;
  readonly messageSize: number;
  readonly ino: bigint;
  readonly messages: QueueMessage[] = [];
  readonly queue = new WaitQueue();
  notice: QueueNotice | undefined;
  /** Descriptions that are open. */
  users = 0;
  /** Threads that wait for a message: nobody else is told of it. */
  readonly receivers = new Set<Thread>();
  /** Count what has come, and how often there was room again. */
  arrived = 0;
  vacated = 0;

  constructor(from: Omit<PosixQueueSnapshot, "messages" | "notice">) {
    this.id = from.id;
    this.name = from.name;
    this.mode = from.mode;
    this.uid = from.uid;
    this.gid = from.gid;
    this.maxMessages = from.maxMessages;
    this.messageSize = from.messageSize;
    this.ino = from.ino;
  }

  get isFull(): boolean {
    return this.messages.length >= this.maxMessages;
  }
  /** Whether a thread waits for a message. */
  get isAwaited(): boolean {
    return this.receivers.size > 0;
  }
  get bytes(): number {
    return this.messages.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** Adds a message behind those of its priority and above. */
  add(message: QueueMessage): void {
    const before = this.messages.findIndex(({ priority }) => priority < message.priority);
    if (before < 0) this.messages.push(message);
    else this.messages.splice(before, 0, message);
    this.arrived++;
    this.queue.wake();
  }
  /** The oldest message of the highest priority. */
  take(): QueueMessage | undefined {
    const { isFull } = this;
    const message = this.messages.shift();
    if (message === undefined) return undefined;
    if (isFull) this.vacated++;
    this.queue.wake();
    return message;
  }

  /** Takes away what `pid` has asked to be told, and says so to a thread. */
  forget(pid: number): void {
    const { notice } = this;
    if (notice?.pid !== pid) return;
    this.notice = undefined;
    tellThread(notice, NOTIFY_REMOVED);
  }

  freeze(files: FreezeContext): PosixQueueSnapshot {
    const { id, ino, name, mode, uid, gid, maxMessages, messageSize, messages } = this;
    const notice = this.notice === undefined ? null : freezeNotice(this.notice, files);
    return {
      ...{ id, ino, name, mode, uid, gid, maxMessages, messageSize, notice },
      messages: [...messages],
    };
  }
}

/** Sends a thread its cookie, as glibc's mq_notify waits for it. A closed socket takes nothing. */
export function tellThread({ thread }: QueueNotice, how: number): void {
  if (thread === undefined || thread.socket.isClosed) return;
  const bytes = thread.cookie.slice();
  bytes[COOKIE_SIZE - 1] = how;
  thread.socket.deliver(bytes, 0n);
}

function freezeNotice(notice: QueueNotice, files: FreezeContext): NoticeSnapshot {
  const { thread } = notice;
  if (thread === undefined) return { ...notice, thread: null };
  return { ...notice, thread: { openFile: files.indexOf(thread.socket), cookie: thread.cookie } };
}

/** How a thread is told. Throws RangeError where it can't be. */
function thawThread(
  { openFile, cookie }: NonNullable<NoticeSnapshot["thread"]>,
  opened: readonly OpenFile[],
): QueueNotice["thread"] {
  if (openFile === -1) return undefined;
  const socket = opened[openFile];
  if (!(socket instanceof NetlinkSocket) || cookie.length !== COOKIE_SIZE)
    throw new RangeError(
      `the notice of a message queue has open file ${openFile}, which is no netlink socket`,
    );
  return { socket, cookie };
}

/** Where numbers of files come from. */
interface Inodes {
  newInode(): bigint;
  sameInode(ino?: bigint): bigint;
}

export class PosixQueues {
  private readonly byId = new Map<number, PosixQueue>();
  private readonly inodes: Inodes;
  private nextId = 0;

  constructor(inodes: Inodes) {
    this.inodes = inodes;
  }

  get size(): number {
    return this.byId.size;
  }
  get(id: number): PosixQueue | undefined {
    return this.byId.get(id);
  }
  find(name: string): PosixQueue | undefined {
    return [...this.byId.values()].find((queue) => queue.name === name);
  }
  make(what: Omit<PosixQueueSnapshot, "messages" | "notice" | "id" | "ino">): PosixQueue {
    const queue = new PosixQueue({ ...what, id: this.nextId++, ino: this.inodes.newInode() });
    this.byId.set(queue.id, queue);
    return queue;
  }
  /** mq_unlink(2): it stays for those who have it open. */
  unlink(queue: PosixQueue): void {
    queue.name = "";
    this.sweep(queue);
  }
  /** Forgets a queue that has no name and that nobody has open. */
  sweep(queue: PosixQueue): void {
    if (queue.name === "" && queue.users === 0) this.byId.delete(queue.id);
  }

  /** Comes after all open files. */
  freeze(files: FreezeContext): PosixQueueSnapshot[] {
    return [...this.byId.values()].map((queue) => queue.freeze(files));
  }
  /** Throws RangeError for what makes no sense. */
  thaw(queues: readonly PosixQueueSnapshot[], context: ThawContext): void {
    for (const { messages, notice, ino, ...what } of queues) {
      const { id, maxMessages, messageSize } = what;
      const fits = messages.length <= maxMessages && maxMessages * messageSize <= MOST_BYTES;
      const sizes = messages.every(({ bytes }) => bytes.length <= messageSize);
      const isTold = notice === null || notice.signal === 0 || isSignal(notice.signal);
      if (!fits || !sizes || !isTold || this.byId.has(id) || id < 0 || this.byId.size >= MOST)
        throw new RangeError(`message queue ${what.name}`);
      const queue = new PosixQueue({ ...what, ino: this.inodes.sameInode(ino) });
      for (const message of messages) queue.add({ ...message });
      if (notice !== null) {
        const { thread, ...rest } = notice;
        queue.notice = { ...rest, thread: undefined };
        if (thread !== null)
          context.whenOpened((opened) => (queue.notice = { ...rest, thread: thawThread(thread, opened) }));
      }
      this.byId.set(id, queue);
      this.nextId = Math.max(this.nextId, id + 1);
    }
  }
}

/** A descriptor's view of a queue. */
export class QueueFile extends OpenFile {
  readonly kind = "special";
  readonly posix: PosixQueue;
  private readonly queues: PosixQueues;

  constructor(queues: PosixQueues, posix: PosixQueue, flags: number) {
    super("", flags & (O_ACCMODE | O_NONBLOCK));
    this.queues = queues;
    this.posix = posix;
    posix.users++;
  }

  override get label(): string {
    const { name } = this.posix;
    return name === "" ? "/(deleted)" : `/${name}`;
  }
  override stat(): FileStat {
    const { mode, uid, gid, ino } = this.posix;
    return syntheticStat("file", mode, ino, { dev: MQUEUE, uid, gid, size: DESCRIPTION_SIZE });
  }
  override get seekable(): boolean {
    return true;
  }
  /** What is in it, in words. */
  override readAt(into: Uint8Array, position: number): number {
    const { bytes, notice } = this.posix;
    const fields: [string, number, number][] = [
      ["QSIZE", bytes, 10],
      ["NOTIFY", notice?.kind ?? 0, 5],
      ["SIGNO", notice?.signal ?? 0, 5],
      ["NOTIFY_PID", notice?.pid ?? 0, 6],
    ];
    const text = fields.map(([name, value, width]) => `${name}:${String(value).padEnd(width)}`).join(" ");
    const piece = new TextEncoder().encode(`${text}\n`).subarray(position, position + into.length);
    into.set(piece);
    return piece.length;
  }
  override read(into: Uint8Array): number {
    const count = this.readAt(into, this.position);
    this.position += count;
    return count;
  }
  override readable(): boolean {
    return this.posix.messages.length > 0;
  }
  override writable(): boolean {
    return !this.posix.isFull;
  }
  override get arrivals(): number {
    return this.posix.arrived;
  }
  override get vacancies(): number {
    return this.posix.vacated;
  }
  override waitables(): Waitables {
    return { queues: [this.posix.queue] };
  }
  /** Whoever was to be told of messages no longer is. */
  override flush(pid: number): void {
    this.posix.forget(pid);
  }
  override close(): void {
    this.posix.users--;
    this.queues.sweep(this.posix);
  }
  override freeze(): Partial<OpenFileSnapshot> {
    return { state: { kind: "mqueue", queue: this.posix.id } };
  }
}

export function thawQueueFile(
  snapshot: OpenFileSnapshot,
  { system }: ThawContext<{ readonly queues: PosixQueues }>,
): OpenFile {
  const { queue } = needState(snapshot, "mqueue");
  const posix = system.queues.get(queue) ?? cannot(snapshot, "its message queue is missing");
  return new QueueFile(system.queues, posix, snapshot.flags);
}
