/** System V objects and POSIX message queues as a snapshot has them. */

/** struct ipc_perm of a System V object, and its id. */
export interface IpcPermSnapshot {
  id: number;
  key: number;
  mode: number;
  uid: number;
  gid: number;
  cuid: number;
  cgid: number;
}

/** Times of System V objects are seconds of CLOCK_REALTIME; who did what is told by pid. */
interface IpcObjectSnapshot {
  perm: IpcPermSnapshot;
  /** When it was last changed by a *ctl call. */
  changed: bigint;
}

export interface SemaphoreSetSnapshot extends IpcObjectSnapshot {
  operated: bigint;
  values: number[];
  /** Who has changed each last. */
  pids: number[];
  /** SEM_UNDO: what the end of a process changes. */
  undo: { pid: number; changes: number[] }[];
}

export interface MessageQueueSnapshot extends IpcObjectSnapshot {
  messages: { type: bigint; bytes: Uint8Array }[];
  /** Most bytes in it. */
  most: number;
  sender: number;
  receiver: number;
  sent: bigint;
  received: bigint;
}

export interface SegmentSnapshot extends IpcObjectSnapshot {
  size: number;
  /** Index in `sharedObjects`. */
  sharedObject: number;
  creator: number;
  /** Who attached or detached it last. */
  operator: number;
  attached: bigint;
  detached: bigint;
}

/** System V semaphores, message queues, shared memory. */
export interface IpcSnapshot {
  /** Of each of the three: the place that was taken last, and how often they have been gone through. */
  places: { last: number; sequence: number }[];
  semaphores: SemaphoreSetSnapshot[];
  messages: MessageQueueSnapshot[];
  segments: SegmentSnapshot[];
}

/** A POSIX message queue. */
export interface PosixQueueSnapshot {
  /** Tells it from all others. */
  id: number;
  /** The number that stat(2) tells; 0 for a new one. */
  ino: bigint;
  /** "" once it has been unlinked. */
  name: string;
  mode: number;
  uid: number;
  gid: number;
  /** Most messages, and bytes in each. */
  maxMessages: number;
  messageSize: number;
  /** In the order in which they will be received. */
  messages: { priority: number; bytes: Uint8Array }[];
  /** Who is told that a message has come to the empty queue: SIGEV_*, signal, sigev_value. */
  notice: {
    pid: number;
    kind: number;
    signal: number;
    value: bigint;
    /** What SIGEV_THREAD sends, and by which socket: -1 for one that has been closed. */
    thread: { openFile: number; cookie: Uint8Array } | null;
  } | null;
}
