/**
 * name_to_handle_at(2), open_by_handle_at(2): files by numbers instead of names (Linux: fs/fhandle.c). A handle is the inode's number; the
 * file system is that of a descriptor, and a name of the file is looked for in what was granted.
 */
import { struct } from "../abi.ts";
import { CAP_DAC_READ_SEARCH, isCapable } from "../credentials.ts";
import { EBADF, EINVAL, EOPNOTSUPP, EOVERFLOW, EPERM, ESTALE, SysError } from "../errno.ts";
import type { SyscallHandler, SyscallRow } from "../syscall.ts";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_FOLLOW, O_CLOEXEC } from "../vfs/constants.ts";
import { DirectoryFile, RegularFile } from "../vfs/host-file.ts";
import { mountIdOf, mountTable } from "../vfs/mount-table.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { otherName } from "../vfs/other-names.ts";
import { PathFile } from "../vfs/special-files.ts";
import { atArg, checkFlags, files, install } from "./files-common.ts";

const HANDLE = struct({ bytes: "u32", type: "i32" });
const HEAD_SIZE = 8;
/** MAX_HANDLE_SZ. */
const MOST = 128;
/** FILEID_INO64_GEN: an inode number and, always 0 here, how often it has been used. */
const TYPE = 0x81;
const INODE = struct({ ino: "u64", generation: "u32" });
const SIZE = 12;

/** Whether a description is of a file of the host's, of which it says who it is. */
const isOnHost = (file: OpenFile): boolean =>
  file instanceof RegularFile ||
  (file instanceof PathFile && !file.isSynthetic) ||
  (file instanceof DirectoryFile && file.folder !== undefined);

const nameToHandle: SyscallHandler = (ctx) => {
  const { args, memory } = ctx;
  const flags = args.int(4);
  checkFlags(flags, AT_SYMLINK_FOLLOW | AT_EMPTY_PATH);
  const follow = (flags & AT_SYMLINK_FOLLOW) !== 0;
  const { at, file } = atArg(ctx, args.int(0), 1, { follow, flags });
  const object = file ?? at?.object;
  if (object === undefined ? at?.place === undefined : !isOnHost(object)) throw new SysError(EOPNOTSUPP);
  const { system } = files(ctx);
  const into = args.address(2);
  const { bytes } = ctx.get(HANDLE, into);
  if (bytes > MOST) throw new SysError(EINVAL);
  const { ino } = object?.stat() ?? system.stat(at!);
  const { path } = object?.where() ?? at!;
  ctx.put32(args.address(3), mountIdOf(mountTable(system.namespace), path));
  ctx.put(HANDLE, into, { bytes: SIZE, type: TYPE });
  if (bytes < SIZE) throw new SysError(EOVERFLOW);
  memory.write(into + HEAD_SIZE, INODE.encode(ctx.abi, { ino, generation: 0 }).subarray(0, SIZE));
  return 0;
};

const openByHandle: SyscallHandler = (ctx) => {
  const { args, abi, memory } = ctx;
  if (!isCapable(ctx.thread.credentials, CAP_DAC_READ_SEARCH)) throw new SysError(EPERM);
  const task = files(ctx);
  const { system } = task;
  const where = args.int(0) === AT_FDCWD ? task.directory : task.descriptors.get(args.int(0));
  const { bytes, type } = ctx.get(HANDLE, args.address(1));
  if (bytes === 0 || bytes > MOST) throw new SysError(EINVAL);
  const content = memory.read(args.address(1) + HEAD_SIZE, bytes);
  if (!isOnHost(where)) throw new SysError(EBADF);
  if (type !== TYPE || bytes < SIZE) throw new SysError(ESTALE);
  const padded = new Uint8Array(INODE.size(abi));
  padded.set(content.subarray(0, SIZE));
  const stat = { ...where.stat(), ino: INODE.decode(abi, padded).ino };
  const { path: known } = where.where();
  const path = system.namespace.mounts
    .filter(({ guest }) => known === guest || known.startsWith(guest === "/" ? "/" : `${guest}/`))
    .map((mount) => otherName(system, stat, known, mount))
    .find((found) => found !== undefined);
  if (path === undefined) throw new SysError(ESTALE);
  const flags = args.int(2);
  const file = task.open(AT_FDCWD, path, flags, 0);
  task.noteOpened(file);
  return install(ctx, file, (flags & O_CLOEXEC) !== 0);
};

export const FILE_HANDLE_CALLS: readonly SyscallRow[] = [
  { name: "name_to_handle_at", args: "fd str ptr ptr hex", handler: nameToHandle },
  { name: "open_by_handle_at", args: "fd ptr octal", handler: openByHandle },
];
