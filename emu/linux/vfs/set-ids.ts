/**
 * Set-user-id and set-group-id bits that the guest gives its files and folders. On the host they would give whoever runs such a file the
 * rights of the user that ppcr runs as: they are kept in the machine, and shown to the guest alone.
 */
import type { SetIdSnapshot } from "../../snapshot.ts";
import type { FileStat } from "./file-status.ts";
import { fileKey } from "./folder.ts";
import type { Statuses } from "./location.ts";
import { afterRename } from "./mounts.ts";
import { fail } from "./synthetic.ts";

const S_ISUID = 0o4000;
export const S_ISGID = 0o2000;
export const SET_IDS = S_ISUID | S_ISGID;
const S_IXGRP = 0o010;
const MOST = 65536;

/**
 * The set-id bits of a mode that a change of the file's contents or owner takes away; `isMember`: who makes it is in the file's group (Linux:
 * setattr_should_drop_suidgid). Without S_IXGRP S_ISGID once meant mandatory locking, and stays.
 */
export const droppedBits = (mode: number, isMember: boolean): number =>
  mode & ((mode & S_IXGRP) !== 0 || !isMember ? SET_IDS : S_ISUID);

const canHave = ({ kind }: FileStat): boolean => kind === "file" || kind === "directory";

export class SetIds {
  /** By what names a file: its bits, and the guest path that it had. */
  private readonly known = new Map<string, { bits: number; path: string }>();

  get isEmpty(): boolean {
    return this.known.size === 0;
  }
  bitsOf(key: string): number {
    return this.known.get(key)?.bits ?? 0;
  }
  /** Guest path of a file that has some. */
  pathOf(key: string): string | undefined {
    return this.known.get(key)?.path;
  }

  /** Takes the bits from a new mode of the file with this status. */
  keep(stat: FileStat, mode: number, path: string): void {
    const bits = canHave(stat) ? mode & SET_IDS : 0;
    if (bits === 0) this.known.delete(fileKey(stat));
    else this.known.set(fileKey(stat), { bits, path });
  }

  /** The file with this status has lost these bits. */
  drop(stat: FileStat, bits: number): void {
    const file = this.known.get(fileKey(stat));
    if (file !== undefined) this.keep(stat, file.bits & ~bits, file.path);
  }

  /** What has this key, or lies below it, has gone from one path to another. */
  moved(moved: string, from: string, to: string): void {
    for (const [key, file] of this.known) file.path = key === moved ? to : afterRename(file.path, from, to);
  }

  /** A status as the guest sees it. */
  shown(stat: FileStat): FileStat {
    const bits = this.known.size === 0 ? 0 : this.bitsOf(fileKey(stat));
    return bits === 0 || !canHave(stat) ? stat : { ...stat, mode: stat.mode | bits };
  }

  /** Those of files that are still where they were. */
  freeze(system: Statuses): SetIdSnapshot[] {
    return [...this.known].flatMap(([key, { bits, path }]) => {
      const stat = system.statusAt(path);
      return stat !== undefined && fileKey(stat) === key ? [{ path, bits }] : [];
    });
  }

  /** Takes those of a snapshot again. Throws EINVAL for too many. */
  thaw(system: Statuses, bits: readonly SetIdSnapshot[] = []): void {
    if (bits.length > MOST) fail("EINVAL", `set-id bits of ${bits.length} files`);
    for (const { path, bits: mode } of bits) {
      const stat = system.statusAt(path);
      if (stat !== undefined) this.keep(stat, mode, path);
    }
  }
}
