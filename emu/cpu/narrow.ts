/**
 * 32-bit programs on 64-bit processors. There GPRs have 64 bits in 32-bit mode too, and all instructions on doublewords work (Power ISA 3.0B,
 * I.1.10.3 and III.4.3): only addresses, CR0, CA and OV are of the low word. A program is executed by low words alone, with upper halves that
 * count as zero, as long as it can't tell. What needs or makes another upper half is not among its model's instructions but among those
 * of `CpuModel.wide`, which the personality changes to when a program comes to one.
 */
import type { CpuKind } from "./cpu.ts";
import { mb6, ra, rb, rc, rs, sh6 } from "./fields.ts";
import { type Handler, illegal, type Selector } from "./handler.ts";
import { maskHigh } from "./masks.ts";
import { cpu } from "./views.ts";

/** Whether it runs a 32-bit program that has come to need upper halves. The interpreter knows how; translated code has low words alone. */
export const hasUpperHalves = ({ is64, model }: CpuKind): boolean => !is64 && model.facilities.has("64");

/**
 * Instructions on doublewords whose result has no upper half where their operands have none. Of maddld compilers use the low word in 32-bit
 * programs, which depends on low words alone.
 */
const ALWAYS = new Set(
  "srd srad sradi cntlzd cnttzd cntlzdm cnttzdm popcntd prtyd pextd bpermd cmpeqb maddld".split(" "),
);

/** Instructions beyond the facility "64" that read or make the upper half of a GPR. */
export const OF_UPPER_HALVES = `mfvsrd mfvsrld mtvsrd mtvsrdd xsiexpdp xsxsigdp vgnb vinsd vinsdlx vinsdrx
  vcntmbb vcntmbh vcntmbw vcntmbd lxvl lxvll stxvl stxvll`.split(/\s+/);

/** Whether nothing of a low word, which is MASK(32, 63), is in the upper half when it has been rotated and masked. */
const leavesUpper = (sh: number, mb: number, me: number): boolean =>
  (maskHigh((32 - sh) & 63, 63 - sh) & maskHigh(mb, me)) === 0;

const BY_WORD = new Map<string, (word: number) => boolean>([
  ["rldicl", (word) => leavesUpper(sh6(word), mb6(word), 63)],
  ["rldicr", (word) => leavesUpper(sh6(word), 0, mb6(word))],
  ["rldic", (word) => leavesUpper(sh6(word), mb6(word), 63 - sh6(word))],
  ["rldimi", (word) => leavesUpper(sh6(word), mb6(word), 63 - sh6(word))],
  ["rldcl", (word) => mb6(word) >= 32],
]);

/** The handler with upper halves of zero in whatever GPRs the word may name. */
const withoutUpper =
  (handler: Handler): Handler =>
  (word, cia) => {
    for (const at of [rs(word), ra(word), rb(word), rc(word)]) cpu.i32[at + 1] = 0;
    return handler(word, cia);
  };

/** What 32-bit programs have of an instruction on doublewords, given the handler that 64-bit ones have. */
export function narrowed(name: string, handler: Handler): Handler | Selector {
  if (ALWAYS.has(name)) return withoutUpper(handler);
  const keeps = BY_WORD.get(name);
  if (keeps === undefined) return illegal;
  const whole = withoutUpper(handler);
  return { select: (word) => (keeps(word) ? whole : illegal) };
}
