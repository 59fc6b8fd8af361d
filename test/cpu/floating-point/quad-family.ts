import { MSR } from "../../../emu/cpu/registers.ts";
import {
  after,
  computed,
  fromInteger,
  type Outcome,
  target,
  toFormat,
  toInteger,
  toIntegral,
} from "./expected.ts";
import { type Family, hex } from "./family.ts";
import { createFpMachine } from "./machine.ts";
import { randomOperands, randomStatus, type Words } from "./operands.ts";
import { BINARY64, BINARY128, EXTENDED, type FormatUnderTest, reencode, TO_ODD } from "./reference.ts";

type Operation = (a: bigint, b: bigint, t: bigint, fpscr: number) => Outcome;
interface Row {
  readonly operation: Operation;
  /** Bits of the operands VRB and of the result, from the left. */
  readonly from?: number;
  readonly to?: number;
  readonly class?: FormatUnderTest;
  readonly more?: number;
}

const rows = new Map<string, Row>();
for (const odd of [false, true]) {
  const o = odd ? "o" : "";
  const quad = (fpscr: number) => target(fpscr, BINARY128, BINARY128, odd ? TO_ODD : fpscr % 4);
  for (const name of ["add", "sub", "mul", "div", "sqrt"]) {
    rows.set(`xs${name}qp${o}`, { operation: (a, b, _t, fpscr) => computed(name, a, b, b, quad(fpscr)) });
  }
  for (const name of ["madd", "msub", "nmadd", "nmsub"]) {
    rows.set(`xs${name}qp${o}`, { operation: (a, b, t, fpscr) => computed(name, a, t, b, quad(fpscr)) });
  }
  rows.set(`xscvqpdp${o}`, {
    operation: (_a, b, _t, fpscr) =>
      toFormat(b, BINARY128, target(fpscr, BINARY64, BINARY64, odd ? TO_ODD : fpscr % 4)),
    to: 64,
    class: BINARY64,
  });
}
rows.set("xscvdpqp", {
  operation: (_a, b, _t, fpscr) => toFormat(b, BINARY64, target(fpscr, BINARY128)),
  from: 64,
});
for (const [name, width, signed] of [
  ["sd", 64, true],
  ["ud", 64, false],
  ["sw", 32, true],
  ["uw", 32, false],
  ["sq", 128, true],
  ["uq", 128, false],
] as const) {
  rows.set(`xscvqp${name}z`, {
    operation: (_a, b) => toInteger(b, BINARY128, width, signed, 1),
    to: Math.max(width, 64),
  });
  if (width === 32) continue;
  rows.set(`xscv${name}qp`, {
    operation: (_a, b, _t, fpscr) =>
      fromInteger(signed ? BigInt.asIntN(width, b) : b, target(fpscr, BINARY128)),
    from: width,
  });
}
// R || RMC: to nearest with ties away, as the FPSCR says, and the four of RN.
for (const [fields, mode] of [
  [0, 4],
  [3, -1],
  [4, 0],
  [5, 1],
  [6, 2],
  [7, 3],
]) {
  const more = ((fields >> 2) << 16) | ((fields & 3) << 9);
  const rn = (fpscr: number) => (mode < 0 ? fpscr % 4 : mode);
  for (const inexact of [false, true]) {
    rows.set(`xsrqpi${inexact ? "x" : ""} ${fields}`, {
      operation: (_a, b, _t, fpscr) => toIntegral(b, rn(fpscr), inexact, target(fpscr, BINARY128)),
      more,
    });
  }
  rows.set(`xsrqpxp ${fields}`, {
    operation: (_a, b, _t, fpscr) => toFormat(b, BINARY128, target(fpscr, EXTENDED, BINARY128, rn(fpscr))),
    more,
  });
}

/** A quad whose leading bits are those of a double that is worth trying, and which is close to a tie or not. */
function randomQuad(words: Words, double: bigint): bigint {
  const wide = reencode(double, BINARY64, BINARY128);
  const tail = words.pick([
    0n,
    0n,
    1n,
    (1n << 59n) - 1n,
    1n << 59n,
    (1n << 59n) + 1n,
    (1n << 60n) - 1n,
    words.bits() >> 4n,
  ]);
  // Now and then at the ends of the exponent's range.
  const exponent = words.pick([-1n, -1n, -1n, -1n, 0n, 1n, 2n, 112n, 0x7ffen, 0x7ffdn, 0x3fffn, 0x5fffn]);
  const moved = exponent < 0n ? wide : (wide & ~(0x7fffn << 112n)) | (exponent << 112n);
  return moved | tail;
}

const machine = createFpMachine("3.1");
const { registers } = machine.cpu;

/** Executes a row on VRs 1 (A), 2 (B) and 4 (T), with nothing interrupted; gives VR 4. */
export function runQuad(name: string, a: bigint, b: bigint, t: bigint, fpscr: number, more = 0) {
  machine.setVsr(33, a);
  machine.setVsr(34, b);
  machine.setVsr(36, t);
  registers.u64[MSR / 8] = 0n;
  registers.fpscr = fpscr;
  const hasA = /^xs(r|cvqp|cvdpqp|cv[su]|sqrt|x|abs|neg)/.test(name) ? 0 : 1 << 16;
  machine.execute(name, machine.match(name) | (4 << 21) | hasA | (2 << 11) | more);
  return { vrt: machine.vsr(36), fpscr: registers.fpscr, cr: registers.cr };
}

const difference: Family["difference"] = (key, words) => {
  const name = key.split(" ")[0];
  const row = rows.get(key)!;
  const [a, b, t] = randomOperands(words).map((bits) => randomQuad(words, bits));
  const operand = words.below(4) === 0 ? (words.bits() << 64n) | words.bits() : b;
  // Quads are so much wider than doubles that an exponent adjusted by enabled overflow or underflow need not fit: undefined.
  const fpscr = row.class === undefined ? randomStatus(words) : (randomStatus(words) & ~0x60) >>> 0;
  const got = runQuad(name, a, operand, t, fpscr, row.more);
  const from = row.from ?? 128;
  const to = BigInt(row.to ?? 128);
  const outcome = row.operation(a, operand >> BigInt(128 - from), t, fpscr);
  const want = after(outcome, -1n, fpscr, row.class ?? BINARY128, true);
  const result = want.frt === -1n ? t : BigInt.asUintN(128, want.frt << (128n - to));
  if (got.vrt === result && got.fpscr === want.fpscr) return undefined;
  return (
    `${key} a=${hex(a)} b=${hex(operand)} t=${hex(t)} fpscr=${hex(fpscr)}: ` +
    `vrt ${hex(got.vrt)} fpscr ${hex(got.fpscr)}, want ${hex(result)} ${hex(want.fpscr)}`
  );
};

/** Quad-precision arithmetic, rounding and conversions. */
export const QUAD_FAMILY: Family = { name: "quad precision", rows: [...rows.keys()], difference };
