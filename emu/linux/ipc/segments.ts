/** System V shared memory (Linux: ipc/shm.c). Who has a segment attached is seen from the address spaces. */
import type { AddressSpace } from "../../memory/address-space.ts";
import { SharedObject } from "../../memory/shared-object.ts";
import type { IpcPermSnapshot, SegmentSnapshot } from "../../ipc-snapshot.ts";
import { IpcObject, IpcTable } from "./ipc-table.ts";

/** Limits, which /proc/sys/kernel shows (Linux: include/uapi/linux/shm.h): bytes of a segment, pages of all, segments. On 32-bit kernels these have 32 bits. */
export const SHMMAX = 2n ** 64n - 2n ** 24n - 1n;
export const SHMALL = SHMMAX;
export const SHMMNI = 4096;
/** Bits of a segment's mode: it goes when nobody has it attached; it is locked. */
export const SHM_DEST = 0o1000;
export const SHM_LOCKED = 0o2000;

export class Segment extends IpcObject {
  readonly size: number;
  readonly object: SharedObject;
  /** Who made it, and who attached or detached it last; when that was (seconds of CLOCK_REALTIME). */
  readonly creator: number;
  operator = 0;
  attached = 0n;
  detached = 0n;

  constructor(
    perm: IpcPermSnapshot,
    changed: bigint,
    { size, creator, object = new SharedObject() }: { size: number; creator: number; object?: SharedObject },
  ) {
    super(perm, changed);
    this.size = size;
    this.creator = creator;
    this.object = object;
  }
}

/** Whoever may attach segments: a process. */
export interface Attacher {
  readonly memory: AddressSpace;
}

export class Segments extends IpcTable<Segment> {
  private readonly attachers: () => ReadonlyMap<number, Attacher>;

  constructor(attachers: () => ReadonlyMap<number, Attacher>) {
    super(SHMMNI);
    this.attachers = attachers;
  }

  /** How often a segment is attached. */
  attachments({ object }: Segment): number {
    const spaces = new Set([...this.attachers().values()].map(({ memory }) => memory));
    let count = 0;
    for (const { areas } of spaces)
      for (const { shared, offset } of areas) if (shared === object && offset === 0) count++;
    return count;
  }
  /** The segment that is behind a shared mapping. */
  behind(object: SharedObject | undefined): Segment | undefined {
    return object && [...this.values()].find((segment) => segment.object === object);
  }
  /** Forgets those that have been given up and that nobody has attached any more. */
  sweep(): void {
    for (const segment of [...this.values()]) {
      if (segment.perm.mode & SHM_DEST && this.attachments(segment) === 0) this.remove(segment);
    }
  }

  freeze(index: (object: SharedObject) => number): SegmentSnapshot[] {
    this.sweep();
    return [...this.values()].map(
      ({ perm, changed, size, object, creator, operator, attached, detached }) => ({
        ...{ perm: { ...perm }, changed, size, creator, operator, attached, detached },
        sharedObject: index(object),
      }),
    );
  }
  /** Throws RangeError for what makes no sense. */
  thaw(segments: readonly SegmentSnapshot[], objects: readonly SharedObject[]): void {
    for (const { perm, changed, size, sharedObject, creator, operator, attached, detached } of segments) {
      const object = objects[sharedObject];
      if (object === undefined) throw new RangeError(`shared memory segment ${perm.id}`);
      const segment = new Segment({ ...perm }, changed, { size, creator, object });
      Object.assign(segment, { operator, attached, detached });
      this.restore(segment);
    }
  }
}
