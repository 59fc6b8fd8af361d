/** What a thread has been forbidden to call: seccomp(2) (Linux: kernel/seccomp.c). */
import { GPR, NIA } from "../cpu/registers.ts";
import { type Confinement, DATA_SIZE, filtersOf } from "./call-filters.ts";
import { runProgram } from "./classic-bpf.ts";
import { ENOSYS, SysError } from "./errno.ts";
import { signalInfo } from "./signals/pending.ts";
import { forceSignal } from "./signals/send.ts";
import { SIGKILL, SIGSYS } from "./signals/signal-numbers.ts";
import type { Thread } from "./thread.ts";
import { asksTracer, stopsForFilter } from "./tracing/tracing.ts";

const DATA_WORDS = DATA_SIZE / 4;

/** What filters say, in the upper half of what they return. */
export const RET_KILL_PROCESS = 0x8000_0000;
export const RET_KILL_THREAD = 0;
export const RET_TRAP = 0x3_0000;
export const RET_ERRNO = 0x5_0000;
export const RET_TRACE = 0x7ff0_0000;
export const RET_LOG = 0x7ffc_0000;
export const RET_ALLOW = 0x7fff_0000;
const RET_USER_NOTIF = 0x7fc0_0000;
const ACTION = 0xffff_0000;
const MOST_ERRNO = 4095;
const SYS_SECCOMP = 1;

/** AUDIT_ARCH_*: the machine's number in ELF files, with bits for its width and byte order. */
const EM_PPC = 20;
const EM_PPC64 = 21;
const ARCH_64 = 0x8000_0000;
const ARCH_LITTLE = 0x4000_0000;

const architectureOf = ({ process: { abi } }: Thread): number =>
  (abi.is64 ? EM_PPC64 + ARCH_64 : EM_PPC) + (abi.littleEndian ? ARCH_LITTLE : 0);

/** What strict mode lets through. */
const STRICT: ReadonlySet<string> = new Set(["read", "write", "exit", "sigreturn", "rt_sigreturn"]);

/** What filters are told of the call at NIA. */
function dataOf(thread: Thread, number: number): Uint32Array {
  const { registers, process } = thread;
  const { is64, littleEndian } = process.abi;
  const data = new Uint32Array(DATA_WORDS);
  data[0] = number;
  data[1] = architectureOf(thread);
  const put = (at: number, low: number, high: number) => {
    data[at + (littleEndian ? 0 : 1)] = low;
    data[at + (littleEndian ? 1 : 0)] = is64 ? high : 0;
  };
  const next = registers.nia + 4n;
  put(2, Number(next & 0xffff_ffffn), Number((next >> 32n) & 0xffff_ffffn));
  for (let n = 0; n < 6; n++) {
    const word = GPR / 4 + 2 * (3 + n);
    put(4 + 2 * n, registers.u32[word], registers.u32[word + 1]);
  }
  return data;
}

/** What the strictest filter returns; of those that are alike the latest. */
function verdictOf(confinement: Confinement, data: Uint32Array): number {
  let verdict = RET_ALLOW;
  for (const { program } of filtersOf(confinement)) {
    const said = runProgram(program, data);
    if ((said & ACTION) < (verdict & ACTION)) verdict = said;
  }
  return verdict;
}

/** How a call ends that is not to be made: with this result, without one (NIA behind it, registers as they were), with its thread; or that its tracer says. */
export type Refusal = { result: number } | "passed by" | "gone" | "stopped";

/** Ends the thread alone, where it isn't the last one; else its process. */
function endBy(thread: Thread, signo: number): Refusal {
  const { process } = thread;
  if (process.threads.size > 1) process.kernel.exitThread(thread, 0);
  else process.kernel.endProcess(process, signo);
  return "gone";
}

/** A signal that tells of the call, in front of which the registers are as they were. */
function trap(thread: Thread, number: number, reason: number, fatal: boolean): Refusal {
  const { process, registers } = thread;
  registers.u64[NIA / 8] += 4n;
  // si_call_addr, si_syscall and si_arch.
  const what = { value: registers.nia, overrun: number, uid: architectureOf(thread) };
  forceSignal(process, thread, signalInfo(SIGSYS, SYS_SECCOMP, { errno: reason, ...what }), fatal);
  return "passed by";
}

/** Whether a thread may make the call at NIA: what becomes of it if not, undefined if it may. Throws the error that a filter wants. */
export function refuse(
  thread: Thread,
  confinement: Confinement,
  number: number,
  name: string,
): Refusal | undefined {
  if (confinement.mode === "strict") return STRICT.has(name) ? undefined : endBy(thread, SIGKILL);
  const verdict = verdictOf(confinement, dataOf(thread, number));
  const reason = verdict & 0xffff;
  switch ((verdict & ACTION) >>> 0) {
    case RET_ALLOW:
    case RET_LOG:
      return undefined;
    case RET_ERRNO:
      if (reason === 0) return { result: 0 };
      throw new SysError(Math.min(reason, MOST_ERRNO));
    case RET_TRAP:
      return trap(thread, number, reason, false);
    case RET_TRACE:
      if (!asksTracer(thread)) throw new SysError(ENOSYS);
      return stopsForFilter(thread, reason) ? "stopped" : undefined;
    // Nobody has a descriptor that is told.
    case RET_USER_NOTIF:
      throw new SysError(ENOSYS);
    case RET_KILL_THREAD:
      if (thread.process.threads.size > 1) return endBy(thread, SIGSYS);
      break;
  }
  return trap(thread, number, reason, true);
}
