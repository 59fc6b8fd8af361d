import { after, expected } from "./expected.ts";
import { type Family, hex } from "./family.ts";
import { createFpMachine } from "./machine.ts";
import { randomOperands, randomStatus } from "./operands.ts";

const BINARY = [
  "fadd",
  "fsub",
  "fmul",
  "fdiv",
  "fsqrt",
  "fmadd",
  "fmsub",
  "fnmadd",
  "fnmsub",
  "fcfid",
  "fcfidu",
];
const OTHER = [
  "frsp",
  "frin",
  "friz",
  "frip",
  "frim",
  "fctid",
  "fctidz",
  "fctidu",
  "fctiduz",
  "fctiw",
  "fctiwz",
  "fctiwu",
  "fctiwuz",
];
const NAMES = [...BINARY, ...BINARY.map((name) => `${name}s`), ...OTHER];

const machine = createFpMachine();

const difference: Family["difference"] = (name, words) => {
  const { registers } = machine.cpu;
  const fpscr = randomStatus(words);
  const [a, b, c] = randomOperands(words);
  const old = 0x1234_5678_9abc_def0n;
  registers.setFpr(1, a);
  registers.setFpr(2, b);
  registers.setFpr(3, c);
  registers.setFpr(4, old);
  registers.fpscr = fpscr;
  registers.cr = 0;
  machine.run(name, 1);
  const want = after(expected(name, a, b, c, fpscr), old, fpscr);
  const got = { frt: registers.fpr(4), fpscr: registers.fpscr };
  const cr1 = (registers.cr >>> 24) & 15;
  if (got.frt === want.frt && got.fpscr === want.fpscr && cr1 === want.fpscr >>> 28) return undefined;
  return (
    `${name} a=${hex(a)} b=${hex(b)} c=${hex(c)} fpscr=${hex(fpscr)}: ` +
    `frt ${hex(got.frt)} fpscr ${hex(got.fpscr)} cr1 ${hex(cr1)}, want ${hex(want.frt)} ${hex(want.fpscr)}`
  );
};

/** Arithmetic, rounding and conversions on FPRs. */
export const FPR_FAMILY: Family = { name: "floating point", rows: NAMES, difference };
