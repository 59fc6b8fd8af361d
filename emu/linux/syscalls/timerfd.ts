/** timerfd_create, timerfd_settime, timerfd_gettime. */
import { EINVAL, EPERM, SysError } from "../errno.ts";
import type { SyscallContext, SyscallHandler, SyscallRow } from "../syscall.ts";
import { O_CLOEXEC, O_NONBLOCK } from "../vfs/constants.ts";
import { TIMER_CLOCKS, TimerFile } from "../vfs/timer-file.ts";
import { checkFlags, fileArg, files, install } from "./files-common.ts";
import type { TimeFormat } from "./time-format.ts";
import { ALARM_CLOCKS, putItimerspec, readItimerspec } from "./timers.ts";

const TFD_TIMER_ABSTIME = 1;
const TFD_TIMER_CANCEL_ON_SET = 2;

function create(ctx: SyscallContext): number {
  const [clock, flags] = [ctx.args.int(0), ctx.args.int(1)];
  checkFlags(flags, O_CLOEXEC | O_NONBLOCK);
  if (!TIMER_CLOCKS.includes(clock)) throw new SysError(EINVAL);
  if (ALARM_CLOCKS.includes(clock)) throw new SysError(EPERM);
  const file = new TimerFile({
    ...{ clock, flags: flags & O_NONBLOCK, machine: ctx.kernel },
    ...{ littleEndian: ctx.abi.littleEndian, rank: Number(files(ctx).system.newInode()) },
  });
  return install(ctx, file, (flags & O_CLOEXEC) !== 0);
}

/** The timer of a descriptor argument. Throws EBADF, EINVAL. */
function timerArg(ctx: SyscallContext): TimerFile {
  const file = fileArg(ctx, 0);
  if (!(file instanceof TimerFile)) throw new SysError(EINVAL);
  return file;
}

const settime =
  (format: TimeFormat): SyscallHandler =>
  (ctx) => {
    const { args } = ctx;
    const flags = args.int(1);
    const { value, interval } = readItimerspec(ctx, args.address(2), format);
    // Nobody can set the clock, so nothing is ever cancelled for that.
    checkFlags(flags, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET);
    const timer = timerArg(ctx);
    const before = timer.setting;
    timer.set(value, interval, (flags & TFD_TIMER_ABSTIME) !== 0);
    if (args.address(3) !== 0) putItimerspec(ctx, args.address(3), format, before);
    return 0;
  };

const gettime =
  (format: TimeFormat): SyscallHandler =>
  (ctx) => {
    putItimerspec(ctx, ctx.args.address(1), format, timerArg(ctx).setting);
    return 0;
  };

export const TIMERFD_SYSCALLS: readonly SyscallRow[] = [
  { name: "timerfd_create", args: "int octal", handler: create },
  { name: "timerfd_settime", args: "fd int ptr ptr", handler: settime("native") },
  { name: "timerfd_settime64", args: "fd int ptr ptr", handler: settime("time64") },
  { name: "timerfd_gettime", args: "fd ptr", handler: gettime("native") },
  { name: "timerfd_gettime64", args: "fd ptr", handler: gettime("time64") },
];
