/** Requests to have files share their blocks (Linux: fs/remap_range.c), which no file system here can: what is wrong with them is told first. */
import { struct } from "../abi.ts";
import { EBADF, EINVAL, EISDIR, ENOMEM, EOPNOTSUPP, EXDEV, SysError } from "../errno.ts";
import type { SyscallContext } from "../syscall.ts";
import { O_APPEND, O_PATH } from "../vfs/constants.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { files } from "./files-common.ts";
import { iow, iowr } from "./ioctl-numbers.ts";

const CLONE_RANGE = struct({ src_fd: "i64", src_offset: "u64", src_length: "u64", dest_offset: "u64" });
const DEDUPE = struct({
  src_offset: "u64",
  src_length: "u64",
  dest_count: "u16",
  reserved1: "u16",
  reserved2: "u32",
});
/** struct file_dedupe_range_info. */
const INFO_SIZE = 32;
const PAGE = 4096;
const S_IFREG = "file";

/** Throws what is wrong about having `to` share blocks of a descriptor's file, or EOPNOTSUPP. */
function clone(ctx: SyscallContext, to: OpenFile, fd: number): never {
  const from = files(ctx).descriptors.get(fd);
  if (from.flags & O_PATH) throw new SysError(EBADF);
  const [source, target] = [from.stat(), to.stat()];
  if (source.dev !== target.dev) throw new SysError(EXDEV);
  const kinds = [source.kind, target.kind];
  if (kinds.includes("directory")) throw new SysError(EISDIR);
  if (kinds.some((kind) => kind !== S_IFREG)) throw new SysError(EINVAL);
  if (!from.canRead || !to.canWrite || to.flags & O_APPEND) throw new SysError(EBADF);
  throw new SysError(EOPNOTSUPP);
}

/** FIDEDUPERANGE. */
function dedupe(ctx: SyscallContext, file: OpenFile): never {
  const { dest_count, reserved1, reserved2 } = ctx.get(DEDUPE, ctx.args.address(2));
  if (DEDUPE.size(ctx.abi) + dest_count * INFO_SIZE > PAGE) throw new SysError(ENOMEM);
  if (!file.canRead || reserved1 !== 0 || reserved2 !== 0) throw new SysError(EINVAL);
  const { kind } = file.stat();
  if (kind === "directory") throw new SysError(EISDIR);
  throw new SysError(kind === S_IFREG ? EOPNOTSUPP : EINVAL);
}

/** By their numbers: FICLONE, FICLONERANGE, FIDEDUPERANGE. */
export const CLONE_REQUESTS: readonly (readonly [number, (ctx: SyscallContext, file: OpenFile) => number])[] =
  [
    [iow("\x94", 9, 4), (ctx, file) => clone(ctx, file, ctx.args.int(2))],
    [
      iow("\x94", 13, 32),
      (ctx, file) => clone(ctx, file, Number(ctx.get(CLONE_RANGE, ctx.args.address(2)).src_fd)),
    ],
    [iowr("\x94", 54, 24), dedupe],
  ];
