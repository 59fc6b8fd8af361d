/**
 * struct siginfo as the guest sees it: 128 bytes; signo, errno and code, then a union that starts at 12 (32-bit)
 * or 16 (64-bit) and whose member follows from signal and code (Linux: siginfo_layout).
 */
import type { DataModel } from "./bytes.ts";
import { GuestBytes } from "./bytes.ts";
import { type SignalInfo, signalInfo } from "./pending.ts";
import {
  SI_KERNEL,
  SI_SIGIO,
  SI_TIMER,
  SI_USER,
  SIGBUS,
  SIGCHLD,
  SIGFPE,
  SIGILL,
  SIGIO,
  SIGSEGV,
  SIGSYS,
  SIGTRAP,
} from "./signal-numbers.ts";

export const SIGINFO_SIZE = 128;

/** Members of the union. */
type Shape = "kill" | "timer" | "rt" | "child" | "fault" | "poll" | "sys";

const SHAPE_BY_SIGNAL = new Map<number, Shape>([
  [SIGILL, "fault"],
  [SIGFPE, "fault"],
  [SIGSEGV, "fault"],
  [SIGBUS, "fault"],
  [SIGTRAP, "fault"],
  [SIGCHLD, "child"],
  [SIGIO, "poll"],
  [SIGSYS, "sys"],
]);

/** POLL_* codes, which any signal of F_SETSIG may have. */
const NSIGPOLL = 6;

/** Which member of the union `code` of signal `signo` has in use. */
function shapeOf(signo: number, code: number): Shape {
  if (code > SI_USER && code < SI_KERNEL)
    return SHAPE_BY_SIGNAL.get(signo) ?? (code <= NSIGPOLL ? "poll" : "kill");
  if (code === SI_TIMER) return "timer";
  if (code === SI_SIGIO) return "poll";
  return code < 0 ? "rt" : "kill";
}

const int = (value: bigint): number => Number(BigInt.asIntN(32, value));

/** Writes `info` at `at` of `out`; the 128 bytes there are expected to be zero. */
export function putSigInfo(out: GuestBytes, at: number, info: SignalInfo): void {
  out.setU32(at, info.signo);
  out.setU32(at + 4, info.errno);
  out.setU32(at + 8, info.code);
  const { is64 } = out.model;
  const union = at + (is64 ? 16 : 12);
  switch (shapeOf(info.signo, info.code)) {
    case "kill":
      out.setU32(union, info.pid);
      out.setU32(union + 4, info.uid);
      break;
    case "timer":
      out.setU32(union, info.timer);
      out.setU32(union + 4, info.overrun);
      out.setUlong(union + 8, info.value);
      break;
    case "rt":
      out.setU32(union, info.pid);
      out.setU32(union + 4, info.uid);
      out.setUlong(union + 8, info.value);
      break;
    case "child":
      out.setU32(union, info.pid);
      out.setU32(union + 4, info.uid);
      out.setU32(union + 8, int(info.value));
      break;
    case "fault":
      out.setUlong(union, info.value);
      break;
    case "poll":
      out.setUlong(union, BigInt(info.overrun));
      out.setU32(union + (is64 ? 8 : 4), int(info.value));
      break;
    case "sys":
      out.setUlong(union, info.value);
      out.setU32(union + (is64 ? 8 : 4), info.overrun);
      out.setU32(union + (is64 ? 12 : 8), info.uid);
      break;
  }
}

/** Bytes of a struct signalfd_siginfo, which is the same on all ABIs but for byte order. */
export const SIGNALFD_INFO_SIZE = 128;

/** Writes `info` as signalfd(2) gives it; the bytes of `out` are expected to be zero. */
export function putSignalfdInfo(out: GuestBytes, info: SignalInfo): void {
  const { is64, littleEndian } = out.model;
  out.setU32(0, info.signo);
  out.setU32(4, info.errno);
  out.setU32(8, info.code);
  const shape = shapeOf(info.signo, info.code);
  if (shape === "kill" || shape === "rt" || shape === "child") {
    out.setU32(12, info.pid);
    out.setU32(16, info.uid);
  }
  if (shape === "poll") {
    out.setU32(20, int(info.value));
    out.setU32(28, info.overrun);
  }
  if (shape === "timer") {
    out.setU32(24, info.timer);
    out.setU32(32, info.overrun);
  }
  if (shape === "child") out.setU32(40, int(info.value));
  if (shape === "timer" || shape === "rt") {
    // sigval is a union: its int is the first half of a pointer in memory.
    out.setU32(44, is64 && !littleEndian ? int(info.value >> 32n) : int(info.value));
    out.setU64(48, info.value);
  }
  if (shape === "fault" || shape === "sys") out.setU64(72, info.value);
}

/** The 128 bytes of `info`. */
export function encodeSigInfo(model: DataModel, info: SignalInfo): Uint8Array {
  const out = new GuestBytes(model, SIGINFO_SIZE);
  putSigInfo(out, 0, info);
  return out.bytes;
}

/** Reads what a program hands to rt_sigqueueinfo(2) as signal `signo`. */
export function getSigInfo(from: GuestBytes, signo: number): SignalInfo {
  const info = signalInfo(signo, from.i32(8), { errno: from.i32(4) });
  const union = from.model.is64 ? 16 : 12;
  const first = from.i32(union);
  const second = from.u32(union + 4);
  switch (shapeOf(signo, info.code)) {
    case "fault":
      info.value = from.ulong(union);
      break;
    case "timer":
      info.timer = first;
      info.overrun = second;
      info.value = from.ulong(union + 8);
      break;
    case "poll":
      info.overrun = first;
      info.value = BigInt(from.u32(union + (from.model.is64 ? 8 : 4)));
      break;
    case "sys":
      info.value = from.ulong(union);
      info.overrun = from.i32(union + (from.model.is64 ? 8 : 4));
      info.uid = from.u32(union + (from.model.is64 ? 12 : 8));
      break;
    default:
      info.pid = first;
      info.uid = second;
      info.value = from.ulong(union + 8);
  }
  return info;
}
