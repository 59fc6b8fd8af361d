/** kcmp(2): whether two processes have the same of something (Linux: kernel/kcmp.c). */
import { EINVAL, ESRCH, SysError } from "../errno.ts";
import type { Thread } from "../thread.ts";
import type { SyscallContext, SyscallHandler, SyscallRow } from "../syscall.ts";
import { filesOf } from "../vfs/process-files.ts";
import { checkAccess } from "./process-vm.ts";

/** Numbers by which objects are put in an order that stays the same. */
const numbers = new WeakMap<object, number>();
let last = 0;

function numberOf(object: object): number {
  const known = numbers.get(object);
  if (known !== undefined) return known;
  numbers.set(object, ++last);
  return last;
}

/** What of a thread is compared, by KCMP_* number; `index` is an argument of the call. */
type Part = (thread: Thread, index: number) => object;
/** None has an I/O context or System V undo list of its own. */
const NONE = {};
const PARTS: readonly Part[] = [
  ({ process }, fd) => filesOf(process).descriptors.get(fd),
  ({ process }) => process.mm,
  ({ process }) => process.files.table,
  ({ process }) => process.files.fs,
  ({ process }) => process.signals.actions,
  () => NONE,
  () => NONE,
];

function threadArg(ctx: SyscallContext, n: number): Thread {
  const thread = ctx.kernel.thread(ctx.args.int(n));
  if (thread === undefined) throw new SysError(ESRCH);
  return thread;
}

/** 0: the same; 1 or 2: another one, which comes later or earlier in some order. */
const kcmp: SyscallHandler = (ctx) => {
  const threads = [threadArg(ctx, 0), threadArg(ctx, 1)];
  for (const { process } of threads) checkAccess(ctx.process, process);
  const part = PARTS[ctx.args.int(2)];
  if (part === undefined) throw new SysError(EINVAL);
  const [one, other] = threads.map((thread, i) => numberOf(part(thread, ctx.args.int(3 + i))));
  if (one === other) return 0;
  return one < other ? 1 : 2;
};

export const KCMP_SYSCALLS: readonly SyscallRow[] = [
  { name: "kcmp", args: "int int int ulong ulong", handler: kcmp },
];
