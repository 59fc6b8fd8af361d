/** signalfd and signalfd4. */
import { EINVAL, SysError } from "../errno.ts";
import { UNBLOCKABLE } from "../signals/signal-numbers.ts";
import type { SyscallContext, SyscallRow } from "../syscall.ts";
import { O_CLOEXEC, O_NONBLOCK } from "../vfs/constants.ts";
import { SignalFile } from "../vfs/signal-file.ts";
import { checkFlags, fileArg, install } from "./files-common.ts";
import { checkSigsetSize, getSigset } from "./signals.ts";

function signalfd(ctx: SyscallContext, flags: number): number {
  checkSigsetSize(ctx, 2);
  checkFlags(flags, O_CLOEXEC | O_NONBLOCK);
  const mask = getSigset(ctx, ctx.args.address(1)) & ~UNBLOCKABLE;
  if (ctx.args.int(0) !== -1) {
    const file = fileArg(ctx, 0);
    if (!(file instanceof SignalFile)) throw new SysError(EINVAL);
    file.mask = mask;
    ctx.process.signals.arrivals.wake();
    return ctx.args.int(0);
  }
  const file = new SignalFile({ mask, flags: flags & O_NONBLOCK, machine: ctx.kernel });
  return install(ctx, file, (flags & O_CLOEXEC) !== 0);
}

export const SIGNALFD_SYSCALLS: readonly SyscallRow[] = [
  { name: "signalfd", args: "fd ptr ulong", handler: (ctx) => signalfd(ctx, 0) },
  { name: "signalfd4", args: "fd ptr ulong octal", handler: (ctx) => signalfd(ctx, ctx.args.int(3)) },
];
