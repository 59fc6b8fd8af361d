/** inotify_init, inotify_add_watch, inotify_rm_watch. */
import { EEXIST, EINVAL, EMFILE, ENOSPC, ENOTDIR, SysError } from "../errno.ts";
import type { SyscallContext, SyscallHandler, SyscallRow } from "../syscall.ts";
import { AT_FDCWD, O_CLOEXEC, O_NONBLOCK, O_PATH } from "../vfs/constants.ts";
import {
  IN_EXCL_UNLINK,
  IN_KNOWN,
  IN_ONESHOT,
  InotifyFile,
  MOST_INSTANCES,
  MOST_WATCHES,
} from "../vfs/inotify-file.ts";
import { isDirectory } from "../vfs/location.ts";
import { IN_ALL_EVENTS } from "../vfs/notices.ts";
import { hold, release } from "../vfs/open-file.ts";
import { MAY_READ } from "../vfs/permissions.ts";
import { openedFiles } from "../vfs/process-files.ts";
import { checkFlags, fileArg, files, install } from "./files-common.ts";

const IN_ONLYDIR = 0x100_0000;
const IN_DONT_FOLLOW = 0x200_0000;
const IN_MASK_CREATE = 0x1000_0000;
const IN_MASK_ADD = 0x2000_0000;
/** What a watch keeps of the mask that it is asked for. */
const KEPT = IN_ALL_EVENTS | IN_EXCL_UNLINK | IN_ONESHOT;

/** All instances of the machine, each once. */
function instances(ctx: SyscallContext): Set<InotifyFile> {
  return new Set(openedFiles(ctx.kernel).filter((file) => file instanceof InotifyFile));
}

const init =
  (flagsOf: (ctx: SyscallContext) => number): SyscallHandler =>
  (ctx) => {
    const flags = flagsOf(ctx);
    checkFlags(flags, O_CLOEXEC | O_NONBLOCK);
    if (instances(ctx).size >= MOST_INSTANCES) throw new SysError(EMFILE);
    const { system } = files(ctx);
    const file = new InotifyFile({
      ...{ flags: flags & O_NONBLOCK, littleEndian: ctx.abi.littleEndian, notices: system.notices },
    });
    return install(ctx, file, (flags & O_CLOEXEC) !== 0);
  };

/** The instance of descriptor argument 0. Throws EBADF, EINVAL. */
function instanceArg(ctx: SyscallContext): InotifyFile {
  const file = fileArg(ctx, 0);
  if (!(file instanceof InotifyFile)) throw new SysError(EINVAL);
  return file;
}

function addWatch(ctx: SyscallContext): number {
  const asked = ctx.args.uint(2);
  if (!(asked & (IN_KNOWN | IN_ONLYDIR | IN_DONT_FOLLOW | IN_MASK_ADD | IN_MASK_CREATE))) {
    throw new SysError(EINVAL);
  }
  if (asked & IN_MASK_ADD && asked & IN_MASK_CREATE) throw new SysError(EINVAL);
  const instance = instanceArg(ctx);
  const task = files(ctx);
  const at = task.find(AT_FDCWD, ctx.path(1), (asked & IN_DONT_FOLLOW) === 0);
  if (asked & IN_ONLYDIR && !isDirectory(at)) throw new SysError(ENOTDIR);
  if (at.place !== undefined && at.stat?.kind !== "symlink") task.system.checkAccess(at, MAY_READ, task);
  const subject = hold(task.system.openExisting(at, O_PATH, task));
  try {
    const there = instance.watchOf(subject.key);
    if (there !== undefined) {
      if (asked & IN_MASK_CREATE) throw new SysError(EEXIST);
      there.mask = (asked & IN_MASK_ADD ? there.mask : 0) | (asked & KEPT);
      return there.wd;
    }
    let watches = 0;
    for (const each of instances(ctx)) watches += each.watchCount;
    if (watches >= MOST_WATCHES) throw new SysError(ENOSPC);
    return instance.addWatch(subject, asked & KEPT);
  } finally {
    release(subject);
  }
}

function removeWatch(ctx: SyscallContext): number {
  instanceArg(ctx).removeWatch(ctx.args.int(1));
  return 0;
}

export const INOTIFY_SYSCALLS: readonly SyscallRow[] = [
  { name: "inotify_init", args: "", handler: init(() => 0) },
  { name: "inotify_init1", args: "octal", handler: init((ctx) => ctx.args.int(0)) },
  { name: "inotify_add_watch", args: "fd str hex", handler: addWatch },
  { name: "inotify_rm_watch", args: "fd int", handler: removeWatch },
];
