/** What the three kinds of System V objects have in common: keys, ids, permissions (Linux: ipc/util.c). */
import type { IpcPermSnapshot } from "../../ipc-snapshot.ts";
import { EACCES, EEXIST, EIDRM, EINVAL, ENOENT, ENOSPC, EPERM, SysError } from "../errno.ts";
import { CAP_IPC_OWNER, CAP_SYS_ADMIN, type Credentials, isCapable } from "../credentials.ts";
import { WaitQueue } from "../wait-queue.ts";

export const IPC_CREAT = 0o1000;
export const IPC_EXCL = 0o2000;
export const IPC_NOWAIT = 0o4000;
export const IPC_PRIVATE = 0;

/** Ids count up by this for each time that a place in the table is used again. */
const PLACES = 32768;
const MOST_SEQUENCES = 0x7fff_ffff / PLACES;

/** An object; `perm` is struct ipc_perm. */
export abstract class IpcObject {
  readonly perm: IpcPermSnapshot;
  /** Wakes those that wait for a change. */
  readonly queue = new WaitQueue();
  /** Seconds of CLOCK_REALTIME at which it was last changed by a *ctl call. */
  changed: bigint;

  constructor(perm: IpcPermSnapshot, changed: bigint) {
    this.perm = perm;
    this.changed = changed;
  }
}

/** Whether somebody may do with an object what the bits of `wanted` say, which are as in a mode. */
function isAllowed({ perm }: IpcObject, credentials: Credentials, wanted: number): boolean {
  const { euid, egid, groups } = credentials;
  const needed = ((wanted >> 6) | (wanted >> 3) | wanted) & 7;
  let granted = perm.mode;
  if (euid === perm.cuid || euid === perm.uid) granted >>= 6;
  else if ([egid, ...groups].some((group) => group === perm.cgid || group === perm.gid)) granted >>= 3;
  return (needed & ~granted) === 0 || isCapable(credentials, CAP_IPC_OWNER);
}

/** Throws EACCES where that is not so. */
export function checkAllowed(object: IpcObject, credentials: Credentials, wanted: number): void {
  if (!isAllowed(object, credentials, wanted)) throw new SysError(EACCES);
}

/** Throws EPERM for all but the owner, the creator and who has a privilege. */
export function checkOwner({ perm }: IpcObject, credentials: Credentials): void {
  const isOwner = [perm.uid, perm.cuid].includes(credentials.euid);
  if (!isOwner && !isCapable(credentials, CAP_SYS_ADMIN)) throw new SysError(EPERM);
}

export class IpcTable<T extends IpcObject> {
  private readonly places = new Map<number, T>();
  private readonly most: number;
  /** The place that was taken last, and how often the table has been gone through. */
  last = -1;
  sequence = 0;

  constructor(most: number) {
    this.most = most;
  }

  get size(): number {
    return this.places.size;
  }
  /** The highest place in use, -1 in an empty table. */
  get highest(): number {
    return Math.max(-1, ...this.places.keys());
  }
  values(): IterableIterator<T> {
    return this.places.values();
  }
  at(place: number): T | undefined {
    return this.places.get(place);
  }

  /** The object of an id. Throws EINVAL; EIDRM where a call that had it waits (`resumed`) or the place is another's. */
  get(id: number, resumed = false): T {
    const found = id < 0 ? undefined : this.places.get(id % PLACES);
    if (found?.perm.id === id) return found;
    throw new SysError(resumed || found !== undefined ? EIDRM : EINVAL);
  }

  /** The *get calls: the id of the object with this key, which is made where `flags` say so. Throws ENOENT, EEXIST, EACCES, ENOSPC. */
  find(
    { key, flags, credentials }: { key: number; flags: number; credentials: Credentials },
    check: (object: T) => void,
    make: (perm: IpcPermSnapshot) => T,
  ): number {
    const found =
      key === IPC_PRIVATE ? undefined : [...this.places.values()].find(({ perm }) => perm.key === key);
    if (found !== undefined) {
      if (flags & IPC_CREAT && flags & IPC_EXCL) throw new SysError(EEXIST);
      check(found);
      checkAllowed(found, credentials, flags);
      return found.perm.id;
    }
    if (key !== IPC_PRIVATE && !(flags & IPC_CREAT)) throw new SysError(ENOENT);
    if (this.places.size >= this.most) throw new SysError(ENOSPC);
    const { euid, egid } = credentials;
    const owner = { uid: euid, gid: egid, cuid: euid, cgid: egid };
    const object = make({ id: 0, key, mode: flags & 0o777, ...owner });
    return this.add(object);
  }

  private add(object: T): number {
    let place = this.last + 1;
    if (place >= this.most || this.places.has(place)) {
      place = 0;
      while (this.places.has(place)) place++;
    }
    if (place <= this.last) this.sequence = (this.sequence + 1) % MOST_SEQUENCES;
    else if (this.last >= 0 && place > this.last + 1) this.sequence++;
    this.last = place;
    object.perm.id = this.sequence * PLACES + place;
    this.places.set(place, object);
    return object.perm.id;
  }

  /** Whoever waits for it finds it gone. */
  remove(object: T): void {
    this.places.delete(object.perm.id % PLACES);
    object.queue.wake();
  }

  /** An object of a snapshot. Throws RangeError where its id makes no sense. */
  restore(object: T): void {
    const { id } = object.perm;
    const place = id % PLACES;
    if (id < 0 || place >= this.most || this.places.has(place)) throw new RangeError(`System V object ${id}`);
    this.places.set(place, object);
  }
}
