/**
 * Simplified mnemonics (Power ISA 3.0B, Book I, appendix C, and those GNU binutils adds): rules from an instruction
 * and values of its fields to the name and operands that are written instead.
 */
import { lazily } from "../lazily.ts";
import { extract, type Operand, operand } from "./operands.ts";
import { specialRegisters } from "./spr.ts";
import { MATRIX } from "./table/matrix.ts";

/** One thing that must hold of a word: field == constant + sign * other (other absent: field == constant), or !=. */
interface Condition {
  readonly equal: boolean;
  readonly field: Operand;
  readonly constant: number;
  readonly other?: Operand;
  readonly sign: 1 | -1;
}

export interface Alias {
  /** The row it is written for, and the simplified mnemonic without `.`, `l`, `a` and branch hint. */
  readonly of: string;
  readonly name: string;
  readonly operands: readonly string[];
  readonly conditions: readonly Condition[];
  /** Bits of BO that are a branch prediction hint, and what each value adds to the mnemonic. */
  readonly hint?: { readonly field: Operand; readonly marks: readonly string[] };
}

/** Parses "ME=31-SH", "RA=RS", "BI=0" or "BI!=0". */
function parseCondition(text: string): Condition {
  const [, name, not, expression] = /^(.*?)(!?)=(.*)$/.exec(text) ?? [];
  const [, constant, minus, other] = /^(\d*)(-?)(\D.*)?$/.exec(expression) ?? [];
  return {
    equal: not === "",
    field: operand(name),
    constant: Number(constant),
    other: other === undefined ? undefined : operand(other),
    sign: minus ? -1 : 1,
  };
}

/** The rank-k updates among the matrix instructions. */
const gers = () => MATRIX().filter(({ operands }) => operands.includes("XB"));

/** A rule: the row's name, the simplified form with its operands, the conditions, and the hint field with its marks. */
type Rule = readonly [
  of: string,
  written: string,
  when: string,
  hint?: readonly [field: string, marks: readonly string[]],
];

function alias([of, written, when, hint]: Rule): Alias {
  const [name, operands] = written.split(" ");
  return {
    of,
    name,
    operands: operands ? operands.split(",") : [],
    conditions: parseConditions(when),
    hint: hint && { field: operand(hint[0]), marks: hint[1] },
  };
}

const parseConditions = (text: string): readonly Condition[] => text.split(" ").map(parseCondition);

/**
 * The branch conditional instructions: what their simplified mnemonics end in, their last operand, and what the values of
 * the hint bits add. Value 1 of the "at" bits is reserved; before ISA 2.0, the same bit was y, which reversed the
 * prediction, and objdump writes it where the
 * instruction is as old.
 */
const BRANCHES: readonly {
  readonly of: string;
  readonly suffix: string;
  readonly last: string;
  readonly at: readonly string[];
  readonly y: readonly string[];
}[] = [
  { of: "bc", suffix: "", last: "BD", at: ["", "", "-", "+"], y: ["", ""] },
  { of: "bclr", suffix: "lr", last: "BH", at: ["", "+", "-", "+"], y: ["", "+"] },
  { of: "bcctr", suffix: "ctr", last: "BH", at: ["", "+", "-", "+"], y: [] },
  { of: "bctar", suffix: "tar", last: "BH", at: ["", "", "-", "+"], y: ["", ""] },
];

/** The conditions by the last two bits of BI: of a branch if the bit is clear, and if it is set. */
const CONDITIONS = [
  [4, ["ge", "le", "ne", "ns"]],
  [12, ["lt", "gt", "eq", "so"]],
] as const;

/** Branches that count and test a bit as well, by BO. */
const COUNT_AND_TEST = [
  ["nzf", 0],
  ["zf", 2],
  ["nzt", 8],
  ["zt", 10],
] as const;

/** Appendix C.1 and C.2: conditional branches. */
function branchRules(): Rule[] {
  const rules: Rule[] = [];
  for (const { of, suffix, last, at, y } of BRANCHES) {
    if (of !== "bc") rules.push([of, `b${suffix} ${last}`, "BO=20 BI=0"]);
    if (of !== "bcctr") {
      rules.push([of, `bdnz${suffix} ${last}`, "BO.0=1 BO.2-3=0 BI=0", ["AT.1,4", at]]);
      rules.push([of, `bdz${suffix} ${last}`, "BO.0=1 BO.2-3=1 BI=0", ["AT.1,4", at]]);
      for (const [name, bo] of COUNT_AND_TEST) {
        rules.push([of, `bd${name}${suffix} BI,${last}`, `BO.0-3=${bo >> 1}`, ["BO.4", y]]);
      }
    }
    for (const [bo, names] of CONDITIONS) {
      names.forEach((name, bit) => {
        rules.push([of, `b${name}${suffix} BFA?,${last}`, `BO.0-2=${bo >> 2} BI.2-3=${bit}`, ["AT.3-4", at]]);
      });
    }
    rules.push([of, `${of} BO,BI,${last}`, "BO.0-2=6", ["BO.4", ["-", "+"]]]);
  }
  return rules;
}

/** Appendix C.5: traps, by the bits of TO. */
const TRAPS = [
  ["lgt", 1],
  ["llt", 2],
  ["eq", 4],
  ["lge", 5],
  ["lle", 6],
  ["gt", 8],
  ["ge", 12],
  ["lt", 16],
  ["le", 20],
  ["ne", 24],
  ["u", 31],
] as const;

const trapRules = (): Rule[] =>
  TRAPS.flatMap(([name, to]): Rule[] => [
    ["tw", `tw${name} RA,RB`, `TO=${to}`],
    ["twi", `tw${name}i RA,SI`, `TO=${to}`],
    ["td", `td${name} RA,RB`, `TO=${to}`],
    ["tdi", `td${name}i RA,SI`, `TO=${to}`],
  ]);

const registerRules = (): Rule[] =>
  specialRegisters().flatMap(({ name, number, access }): Rule[] => [
    ...(access !== "w" ? [["mfspr", `mf${name} RT`, `SPR=${number}`] as const] : []),
    ...(access !== "r" ? [["mtspr", `mt${name} RS`, `SPR=${number}`] as const] : []),
  ]);

/** BO values with reserved bits set: 0b1z1zz with a z, and, on later branches, "at" bits of 0b01. */
const RESERVED_Z = [21, 22, 23, 28, 29, 30, 31].map((bo) => `BO=${bo}`);
const RESERVED_AT = [1, 3, 5, 9, 11, 13, 17, 19].map((bo) => `BO=${bo}`);

/**
 * Forms the manual calls invalid, which assemblers refuse: updates of no base register or of the register loaded, and
 * BO values with reserved bits set.
 */
const invalid = (): readonly (readonly [rows: string, when: readonly string[]])[] => [
  ["lbzu lbzux lhzu lhzux lhau lhaux lwaux ldu ldux", ["RA=0", "RA=RT"]],
  ["stbu stbux sthu sthux stdu stdux", ["RA=0"]],
  ["lfsu lfsux lfdu lfdux stfsu stfsux stfdu stfdux", ["RA=0"]],
  ["bc bclr", [...RESERVED_Z, "BO=17 BI!=0", "BO=19 BI!=0"]],
  ["bcctr", [...RESERVED_Z, "BO=1", "BO=3", "BO=9", "BO=11", "BO=17", "BO=19"]],
  ["bctar", [...RESERVED_Z, ...RESERVED_AT]],
  ["mftb", ["TBR!=268 TBR!=269"]],
  ["mtocrf mfocrf", [[0, 1, 2, 3, 4, 5, 6, 7].map((n) => `FXM!=${1 << n}`).join(" ")]],
  ["lqarx", ["RA0=RTP", "RB=RTP"]],
  ["sync", ["L.8?=3", "L.8?=6", "L.8?=7"]],
  ["dcbf", ["L.8?=2", "L.8?=5", "L.8?=7"]],
  ["wait", ["WC?=3", "PL?=1", "PL?=2", "PL?=3"]],
  ["wait62", ["WC?=3"]],
  // An accumulator may not overlap the registers it is computed from.
  [
    gers()
      .map(({ name }) => name)
      .join(" "),
    ["XA.acc=AT", "XB.acc=AT"],
  ],
];

/** Registers of which there are four, written with their number as an operand. */
const numberedRegisterRules = (): Rule[] =>
  [0, 1, 2, 3].flatMap((n): Rule[] =>
    (
      [
        ["sprg", 272 + n, "SPR.3-4"],
        ["ibatu", 528 + 2 * n, "SPR.2-3"],
        ["ibatl", 529 + 2 * n, "SPR.2-3"],
        ["dbatu", 536 + 2 * n, "SPR.2-3"],
        ["dbatl", 537 + 2 * n, "SPR.2-3"],
      ] as const
    ).flatMap(([name, number, field]): Rule[] => [
      ["mfspr", `mf${name} RT,${field}`, `SPR=${number}`],
      ["mtspr", `mt${name} ${field},RS`, `SPR=${number}`],
    ]),
  );

/** First match wins. */
const rules = (): readonly Rule[] => [
  ...branchRules(),
  // Condition register: appendix C.3.
  ["creqv", "crset BT", "BA=BT BB=BT"],
  ["crxor", "crclr BT", "BA=BT BB=BT"],
  ["cror", "crmove BT,BA", "BB=BA"],
  ["crnor", "crnot BT,BA", "BB=BA"],
  // Compare: C.4.
  ["cmpi", "cmpwi BF?,RA,SI", "L.10=0"],
  ["cmpi", "cmpdi BF?,RA,SI", "L.10=1"],
  ["cmp", "cmpw BF?,RA,RB", "L.10=0"],
  ["cmp", "cmpd BF?,RA,RB", "L.10=1"],
  ["cmpli", "cmplwi BF?,RA,UI", "L.10=0"],
  ["cmpli", "cmpldi BF?,RA,UI", "L.10=1"],
  ["cmpl", "cmplw BF?,RA,RB", "L.10=0"],
  ["cmpl", "cmpld BF?,RA,RB", "L.10=1"],
  ["tw", "trap", "TO=31 RA=0 RB=0"],
  ...trapRules(),
  // Rotate and shift: C.6, C.7.
  ["rlwinm", "rotlwi RA,RS,SH", "MB=0 ME=31"],
  ["rlwinm", "clrlwi RA,RS,MB", "SH=0 ME=31"],
  ["rlwinm", "clrrwi RA,RS,31-ME", "SH=0 MB=0"],
  ["rlwinm", "slwi RA,RS,SH", "MB=0 ME=31-SH"],
  ["rlwinm", "srwi RA,RS,MB", "SH=32-MB ME=31"],
  ["rlwnm", "rotlw RA,RS,RB", "MB=0 ME=31"],
  ["rldicl", "rotldi RA,RS,SH6", "MB6=0"],
  ["rldicl", "clrldi RA,RS,MB6", "SH6=0"],
  ["rldicl", "srdi RA,RS,MB6", "SH6=64-MB6"],
  ["rldicr", "clrrdi RA,RS,63-ME6", "SH6=0"],
  ["rldicr", "sldi RA,RS,SH6", "ME6=63-SH6"],
  ["rldcl", "rotld RA,RS,RB", "MB6=0"],
  // Special purpose registers: C.8.
  ...registerRules(),
  ...numberedRegisterRules(),
  ["mftb", "mftb RT", "TBR=268"],
  ["mftb", "mftbu RT", "TBR=269"],
  // Miscellaneous: C.9.
  // POWER's names, where an update form is not valid in the PowerPC architecture.
  ["lwzu", "lu RT,D,RA0", "RA=0"],
  ["lwzu", "lu RT,D,RA0", "RA=RT"],
  ["lwzux", "lux RT,RA,RB", "RA=0"],
  ["lwzux", "lux RT,RA,RB", "RA=RT"],
  ["stwu", "stu RS,D,RA0", "RA=0"],
  ["lswx", "lsx RT,RA,RB", "RA=RT"],
  ["lswx", "lsx RT,RA,RB", "RB=RT"],
  ["stwux", "stux RS,RA0,RB", "RA=0"],
  ["ori", "nop", "RA=0 RS=0 UI=0"],
  ["xori", "xnop", "RA=0 RS=0 UI=0"],
  ["addi", "li RT,SI", "RA0=0"],
  ["addis", "lis RT,SI", "RA0=0"],
  ["addpcis", "lnia RT", "DX=0"],
  ["or", "miso", "RA=26 RS=26 RB=26 Rc=0"],
  ["or", "yield", "RA=27 RS=27 RB=27 Rc=0"],
  ["or", "mdoio", "RA=29 RS=29 RB=29 Rc=0"],
  ["or", "mdoom", "RA=30 RS=30 RB=30 Rc=0"],
  ["or", "mr RA,RS", "RB=RS"],
  ["nor", "not RA,RS", "RB=RS"],
  ["mtcrf", "mtcr RS", "FXM=255"],
  ["isel", "isellt RT,RA0,RB", "BC=0 Rc=0"],
  ["isel", "iselgt RT,RA0,RB", "BC=1 Rc=0"],
  ["isel", "iseleq RT,RA0,RB", "BC=2 Rc=0"],
  // Storage control.
  ["sync", "hwsync", "L.8?=0 SC?=0"],
  ["sync", "lwsync", "L.8?=1 SC?=0"],
  ["sync", "ptesync", "L.8?=2 SC?=0"],
  ["sync", "phwsync", "L.8?=4 SC?=0"],
  ["sync", "plwsync", "L.8?=5 SC?=0"],
  ["sync", "stcisync", "L.8?=0 SC?=2"],
  ["sync", "stsync", "L.8?=0 SC?=3"],
  ["sync", "stncisync", "L.8?=1 SC?=1"],
  ["wait", "waitrsv", "WC?=1 PL?=0"],
  ["wait", "pause_short", "WC?=2 PL?=0"],
  ["wait62", "waitrsv", "WC?=1"],
  ["wait62", "waitimpl", "WC?=2"],
  ["wait62", "wait WC?", "Rc=0"],
  ["paste.", "paste. RA0,RB", "L.10=1"],
  ["dcbf", "dcbfl RA0,RB", "L.8?=1"],
  ["sync", "stcisync", "L.8?=0 SC?=2"],
  ["sync", "stsync", "L.8?=0 SC?=3"],
  ["sync", "stncisync", "L.8?=1 SC?=1"],
  ["wait", "waitrsv", "WC?=1 PL?=0"],
  ["wait", "pause_short", "WC?=2 PL?=0"],
  ["wait62", "waitrsv", "WC?=1"],
  ["wait62", "waitimpl", "WC?=2"],
  ["wait62", "wait WC?", "Rc=0"],
  ["paste.", "paste. RA0,RB", "L.10=1"],
  ["dcbf", "dcbflp RA0,RB", "L.8?=3"],
  ["dcbf", "dcbfps RA0,RB", "L.8?=4"],
  ["dcbf", "dcbstps RA0,RB", "L.8?=6"],
  ["dcbz", "dcbzl RA0,RB", "L.10?=1"],
  ["dcba", "dcbal RA0,RB", "L.10?=1"],
  ["dcbt", "dcbtct RA0,RB,TH?", "TH.0-1=0"],
  ["dcbt", "dcbtds RA0,RB", "TH?=8"],
  ["dcbt", "dcbtds RA0,RB,TH?", "TH.0-1=1"],
  ["dcbt", "dcbna RA0,RB", "TH?=17"],
  ["dcbtst", "dcbtstct RA0,RB,TH?", "TH.0-1=0"],
  ["dcbtst", "dcbtstds RA0,RB", "TH?=8"],
  ["dcbtst", "dcbtstds RA0,RB,TH?", "TH.0-1=1"],
  ["dcbt", "dcbtt RA0,RB", "TH?=16"],
  ["dcbtst", "dcbtstt RA0,RB", "TH?=16"],
  ["rfebb", "rfebb", "S.20=1"],
  ["tend.", "tendall.", "A.6?=1"],
  ["tsr.", "tsuspend.", "L.10=0"],
  ["tsr.", "tresume.", "L.10=1"],
  // Vectors.
  ...(["mfvsrd", "mfvsrwz"] as const).flatMap((of): Rule[] => [
    [of, `${of.replace("mfvsr", "mffpr")} RA,FRS`, "TX=0"],
    [of, `${of.replace("vsr", "vr")} RA,VRS`, "TX=1"],
  ]),
  ...(["mtvsrd", "mtvsrwa", "mtvsrwz"] as const).flatMap((of): Rule[] => [
    [of, `${of.replace("mtvsr", "mtfpr")} FRT,RA`, "TX=0"],
    [of, `${of.replace("vsr", "vr")} VRT,RA`, "TX=1"],
  ]),
  ["vor", "vmr VRT,VRA", "VRB=VRA"],
  ["vnor", "vnot VRT,VRA", "VRB=VRA"],
  ["xvcpsgndp", "xvmovdp XT,XA", "XB=XA"],
  ["xvcpsgnsp", "xvmovsp XT,XA", "XB=XA"],
  ["xxlor", "xxmr XT,XA", "XB=XA"],
  ["xxlnor", "xxlnot XT,XA", "XB=XA"],
  ["xxpermdi", "xxspltd XT,XA,DM.0", "XB=XA DM.1=DM.0"],
  ["xxpermdi", "xxswapd XT,XA", "XB=XA DM=2"],
  ["xxpermdi", "xxmrghd XT,XA,XB", "DM=0"],
  ["xxpermdi", "xxmrgld XT,XA,XB", "DM=3"],
  // Binutils 2.40 writes the matrix instructions with the names of a later architecture.
  ["xxmfacc", "dmxxmfacc AS", "Rc=0"],
  ["xxmtacc", "dmxxmtacc AT", "Rc=0"],
  ["xxsetaccz", "dmsetaccz AT", "Rc=0"],
  ...gers().map(({ name, operands }): Rule => [name, `dm${name} ${operands}`, "Rc=0"]),
];

const aliases = lazily(() => {
  const byRow = new Map<string, Alias[]>();
  for (const rule of rules()) {
    const parsed = alias(rule);
    const list = byRow.get(parsed.of);
    if (list) list.push(parsed);
    else byRow.set(parsed.of, [parsed]);
  }
  return byRow;
});

const invalidForms = lazily(() => {
  const byRow = new Map<string, readonly (readonly Condition[])[]>();
  for (const [rows, when] of invalid()) {
    const conditions = when.map(parseConditions);
    for (const row of rows.split(" ")) byRow.set(row, conditions);
  }
  return byRow;
});

const holds = (conditions: readonly Condition[], word: number): boolean =>
  conditions.every(({ equal, field, constant, other, sign }) => {
    const value = constant + sign * (other ? extract(other, word) : 0);
    return (extract(field, word) === value) === equal;
  });

/** The simplified mnemonic that a word of the row `name` is written with, if there is one. */
export const aliasFor = (name: string, word: number): Alias | undefined =>
  aliases()
    .get(name)
    ?.find(({ conditions }) => holds(conditions, word));

/** Whether a word of the row `name` is a form that assemblers refuse. */
export const isInvalidForm = (name: string, word: number): boolean =>
  invalidForms()
    .get(name)
    ?.some((conditions) => holds(conditions, word)) ?? false;
