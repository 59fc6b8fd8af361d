/**
 * Device and inode numbers by which the guest knows files that a thaw has made again: those that travel in images, and those in
 * folders of its own. Programs keep the numbers and compare them; SQLite takes its database for moved where they have changed.
 */
import type { IdentitySnapshot, PrivateFileSnapshot } from "../../snapshot.ts";
import { major, minor } from "./devices.ts";
import { fileKey } from "./folder.ts";
import type { Statuses } from "./location.ts";
import { fail } from "./synthetic.ts";

type Identity = Pick<IdentitySnapshot, "dev" | "ino">;

const hex = (value: bigint): string => value.toString(16).padStart(2, "0");

const MOST = 1 << 17;
/** Inode numbers of files that have got the host's number of another one's before the thaw. */
const FIRST_MADE_UP = 0x7000_0000n;

export class Identities {
  /** By what names a file here. */
  private readonly known = new Map<string, Identity>();
  /** What they are known by. */
  private readonly taken = new Set<string>();
  private next = FIRST_MADE_UP;

  get isEmpty(): boolean {
    return this.known.size === 0;
  }

  private keep(stat: Identity, { dev, ino }: Identity): void {
    this.known.set(fileKey(stat), { dev, ino });
    this.taken.add(fileKey({ dev, ino }));
  }

  /** The file of this key is another one by now. */
  forget(key: string): void {
    const identity = this.known.get(key);
    if (identity === undefined) return;
    this.known.delete(key);
    this.taken.delete(fileKey(identity));
  }

  /** A status as the guest sees it. */
  shown<S extends Identity>(stat: S): S {
    if (this.known.size === 0) return stat;
    const key = fileKey(stat);
    if (!this.known.has(key)) {
      if (!this.taken.has(key)) return stat;
      const { dev } = stat;
      while (this.taken.has(fileKey({ dev, ino: this.next }))) this.next++;
      this.keep(stat, { dev, ino: this.next++ });
    }
    return { ...stat, ...this.known.get(key) };
  }

  /** Device and inode number of the file that `key` names, as files of /proc have them, with `between` between the two. */
  written(key: string, between: string): string {
    const [hostDev, hostIno] = key.split(":").map(BigInt);
    const { dev, ino } = this.shown({ dev: hostDev, ino: hostIno });
    return `${hex(major(dev))}:${hex(minor(dev))}${between}${ino}`;
  }

  /** Those of files in folders of the guest's own. */
  freeze(system: Statuses, files: readonly PrivateFileSnapshot[]): IdentitySnapshot[] {
    return files.flatMap(({ path, kind }) => {
      const stat = kind === "link" ? undefined : system.statusAt(path);
      return stat === undefined ? [] : [this.of(stat, path, -1)];
    });
  }

  /** That of the file with this status, which has a path or travels. */
  of(stat: Identity, path: string, unlinked: number): IdentitySnapshot {
    const { dev, ino } = this.shown(stat);
    return { path, unlinked, dev, ino };
  }

  /** Takes those of a snapshot again; `travelling` are the statuses of the files that travel. Throws EINVAL where they make no sense. */
  thaw(
    system: Statuses,
    identities: readonly IdentitySnapshot[] = [],
    travelling: readonly (Identity | undefined)[] = [],
  ): void {
    if (identities.length > MOST) fail("EINVAL", `numbers of ${identities.length} files`);
    for (const identity of identities) {
      const { path, unlinked } = identity;
      if (unlinked >= travelling.length) fail("EINVAL", `there is no file ${unlinked} that travels`);
      const stat = unlinked < 0 ? system.statusAt(path) : travelling[unlinked];
      if (stat !== undefined) this.keep(stat, identity);
    }
  }
}
