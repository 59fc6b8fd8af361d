/** prctl(2), personality(2): properties of the calling process (Linux: kernel/sys.c, arch/powerpc/kernel/process.c). */

import { MSR_FE0, MSR_FE1 } from "../../cpu/registers.ts";
import { decodeName, encodeName } from "../../host/names.ts";
import {
  ALL_SECBIT_LOCKS,
  ALL_SECBITS,
  CAP_SETPCAP,
  capability,
  isCapable,
  LAST_CAPABILITY,
  SECBIT_KEEP_CAPS,
  SECBIT_KEEP_CAPS_LOCKED,
  SECBIT_NO_CAP_AMBIENT_RAISE,
} from "../credentials.ts";
import { readCString } from "../../memory/c-strings.ts";
import { EINVAL, ENODEV, EPERM, SysError } from "../errno.ts";
import { shortName } from "../process.ts";
import { TIMER_SLACK } from "../scheduling.ts";
import { MODE_FILTER, MODE_STRICT, modeOf } from "../call-filters.ts";
import type { SyscallContext, SyscallHandler, SyscallResult, SyscallRow } from "../syscall.ts";
import { setFilter, setStrict } from "./confinement.ts";

/** PR_FP_EXC_* and the MSR bits they stand for. */
const FP_EXC_DISABLED = 0;
const FP_EXC_PRECISE = 3;
const FP_EXC_SW_ENABLE = 0x80;
const FP_MODES: readonly number[] = [0, 0x100, 0x800, 0x900];
const ENDIAN_BIG = 0;
const ENDIAN_LITTLE = 1;
const UNALIGN_NOPRINT = 1;
const SIGRTMAX = 64;

type Option = (ctx: SyscallContext) => SyscallResult;

/** Throws EINVAL unless arguments `from` to 4 are zero. */
function restIsZero({ args }: SyscallContext, from: number): void {
  for (let n = from; n <= 4; n++) if (args.word(n) !== 0n) throw new SysError(EINVAL);
}

const invalid: Option = () => {
  throw new SysError(EINVAL);
};

/** An option that takes values up to `most` and has no effect. */
const upTo =
  (most: bigint): Option =>
  ({ args }) => {
    if (args.ulong(1) > most) throw new SysError(EINVAL);
    return 0;
  };

/** An option that stores a 32-bit value where its argument points. */
const stores =
  (value: (ctx: SyscallContext) => number): Option =>
  (ctx) => {
    ctx.put32(ctx.args.address(1), value(ctx));
    return 0;
  };

const setPdeathsig: Option = ({ process, args }) => {
  const signo = args.ulong(1);
  if (signo > BigInt(SIGRTMAX)) throw new SysError(EINVAL);
  process.prctl.pdeathsig = Number(signo);
  return 0;
};

const setDumpable: Option = ({ process, args }) => {
  const value = args.ulong(1);
  if (value !== 0n && value !== 1n) throw new SysError(EINVAL);
  process.prctl.dumpable = Number(value);
  return 0;
};

const setName: Option = (ctx) => {
  const { memory, thread, args } = ctx;
  const at = args.address(1);
  const bytes: number[] = [];
  for (let i = 0; i < 15; i++) {
    const byte = memory.read(at + i, 1)[0];
    if (byte === 0) break;
    bytes.push(byte);
  }
  thread.comm = shortName(decodeName(Uint8Array.from(bytes)));
  return 0;
};

const getName: Option = ({ memory, thread, args }) => {
  const bytes = new Uint8Array(16);
  bytes.set(encodeName(thread.comm).subarray(0, 15));
  memory.write(args.address(1), bytes);
  return 0;
};

/** PR_SET_FPEXC: what a floating-point exception that is enabled in the FPSCR does (Power ISA 3.0B, I.4.3.3). */
const setFpexc: Option = ({ thread, args }) => {
  const mode = args.uint(1);
  // Only cores with the SPE facility have exceptions that software enables.
  if (mode & FP_EXC_SW_ENABLE || mode > FP_EXC_PRECISE) throw new SysError(EINVAL);
  thread.fpexcMode = FP_MODES[mode];
  const { registers } = thread;
  registers.msr = (registers.msr & ~(MSR_FE0 | MSR_FE1)) | BigInt(thread.fpexcMode);
  return 0;
};

/** PR_SET_ENDIAN: only to what it is already; a CPU that switches is not emulated. */
const setEndian: Option = ({ args, abi }) => {
  if (args.uint(1) !== (abi.littleEndian ? ENDIAN_LITTLE : ENDIAN_BIG)) throw new SysError(EINVAL);
  return 0;
};

const setNoNewPrivs: Option = (ctx) => {
  if (ctx.args.word(1) !== 1n) throw new SysError(EINVAL);
  restIsZero(ctx, 2);
  ctx.thread.noNewPrivs = true;
  return 0;
};

const setSeccomp: Option = (ctx) => {
  const mode = ctx.args.word(1);
  if (mode === BigInt(MODE_STRICT)) return setStrict(ctx);
  if (mode !== BigInt(MODE_FILTER)) throw new SysError(EINVAL);
  return setFilter(ctx, 0, ctx.args.address(2));
};

/** The set of the capability that an argument names. Throws EINVAL where there is none. */
const capabilityArg = ({ args }: SyscallContext, n: number): bigint => {
  if (args.ulong(n) > BigInt(LAST_CAPABILITY)) throw new SysError(EINVAL);
  return capability(args.int(n));
};

const AMBIENT_IS_SET = 1n;
const AMBIENT_RAISE = 2n;
const AMBIENT_LOWER = 3n;
const AMBIENT_CLEAR_ALL = 4n;

/** PR_CAP_AMBIENT: what programs have that are executed, though neither they nor root give it. */
const capAmbient: Option = (ctx) => {
  const { thread, args } = ctx;
  const { credentials } = thread;
  const operation = args.word(1);
  if (operation === AMBIENT_CLEAR_ALL) {
    restIsZero(ctx, 2);
    thread.become({ ...credentials, ambient: 0n });
    return 0;
  }
  restIsZero(ctx, 3);
  const one = capabilityArg(ctx, 2);
  const { ambient, permitted, inheritable, securebits } = credentials;
  if (operation === AMBIENT_IS_SET) return Number((ambient & one) !== 0n);
  if (operation !== AMBIENT_RAISE && operation !== AMBIENT_LOWER) throw new SysError(EINVAL);
  const raises = operation === AMBIENT_RAISE;
  const mayRaise = (permitted & inheritable & one) !== 0n && !(securebits & SECBIT_NO_CAP_AMBIENT_RAISE);
  if (raises && !mayRaise) throw new SysError(EPERM);
  thread.become({ ...credentials, ambient: raises ? ambient | one : ambient & ~one });
  return 0;
};

const getTidAddress: Option = (ctx) => {
  ctx.putWord(ctx.args.address(1), ctx.thread.clearTid);
  return 0;
};

/** PR_SET_VMA_ANON_NAME: names show in no map here, but the arguments are checked. */
const setVma: Option = ({ args, memory }) => {
  if (args.word(1) !== 0n || args.word(2) % 4096n !== 0n) throw new SysError(EINVAL);
  if (args.word(4) !== 0n && readCString(memory, args.address(4), 80) === undefined)
    throw new SysError(EINVAL);
  return 0;
};

/** PR_SET_PTRACER of the security module Yama: who may trace, which nobody does. */
const setPtracer: Option = ({ args, kernel }) => {
  const pid = args.int(1);
  if (pid !== 0 && pid !== -1 && kernel.thread(pid) === undefined) throw new SysError(EINVAL);
  return 0;
};

const zero: Option = () => 0;

const capBoundingRead: Option = (ctx) =>
  Number((ctx.thread.credentials.bounding & capabilityArg(ctx, 1)) !== 0n);

const capBoundingDrop: Option = (ctx) => {
  const { thread } = ctx;
  const { credentials } = thread;
  if (!isCapable(credentials, CAP_SETPCAP)) throw new SysError(EPERM);
  thread.become({ ...credentials, bounding: credentials.bounding & ~capabilityArg(ctx, 1) });
  return 0;
};

/** PR_SET_SECUREBITS: a bit that is locked stays as it is, and so does its lock. */
const setSecurebits: Option = ({ thread, args }) => {
  const { credentials } = thread;
  const { securebits: old } = credentials;
  const wanted = args.ulong(1);
  const next = Number(wanted & 0xffn);
  const locks = old & ALL_SECBIT_LOCKS;
  const isAllowed =
    ((locks >> 1) & (old ^ next)) === 0 &&
    (locks & ~next) === 0 &&
    wanted <= BigInt(ALL_SECBITS | ALL_SECBIT_LOCKS) &&
    isCapable(credentials, CAP_SETPCAP);
  if (!isAllowed) throw new SysError(EPERM);
  thread.become({ ...credentials, securebits: next });
  return 0;
};

const getNoNewPrivs: Option = (ctx) => {
  restIsZero(ctx, 1);
  return ctx.thread.noNewPrivs ? 1 : 0;
};

const setKeepCapabilities: Option = ({ thread, args }) => {
  const { credentials } = thread;
  const keeps = args.ulong(1);
  if (keeps > 1n) throw new SysError(EINVAL);
  if (credentials.securebits & SECBIT_KEEP_CAPS_LOCKED) throw new SysError(EPERM);
  const others = credentials.securebits & ~SECBIT_KEEP_CAPS;
  thread.become({ ...credentials, securebits: keeps === 1n ? others | SECBIT_KEEP_CAPS : others });
  return 0;
};

/** PR_SET_TIMERSLACK: sleeps are exact all the same. */
const setTimerSlack: Option = ({ thread, args }) => {
  const timerSlack = args.long(1) <= 0n ? TIMER_SLACK : args.ulong(1);
  thread.scheduling = { ...thread.scheduling, timerSlack };
  return 0;
};

const setChildSubreaper: Option = ({ process, args }) => {
  process.attributes.childSubreaper = args.word(1) !== 0n;
  return 0;
};

const setNoHugePages: Option = (ctx) => {
  restIsZero(ctx, 2);
  ctx.process.attributes.noHugePages = ctx.args.word(1) !== 0n;
  return 0;
};

const getNoHugePages: Option = (ctx) => {
  restIsZero(ctx, 1);
  return Number(ctx.process.attributes.noHugePages);
};

const PR_MCE_KILL_CLEAR = 0n;
const PR_MCE_KILL_SET = 1n;
const PR_MCE_KILL_DEFAULT = 2;

/** PR_MCE_KILL: memory has no faults here, so what is to happen then is not kept. */
const mceKill: Option = (ctx) => {
  restIsZero(ctx, 3);
  const [what, policy] = [ctx.args.word(1), ctx.args.word(2)];
  if (what === PR_MCE_KILL_CLEAR ? policy !== 0n : what !== PR_MCE_KILL_SET || policy > 2n)
    throw new SysError(EINVAL);
  return 0;
};
const mceKillGet: Option = (ctx) => {
  restIsZero(ctx, 1);
  return PR_MCE_KILL_DEFAULT;
};

/** Speculation is nothing that this CPU does. */
/** GET_SPECULATION_CTRL and SET_SPECULATION_CTRL: there is none that could be controlled; `used` arguments are meant. */
const noSpeculation =
  (used: number): Option =>
  ({ args }) => {
    for (let n = used; n <= 4; n++) if (args.word(n) !== 0n) throw new SysError(EINVAL);
    throw new SysError(ENODEV);
  };

const PR_SET_MM_AUXV = 12;
const PR_SET_MM_MAP = 14;
/** SET_MM: what a restart by the kernel's own means wants, and nobody may. */
const setMm: Option = ({ args }) => {
  const hasSize = args.int(1) >= PR_SET_MM_AUXV && args.int(1) <= PR_SET_MM_MAP;
  if (args.word(4) !== 0n || (args.word(3) !== 0n && !hasSize)) throw new SysError(EINVAL);
  throw new SysError(EPERM);
};

const notPermitted: Option = () => {
  throw new SysError(EPERM);
};

/** By PR_* number; the others are EINVAL, as on a kernel without the feature. */
const OPTIONS: ReadonlyMap<number, Option> = new Map<number, Option>([
  [1, setPdeathsig],
  [2, stores(({ process }) => process.prctl.pdeathsig)],
  [3, ({ process }) => process.prctl.dumpable],
  [4, setDumpable],
  // Unaligned accesses work, and nothing is said about them.
  [5, stores(() => UNALIGN_NOPRINT)],
  [6, upTo(3n)], // SET_UNALIGN
  [7, ({ thread }) => Number((thread.credentials.securebits & SECBIT_KEEP_CAPS) !== 0)],
  [8, setKeepCapabilities],
  [11, stores(({ thread }) => Math.max(FP_MODES.indexOf(thread.fpexcMode), FP_EXC_DISABLED))],
  [12, setFpexc],
  [13, zero], // GET_TIMING: statistical
  [14, upTo(0n)], // SET_TIMING
  [15, setName],
  [16, getName],
  [19, stores(({ abi }) => (abi.littleEndian ? ENDIAN_LITTLE : ENDIAN_BIG))],
  [20, setEndian],
  [21, ({ thread }) => modeOf(thread.confinement)],
  [22, setSeccomp],
  [23, capBoundingRead],
  [24, capBoundingDrop],
  [27, ({ thread }) => thread.credentials.securebits], // GET_SECUREBITS
  [28, setSecurebits],
  [29, setTimerSlack],
  [30, ({ thread }) => thread.scheduling.timerSlack],
  [31, zero], // TASK_PERF_EVENTS_DISABLE
  [32, zero], // TASK_PERF_EVENTS_ENABLE
  [33, mceKill],
  [34, mceKillGet],
  [35, setMm],
  [36, setChildSubreaper],
  [37, stores(({ process }) => Number(process.attributes.childSubreaper))],
  [38, setNoNewPrivs],
  [39, getNoNewPrivs],
  [40, getTidAddress],
  [41, setNoHugePages],
  [42, getNoHugePages],
  [47, capAmbient],
  [52, noSpeculation(2)],
  [53, noSpeculation(3)],
  [57, notPermitted], // SET_IO_FLUSHER
  [58, notPermitted],
  [0x5356_4d41, setVma],
  [0x5961_6d61, setPtracer],
]);

const prctl: SyscallHandler = (ctx) => (OPTIONS.get(ctx.args.int(0)) ?? invalid)(ctx);

/** personality(2): kept and told; only READ_IMPLIES_EXEC has an effect. */
const personality: SyscallHandler = ({ process, args }) => {
  const old = process.personality;
  if (args.uint(0) !== 0xffff_ffff) process.personality = args.uint(0);
  return old >>> 0;
};

export const PRCTL_SYSCALLS: readonly SyscallRow[] = [
  { name: "prctl", args: "int ulong ulong ulong ulong", handler: prctl },
  { name: "personality", args: "hex", handler: personality },
];
