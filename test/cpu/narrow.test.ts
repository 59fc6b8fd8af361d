/** Instructions on doublewords in 32-bit programs: where upper halves count as zero, and where they come to be needed. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { handlerOf } from "../../emu/cpu/dispatch.ts";
import { illegal } from "../../emu/cpu/handler.ts";
import { findModel } from "../../emu/cpu/models.ts";
import { asm } from "../../emu/isa/encoder.ts";
import { GPR } from "../../emu/cpu/registers.ts";
import { bind, cpu as state } from "../../emu/cpu/views.ts";
import { createCpu } from "../jit/engines-agree.ts";

const ones = (n: number): bigint => (1n << BigInt(n)) - 1n;
const rotl64 = (value: bigint, n: number): bigint =>
  BigInt.asUintN(64, (value << BigInt(n)) | (value >> BigInt(64 - n)));

const kind = (model: string, isWide = false) => {
  const narrow = findModel(model, "ppc32")!;
  return { is64: false, model: isWide ? narrow.wide! : narrow };
};
const has = (line: string, model = "power9", isWide = false): boolean =>
  handlerOf(asm(line), kind(model, isWide)) !== illegal;

/** Executes one instruction with whatever upper halves there are: the whole of GPR 3. */
function execute(line: string, values: readonly bigint[]): bigint {
  const cpu = createCpu("ppc32", "power9");
  bind(cpu);
  for (const [n, value] of values.entries()) cpu.registers.setGpr(3 + n, value);
  handlerOf(asm(line), cpu)(asm(line), 0x1000);
  return state.u64[GPR / 8 + 3];
}

const doubleword = () => fc.bigInt(0n, ones(64));
const low = (value: bigint): bigint => BigInt.asUintN(32, value);

it("rotates by which nothing gets into the upper half take low words alone", () => {
  fc.assert(
    fc.property(doubleword(), doubleword(), fc.nat(63), fc.nat(63), (a, s, sh, m) => {
      const from = ones(64 - m);
      const through = ones(64) ^ ones(sh);
      const mask = m <= 63 - sh ? from & through : from | through;
      const rotated = rotl64(low(s), sh);
      const expected: [string, bigint, boolean][] = [
        [`rldicl 3,4,${sh},${m}`, rotated & from, true],
        [`rldicr 3,4,${sh},${m}`, rotated & (ones(64) ^ ones(63 - m)), true],
        [`rldic 3,4,${sh},${m}`, rotated & mask, true],
        [
          `rldimi 3,4,${sh},${m}`,
          (rotated & mask) | (low(a) & ~mask),
          (rotl64(ones(32), sh) & mask) >> 32n === 0n,
        ],
      ];
      for (const [line, result, isSure] of expected) {
        if (has(line)) expect([line, execute(line, [a, s])]).toEqual([line, result]);
        // What has an upper half is for others.
        if (result >> 32n !== 0n || !isSure) expect([line, has(line)]).toEqual([line, false]);
        expect(has(line, "power9", true)).toBe(true);
      }
    }),
  );
  expect(has("rldicl 3,4,58,6")).toBe(true);
  expect(has("rldicl 3,4,32,32")).toBe(true);
  expect(has("rldicr 3,4,0,63")).toBe(true);
  expect(has("rldicr 3,4,32,31")).toBe(false);
});

it("shifts to the right and counts take upper halves for zero", () => {
  fc.assert(
    fc.property(doubleword(), doubleword(), fc.nat(63), (s, b, sh) => {
      const value = low(s);
      const n = b & 127n;
      const bits = value.toString(2).padStart(64, "0");
      const parity = [0n, 8n, 16n, 24n].reduce((sum, at) => sum ^ ((value >> at) & 1n), 0n);
      for (const [line, result] of [
        ["srd 3,4,5", value >> n],
        ["srad 3,4,5", value >> n],
        [`sradi 3,4,${sh}`, value >> BigInt(sh)],
        ["cntlzd 3,4", BigInt(bits.indexOf("1") < 0 ? 64 : bits.indexOf("1"))],
        ["cnttzd 3,4", BigInt(value === 0n ? 64 : 63 - bits.lastIndexOf("1"))],
        ["popcntd 3,4", BigInt(bits.replaceAll("0", "").length)],
        ["prtyd 3,4", parity],
      ] as const) {
        expect([line, execute(line, [0n, s, b])]).toEqual([line, result]);
      }
      expect(low(execute("maddld 3,4,5,6", [0n, s, b, s]))).toBe(low(s * b + s));
    }),
  );
});

it("what needs or makes upper halves is of the wide model, of 64-bit processors alone", () => {
  for (const line of [
    "ld 3,0(4)",
    "std 3,0(4)",
    "lwa 3,0(4)",
    "mulld 3,4,5",
    "mulhdu 3,4,5",
    "divd 3,4,5",
    "extsw 3,4",
    "sld 3,4,5",
    "rldcr 3,4,5,6",
    "td 4,3,4",
    "ldarx 3,0,4",
    "mfvsrd 3,1",
    "mtvsrdd 1,3,4",
    "mfspr 3,896",
  ]) {
    expect([line, has(line), has(line, "power9", true)]).toEqual([line, false, true]);
  }
  expect(has("srd 3,4,5", "970")).toBe(true);
  expect(has("popcntd 3,4", "970")).toBe(false);
  for (const model of ["750", "7400", "7450"]) {
    expect(findModel(model, "ppc32")!.wide).toBeUndefined();
    expect(has("srd 3,4,5", model)).toBe(false);
  }
});
