/**
 * What the owner of a description (F_SETOWN) is told by signals: that it is ready (O_ASYNC), what happens in a directory
 * (F_NOTIFY), that somebody wants a file of which it has a lease (Linux: fs/fcntl.c, fs/notify/dnotify, fs/locks.c).
 */
import type { FileSignalsSnapshot } from "../../snapshot.ts";
import type { Process } from "../process.ts";
import { type SignalInfo, signalInfo } from "../signals/pending.ts";
import { post } from "../signals/post.ts";
import { checkSignal, SI_KERNEL, SIGIO, SIGURG } from "../signals/signal-numbers.ts";
import type { FileMachine } from "../system.ts";
import type { Thread } from "../thread.ts";
import { WaitQueue } from "../wait-queue.ts";
import { F_RDLCK, F_UNLCK, F_WRLCK, O_ASYNC } from "./constants.ts";
import {
  IN_ACCESS,
  IN_ATTRIB,
  IN_CREATE,
  IN_DELETE,
  IN_MODIFY,
  IN_MOVED_FROM,
  IN_MOVED_TO,
  type Notice,
  type Notices,
} from "./notices.ts";
import type { OpenFile } from "./open-file.ts";

/** Why a signal comes, as si_code and si_band tell. */
interface Reason {
  readonly code: number;
  readonly band: number;
}
const READY_IN: Reason = { code: 1, band: 0x41 };
const READY_OUT: Reason = { code: 2, band: 0x304 };
/** POLL_MSG: a lease, or something in a directory. */
const MESSAGE: Reason = { code: 3, band: 0x441 };
const HUNG_UP: Reason = { code: 6, band: 0x18 };

/** /proc/sys/fs/lease-break-time */
const BREAK_TIME = 45_000_000_000n;

/** DN_* of F_NOTIFY: what of a directory's entries is told. */
const DN_MULTISHOT = 0x8000_0000;
const TOLD: readonly [dn: number, events: number][] = [
  [0x01, IN_ACCESS],
  [0x02, IN_MODIFY],
  [0x04, IN_CREATE | IN_MOVED_TO],
  [0x08, IN_DELETE | IN_MOVED_FROM],
  [0x10, IN_MOVED_FROM],
  [0x20, IN_ATTRIB],
];

interface Lease {
  type: number;
  /** What it is to become, while somebody waits for that until `until`. */
  wanted: number;
  until: bigint;
}

/** What one description tells its owner. */
class Teller {
  readonly file: OpenFile;
  private readonly system: Tells;
  /** The descriptor that the signals name. */
  fd = -1;
  /** DN_* bits. */
  private watched = 0;
  lease: Lease | undefined;
  private queues: readonly WaitQueue[] = [];
  /** What there was when it was looked at last. */
  private seen = { arrivals: 0, readable: false, writable: false, hungUp: false, size: 0 };

  constructor(file: OpenFile, system: Tells) {
    this.file = file;
    this.system = system;
  }

  tell({ code, band }: Reason): void {
    const { type, pid, signal } = this.file.owner;
    const plain = signalInfo(SIGIO, SI_KERNEL);
    const info = signal === 0 ? plain : signalInfo(signal, code, { overrun: band, value: BigInt(this.fd) });
    if (pid !== 0) this.system.send(type, pid, info, plain);
  }

  // ---- O_ASYNC -----------------------------------------------------------------------------------------------

  private look(): Teller["seen"] {
    const { file } = this;
    return {
      arrivals: file.arrivals ?? 0,
      readable: file.canRead && file.readable(),
      writable: file.canWrite && file.writable(),
      hungUp: file.hangup() || file.broken(),
      size: file.isStream ? file.available() : 0,
    };
  }
  watch(): void {
    this.unwatch();
    this.seen = this.look();
    this.queues = this.file.waitables().queues ?? [];
    for (const queue of this.queues) queue.add(this);
  }
  unwatch(): void {
    for (const queue of this.queues) queue.remove(this);
    this.queues = [];
  }
  /** Something has changed. */
  wake(): void {
    const before = this.seen;
    this.watch();
    const { arrivals, readable, writable, hungUp, size } = this.seen;
    const { kind, canWrite } = this.file;
    // Who is left at a pipe is told that it can go on: to the end, or to EPIPE.
    const ended = kind === "special" ? HUNG_UP : canWrite ? READY_OUT : READY_IN;
    if (hungUp && !before.hungUp) this.tell(ended);
    else if (readable && (!before.readable || arrivals !== before.arrivals)) this.tell(READY_IN);
    else if (writable && (!before.writable || size < before.size)) this.tell(READY_OUT);
  }

  // ---- F_NOTIFY ----------------------------------------------------------------------------------------------

  /** Adds to what is told of a directory; 0 ends it. */
  notify(mask: number): void {
    const { key } = this.file;
    if (key === undefined) return;
    this.watched = mask === 0 ? 0 : this.watched | mask;
    if (this.watched === 0) this.system.notices.remove(key, this.notes);
    else this.system.notices.add(key, this.notes);
  }
  private readonly notes = {
    tell: ({ mask, name }: Notice): void => {
      if (name === "" || !TOLD.some(([dn, events]) => this.watched & dn && mask & events)) return;
      if (!(this.watched & DN_MULTISHOT)) this.notify(0);
      this.tell(MESSAGE);
    },
    gone: (): void => this.notify(0),
  };

  // ---- all of it ---------------------------------------------------------------------------------------------

  closed(): void {
    this.unwatch();
    this.notify(0);
    this.system.forget(this);
  }
  freeze(): Omit<FileSignalsSnapshot, "type" | "owner" | "signal"> {
    const { type, wanted, until } = this.lease ?? { type: F_UNLCK, wanted: F_UNLCK, until: 0n };
    return { fd: this.fd, watched: this.watched >>> 0, lease: type, wanted, until };
  }
}

/** What tellers need of their machine. */
interface Tells {
  readonly notices: Notices;
  send(type: number, id: number, info: SignalInfo, plain: SignalInfo): void;
  forget(teller: Teller): void;
}

/** The tellers of a machine. */
export class FileSignals implements Tells {
  readonly notices: Notices;
  private readonly machine: FileMachine | undefined;
  private readonly tellers = new Map<OpenFile, Teller>();
  /** Those with leases. */
  private readonly leased = new Set<Teller>();
  /** Wakes those that wait for leases to be given up. */
  readonly queue = new WaitQueue();

  constructor(machine: FileMachine | undefined, notices: Notices) {
    this.machine = machine;
    this.notices = notices;
  }

  private get now(): bigint {
    return this.machine?.clock.monotonic() ?? 0n;
  }
  private tellerOf(file: OpenFile): Teller {
    const known = this.tellers.get(file);
    if (known !== undefined) return known;
    const teller = new Teller(file, this);
    this.tellers.set(file, teller);
    file.signals = teller;
    return teller;
  }

  /** The owner gets `info`, or where no more realtime signals fit `plain`. */
  send(type: number, id: number, info: SignalInfo, plain: SignalInfo): void {
    const { machine } = this;
    if (machine === undefined) return;
    const give = (process?: Process, thread?: Thread) => {
      if (process === undefined || process.exitStatus !== null) return;
      if (post(process, info, thread) === "EAGAIN") post(process, plain, thread);
    };
    if (type === 0) {
      const thread = machine.thread(id);
      give(thread?.process, thread);
    } else if (type === 1) give(machine.processes.get(id));
    else for (const process of machine.processes.values()) if (process.pgid === id) give(process);
  }
  /** Something has come out of band: the owner is told of that without O_ASYNC as well. */
  urgent(file: OpenFile): void {
    const info = signalInfo(SIGURG, SI_KERNEL);
    const { type, pid } = file.owner;
    if (pid !== 0) this.send(type, pid, info, info);
  }
  forget(teller: Teller): void {
    this.tellers.delete(teller.file);
    this.leased.delete(teller);
    this.queue.wake();
  }

  /** O_ASYNC of a description, of which `fd` is a descriptor, has been set or cleared. */
  asyncChanged(file: OpenFile, fd: number): void {
    if (!file.tellsOwner) return;
    if ((file.flags & O_ASYNC) === 0) {
      this.tellers.get(file)?.unwatch();
      return;
    }
    const teller = this.tellerOf(file);
    teller.fd = fd;
    teller.watch();
  }

  /** F_NOTIFY. */
  notify(file: OpenFile, fd: number, mask: number): void {
    const teller = this.tellerOf(file);
    teller.fd = fd;
    teller.notify(mask);
  }

  /** Takes what is overdue of the leases away. */
  private expire(): void {
    for (const teller of this.leased) {
      const { lease } = teller;
      if (lease!.wanted === lease!.type || lease!.until > this.now) continue;
      this.setLease(teller.file, teller.fd, lease!.wanted);
    }
  }

  /** F_GETLEASE: what a description has, or is to have. */
  leaseOf(file: OpenFile): number {
    this.expire();
    return this.tellers.get(file)?.lease?.wanted ?? F_UNLCK;
  }

  /** Whether anybody has a lease; nobody need look for a file's before. */
  get hasLeases(): boolean {
    return this.leased.size > 0;
  }
  holdsLease(file: OpenFile): boolean {
    return this.tellers.get(file)?.lease !== undefined;
  }

  /** Gives a description a lease, or takes it. */
  setLease(file: OpenFile, fd: number, type: number): void {
    const teller = this.tellerOf(file);
    teller.fd = fd;
    teller.lease = type === F_UNLCK ? undefined : { type, wanted: type, until: 0n };
    if (type === F_UNLCK) {
      this.leased.delete(teller);
      // The owner goes with the lease (Linux: lease_modify).
      file.owner = { type: 1, pid: 0, signal: 0 };
    } else this.leased.add(teller);
    this.queue.wake();
  }

  /** Whether another description of the file of a key has a lease that `type` does not go with. */
  hasOther(file: OpenFile, type: number): boolean {
    this.expire();
    return [...this.leased].some(
      ({ file: other, lease }) =>
        other !== file && other.key === file.key && (type === F_WRLCK || lease!.wanted !== F_RDLCK),
    );
  }

  /**
   * Somebody wants to open the file of a key: asks for the leases that are in the way. The time until which that is to
   * be waited for; undefined where nothing is in the way.
   */
  wants(key: string, writes: boolean): bigint | undefined {
    this.expire();
    let last: bigint | undefined;
    for (const teller of this.leased) {
      const lease = teller.lease!;
      if (teller.file.key !== key || (!writes && lease.type === F_RDLCK)) continue;
      const target = writes ? F_UNLCK : F_RDLCK;
      if (lease.wanted === lease.type) {
        Object.assign(lease, { wanted: target, until: this.now + BREAK_TIME });
        teller.tell(MESSAGE);
      } else if (writes) lease.wanted = target;
      if (last === undefined || lease.until > last) last = lease.until;
    }
    return last;
  }

  // ---- freezing ----------------------------------------------------------------------------------------------

  freeze(file: OpenFile): FileSignalsSnapshot | undefined {
    const { type, pid: owner, signal } = file.owner;
    const teller = this.tellers.get(file);
    if (teller === undefined && owner === 0 && signal === 0) return undefined;
    const rest = teller?.freeze() ?? { fd: -1, watched: 0, lease: F_UNLCK, wanted: F_UNLCK, until: 0n };
    return { type, owner, signal, ...rest };
  }
  /** Takes up what `freeze` said; `flags`: those that the description had. */
  thaw(file: OpenFile, snapshot: FileSignalsSnapshot, flags: number): void {
    const { type, owner, signal, fd, watched, lease, wanted, until } = snapshot;
    checkSignal(signal, "a description");
    file.owner = { type, pid: owner, signal };
    if (file.tellsOwner) file.flags |= flags & O_ASYNC;
    this.asyncChanged(file, fd);
    if (watched !== 0) this.notify(file, fd, watched);
    if (lease === F_UNLCK) return;
    this.setLease(file, fd, lease);
    Object.assign(this.tellerOf(file).lease!, { wanted, until });
  }
}
