/** shmget, shmat, shmdt, shmctl. */
import { PAGE_SIZE } from "../../memory/layout.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../memory/vma.ts";
import { struct } from "../abi.ts";
import { EINVAL, EPERM, SysError } from "../errno.ts";
import { checkAllowed, checkOwner } from "../ipc/ipc-table.ts";
import { Segment, SHM_DEST, SHM_LOCKED, SHMALL, SHMMAX, SHMMNI } from "../ipc/segments.ts";
import type { SyscallContext, SyscallRow } from "../syscall.ts";
import { mapShared } from "./memory.ts";
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

const SHM_RDONLY = 0o10000;
const SHM_RND = 0o20000;
const SHM_REMAP = 0o40000;
const SHM_EXEC = 0o100000;
const SHM_HUGETLB = 0o4000;
const SHM_LOCK = 11;
const SHM_UNLOCK = 12;
const SHM_STAT = 13;
const SHM_INFO = 14;
const SHM_STAT_ANY = 15;
const EXECUTE = 0o111;

const SHMINFO = struct({
  shmmax: "ulong",
  shmmin: "ulong",
  shmmni: "ulong",
  shmseg: "ulong",
  shmall: "ulong",
  unused: ["ulong", 4],
});
const SHM_USE = struct({
  used_ids: "i32",
  shm_tot: "ulong",
  shm_rss: "ulong",
  shm_swp: "ulong",
  swap_attempts: "ulong",
  swap_successes: "ulong",
});
const shmidDs = (ctx: SyscallContext) =>
  struct({
    ...PERM,
    ...{ atime: timeType(ctx), dtime: timeType(ctx), ctime: timeType(ctx) },
    // On 32-bit ABIs a word that nobody uses.
    unused4: ["ulong", ctx.abi.is64 ? 0 : 1],
    ...{ segsz: "ulong", cpid: "i32", lpid: "i32", nattch: "ulong" },
    unused5: ["ulong", 2],
  } as const);

export function shmget(ctx: SyscallContext): number {
  const [key, size, flags] = [ctx.args.int(0), ctx.args.ulong(1), ctx.args.int(2)];
  const { segments } = ctx.kernel.ipc;
  segments.sweep();
  return segments.find(
    { key, flags: flags & ~SHM_HUGETLB, credentials: ctx.thread.credentials },
    (segment) => {
      if (size > BigInt(segment.size)) throw new SysError(EINVAL);
    },
    (perm) => {
      if (size < 1n || size > SHMMAX || size > BigInt(Number.MAX_SAFE_INTEGER) || flags & SHM_HUGETLB)
        throw new SysError(EINVAL);
      return new Segment(perm, seconds(ctx), { size: Number(size), creator: ctx.process.pid });
    },
  );
}

/** shmat(2): the address. */
export function shmat(ctx: SyscallContext, wanted: bigint, flags: number): number {
  const id = ctx.args.int(0);
  if (id < 0) throw new SysError(EINVAL);
  let address = wanted;
  const page = BigInt(PAGE_SIZE);
  if (address !== 0n && address % page !== 0n) {
    if (!(flags & SHM_RND)) throw new SysError(EINVAL);
    address -= address % page;
  }
  if (address === 0n && flags & SHM_REMAP) throw new SysError(EINVAL);
  // Nobody may have the first page.
  if (address === 0n && wanted !== 0n) throw new SysError(EPERM);
  const { segments } = ctx.kernel.ipc;
  segments.sweep();
  const segment = segments.get(id);
  const readOnly = (flags & SHM_RDONLY) !== 0;
  const executable = (flags & SHM_EXEC) !== 0;
  checkAllowed(segment, ctx.thread.credentials, READ | (readOnly ? 0 : ALTER) | (executable ? EXECUTE : 0));
  const prot = PROT_READ | (readOnly ? 0 : PROT_WRITE) | (executable ? PROT_EXEC : 0);
  const start = mapShared(ctx, {
    ...{ address, length: BigInt(segment.size), prot, shared: segment.object },
    replace: (flags & SHM_REMAP) !== 0,
  });
  segment.attached = seconds(ctx);
  segment.operator = ctx.process.pid;
  return start;
}

export function shmdt(ctx: SyscallContext, address: bigint): number {
  const { memory, kernel } = ctx;
  if (address % BigInt(PAGE_SIZE) !== 0n || address >= BigInt(memory.limit)) throw new SysError(EINVAL);
  const start = Number(address);
  const { segments } = kernel.ipc;
  const [first] = memory.areas.overlapping(start, start + PAGE_SIZE);
  const segment = segments.behind(first?.shared);
  if (segment === undefined || first.start !== start || first.offset !== 0) throw new SysError(EINVAL);
  // What has been cut out of the attachment since has left the other parts where they were.
  const parts = memory.areas
    .overlapping(start, start + segment.size)
    .filter(({ shared, offset, start: at }) => shared === segment.object && at - offset === start);
  for (const part of parts) memory.unmap(part.start, part.end);
  segment.detached = seconds(ctx);
  segment.operator = ctx.process.pid;
  segments.sweep();
  return 0;
}

function putInfo(ctx: SyscallContext, at: number): void {
  ctx.put(SHMINFO, at, { shmmax: SHMMAX, shmmin: 1, shmmni: SHMMNI, shmseg: SHMMNI, shmall: SHMALL });
}

function putUse(ctx: SyscallContext, at: number): void {
  const all = [...ctx.kernel.ipc.segments.values()];
  const pages = all.reduce((sum, { size }) => sum + Math.ceil(size / PAGE_SIZE), 0);
  const resident = all.reduce((sum, { object }) => sum + [...object.pages].length, 0);
  ctx.put(SHM_USE, at, { used_ids: all.length, shm_tot: pages, shm_rss: resident });
}

const SEGMENTS: ControlledKind<Segment> = {
  table: ({ segments }) => segments,
  stat: SHM_STAT,
  info: SHM_INFO,
  statAny: SHM_STAT_ANY,
  putInfo: (ctx, at, counts) => (counts ? putUse : putInfo)(ctx, at),
  putStat(ctx, segment, at) {
    ctx.put(shmidDs(ctx), at, {
      ...permFields(segment),
      ...{ atime: timeFields(ctx, segment.attached), dtime: timeFields(ctx, segment.detached) },
      ...{ ctime: timeFields(ctx, segment.changed), segsz: segment.size, cpid: segment.creator },
      ...{ lpid: segment.operator, nattch: ctx.kernel.ipc.segments.attachments(segment) },
    });
  },
  set: setPerm,
  /** Its key leads nowhere from here; those that have it attached keep it. */
  remove(ctx, { perm }) {
    perm.mode |= SHM_DEST;
    perm.key = 0;
    ctx.kernel.ipc.segments.sweep();
  },
};

export function shmctl(ctx: SyscallContext, at: number): number {
  const [id, command] = [ctx.args.int(0), commandOf(ctx.args.int(1))];
  const { segments } = ctx.kernel.ipc;
  segments.sweep();
  const result = control(ctx, SEGMENTS, { id, command, at: () => at });
  if (result !== undefined) return result;
  if (command !== SHM_LOCK && command !== SHM_UNLOCK) throw new SysError(EINVAL);
  const segment = segments.get(id);
  checkOwner(segment, ctx.thread.credentials);
  const { perm } = segment;
  perm.mode = command === SHM_LOCK ? perm.mode | SHM_LOCKED : perm.mode & ~SHM_LOCKED;
  return 0;
}

export const SEGMENT_CALLS: readonly SyscallRow[] = [
  { name: "shmget", args: "int ulong octal", handler: shmget },
  {
    name: "shmat",
    args: "int ptr octal",
    handler: (ctx) => shmat(ctx, ctx.args.word(1), ctx.args.int(2)),
  },
  { name: "shmdt", args: "ptr", handler: (ctx) => shmdt(ctx, ctx.args.word(0)) },
  { name: "shmctl", args: "int int ptr", handler: (ctx) => shmctl(ctx, ctx.args.address(2)) },
];
