/** Descriptions of objects that have neither a name nor a type: an eventfd and its like (Linux: fs/anon_inodes.c). */
import { O_RDWR } from "./constants.ts";
import { type FileStat, syntheticStat } from "./file-status.ts";
import { OpenFile } from "./open-file.ts";

const ANON_INODE_DEV = 0xdn;
/** All of them are one file, which is root's. */
const ANON_INODE = 12n;

export abstract class AnonymousFile extends OpenFile {
  readonly kind = "special";
  private readonly name: string;

  /** `name` is what /proc/PID/fd says of it; `flags` may have O_NONBLOCK. */
  constructor(name: string, { flags }: { flags: number }) {
    super("", O_RDWR | flags);
    this.name = name;
  }
  override get label(): string {
    return `anon_inode:[${this.name}]`;
  }
  override stat(): FileStat {
    const status = syntheticStat("file", 0o600, ANON_INODE, { dev: ANON_INODE_DEV, nlink: 1 });
    return { ...status, kind: "anonymous" };
  }
  /** It has no position, and does not mind being asked to move it. */
  override seek(): number {
    return 0;
  }
}
