/**
 * The two instructions that make system calls, and how each gives results (Linux: Documentation/powerpc/syscall64-abi). `sc` tells
 * an error in CR0[SO], with its number in r3; `scv 0` gives its negative in r3 and leaves CR alone. As scv uses LR and CTR for the
 * address and the MSR to go on with, these are what a program finds there.
 */
import { ignoringFaults } from "../cpu/fault.ts";
import { CR, CTR, GPR, LR, NIA, type Registers } from "../cpu/registers.ts";
import { PAGE_SIZE } from "../memory/layout.ts";
import type { AbiInfo } from "./abi.ts";
import { SysError } from "./errno.ts";
import type { Process } from "./process.ts";
import type { Thread } from "./thread.ts";

/** r3 among the register block's words, its low one. */
export const R3 = GPR / 4 + 2 * 3;
/** CR0[SO] in the register block's byte for CR0. */
const SO = 1;
/** What tells the word of `sc` from that of `scv`: bit 30. */
const SC_BIT = 2;

/** Whether the instruction at NIA, which makes a system call, is `scv`. */
export function isVectored({ process, registers }: Thread): boolean {
  const { memory, interpreter } = process;
  const nia = registers.u32[NIA / 4] + registers.u32[NIA / 4 + 1] * 2 ** 32;
  const isRun = registers.u32[NIA / 4 + 1] === 0 && interpreter.isOpen(nia);
  const isThere = isRun || ignoringFaults(() => memory.markCode(Math.floor(nia / PAGE_SIZE), registers.nia));
  return isThere && (memory.fetch(nia) & SC_BIT) === 0;
}

/** Whether the instruction at `address`, which has made a system call or is to, is `scv`. */
export function isVectoredAt({ memory }: Process, address: bigint): boolean {
  const at = Number(BigInt.asUintN(64, address));
  let word = SC_BIT;
  ignoringFaults(() => {
    word = memory.read32(at);
  });
  memory.takeMatched();
  return (word & SC_BIT) === 0;
}

/** Ends the call at NIA with a result or an error: r3, how it is told, and NIA behind it. */
export function returnFromCall(
  registers: Registers,
  abi: AbiInfo,
  vectored: boolean,
  outcome: number | bigint | SysError,
): void {
  const failed = outcome instanceof SysError;
  const value = !failed ? outcome : vectored ? -outcome.errno : outcome.errno;
  // Nearly every result is a small number: BigInts cost V8 a call.
  if (typeof value === "number" && value >= 0 && value === (value | 0)) {
    registers.i32[R3] = value;
    registers.i32[R3 + 1] = 0;
  } else registers.setGpr(3, BigInt.asUintN(abi.is64 ? 64 : 32, BigInt(value)));
  const next = registers.u32[NIA / 4] + 4;
  registers.u32[NIA / 4] = next;
  if (next >= 2 ** 32) registers.u32[NIA / 4 + 1]++;
  if (vectored) {
    registers.u64[LR / 8] = registers.nia;
    registers.u64[CTR / 8] = registers.msr;
  } else if (failed) registers.bytes[CR] |= SO;
  else registers.bytes[CR] &= ~SO;
}
