/** Opening named pipes, which waits for somebody at the other end (Linux: fifo_open). */
import { EISDIR, ENOTDIR, SysError } from "../errno.ts";
import type { SyscallContext } from "../syscall.ts";
import {
  O_ACCMODE,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
} from "../vfs/constants.ts";
import { fileKey } from "../vfs/folder.ts";
import type { ResolveOptions } from "../vfs/namespace.ts";
import { release } from "../vfs/open-file.ts";
import { MAY_READ, MAY_WRITE } from "../vfs/permissions.ts";
import type { PipeKind } from "../vfs/pipe.ts";
import { files, install } from "./files-common.ts";

interface Request {
  dirfd: number;
  path: string;
  flags: number;
}
type How = Omit<ResolveOptions, "base" | "follow">;

/** The named pipe that a path leads to, and the path without links. Throws EACCES where it may not be opened so. */
function pipeAt(ctx: SyscallContext, { dirfd, path, flags }: Request, how: How) {
  const task = files(ctx);
  const { system } = task;
  if (system.nodes.isEmpty) return undefined;
  const at = task.resolve(dirfd, path, { ...how, follow: (flags & O_NOFOLLOW) === 0 });
  const node = at.stat?.kind === "fifo" ? system.nodes.get(fileKey(at.stat)) : undefined;
  if (node === undefined) return undefined;
  if (flags & O_DIRECTORY) throw new SysError(ENOTDIR);
  if (at.mustBeDirectory) throw new SysError(flags & O_CREAT ? EISDIR : ENOTDIR);
  const access = flags & O_ACCMODE;
  const wanted = (access !== O_WRONLY ? MAY_READ : 0) | (access !== O_RDONLY ? MAY_WRITE : 0);
  system.checkAccess(at, wanted, task);
  return { node, path: at.path };
}

/** The descriptor of a named pipe, where a path leads to one that is to be opened itself; undefined for all else. */
export function openNamedPipe(ctx: SyscallContext, request: Request, how: How): number | undefined {
  const { system } = files(ctx);
  const { tid } = ctx.thread;
  const { flags } = request;
  // Who waits does so for the pipe: others may have removed its name, now that they have it open.
  const awaited = system.nodes.awaitedBy(tid);
  const found = awaited === undefined ? pipeAt(ctx, request, how) : { node: awaited, path: awaited.path };
  if (found === undefined) return undefined;
  const access = flags & O_ACCMODE;
  const kind: PipeKind = access === O_RDONLY ? "pipe-read" : access === O_WRONLY ? "pipe-write" : "pipe-both";
  const opener = system.nodes.open(
    found.node,
    { tid, kind, flags: flags & O_NONBLOCK, waits: (flags & O_NONBLOCK) === 0 },
    { newInode: () => system.newInode(), statusAt: (path) => system.statusAt(path) },
  );
  if (!opener.met) {
    return ctx.block({
      queues: [opener.end.pipe.queue],
      abandoned: () => system.nodes.giveUp(tid),
    });
  }
  try {
    return install(ctx, opener.end, (flags & O_CLOEXEC) !== 0);
  } finally {
    release(opener.end);
  }
}
