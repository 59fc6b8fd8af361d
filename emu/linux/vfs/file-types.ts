/** What a file is, as st_mode and directory entries say it. */
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from "./constants.ts";
import type { FileStat } from "./file-status.ts";

const TYPE_BITS: Readonly<Record<FileStat["kind"], number>> = {
  file: S_IFREG,
  directory: S_IFDIR,
  symlink: S_IFLNK,
  fifo: S_IFIFO,
  socket: S_IFSOCK,
  char: S_IFCHR,
  block: S_IFBLK,
  anonymous: 0,
};

/** st_mode. */
export const modeOf = (stat: Pick<FileStat, "kind" | "mode">): number => TYPE_BITS[stat.kind] | stat.mode;

/** Type of a directory entry (DT_*). */
export const entryType = (kind: FileStat["kind"]): number => TYPE_BITS[kind] >> 12;

/** What a st_mode says, which may have no type. */
export const isOfKind = (kind: FileStat["kind"], mode: number): boolean =>
  (mode & S_IFMT) === TYPE_BITS[kind];
