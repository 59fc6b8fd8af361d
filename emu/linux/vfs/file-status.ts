/** What stat(2) says of files, those on no host among them. */
import type { HostStat } from "../../host/host.ts";

/** Status as stat(2) gives it, before it is laid out for a width. */
export type FileStat = Omit<HostStat, "kind"> & {
  kind: HostStat["kind"] | "anonymous";
  /** Where its ids are none of the host's: they are as the machine knows them, or it belongs to the machine's user. */
  owner?: "machine" | "user";
};

/** st_dev of what is on no host. */
export const SYNTHETIC_DEV = 0x2fn;

/** Status of something that is on no host. */
export function syntheticStat(
  kind: HostStat["kind"],
  mode: number,
  ino: bigint,
  more?: Partial<Omit<FileStat, "kind">>,
): FileStat {
  return {
    kind,
    mode,
    ino,
    dev: SYNTHETIC_DEV,
    nlink: kind === "directory" ? 2 : 1,
    uid: 0,
    gid: 0,
    rdev: 0n,
    size: 0n,
    blocks: 0n,
    atime: 0n,
    mtime: 0n,
    ctime: 0n,
    owner: "machine",
    ...more,
  };
}

/** A stable inode number for a synthetic path. */
function inodeOf(path: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (let i = 0; i < path.length; i++) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(path.charCodeAt(i))) * 0x100000001b3n);
  }
  return BigInt.asUintN(31, hash ^ (hash >> 32n)) | 1n;
}

/** Status of an entry of /proc, /sys or /dev: what shows a process belongs to the user, but for the first of the system, which is root's. */
export const entryStat = (
  kind: HostStat["kind"],
  mode: number,
  path: string,
  more?: Partial<HostStat>,
): FileStat =>
  syntheticStat(kind, mode, inodeOf(path), {
    owner: /^\/proc\/(?!1(\/|$))\d/.test(path) ? "user" : "machine",
    ...more,
  });
