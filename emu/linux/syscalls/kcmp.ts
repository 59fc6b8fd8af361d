/** kcmp(2): whether two processes have the same of something (Linux: kernel/kcmp.c). */
import type { ComparedSnapshot } from "../../snapshot.ts";
import { EINVAL, noProcess, SysError } from "../errno.ts";
import type { Process } from "../process.ts";
import type { SyscallContext, SyscallHandler, SyscallRow } from "../syscall.ts";
import { filesOf } from "../vfs/process-files.ts";
import type { Thread } from "../thread.ts";
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

/** What of a process is compared, by KCMP_* number; `index` is an argument of the call. */
type Part = (thread: Thread, index: number) => object;
/** None has an I/O context or System V undo list of its own. */
const NONE = {};
const nothing: Part = () => NONE;
const PARTS: readonly Part[] = [
  (thread, fd) => filesOf(thread).descriptors.get(fd),
  ({ process }) => process.mm,
  ({ files }) => files.table,
  ({ files }) => files.fs,
  ({ process }) => process.signals.actions,
  nothing,
  nothing,
];

function threadArg(ctx: SyscallContext, n: number): Thread {
  const tid = ctx.args.int(n);
  const thread = ctx.kernel.thread(tid);
  if (thread === undefined) throw noProcess(tid);
  return thread;
}

/** Comparing what a set of epoll(7) has under a number takes CONFIG_CHECKPOINT_RESTORE; here it is only read. */
const KCMP_EPOLL_TFD = 7;
const EPOLL_SLOT_SIZE = 12;
const checkSlot = (ctx: SyscallContext): void => ctx.memory.checkLoad(ctx.args.address(4), EPOLL_SLOT_SIZE);

/** 0: the same; 1 or 2: another one, which comes later or earlier in some order. */
const kcmp: SyscallHandler = (ctx) => {
  const threads = [threadArg(ctx, 0), threadArg(ctx, 1)];
  for (const thread of threads) checkAccess(ctx.thread, thread);
  if (ctx.args.int(2) === KCMP_EPOLL_TFD) checkSlot(ctx);
  const part = PARTS[ctx.args.int(2)];
  if (part === undefined) throw new SysError(EINVAL);
  const [one, other] = threads.map((thread, i) => numberOf(part(thread, ctx.args.int(3 + i))));
  if (one === other) return 0;
  return one < other ? 1 : 2;
};

/** What of these processes and their threads has been compared, in its order. */
export function freezeCompared(processes: Iterable<Process>): ComparedSnapshot[] {
  const found = new Map<number, ComparedSnapshot>();
  const note = (thread: Thread, part: number, index: number): void => {
    const number = numbers.get(PARTS[part](thread, index));
    if (number !== undefined && !found.has(number)) found.set(number, { part, pid: thread.tid, index });
  };
  for (const { exitStatus, threads } of processes) {
    if (exitStatus !== null) continue;
    const seen = new Set<object>();
    for (const thread of threads) {
      // Threads with the same files have the same of everything.
      if (seen.has(thread.files)) continue;
      seen.add(thread.files);
      for (const [fd] of filesOf(thread).descriptors.list()) note(thread, 0, fd);
      for (let part = 1; part < PARTS.length && PARTS[part] !== nothing; part++) note(thread, part, 0);
    }
  }
  return [...found].sort(([a], [b]) => a - b).map(([, each]) => each);
}

/** Gives what had been compared its order again. Throws RangeError for what is not there. */
export function thawCompared(
  threadOf: (tid: number) => Thread | undefined,
  compared: readonly ComparedSnapshot[] = [],
): void {
  for (const { part, pid, index } of compared) {
    const thread = threadOf(pid);
    const isThere = part > 0 || thread === undefined || filesOf(thread).descriptors.has(index);
    if (thread === undefined || PARTS[part] === undefined || !isThere)
      throw new RangeError(`kcmp has compared part ${part} (${index}) of process ${pid}, which is not there`);
    numberOf(PARTS[part](thread, index));
  }
}

export const KCMP_SYSCALLS: readonly SyscallRow[] = [
  { name: "kcmp", args: "int int int ulong ulong", handler: kcmp },
];
