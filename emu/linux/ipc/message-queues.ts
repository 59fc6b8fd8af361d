/** System V message queues (Linux: ipc/msg.c). */
import type { IpcPermSnapshot, MessageQueueSnapshot } from "../../ipc-snapshot.ts";
import { IpcObject, IpcTable } from "./ipc-table.ts";

/** /proc/sys/kernel: longest message, bytes in a queue, queues. */
export const MSGMAX = 8192;
export const MSGMNB = 16384;
export const MSGMNI = 32000;
/** Most bytes that anybody can let a queue hold. */
const MOST = 1 << 24;

export interface TypedMessage {
  readonly type: bigint;
  readonly bytes: Uint8Array;
}

export class MessageQueue extends IpcObject {
  readonly messages: TypedMessage[] = [];
  /** Bytes in all of them, and how many there may be. */
  bytes = 0;
  most = MSGMNB;
  /** Who sent and received last, and when (seconds of CLOCK_REALTIME). */
  sender = 0;
  receiver = 0;
  sent = 0n;
  received = 0n;

  hasRoom(length: number): boolean {
    return this.bytes + length <= this.most && this.messages.length + 1 <= this.most;
  }
  add(message: TypedMessage): void {
    this.messages.push(message);
    this.bytes += message.bytes.length;
    this.queue.wake();
  }
  /** Which message msgrcv(2) means by a type: any, the first of that type or (`except`) of another, the lowest up to one; -1: none. */
  select(type: bigint, except: boolean): number {
    const { messages } = this;
    if (type === 0n) return messages.length > 0 ? 0 : -1;
    if (type > 0n) return messages.findIndex((each) => (each.type === type) !== except);
    let best = -1;
    messages.forEach((each, index) => {
      if (each.type <= -type && (best < 0 || each.type < messages[best].type)) best = index;
    });
    return best;
  }
  take(index: number): TypedMessage {
    const [message] = this.messages.splice(index, 1);
    this.bytes -= message.bytes.length;
    this.queue.wake();
    return message;
  }

  freeze(): MessageQueueSnapshot {
    const { perm, changed, messages, most, sender, receiver, sent, received } = this;
    return { perm: { ...perm }, changed, messages: [...messages], most, sender, receiver, sent, received };
  }
}

export class MessageQueues extends IpcTable<MessageQueue> {
  constructor() {
    super(MSGMNI);
  }
  /** Throws RangeError for what makes no sense. */
  thaw(queues: readonly MessageQueueSnapshot[]): void {
    for (const { perm, changed, messages, most, sender, receiver, sent, received } of queues) {
      const queue = new MessageQueue({ ...perm } satisfies IpcPermSnapshot, changed);
      if (most > MOST || messages.some(({ type }) => type < 1n))
        throw new RangeError(`message queue ${perm.id}`);
      Object.assign(queue, { most, sender, receiver, sent, received });
      for (const message of messages) queue.add({ ...message });
      this.restore(queue);
    }
  }
}
