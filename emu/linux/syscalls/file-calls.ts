/** All system calls on files. */
import type { SyscallRow } from "../syscall.ts";
import { FILE_ATTRIBUTE_CALLS } from "./files-attributes.ts";
import { FILE_IO_CALLS } from "./files-io.ts";
import { FILE_LOCK_CALLS } from "./files-locks.ts";
import { FILE_NAME_CALLS } from "./files-names.ts";
import { FILE_OPEN_CALLS } from "./files-open.ts";
import { FILE_STAT_CALLS } from "./files-stat.ts";
import { IOCTL_CALLS } from "./ioctl.ts";
import { SPLICE_CALLS } from "./splice.ts";

export const FILE_SYSCALLS: readonly SyscallRow[] = [
  ...FILE_OPEN_CALLS,
  ...FILE_IO_CALLS,
  ...FILE_STAT_CALLS,
  ...FILE_LOCK_CALLS,
  ...FILE_NAME_CALLS,
  ...FILE_ATTRIBUTE_CALLS,
  ...IOCTL_CALLS,
  ...SPLICE_CALLS,
];
