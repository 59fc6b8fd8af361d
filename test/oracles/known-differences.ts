/**
 * Where qemu-user 7.2 and ppcr differ on purpose, with the reason each. The campaign accepts these and nothing else.
 */
import { spr } from "../../emu/cpu/fields.ts";
import type { CaseState } from "./case-state.ts";
import type { DifferingCase } from "./differing-case.ts";
import { fpDifference } from "./fp-differences.ts";

interface KnownDifference {
  reason: string;
  rows: RegExp;
  /** Whether the case shows this difference and no other. */
  covers(differing: DifferingCase): boolean;
}

const SIGILL = 4;
const SIGABRT = 6;
const SIGBUS = 7;
const SIGFPE = 8;
const OV = 0x4000_0000;
/** FPSCR: overflow and underflow interrupt. */
const OE_UE = 0x60;
const rt = (word: number): string => `gpr${(word >>> 21) & 31}`;
const only = (fields: readonly string[], allowed: readonly string[]): boolean =>
  fields.every((field) => allowed.includes(field));
/** TFHAR, TFIAR, TEXASR, TEXASRU. */
const TRANSACTION_REGISTERS = [128, 129, 130, 131];
const RESERVED_XER = ~0xe00c_007f;
const qemuRefuses = ({ qemu, ppcr }: DifferingCase): boolean =>
  qemu.fault?.signal === SIGILL && ppcr.fault?.signal !== SIGILL;

const isPerformanceMonitor = (word: number): boolean => spr(word) >= 768 && spr(word) <= 783;

/** Bytes of an element, by the letter that mnemonics have for it. */
const ELEMENT_SIZES: Readonly<Record<string, number>> = { b: 1, h: 2, w: 4, d: 8 };

/** Doubleword 1 of VSR XT, as the fields of a case call it: a part of a VR, which must be the same in its other doubleword. */
function onlyInDoubleword1({ fields, qemu, ppcr }: DifferingCase, xt: number): boolean {
  if (xt < 32) return only(fields, [`low${xt}`]);
  const upper = ({ vr }: CaseState): bigint => (vr?.[xt - 32] ?? 0n) >> 64n;
  return only(fields, [`vr${xt - 32}`]) && upper(qemu) === upper(ppcr);
}

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    reason:
      "what a scalar load or move leaves in doubleword 1 is undefined before ISA 3.1, which says zero, as processors did; qemu-user leaves it alone",
    rows: /^(lxs|mtvsr(d|wa|wz)$)/,
    covers: (differing) =>
      onlyInDoubleword1(
        differing,
        ((differing.word >>> 21) & 31) |
          (/^lxs(d|sp)$/.test(differing.row.name) ? 32 : (differing.word & 1) << 5),
      ),
  },
  {
    reason:
      "floating-point instructions leave doubleword 1 of their target's VSR alone, which is undefined before ISA 3.1; under qemu-user it becomes zero",
    rows: /^[lmf]/,
    covers: ({ row, fields, qemu }) =>
      /^fp/.test(row.facility) &&
      fields.every((field) => /^low/.test(field) && qemu.low?.[Number(field.slice(3))] === 0n),
  },
  {
    reason: "the classic processors have no fsqrt (MPC7450 manual, A.4); qemu-ppc's do",
    rows: /^fsqrts?$/,
    covers: ({ abi, qemu, ppcr }) =>
      abi === "ppc32" && ppcr.fault?.signal === SIGILL && [undefined, SIGFPE].includes(qemu.fault?.signal),
  },
  {
    reason: "dst and its forms are hints and do nothing; qemu-user calls some of them illegal",
    rows: /^dst/,
    covers: qemuRefuses,
  },
  {
    reason:
      "a store conditional to an address that is not aligned is an alignment interrupt; under qemu-user only while there is a reservation",
    rows: /^st[bhwdq]cx\.$/,
    covers: ({ ppcr, qemu }) => ppcr.fault?.signal === SIGBUS && qemu.fault === null,
  },
  {
    reason:
      "a quadword access that faults in its second half has changed nothing; under qemu-user its first half",
    rows: /^(p?lq|p?stq|lqarx)$/,
    covers: ({ fields, word, qemu, ppcr }) =>
      only(fields, [rt(word), `gpr${((word >>> 21) & 31) + 1}`, "memory"]) &&
      qemu.fault !== null &&
      ppcr.fault?.signal === qemu.fault.signal,
  },
  {
    reason:
      "a vector access that faults in its second half has changed nothing; under qemu-user its first half",
    rows: /^p?(st|l)xv/,
    covers: ({ fields, qemu, ppcr }) =>
      fields.every((field) => /^(fpr|low|vr|memory)/.test(field)) &&
      qemu.fault !== null &&
      ppcr.fault?.signal === qemu.fault.signal,
  },
  {
    reason: "reserved bits of the VSCR stay zero; under qemu-user they are as they were written",
    rows: /^mtvscr$/,
    covers: ({ fields, qemu, ppcr }) =>
      only(fields, ["vscr"]) && (((qemu.vscr ?? 0) ^ (ppcr.vscr ?? 0)) & 0x1_0001) === 0,
  },
  {
    reason: "an element that reaches over the end of its register is undefined",
    rows: /^v(extract|insert)|^vextu|^vextd/,
    covers: ({ row, word, before }) => {
      const size = ELEMENT_SIZES[/(?:extractu?|insert|vextd?u?)([bhwd])/.exec(row.name)?.[1] ?? ""];
      if (/^vextd/.test(row.name)) return Number(before.gpr[(word >>> 6) & 31] & 31n) > 32 - size;
      const index = /^vextu/.test(row.name) ? before.gpr[(word >>> 16) & 31] : BigInt(word >>> 16);
      return Number(index & 15n) > 16 - size;
    },
  },
  {
    reason: "an extended quotient that does not fit its element, or a division by zero, is undefined",
    rows: /^vdive/,
    covers: ({ row, word, before }) => {
      const bits = { w: 32, d: 64, q: 128 }[row.name.at(-1) as "w" | "d" | "q"];
      const cut = row.name[5] === "s" ? BigInt.asIntN : BigInt.asUintN;
      const elements = (field: number): bigint[] =>
        Array.from({ length: 128 / bits }, (_, i) => cut(bits, before.vr![field & 31] >> BigInt(bits * i)));
      const divisors = elements(word >>> 11);
      return elements(word >>> 16).some((dividend, i) => {
        if (divisors[i] === 0n) return true;
        const quotient = (dividend << BigInt(bits)) / divisors[i];
        return cut(bits, quotient) !== quotient;
      });
    },
  },
  {
    reason:
      "vrldmi inserts what it rotates into VRT (Power ISA 3.0B, I.6.9.8); under qemu-user it clears the rest of VRT",
    rows: /^vrldmi$/,
    covers: ({ fields, word, qemu, ppcr }) => {
      const n = (word >>> 21) & 31;
      return only(fields, [`vr${n}`]) && (qemu.vr![n] & ~ppcr.vr![n]) === 0n;
    },
  },
  {
    reason:
      "the result of decimal operands that are no numbers is undefined, and that of bcdcfsq of more than 31 digits; qemu-user also takes some invalid digits of operands that cancel for valid",
    rows: /^bcd/,
    covers: ({ row, fields, word, ppcr }) => {
      const cr6 = (ppcr.cr >>> 4) & 15;
      const isUndefined = cr6 === 1 || (row.name === "bcdcfsq." && (cr6 & 1) !== 0);
      return isUndefined && only(fields, [`vr${(word >>> 21) & 31}`, "cr"]);
    },
  },
  {
    reason:
      "an unsigned decimal number is never negative; qemu-user takes its last digit for a sign where it is a sign code",
    rows: /^bcdu/,
    covers: ({ fields, qemu, ppcr }) => only(fields, ["cr"]) && ((qemu.cr ^ ppcr.cr) & ~0xf0) === 0,
  },
  {
    reason:
      "CR6 of bcdctsq. tells how the decimal number compares; under qemu-user how the result does where it takes that number's place",
    rows: /^bcdctsq\.$/,
    covers: ({ fields, word, qemu, ppcr }) =>
      only(fields, ["cr"]) &&
      ((word >>> 21) & 31) === ((word >>> 11) & 31) &&
      ((qemu.cr ^ ppcr.cr) & ~0xf0) === 0,
  },
  {
    reason: "bcdtrunc. to more than 31 digits keeps all 31; qemu-user cuts off upper ones",
    rows: /^bcdtrunc\.$/,
    covers: ({ word, before }) => BigInt.asUintN(16, before.vr![(word >>> 16) & 31] >> 64n) > 31n,
  },
  {
    reason:
      "lwat and stwat compare words as signed words, and where an operation is out of bounds the result is the one bit 2^31 or 2^63; qemu-user compares with zeros in front and gives -2^31",
    rows: /^(ld|lw|stw)at$/,
    covers: ({ row, word, fields }) => {
      const bounded = [24, 25, 28].includes((word >>> 11) & 31);
      if (bounded) return row.name !== "stwat" && only(fields, [rt(word)]);
      return row.name !== "ldat" && [5, 7].includes((word >>> 11) & 31) && only(fields, ["memory"]);
    },
  },
  {
    reason:
      "singles and halves that are subnormal, overflow or underflow: in outer products qemu-user takes a subnormal one for a great number, and lets exponents wrap",
    rows: /^xv(bf16ger2|f16ger2|f32ger)/,
    covers: ({ row, word, before, fields, ppcr }) => {
      if (!fields.every((field) => /^(fpr|low|fpscr|fault)/.test(field))) return false;
      const vsr = ({ fpr, low, vr }: CaseState, n: number): bigint =>
        n < 32 ? (fpr[n] << 64n) | low![n] : vr![n - 32];
      const isExtreme = (value: bigint, bits: bigint, exponent: bigint): boolean => {
        const [least, most] = [
          1n << (bits - 1n - exponent),
          ((1n << exponent) - 1n) << (bits - 1n - exponent),
        ];
        for (let at = 0n; at < 128n; at += bits) {
          const magnitude = BigInt.asUintN(Number(bits - 1n), value >> at);
          if ((magnitude > 0n && magnitude < least) || magnitude >= most - 1n) return true;
        }
        return false;
      };
      const [bits, exponent] = row.name.startsWith("xvf32")
        ? [32n, 8n]
        : [16n, row.name[2] === "b" ? 8n : 5n];
      const first = ((word >>> 23) & 7) * 4;
      const rows = [0, 1, 2, 3].map((row) => first + row);
      return (
        isExtreme(vsr(before, ((word & 4) << 3) | ((word >>> 16) & 31)), bits, exponent) ||
        isExtreme(vsr(before, ((word & 2) << 4) | ((word >>> 11) & 31)), bits, exponent) ||
        rows.some((n) => isExtreme(vsr(before, n), 32n, 8n) || isExtreme(vsr(ppcr, n), 32n, 8n))
      );
    },
  },
  {
    reason:
      "outer products execute as if no exception were enabled, and negate what is rounded; qemu-user adjusts exponents where overflow or underflow is enabled, and negates before it rounds",
    rows: /^xv(bf16|f16|f32|f64)ger/,
    covers: ({ row, before, fields }) => {
      const isAdjusted = (before.fpscr & OE_UE) !== 0;
      const isDirected = /n[pn]$/.test(row.name) && (before.fpscr & 2) !== 0;
      return (isAdjusted || isDirected) && fields.every((field) => /^(fpr|low|fpscr|fault)/.test(field));
    },
  },
  {
    reason: "vgnb of every bit or every 0th is an invalid form",
    rows: /^vgnb$/,
    covers: ({ fields, word }) => only(fields, [rt(word)]) && ((word >>> 16) & 7) < 2,
  },
  {
    reason:
      "hashst and hashchk do nothing where DEXCR[NPHIE] is clear (Power ISA 3.1B, I.3.3.17); qemu-user has no DEXCR",
    rows: /^hash(st|chk)$/,
    covers: ({ fields }) => only(fields, ["memory", "fault"]),
  },
  {
    reason: "darn gives random numbers, which differ",
    rows: /^darn$/,
    covers: ({ fields, word }) => only(fields, [rt(word)]),
  },
  {
    reason:
      "a quotient by zero, or one that does not fit, is undefined; zero, as outputs recorded on POWER have it, under qemu-user the dividend",
    rows: /^div[wd]u?$/,
    covers: ({ row, fields, word, before, ppcr }) => {
      const [bits, cut] = [
        row.name[3] === "w" ? 32 : 64,
        row.name.endsWith("u") ? BigInt.asUintN : BigInt.asIntN,
      ];
      const dividend = cut(bits, before.gpr[(word >>> 16) & 31]);
      const divisor = cut(bits, before.gpr[(word >>> 11) & 31]);
      const isUndefined = divisor === 0n || cut(bits, dividend / divisor) !== dividend / divisor;
      return isUndefined && only(fields, [rt(word), "cr"]) && ppcr.gpr[(word >>> 21) & 31] === 0n;
    },
  },
  {
    reason:
      "the upper word of these results is undefined; zero, as outputs recorded on POWER have it, under qemu-user the sign",
    rows: /^(divwe|modsw)$/,
    covers: ({ fields, word, qemu, ppcr }) => {
      const n = (word >>> 21) & 31;
      const isSame = BigInt.asUintN(32, qemu.gpr[n]) === ppcr.gpr[n];
      return only(fields, [rt(word), "cr"]) && isSame;
    },
  },
  {
    reason:
      "in 64-bit mode CR0 of these is undefined; it tells how the low word of the result compares, as outputs recorded on POWER have it, under qemu-user the whole",
    rows: /^mulhwu?$/,
    covers: ({ fields }) => only(fields, ["cr"]),
  },
  {
    reason:
      "CR6 of these tells how the number compares before digits are cut off (outputs recorded on POWER9); under qemu-user how the result does",
    rows: /^bcd(add|sub|sr?|trunc)\.$/,
    covers: ({ fields, qemu, ppcr }) =>
      only(fields, ["cr"]) && ((qemu.cr >>> 4) & 15) === 3 && ((ppcr.cr >>> 4) & 1) === 1,
  },
  {
    reason:
      "a decimal sum of zero is positive (outputs recorded on POWER9); under qemu-user that of negative zeros is not",
    rows: /^bcd(add|sub)\.$/,
    covers: ({ fields, word, qemu, ppcr }) => {
      const n = (word >>> 21) & 31;
      return only(fields, [`vr${n}`]) && qemu.vr![n] === 13n && ppcr.vr![n] >> 4n === 0n;
    },
  },
  {
    reason:
      "the digit that vmul10euq adds counts as eight and its last bit where it is none (outputs recorded on POWER9); under qemu-user as it is",
    rows: /^vmul10ec?uq$/,
    covers: ({ fields, word, before }) =>
      only(fields, [`vr${(word >>> 21) & 31}`]) && (before.vr![(word >>> 11) & 31] & 15n) > 9n,
  },
  {
    reason:
      "the result of an extended division whose quotient does not fit is undefined; qemu-user also misses some such quotients and leaves OV clear",
    rows: /^divdeu?$/,
    covers: ({ fields, word, ppcr }) =>
      only(fields, [rt(word), "cr", "xer"]) && ((word & 0x400) === 0 || (ppcr.xer & OV) !== 0),
  },
  {
    reason:
      "reserved fields and unknown hints of cache and synchronisation instructions are ignored; qemu-user calls them illegal",
    rows: /^(icbt|dcba|dcbf|sync)$/,
    covers: qemuRefuses,
  },
  {
    reason:
      "Linux gives programs no performance monitor (SPRs 768 to 783): SIGILL; under qemu-user they read as zero",
    rows: /^m[ft]spr$/,
    covers: ({ word, qemu, ppcr }) =>
      ppcr.fault?.signal === SIGILL && qemu.fault === null && isPerformanceMonitor(word),
  },
  {
    reason: "Linux emulates isel and popcntb on processors that lack them; qemu-ppc raises SIGILL",
    rows: /^(isel|popcntb)$/,
    covers: (differing) => differing.abi === "ppc32" && qemuRefuses(differing),
  },
  {
    reason: "lqarx makes no reservation under qemu-user, so that stqcx. after it never stores",
    rows: /^stqcx\.$/,
    covers: ({ fields, qemu, ppcr }) =>
      only(fields, ["cr", "memory"]) && ((ppcr.cr >>> 28) & 2) !== 0 && ((qemu.cr >>> 28) & 2) === 0,
  },
  {
    reason: "sc with LEV = 1 asks a hypervisor, which programs may not; under qemu-user it is a system call",
    rows: /^sc$/,
    covers: ({ word, qemu, ppcr }) =>
      ((word >>> 5) & 127) !== 0 && ppcr.fault?.signal === SIGILL && qemu.fault === null,
  },
  {
    reason:
      "bcctr that decrements CTR is an invalid form, whose results are undefined; under qemu-user CTR stays zero where it was zero",
    rows: /^bcctr$/,
    covers: ({ fields, before, word }) =>
      only(fields, ["ctr"]) && before.ctr === 0n && ((word >>> 21) & 4) === 0,
  },
  {
    reason:
      "ppcr's CPU models have no transactional memory; under qemu-user there is one in which every transaction fails",
    rows: /^(tbegin|m[ft]spr)/,
    covers: ({ row, word, qemu, ppcr }) =>
      (row.name.startsWith("tbegin") || TRANSACTION_REGISTERS.includes(spr(word))) &&
      ppcr.fault?.signal === SIGILL &&
      qemu.fault === null,
  },
  {
    reason: "wait is over at once for a thread that nothing runs beside; qemu-user dies of it",
    rows: /^wait$/,
    covers: ({ qemu, ppcr }) => qemu.fault?.signal === SIGABRT && ppcr.fault === null,
  },
  {
    reason:
      "284 and 285 are the numbers by which the time base is written; under qemu-user it can be read there too",
    rows: /^mfspr$/,
    covers: ({ word, qemu, ppcr }) =>
      (spr(word) === 284 || spr(word) === 285) && ppcr.fault?.signal === SIGILL && qemu.fault === null,
  },
  {
    reason: "reserved bits of the XER read as zeros; under qemu-user as they were written",
    rows: /^m[ft]spr$/,
    covers: ({ fields, word, qemu, ppcr }) =>
      spr(word) === 1 && only(fields, ["xer"]) && ((qemu.xer ^ ppcr.xer) & ~RESERVED_XER & ~0xc_0000) === 0,
  },
  {
    reason:
      "VRSAVE is a register of 32 bits that is there without Altivec too, and SPRG3 (259) can be read; qemu-user has 64 bits on CPUs with Altivec, and neither on the 750",
    rows: /^m[ft]spr$/,
    covers: (differing) =>
      spr(differing.word) === 256 || (spr(differing.word) === 259 && qemuRefuses(differing)),
  },
  {
    reason:
      "programs have DSCR, PPR and PPR32, of PPR the priority alone; qemu-user has no DSCR and PPR32, and keeps all of PPR",
    rows: /^m[ft]spr$/,
    covers: ({ word }) => [3, 17, 896, 898].includes(spr(word)),
  },
];

/** The reason for which a difference is known, or undefined. */
export function knownDifference(differing: DifferingCase): string | undefined {
  const known = KNOWN_DIFFERENCES.find(
    ({ rows, covers }) => rows.test(differing.row.name) && covers(differing),
  );
  return known?.reason ?? fpDifference(differing);
}
