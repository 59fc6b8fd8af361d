/** kcmp(2): whether two processes have the same of something (Linux: kernel/kcmp.c). */
import type { ComparedSnapshot } from "../../snapshot.ts";
import { EINVAL, ESRCH, SysError } from "../errno.ts";
import type { Process } from "../process.ts";
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

/** What of a process is compared, by KCMP_* number; `index` is an argument of the call. */
type Part = (process: Process, index: number) => object;
/** None has an I/O context or System V undo list of its own. */
const NONE = {};
const nothing: Part = () => NONE;
const PARTS: readonly Part[] = [
  (process, fd) => filesOf(process).descriptors.get(fd),
  (process) => process.mm,
  (process) => process.files.table,
  (process) => process.files.fs,
  (process) => process.signals.actions,
  nothing,
  nothing,
];

function processArg(ctx: SyscallContext, n: number): Process {
  const thread = ctx.kernel.thread(ctx.args.int(n));
  if (thread === undefined) throw new SysError(ESRCH);
  return thread.process;
}

/** 0: the same; 1 or 2: another one, which comes later or earlier in some order. */
const kcmp: SyscallHandler = (ctx) => {
  const processes = [processArg(ctx, 0), processArg(ctx, 1)];
  for (const process of processes) checkAccess(ctx.process, process);
  const part = PARTS[ctx.args.int(2)];
  if (part === undefined) throw new SysError(EINVAL);
  const [one, other] = processes.map((process, i) => numberOf(part(process, ctx.args.int(3 + i))));
  if (one === other) return 0;
  return one < other ? 1 : 2;
};

/** What of these processes has been compared, in its order. */
export function freezeCompared(processes: Iterable<Process>): ComparedSnapshot[] {
  const found = new Map<number, ComparedSnapshot>();
  const note = (process: Process, part: number, index: number): void => {
    const number = numbers.get(PARTS[part](process, index));
    if (number !== undefined && !found.has(number)) found.set(number, { part, pid: process.pid, index });
  };
  for (const process of processes) {
    if (process.exitStatus !== null) continue;
    for (const [fd] of filesOf(process).descriptors.list()) note(process, 0, fd);
    for (let part = 1; part < PARTS.length && PARTS[part] !== nothing; part++) note(process, part, 0);
  }
  return [...found].sort(([a], [b]) => a - b).map(([, each]) => each);
}

/** Gives what had been compared its order again. Throws RangeError for what is not there. */
export function thawCompared(
  processes: ReadonlyMap<number, Process>,
  compared: readonly ComparedSnapshot[] = [],
): void {
  for (const { part, pid, index } of compared) {
    const process = processes.get(pid);
    const isThere = part > 0 || process === undefined || filesOf(process).descriptors.has(index);
    if (process === undefined || PARTS[part] === undefined || !isThere)
      throw new RangeError(`kcmp has compared part ${part} (${index}) of process ${pid}, which is not there`);
    numberOf(PARTS[part](process, index));
  }
}

export const KCMP_SYSCALLS: readonly SyscallRow[] = [
  { name: "kcmp", args: "int int int ulong ulong", handler: kcmp },
];
