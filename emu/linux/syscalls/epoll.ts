/** epoll_create, epoll_ctl, epoll_wait and their variants. */
import { struct } from "../abi.ts";
import { EFAULT, EINVAL, EPERM, SysError } from "../errno.ts";
import type { SyscallContext, SyscallHandler, SyscallResult, SyscallRow } from "../syscall.ts";
import { O_CLOEXEC } from "../vfs/constants.ts";
import { EPOLLET, EPOLLEXCLUSIVE, EPOLLWAKEUP, EpollFile, MOST } from "../vfs/epoll-file.ts";
import type { OpenFile } from "../vfs/open-file.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT } from "../vfs/readiness.ts";
import { accessible, checkFlags, fileArg, install } from "./files-common.ts";
import { maskArgument, type PollWait, pollLoop } from "./poll.ts";
import { readTimespec } from "./time-format.ts";

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
/** What EPOLLEXCLUSIVE may come with (EPOLLEXCLUSIVE_OK_BITS). */
const EXCLUSIVE_BITS = POLLIN | POLLOUT | POLLERR | POLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;

/** struct epoll_event: packed on x86 alone. */
const EVENT = struct({ events: "u32", data: "u64" });
const DATA = 8;

function create(ctx: SyscallContext, flags: number): number {
  checkFlags(flags, O_CLOEXEC);
  return install(ctx, new EpollFile(), (flags & O_CLOEXEC) !== 0);
}

/** The set of descriptor argument 0. Throws EBADF, EINVAL. */
function setArg(ctx: SyscallContext): EpollFile {
  const file = fileArg(ctx, 0);
  if (!(file instanceof EpollFile)) throw new SysError(EINVAL);
  return file;
}

function control(ctx: SyscallContext): number {
  const operation = ctx.args.int(1);
  const fd = ctx.args.int(2);
  const interest = () => {
    const { events, data } = ctx.get(EVENT, ctx.args.address(3));
    return { events: events | 0, data };
  };
  const given = operation === EPOLL_CTL_DEL ? undefined : interest();
  fileArg(ctx, 0);
  const file = fileArg(ctx, 2);
  if (!file.canPoll) throw new SysError(EPERM);
  const set = setArg(ctx);
  if (file === set) throw new SysError(EINVAL);
  switch (operation) {
    case EPOLL_CTL_ADD:
      checkExclusive(given!.events, file);
      set.add(fd, file, given!);
      return 0;
    case EPOLL_CTL_DEL:
      set.remove(fd, file);
      return 0;
    case EPOLL_CTL_MOD:
      if (given!.events & EPOLLEXCLUSIVE) throw new SysError(EINVAL);
      set.change(fd, file, given!);
      return 0;
  }
  throw new SysError(EINVAL);
}

/** EPOLLEXCLUSIVE goes with few other bits, and not with a set (Linux: do_epoll_ctl). */
function checkExclusive(events: number, file: OpenFile): void {
  const isExclusive = (events & EPOLLEXCLUSIVE) !== 0;
  if (isExclusive && (events & ~EXCLUSIVE_BITS || file instanceof EpollFile)) throw new SysError(EINVAL);
}

/** Looks, and waits until something in the set is ready. */
function wait(ctx: SyscallContext, how: PollWait): SyscallResult {
  const set = setArg(ctx);
  const most = ctx.args.int(2);
  const size = EVENT.size(ctx.abi);
  if (most <= 0 || most > Math.floor(0x7fff_ffff / size)) throw new SysError(EINVAL);
  const at = ctx.args.address(1);
  if (at + size > ctx.memory.limit) throw new SysError(EFAULT);
  // Nobody else may have looked whether a timer has expired that is in the set.
  ctx.kernel.alarms.expire(ctx.kernel.clock);
  return pollLoop(ctx, { ...how, restart: "never" }, () => {
    if (!set.readable()) return { ready: 0, files: [set], store: () => {} };
    const room = Math.floor(accessible(ctx.memory, at, Math.min(most, MOST) * size, true) / size);
    if (room === 0) throw new SysError(EFAULT);
    const events = set.take(room);
    const store = () => {
      events.forEach((event, n) => {
        // What lies between the two is left as it is (Linux: epoll_put_uevent).
        ctx.memory.write32(at + n * size, event.events);
        ctx.memory.write64(at + n * size + DATA, event.data);
      });
    };
    return { ready: events.length, files: [set], store };
  });
}

const milliseconds = (value: number): bigint | undefined =>
  value < 0 ? undefined : BigInt(value) * 1_000_000n;

const epollWait: SyscallHandler = (ctx) => wait(ctx, { timeout: milliseconds(ctx.args.int(3)) });

const epollPwait: SyscallHandler = (ctx) => {
  const { args } = ctx;
  const mask = maskArgument(ctx, args.word(4), args.ulong(5));
  return wait(ctx, { timeout: milliseconds(args.int(3)), mask });
};

const epollPwait2: SyscallHandler = (ctx) => {
  const { args } = ctx;
  const at = args.address(3);
  const timeout = at === 0 ? undefined : readTimespec(ctx, at, "time64");
  return wait(ctx, { timeout, mask: maskArgument(ctx, args.word(4), args.ulong(5)) });
};

export const EPOLL_SYSCALLS: readonly SyscallRow[] = [
  {
    name: "epoll_create",
    args: "int",
    handler: (ctx) => {
      if (ctx.args.int(0) <= 0) throw new SysError(EINVAL);
      return create(ctx, 0);
    },
  },
  { name: "epoll_create1", args: "octal", handler: (ctx) => create(ctx, ctx.args.int(0)) },
  { name: "epoll_ctl", args: "fd int fd ptr", handler: control },
  { name: "epoll_wait", args: "fd ptr int int", handler: epollWait },
  { name: "epoll_pwait", args: "fd ptr int int ptr ulong", handler: epollPwait },
  { name: "epoll_pwait2", args: "fd ptr int ptr ptr ulong", handler: epollPwait2 },
];
