/**
 * Where qemu-user 7.2 and ppcr differ in floating point on purpose, with the reason each. Which of the two is right was
 * decided by the manual (Power ISA 3.0B, Book I, chapter 4), and the results by the exact reference of the tests.
 */
import { type CaseState, RESERVED_GPRS } from "./case-state.ts";
import type { DifferingCase as AnyDifferingCase } from "./known-differences.ts";

type DifferingCase = Pick<AnyDifferingCase, "row" | "abi" | "word" | "before" | "qemu" | "ppcr">;

const C = 0x1_0000;
const FI = 0x2_0000;
const FR = 0x4_0000;
const VXSNAN = 0x100_0000;
const VXIMZ = 0x10_0000;
const VXVC = 0x8_0000;
const FPRF = 0x1_f000;
const NI = 4;
const FX = 0x8000_0000;
const OX_UX = 0x1800_0000;
const OE_UE = 0x60;

type FpCase = Omit<DifferingCase, "fields">;

interface FpDifference {
  readonly reason: string;
  readonly rows: RegExp;
  /** What the state under qemu would be if it did as ppcr does in this one point. */
  amend(differing: FpCase): Partial<CaseState>;
}

const frtOf = (word: number) => (word >>> 21) & 31;
const isNaN64 = (bits: bigint) => (bits & 0x7fff_ffff_ffff_ffffn) > 0x7ff0_0000_0000_0000n;

/** ppcr's FPSCR in the bits of `mask`, qemu's in the others. */
const status = (mask: number, { qemu, ppcr }: FpCase): Partial<CaseState> => ({
  fpscr: ((qemu.fpscr & ~mask) | (ppcr.fpscr & mask)) >>> 0,
});
/** ppcr's FX, also as CR1 begins with it. */
const withFx = (differing: FpCase): Partial<CaseState> => {
  const { word, qemu, ppcr } = differing;
  const cr1 = (word & 1) !== 0 ? 0x0800_0000 : 0;
  return { ...status(FX, differing), cr: ((qemu.cr & ~cr1) | (ppcr.cr & cr1)) >>> 0 };
};
/** ppcr's FRT where `when` holds for both values. */
function target(
  { word, qemu, ppcr }: FpCase,
  when: (theirs: bigint, ours: bigint) => boolean = () => true,
  n = frtOf(word),
): Partial<CaseState> {
  return when(qemu.fpr[n], ppcr.fpr[n]) ? { fpr: qemu.fpr.with(n, ppcr.fpr[n]) } : {};
}

export const FP_DIFFERENCES: readonly FpDifference[] = [
  {
    reason: "qemu-user does not set FPSCR.FR, and clears it with moves to the FPSCR only",
    rows: /^f/,
    amend: (differing) => status(FR, differing),
  },
  {
    reason: "qemu-user sets FX with every exception; by the manual only one that was not set yet sets it",
    rows: /^f/,
    amend: (differing) => withFx(differing),
  },
  {
    reason:
      "qemu-user leaves FI as it was where an enabled exception suppresses the result; by the manual it is cleared",
    rows: /^f/,
    amend: (differing) => (differing.ppcr.fault !== null ? status(FI, differing) : {}),
  },
  {
    reason: "qemu-user leaves FPRF as it was in conversions from integers; the manual sets it",
    rows: /^fcfid/,
    amend: (differing) => status(FPRF, differing),
  },
  {
    reason:
      "qemu-user leaves the target as it was when an enabled inexact exception interrupts fcfid; the manual writes it",
    rows: /^fcfid/,
    amend: (differing) => (differing.qemu.fault !== null ? target(differing) : {}),
  },
  {
    reason:
      "compares clear FI under qemu-user, and where VXVC is raised set C; in the manual they change FPCC alone",
    rows: /^fcmp/,
    amend: (differing) => status(FI | C, differing),
  },
  {
    reason: "with VE set, fcmpo of a signalling NaN raises VXSNAN alone; under qemu-user VXVC as well",
    rows: /^fcmpo$/,
    amend: (differing) => ((differing.ppcr.fpscr & VXSNAN) !== 0 ? status(VXVC, differing) : {}),
  },
  {
    reason: "qemu-user negates before it rounds; the manual's fnmadd and fnmsub negate the rounded result",
    rows: /^fnm/,
    amend: (differing) => {
      if ((differing.before.fpscr & 2) === 0) return {};
      const { cr, fault } = differing.ppcr;
      return { ...target(differing), ...status(-1, differing), cr, fault };
    },
  },
  {
    reason:
      "qemu-user cuts the payload of a NaN to the single format in all single arithmetic; the manual in frsp alone",
    rows: /^f(add|sub|mul|div|sqrt|re|rsqrte|n?madd|n?msub)s$/,
    amend: (differing) =>
      target(differing, (theirs, ours) => isNaN64(ours) && theirs === (ours & ~0x1fff_ffffn)),
  },
  {
    reason:
      "a single result beyond the format even after the exponent's adjustment is undefined (enabled OX, UX)",
    rows: /^f(.*s|rsp)$/,
    amend: (differing) => {
      const { before, ppcr } = differing;
      const adjusted = (before.fpscr & OE_UE) !== 0 && (ppcr.fpscr & OX_UX) !== 0;
      return adjusted ? { ...target(differing), ...status(FPRF, differing) } : {};
    },
  },
  {
    reason:
      "a signalling NaN added to the product of zero and infinity raises VXSNAN beside VXIMZ; under qemu-user VXIMZ alone",
    rows: /^fn?m(add|sub)s?$/,
    amend: (differing) => ((differing.ppcr.fpscr & VXIMZ) !== 0 ? status(VXSNAN, differing) : {}),
  },
  {
    reason: "the reciprocal of zero is infinity; qemu-user gives 0.5",
    rows: /^fres?$/,
    amend: (differing) => {
      const zero = (differing.before.fpr[(differing.word >>> 11) & 31] & ~(1n << 63n)) === 0n;
      return zero ? { ...target(differing), ...status(FPRF, differing) } : {};
    },
  },
  {
    reason: "the upper word of a conversion of NaN to a word is undefined",
    rows: /^fctiw/,
    amend: (differing) =>
      target(differing, (theirs, ours) => (theirs & 0xffff_ffffn) === (ours & 0xffff_ffffn)),
  },
  {
    reason:
      "qemu-user does not set FX where mtfsb1 sets an exception bit; by the manual all instructions but mtfsf and mtfsfi do",
    rows: /^mtfsb1$/,
    amend: (differing) => (differing.before.fpscr !== differing.ppcr.fpscr ? withFx(differing) : {}),
  },
  {
    reason: "processors before 3.0 take the later forms of mffs for mffs; qemu-ppc calls them illegal",
    rows: /^mffs./,
    amend: (differing) => {
      const { abi, before, qemu } = differing;
      if (abi !== "ppc32" || qemu.fault?.signal !== 4) return {};
      const { word, ppcr } = differing;
      const isMffs = (ppcr.fpr[frtOf(word)] & 0xffff_ffffn) === BigInt(ppcr.fpscr) && before.cr === ppcr.cr;
      return isMffs ? { ...target(differing), fault: null } : {};
    },
  },
  {
    reason: "mtfsb0 and mtfsb1 do not change FPSCR.NI under qemu-user, mtfsf does; here all of them do",
    rows: /^mtfsb[01]$/,
    amend: (differing) => status(NI, differing),
  },
  {
    reason: "the L and W bits are reserved before 2.05 and ignored; qemu-user obeys L and calls W illegal",
    rows: /^mtfsfi?$/,
    amend: (differing) => {
      const { abi, row, word, ppcr } = differing;
      const reserved = row.name === "mtfsf" ? 0x0201_0000 : 0x1_0000;
      if (abi !== "ppc32" || (word & reserved) === 0) return {};
      return { ...status(-1, differing), cr: ppcr.cr, fault: ppcr.fault };
    },
  },
  {
    reason:
      "a load of a pair that faults in its second half has changed no register; under qemu-user the first",
    rows: /^lfdp/,
    amend: (differing) => (differing.ppcr.fault !== null ? target(differing) : {}),
  },
  {
    reason: "a store of a pair that faults in its second half has stored nothing; under qemu-user the first",
    rows: /^stfdp/,
    amend: ({ qemu, ppcr }) => (ppcr.fault !== null ? { memory: ppcr.memory } : { memory: qemu.memory }),
  },
];

/** The reasons for which a difference is expected, or undefined if it is not. */
export function fpDifference(differing: FpCase): string | undefined {
  const { row, ppcr } = differing;
  const reasons: string[] = [];
  let qemu = differing.qemu;
  for (const { reason, rows, amend } of FP_DIFFERENCES) {
    if (!rows.test(row.name)) continue;
    const amended = { ...qemu, ...amend({ ...differing, qemu }) };
    if (!sameState(amended, qemu)) reasons.push(reason);
    qemu = amended;
  }
  return sameState(qemu, ppcr) && reasons.length > 0 ? reasons.join("; ") : undefined;
}

function sameState(a: CaseState, b: CaseState): boolean {
  return (
    a.fpscr === b.fpscr &&
    a.cr === b.cr &&
    a.fault?.signal === b.fault?.signal &&
    a.gpr.every((value, n) => value === b.gpr[n] || RESERVED_GPRS.includes(n)) &&
    a.fpr.every((value, n) => value === b.fpr[n]) &&
    a.memory.every((value, n) => value === b.memory[n])
  );
}
