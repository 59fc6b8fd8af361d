/** System calls on memory policies and nodes (Linux: mm/mempolicy.c, migrate.c), as they are where node 0 is the only one. */
import { PAGE_SIZE } from "../../memory/layout.ts";
import type { MemoryPolicy, Vma } from "../../memory/vma.ts";
import { CAP_SYS_NICE, isCapable } from "../credentials.ts";
import { EFAULT, EINVAL, EIO, ENODEV, ENOENT, EOPNOTSUPP, EPERM, SysError } from "../errno.ts";
import {
  modeOf,
  MPOL_BIND,
  MPOL_DEFAULT,
  MPOL_F_NUMA_BALANCING,
  MPOL_F_RELATIVE_NODES,
  MPOL_F_STATIC_NODES,
  MPOL_INTERLEAVE,
  MPOL_LOCAL,
  MPOL_MAX,
  MPOL_MODE_FLAGS,
  MPOL_PREFERRED,
  MPOL_PREFERRED_MANY,
} from "../memory-policy.ts";
import type { Process } from "../process.ts";
import type { SyscallContext, SyscallHandler, SyscallRow } from "../syscall.ts";
import { eachArea, isPresent, rangeOf } from "./memory-advice.ts";
import { targetArg } from "./process-vm.ts";

const MPOL_F_NODE = 1;
const MPOL_F_ADDR = 2;
const MPOL_F_MEMS_ALLOWED = 4;
const MPOL_MF_STRICT = 1;
const MPOL_MF_MOVE = 2;
const MPOL_MF_MOVE_ALL = 4;

/** The nodes there are, as a mask, and how many bits masks may have at all (MAX_NUMNODES). */
const NODES = 1n;
const MAX_NODES = 256n;
const MASK_BYTES = 4096n;

const invalid = (): never => {
  throw new SysError(EINVAL);
};

/** A mask of nodes: argument `n` points to it, and the next says of how many bits it is, one too many. */
function nodesArg(ctx: SyscallContext, n: number, bits: number): bigint {
  const count = BigInt.asUintN(64, ctx.args.ulong(bits) - 1n);
  if (count === 0n || ctx.args.word(n) === 0n) return 0n;
  if (count > MASK_BYTES * 8n) return invalid();
  const { wordSize } = ctx.abi;
  const width = BigInt(8 * wordSize);
  let mask = 0n;
  for (let word = 0n; word * width < count; word++)
    mask |= ctx.getWord(ctx.args.address(n) + Number(word) * wordSize) << (word * width);
  mask = BigInt.asUintN(Number(count), mask);
  return mask >> MAX_NODES === 0n ? mask : invalid();
}

/** The policy of a mode with flags and nodes; undefined is the default. Throws EINVAL. */
function policyOf(given: number, named: bigint): MemoryPolicy | undefined {
  const mode = given & ~MPOL_MODE_FLAGS;
  const [isStatic, isRelative] = [given & MPOL_F_STATIC_NODES, given & MPOL_F_RELATIVE_NODES];
  if (mode === MPOL_DEFAULT) return named === 0n ? undefined : invalid();
  const isLocal = mode === MPOL_LOCAL || (mode === MPOL_PREFERRED && named === 0n);
  if (isLocal) {
    if (named !== 0n || isStatic || isRelative) return invalid();
    return { mode: MPOL_LOCAL, nodes: 0n };
  }
  // Relative ones are counted around those that there are.
  const nodes = isRelative && named !== 0n ? NODES : named & NODES;
  if (nodes === 0n) return invalid();
  // Of what was named a program is told the first word.
  return { mode: given, nodes: isStatic || isRelative ? BigInt.asUintN(64, named) : nodes };
}

/** Checks a mode with its flags, which is argument `n`. Throws EINVAL. */
function modeArg({ args }: SyscallContext, n: number): number {
  const given = args.uint(n);
  const mode = (given & ~MPOL_MODE_FLAGS) >>> 0;
  const both = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES;
  if (mode >= MPOL_MAX || (given & both) === both) return invalid();
  return given & MPOL_F_NUMA_BALANCING && mode !== MPOL_BIND ? invalid() : given;
}

const setMempolicy: SyscallHandler = (ctx) => {
  const mode = modeArg(ctx, 0);
  ctx.thread.policy = policyOf(mode, nodesArg(ctx, 1, 2));
  return 0;
};

/** Throws EPERM where pages that others have, too, are to be moved without the right to. */
function checkMoves({ thread }: SyscallContext, flags: number, known: number): void {
  if (flags & ~known) invalid();
  if (flags & MPOL_MF_MOVE_ALL && !isCapable(thread.credentials, CAP_SYS_NICE)) throw new SysError(EPERM);
}

const mbind: SyscallHandler = (ctx) => {
  const { args, memory } = ctx;
  const mode = modeArg(ctx, 2);
  const named = nodesArg(ctx, 3, 4);
  const flags = args.uint(5);
  checkMoves(ctx, flags, MPOL_MF_STRICT | MPOL_MF_MOVE | MPOL_MF_MOVE_ALL);
  const address = args.word(0);
  if (address % BigInt(PAGE_SIZE) !== 0n) return invalid();
  const range = rangeOf(ctx, address, args.word(1), EINVAL);
  if (range === undefined) return 0;
  const policy = policyOf(mode, named);
  const areas: Vma[] = [];
  const holes = eachArea(memory, range, (area) => void areas.push(area));
  if (areas.length === 0 || (holes && policy !== undefined)) throw new SysError(EFAULT);
  // All pages are on node 0, and can't be moved to where they are.
  if (policy !== undefined && flags === MPOL_MF_STRICT && (named & NODES) === 0n) {
    const { start, end } = range;
    if (areas.some((area) => isPresent(memory, area, start, end))) throw new SysError(EIO);
  }
  memory.bind(range.start, range.end, policy);
  return 0;
};

/** set_mempolicy_home_node(2): node 0 can only be what it is. */
const setHomeNode: SyscallHandler = (ctx) => {
  const { args, memory } = ctx;
  const address = args.word(0);
  if (address % BigInt(PAGE_SIZE) !== 0n || args.ulong(3) !== 0n || args.ulong(2) !== 0n) return invalid();
  const range = rangeOf(ctx, address, args.word(1), EINVAL);
  if (range === undefined) return 0;
  const policies: MemoryPolicy[] = [];
  eachArea(memory, range, ({ policy }) => policy !== undefined && policies.push(policy));
  if (policies.length === 0) throw new SysError(ENOENT);
  const canHave = policies.every((policy) => [MPOL_BIND, MPOL_PREFERRED_MANY].includes(modeOf(policy)));
  if (!canHave) throw new SysError(EOPNOTSUPP);
  return 0;
};

/** What get_mempolicy(2) tells: a policy, or a node, and a mask of nodes. */
function wanted(ctx: SyscallContext): { value: number; nodes: bigint } {
  const { args, memory, thread } = ctx;
  const flags = args.ulong(4);
  const known = MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED;
  if (flags & ~BigInt(known)) return invalid();
  const [wantsNode, wantsPlace] = [flags & BigInt(MPOL_F_NODE), flags & BigInt(MPOL_F_ADDR)];
  if (flags & BigInt(MPOL_F_MEMS_ALLOWED)) {
    return wantsNode || wantsPlace ? invalid() : { value: 0, nodes: NODES };
  }
  if (!wantsPlace && args.word(3) !== 0n) return invalid();
  let { policy } = thread;
  if (wantsPlace) {
    const area = memory.areas.find(args.address(3));
    if (area === undefined) throw new SysError(EFAULT);
    ({ policy } = area);
    // The page has to be there to be somewhere.
    if (wantsNode) memory.read(args.address(3), 1);
  } else if (wantsNode && (policy === undefined || modeOf(policy) !== MPOL_INTERLEAVE)) return invalid();
  const { mode, nodes } = policy ?? { mode: MPOL_DEFAULT, nodes: 0n };
  return { value: wantsNode ? 0 : mode, nodes };
}

const getMempolicy: SyscallHandler = (ctx) => {
  const { args, abi, memory } = ctx;
  const count = args.ulong(2);
  if (args.word(1) !== 0n && count === 0n) return invalid();
  const { value, nodes } = wanted(ctx);
  if (args.word(0) !== 0n) ctx.put32(args.address(0), value);
  if (args.word(1) === 0n) return 0;
  // Whole words of 64 bits, which one too few bits are in; programs of 32 bits always get one of theirs.
  const bytes = ((count - 1n + 63n) / 64n) * 8n;
  if (bytes > MASK_BYTES) return invalid();
  const { wordSize } = abi;
  if (bytes > 0n) memory.write(args.address(1), new Uint8Array(Number(bytes)));
  if (bytes > 0n || wordSize === 4) ctx.putWord(args.address(1), BigInt.asUintN(8 * wordSize, nodes));
  return 0;
};

/** The process of the thread that the first argument names, 0 being the caller. Throws ESRCH, EPERM. */
const target = (ctx: SyscallContext): Process => (ctx.args.int(0) === 0 ? ctx.process : targetArg(ctx));

/** migrate_pages(2): all pages are where they can be. */
const migratePages: SyscallHandler = (ctx) => {
  const [, to] = [nodesArg(ctx, 2, 1), nodesArg(ctx, 3, 1)];
  target(ctx);
  if ((to & ~NODES) !== 0n && !isCapable(ctx.thread.credentials, CAP_SYS_NICE)) throw new SysError(EPERM);
  return (to & NODES) === 0n ? invalid() : 0;
};

/** move_pages(2): tells of each page whether it is on node 0, the only one that it could be moved to. */
const movePages: SyscallHandler = (ctx) => {
  const { args, abi, resumed } = ctx;
  checkMoves(ctx, args.uint(5), MPOL_MF_MOVE | MPOL_MF_MOVE_ALL);
  const { memory } = target(ctx);
  const count = args.size(1);
  const wants = args.word(3) !== 0n;
  const began = resumed?.state.kind === "moved" ? resumed.state.done : 0;
  for (let n = began; n < count; n++) {
    if (n % 1024 === 0 && n > began && ctx.isOverdue) return ctx.pause({ kind: "moved", done: n }, 0);
    const page = ctx.getWord(args.address(2) + n * abi.wordSize);
    if (wants && ctx.memory.read32(args.address(3) + 4 * n) !== 0) throw new SysError(ENODEV);
    const at = page < BigInt(memory.limit) ? Number(page) : undefined;
    const area = at === undefined ? undefined : memory.areas.find(at);
    const start = (at ?? 0) - ((at ?? 0) % PAGE_SIZE);
    const isThere = area !== undefined && isPresent(memory, area, start, start + PAGE_SIZE);
    ctx.put32(args.address(4) + 4 * n, area === undefined ? -EFAULT : isThere ? 0 : -ENOENT);
  }
  return 0;
};

export const MEMPOLICY_SYSCALLS: readonly SyscallRow[] = [
  { name: "mbind", args: "ptr ulong hex ptr ulong hex", handler: mbind },
  { name: "set_mempolicy", args: "hex ptr ulong", handler: setMempolicy },
  { name: "get_mempolicy", args: "ptr ptr ulong ptr hex", handler: getMempolicy },
  { name: "set_mempolicy_home_node", args: "ptr ulong ulong hex", handler: setHomeNode },
  { name: "migrate_pages", args: "int ulong ptr ptr", handler: migratePages },
  { name: "move_pages", args: "int ulong ptr ptr ptr hex", handler: movePages },
];
