/** Where qemu-user 7.2 and ppcr do not agree whether a CPU model has an instruction, with the reason each. */
export interface LegalityDifference {
  readonly reason: string;
  readonly rows: RegExp;
  /** Who has the instruction; "ppcr" also where qemu-user dies of it. */
  readonly has: "qemu" | "ppcr" | "neither";
}

export const LEGALITY_DIFFERENCES: readonly LegalityDifference[] = [
  {
    reason:
      "processors before 3.0 take the later forms of mffs for mffs, and Linux emulates isel, popcntb and dcba where they are missing; " +
      "qemu-user raises SIGILL",
    rows: /^(mffs.+|isel|popcntb|dcba)$/,
    has: "ppcr",
  },
  {
    reason: "fields that a processor does not know are ignored; qemu-user calls some of their values illegal",
    rows: /^(mtfsfi?|dcbf|sync|icbt|dst(st)?t?)$/,
    has: "ppcr",
  },
  {
    reason:
      "hashst and hashchk are among the reserved no-ops that ISA 2.06 brought and illegal before it; under qemu-user they are never",
    rows: /^hash(st|chk)p?$/,
    has: "qemu",
  },
  {
    reason: "the classic processors have no fsqrt (MPC7450 manual, A.4); two of qemu-ppc's do",
    rows: /^fsqrts?$/,
    has: "qemu",
  },
  {
    reason: "no model has transactional memory or anything to paste to; under qemu-user transactions fail",
    rows: /^(t(begin|end|abort\w*|sr)\.|tcheck|cpabort)$/,
    has: "qemu",
  },
  {
    reason: "a load of a string whose registers include those of its address is an invalid form",
    rows: /^lsw[ix]$/,
    has: "qemu",
  },
  {
    reason:
      "qemu-user does not ask for the version that brought these instructions and has them on earlier processors, if they have the facility",
    rows: /^(v(ins|div|cmp(equ|gt[su])[dq]|rldnm|subudm|clr[lr]b|str[ib]|cntmb|pdepd|pextd|cfuged|msum|mul)|bcd|d(tstsfi|c[ft]fixq)q?|xvtstdc[ds]p$|xxspltib$)/,
    has: "qemu",
  },
  {
    reason: "qemu-user dies of these where there is no VSX",
    rows: /^xxsplti?[bw]$/,
    has: "neither",
  },
];
