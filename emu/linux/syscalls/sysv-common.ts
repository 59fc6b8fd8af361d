/** What the calls on System V objects have in common: struct ipc64_perm, times, owners, and the commands that *ctl calls share. */
import type { Encodable, Fields } from "../abi.ts";
import { struct } from "../abi.ts";
import { NANOSECONDS } from "../clock.ts";
import { EINVAL, SysError } from "../errno.ts";
import type { IpcObjects } from "../ipc/ipc-objects.ts";
import { checkAllowed, checkOwner, type IpcObject, type IpcTable } from "../ipc/ipc-table.ts";
import type { SyscallContext } from "../syscall.ts";

const IPC_RMID = 0;
const IPC_SET = 1;
const IPC_STAT = 2;
const IPC_INFO = 3;
/** Old programs say by this that they know the structs with 32-bit ids. */
const IPC_64 = 0x100;

export const commandOf = (command: number): number => command & ~IPC_64;

/** What permission bits are asked for, whoever asks. */
export const READ = 0o444;
export const ALTER = 0o222;

/** struct ipc64_perm, with its parts side by side in the structs that begin with it. */
export const PERM = {
  key: "i32",
  uid: "u32",
  gid: "u32",
  cuid: "u32",
  cgid: "u32",
  mode: "u32",
  seq: "u32",
  pad: "u32",
  unused: ["u64", 2],
} as const satisfies Fields;
const PERM_LAYOUT = struct(PERM);

export const permFields = ({ perm }: IpcObject): Encodable<typeof PERM> => ({
  ...{ key: perm.key, uid: perm.uid, gid: perm.gid, cuid: perm.cuid, cgid: perm.cgid, mode: perm.mode },
  seq: Math.floor(perm.id / 32768),
});

/** A time of these structs: on 32-bit ABIs the upper half comes first. */
export const timeFields = (ctx: SyscallContext, time: bigint): bigint[] =>
  ctx.abi.is64 ? [time] : [time >> 32n, time & 0xffff_ffffn];
export const timeType = (ctx: SyscallContext) => ["ulong", ctx.abi.is64 ? 1 : 2] as const;

export const seconds = ({ kernel }: SyscallContext): bigint => kernel.clock.realtime() / NANOSECONDS;

/** IPC_SET: owner and permission bits from a struct that begins with struct ipc64_perm. Throws EPERM. */
export function setPerm(ctx: SyscallContext, object: IpcObject, at: number): void {
  const { uid, gid, mode } = ctx.get(PERM_LAYOUT, at);
  checkOwner(object, ctx.thread.credentials);
  const { perm } = object;
  Object.assign(perm, { uid, gid, mode: (perm.mode & ~0o777) | (mode & 0o777) });
  object.changed = seconds(ctx);
}

/** A kind of objects, as its *ctl call knows it. */
export interface ControlledKind<T extends IpcObject> {
  table(objects: IpcObjects): IpcTable<T>;
  /** The numbers of *_STAT, *_INFO and *_STAT_ANY. */
  readonly stat: number;
  readonly info: number;
  readonly statAny: number;
  /** Writes what IPC_INFO says, or *_INFO with `counts`. */
  putInfo(ctx: SyscallContext, at: number, counts: boolean): void;
  putStat(ctx: SyscallContext, object: T, at: number): void;
  set(ctx: SyscallContext, object: T, at: number): void;
  /** IPC_RMID by somebody who may. */
  remove(ctx: SyscallContext, object: T): void;
}

/**
 * The commands that all *ctl calls have; undefined for one that is the kind's own. `at` gives the address of the struct, and is asked where there
 * is one. *_STAT and *_STAT_ANY mean an object by its place in the table and return its id. Throws what the call is to fail with.
 */
export function control<T extends IpcObject>(
  ctx: SyscallContext,
  kind: ControlledKind<T>,
  { id, command, at }: { id: number; command: number; at: () => number },
): number | undefined {
  if (id < 0) throw new SysError(EINVAL);
  const table = kind.table(ctx.kernel.ipc);
  const { credentials } = ctx.thread;
  switch (command) {
    case IPC_INFO:
    case kind.info:
      kind.putInfo(ctx, at(), command === kind.info);
      return Math.max(0, table.highest);
    case IPC_STAT:
    case kind.stat:
    case kind.statAny: {
      const object = command === IPC_STAT ? table.get(id) : table.at(id);
      if (object === undefined) throw new SysError(EINVAL);
      if (command !== kind.statAny) checkAllowed(object, credentials, READ);
      kind.putStat(ctx, object, at());
      return command === IPC_STAT ? 0 : object.perm.id;
    }
    case IPC_SET:
      kind.set(ctx, table.get(id), at());
      return 0;
    case IPC_RMID: {
      const object = table.get(id);
      checkOwner(object, credentials);
      kind.remove(ctx, object);
      return 0;
    }
  }
  return undefined;
}
