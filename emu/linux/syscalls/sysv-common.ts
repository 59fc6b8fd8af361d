/** What the calls on System V objects have in common: struct ipc64_perm, times, owners. */
import type { Encodable, Fields } from "../abi.ts";
import { struct } from "../abi.ts";
import { NANOSECONDS } from "../clock.ts";
import { EINVAL, SysError } from "../errno.ts";
import { checkOwner, type IpcObject, type IpcTable } from "../ipc/ipc-table.ts";
import type { SyscallContext } from "../syscall.ts";

export const IPC_RMID = 0;
export const IPC_SET = 1;
export const IPC_STAT = 2;
export const IPC_INFO = 3;
/** Old programs say by this that they know the structs with 32-bit ids. */
const IPC_64 = 0x100;

export const commandOf = (command: number): number => command & ~IPC_64;

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
  checkOwner(object, ctx.process.credentials);
  const { perm } = object;
  Object.assign(perm, { uid, gid, mode: (perm.mode & ~0o777) | (mode & 0o777) });
  object.changed = seconds(ctx);
}

/** The object that *_STAT calls mean by its place in the table. Throws EINVAL. */
export function atPlace<T extends IpcObject>(table: IpcTable<T>, place: number): T {
  const found = table.at(place);
  if (found === undefined) throw new SysError(EINVAL);
  return found;
}
