/** semget, semop, semtimedop, semctl. */
import { struct } from "../abi.ts";
import { E2BIG, EAGAIN, EINVAL, ERANGE, SysError } from "../errno.ts";
import { checkAllowed } from "../ipc/ipc-table.ts";
import { SEMMNI, SEMMNS, SEMMSL, SEMOPM, SEMVMX, SemaphoreSet } from "../ipc/semaphores.ts";
import { pointer, type SyscallContext, type SyscallRow } from "../syscall.ts";
import {
  ALTER,
  type ControlledKind,
  commandOf,
  control,
  PERM,
  permFields,
  READ,
  seconds,
  setPerm,
  timeFields,
  timeType,
} from "./sysv-common.ts";
import { readTimespec, type TimeFormat } from "./time-format.ts";

const GETPID = 11;
const GETVAL = 12;
const GETALL = 13;
const GETNCNT = 14;
const GETZCNT = 15;
const SETVAL = 16;
const SETALL = 17;
const SEM_STAT = 18;
const SEM_INFO = 19;
const SEM_STAT_ANY = 20;
const LOOKS: readonly number[] = [GETPID, GETVAL, GETALL, GETNCNT, GETZCNT];
const CHANGES: readonly number[] = [SETVAL, SETALL];

const SEMBUF = struct({ sem_num: "u16", sem_op: "i16", sem_flg: "i16" });
const SEMINFO = struct({
  semmap: "i32",
  semmni: "i32",
  semmns: "i32",
  semmnu: "i32",
  semmsl: "i32",
  semopm: "i32",
  semume: "i32",
  semusz: "i32",
  semvmx: "i32",
  semaem: "i32",
});
const semidDs = (ctx: SyscallContext) =>
  struct({ ...PERM, otime: timeType(ctx), ctime: timeType(ctx), nsems: "ulong", unused3: ["ulong", 2] });

export function semget(ctx: SyscallContext): number {
  const [key, count, flags] = [ctx.args.int(0), ctx.args.int(1), ctx.args.int(2)];
  if (count < 0 || count > SEMMSL) throw new SysError(EINVAL);
  return ctx.kernel.ipc.semaphores.find(
    { key, flags, credentials: ctx.thread.credentials },
    (set) => {
      if (count > set.values.length) throw new SysError(EINVAL);
    },
    (perm) => {
      if (count === 0) throw new SysError(EINVAL);
      return new SemaphoreSet(perm, seconds(ctx), count);
    },
  );
}

/** semtimedop(2); `timeoutAt` 0 waits for ever. */
export function semtimedop(ctx: SyscallContext, timeoutAt: number, format: TimeFormat): number {
  const [id, at, count] = [ctx.args.int(0), ctx.args.address(1), ctx.args.ulong(2)];
  const timeout = timeoutAt === 0 ? undefined : readTimespec(ctx, timeoutAt, format);
  if (count === 0n || id < 0) throw new SysError(EINVAL);
  if (count > BigInt(SEMOPM)) throw new SysError(E2BIG);
  const size = SEMBUF.size(ctx.abi);
  const bytes = ctx.memory.read(at, Number(count) * size);
  const operations = Array.from({ length: Number(count) }, (_, n) => {
    const { sem_num, sem_op, sem_flg } = SEMBUF.decode(ctx.abi, bytes.subarray(n * size));
    return { number: sem_num, change: sem_op, flags: sem_flg };
  });
  const set = ctx.kernel.ipc.semaphores.get(id, ctx.resumed !== undefined);
  const { thread, process, kernel } = ctx;
  set.note(thread, undefined);
  checkAllowed(set, thread.credentials, operations.some(({ change }) => change !== 0) ? ALTER : READ);
  const blocking = set.operate(operations, process.pid);
  if (blocking === undefined) {
    set.operated = seconds(ctx);
    return 0;
  }
  const now = kernel.clock.monotonic();
  const deadline = ctx.resumed?.deadline ?? (timeout === undefined ? null : now + timeout);
  if (deadline !== null && deadline <= now) throw new SysError(EAGAIN);
  set.note(thread, blocking);
  return ctx.block({
    queues: [set.queue],
    deadline,
    restart: "never",
    abandoned: () => set.note(thread, undefined),
  });
}

const SETS: ControlledKind<SemaphoreSet> = {
  table: ({ semaphores }) => semaphores,
  stat: SEM_STAT,
  info: SEM_INFO,
  statAny: SEM_STAT_ANY,
  putInfo(ctx, at, counts) {
    const { semaphores } = ctx.kernel.ipc;
    const all = [...semaphores.values()].reduce((sum, { values }) => sum + values.length, 0);
    ctx.put(SEMINFO, at, {
      ...{ semmap: SEMMNS, semmni: SEMMNI, semmns: SEMMNS, semmnu: SEMMNS },
      ...{ semmsl: SEMMSL, semopm: SEMOPM, semume: SEMOPM, semvmx: SEMVMX },
      ...{ semusz: counts ? semaphores.size : 20, semaem: counts ? all : SEMVMX },
    });
  },
  putStat(ctx, set, at) {
    ctx.put(semidDs(ctx), at, {
      ...permFields(set),
      ...{ otime: timeFields(ctx, set.operated), ctime: timeFields(ctx, set.changed) },
      nsems: set.values.length,
    });
  },
  set: setPerm,
  remove: (ctx, set) => ctx.kernel.ipc.semaphores.remove(set),
};

/** What a set says of one semaphore, or all. */
function look(
  ctx: SyscallContext,
  set: SemaphoreSet,
  number: number,
  command: number,
  argument: bigint,
): number {
  const waits = (waiter: unknown) => (waiter as { state?: unknown }).state === "waiting";
  if (command === GETALL) {
    const bytes = new Uint8Array(2 * set.values.length);
    set.values.forEach((value, i) => {
      new DataView(bytes.buffer).setUint16(2 * i, value, ctx.abi.littleEndian);
    });
    ctx.memory.write(pointer(argument), bytes);
    return 0;
  }
  if (number < 0 || number >= set.values.length) throw new SysError(EINVAL);
  if (command === GETVAL) return set.values[number];
  if (command === GETPID) return set.pids[number];
  return set.count(number, command === GETZCNT, waits);
}

function change(
  ctx: SyscallContext,
  set: SemaphoreSet,
  number: number,
  command: number,
  argument: bigint,
): void {
  const { pid } = ctx.process;
  if (command === SETVAL) {
    // The int of union semun lies in the first half of a big-endian long.
    const high = ctx.abi.is64 && !ctx.abi.littleEndian;
    const value = Number(BigInt.asIntN(32, high ? argument >> 32n : argument));
    if (value < 0 || value > SEMVMX) throw new SysError(ERANGE);
    if (number < 0 || number >= set.values.length) throw new SysError(EINVAL);
    set.set(number, value, pid);
  } else {
    const bytes = ctx.memory.read(pointer(argument), 2 * set.values.length);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const values = set.values.map((_, i) => view.getUint16(2 * i, ctx.abi.littleEndian));
    if (values.some((value) => value > SEMVMX)) throw new SysError(ERANGE);
    values.forEach((value, i) => {
      set.set(i, value, pid);
    });
  }
  set.changed = seconds(ctx);
}

/** semctl(2), with the union as a long: a number, or a pointer. */
export function semctl(ctx: SyscallContext, argument: bigint): number {
  const [id, number, command] = [ctx.args.int(0), ctx.args.int(1), commandOf(ctx.args.int(2))];
  const result = control(ctx, SETS, { id, command, at: () => pointer(argument) });
  if (result !== undefined) return result;
  const changes = CHANGES.includes(command);
  if (!changes && !LOOKS.includes(command)) throw new SysError(EINVAL);
  const set = ctx.kernel.ipc.semaphores.get(id);
  checkAllowed(set, ctx.thread.credentials, changes ? ALTER : READ);
  if (!changes) return look(ctx, set, number, command, argument);
  change(ctx, set, number, command, argument);
  return 0;
}

export const SEMAPHORE_CALLS: readonly SyscallRow[] = [
  { name: "semget", args: "int int octal", handler: semget },
  { name: "semctl", args: "int int int ulong", handler: (ctx) => semctl(ctx, ctx.args.word(3)) },
  {
    name: "semtimedop",
    args: "int ptr ulong ptr",
    handler: (ctx) => semtimedop(ctx, ctx.args.address(3), "native"),
  },
  {
    name: "semtimedop_time64",
    args: "int ptr ulong ptr",
    handler: (ctx) => semtimedop(ctx, ctx.args.address(3), "time64"),
  },
];
