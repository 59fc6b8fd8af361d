/** A thread's registers as a snapshot has them, and back. */
import {
  DABR,
  DSCR,
  PPR,
  RESERVE_ADDRESS,
  RESERVE_LENGTH,
  RESERVE_VALUE,
  type Registers,
  TAR,
  VRSAVE,
  VSCR,
  VSR,
} from "../cpu/registers.ts";
import type { RegistersSnapshot } from "../snapshot.ts";
import type { AbiInfo } from "./abi.ts";
import { userMsr } from "./exec.ts";

const FP_MODES = [0, 0x100, 0x800, 0x900];

/** What the register block says; upper halves that a 32-bit program does not have read as zero. */
export function freezeRegisters(r: Registers, hasUpper: boolean, fpexcMode: number): RegistersSnapshot {
  const width = hasUpper ? 64 : 32;
  const word = (value: bigint): bigint => BigInt.asUintN(width, value);
  const length = r.u32[RESERVE_LENGTH / 4];
  return {
    gpr: Array.from({ length: 32 }, (_, n) => word(r.gpr(n))),
    nia: r.nia,
    msr: r.shownMsr,
    ctr: word(r.ctr),
    lr: word(r.lr),
    xer: r.xer,
    cr: r.cr,
    vsr: Array.from({ length: 64 }, (_, n): [bigint, bigint] => {
      const at = (VSR + 16 * n) / 8;
      return [r.u64[at + 1], r.u64[at]];
    }),
    fpscr: r.wholeFpscr,
    vrsave: r.u32[VRSAVE / 4],
    vscr: r.u32[VSCR / 4],
    tar: r.u64[TAR / 8],
    dscr: r.u64[DSCR / 8],
    ppr: r.u64[PPR / 8],
    dabr: r.u64[DABR / 8],
    fpexcMode,
    reservation:
      length === 0
        ? null
        : {
            length,
            address: word(r.u64[RESERVE_ADDRESS / 8]),
            // Only a quadword has a high half; what is there of others is left from before.
            value: r.u64[RESERVE_VALUE / 8] | (length === 16 ? r.u64[RESERVE_VALUE / 8 + 1] << 64n : 0n),
          },
    instructions: r.instructions,
  };
}

/** Fills a register block; returns the floating-point exception mode. MSR is always what a user program has. */
export function thawRegisters(r: Registers, abi: AbiInfo, from: RegistersSnapshot): number {
  r.bytes.fill(0);
  from.gpr.slice(0, 32).forEach((value, n) => {
    r.setGpr(n, value);
  });
  r.nia = from.nia & ~3n;
  r.ctr = from.ctr;
  r.lr = from.lr;
  r.xer = from.xer;
  r.cr = from.cr;
  from.vsr.slice(0, 64).forEach(([high, low], n) => {
    const at = (VSR + 16 * n) / 8;
    r.u64[at + 1] = high;
    r.u64[at] = low;
  });
  r.wholeFpscr = from.fpscr;
  r.u32[VRSAVE / 4] = from.vrsave;
  r.u32[VSCR / 4] = from.vscr;
  r.u64[TAR / 8] = from.tar;
  r.u64[DSCR / 8] = from.dscr;
  r.u64[PPR / 8] = from.ppr;
  r.u64[DABR / 8] = from.dabr;
  const { reservation } = from;
  if (reservation !== null && [1, 2, 4, 8, 16].includes(reservation.length)) {
    r.u32[RESERVE_LENGTH / 4] = reservation.length;
    r.u64[RESERVE_ADDRESS / 8] = reservation.address;
    r.u64[RESERVE_VALUE / 8] = reservation.value;
    r.u64[RESERVE_VALUE / 8 + 1] = reservation.value >> 64n;
  }
  const fpexcMode = FP_MODES.includes(from.fpexcMode) ? from.fpexcMode : 0;
  r.msr = userMsr(abi, fpexcMode);
  r.instructions = from.instructions;
  return fpexcMode;
}
