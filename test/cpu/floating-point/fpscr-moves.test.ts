import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FPSCR, MSR_FE0, MSR_FE1 } from "../../../emu/cpu/registers.ts";
import { createFpMachine } from "./machine.ts";
import { toBits } from "./operands.ts";

const FX = 0x8000_0000;
const FEX = 0x4000_0000;
const VX = 0x2000_0000;
const ZX = 0x0400_0000;
const XX = 0x0200_0000;
const VXSNAN = 0x0100_0000;
const VE = 0x80;
const ZE = 0x10;
const XE = 0x08;

const u = (value: number) => value >>> 0;
const bt = (n: number) => n << 21;
const field = (n: number) => n << 23;

describe("instructions on the FPSCR", () => {
  it("sets FX where mtfsb1 sets an exception bit, and derives VX and FEX", () => {
    const { cpu, execute } = createFpMachine();
    cpu.registers.fpscr = VE;
    execute("mtfsb1", (63 << 26) | bt(7) | (38 << 1));
    expect(cpu.registers.fpscr).toBe(u(FX | FEX | VX | VXSNAN | VE));
  });

  it("does not set FEX or VX by name", () => {
    const { cpu, execute } = createFpMachine();
    for (const n of [1, 2, 20]) execute("mtfsb1", (63 << 26) | bt(n) | (38 << 1));
    expect(cpu.registers.fpscr).toBe(0);
    cpu.registers.fpscr = u(FX | FEX | VX | VXSNAN | VE);
    for (const n of [1, 2]) execute("mtfsb0", (63 << 26) | bt(n) | (70 << 1));
    expect(cpu.registers.fpscr).toBe(u(FX | FEX | VX | VXSNAN | VE));
    execute("mtfsb0", (63 << 26) | bt(7) | (70 << 1));
    expect(cpu.registers.fpscr).toBe(u(FX | VE));
  });

  it("copies a field to CR and clears its exception bits with mcrfs", () => {
    const { cpu, execute } = createFpMachine();
    cpu.registers.cr = 0;
    cpu.registers.fpscr = u(FX | VX | XX | VXSNAN | 0x1000);
    execute("mcrfs", (63 << 26) | field(6) | (1 << 18) | (64 << 1));
    expect(cpu.registers.cr).toBe(0x30);
    expect(cpu.registers.fpscr).toBe(u(FX | 0x1000));
    // FPCC is no exception.
    execute("mcrfs", (63 << 26) | field(6) | (4 << 18) | (64 << 1));
    expect(cpu.registers.cr).toBe(0x10);
    expect(cpu.registers.fpscr).toBe(u(FX | 0x1000));
  });

  it("moves the fields that FLM names, FX as it is in FRB", () => {
    fc.assert(
      fc.property(fc.nat(255), fc.nat(0xffff_ffff), fc.nat(0xffff_ffff), (flm, before, source) => {
        const { cpu, execute } = createFpMachine();
        const plain = ~(FEX | VX | 0x800);
        cpu.registers.fpscr = u(before & plain & 0xf00f_f007);
        const start = cpu.registers.fpscr;
        cpu.registers.setFpr(2, BigInt(source));
        execute("mtfsf", (63 << 26) | (flm << 17) | (2 << 11) | (711 << 1));
        let mask = 0;
        for (let n = 0; n < 8; n++) if ((flm >> (7 - n)) & 1) mask |= 15 << (28 - 4 * n);
        const want = (start & ~mask) | (source & mask);
        expect(u(cpu.registers.fpscr & plain)).toBe(u(want & plain));
      }),
    );
  });

  it("moves an immediate to a field, and to DRN with W set from 2.05 on", () => {
    const word = (n: number, value: number, w: number) =>
      (63 << 26) | field(n) | (w << 16) | (value << 12) | (134 << 1);
    for (const [version, upper, low] of [
      ["2.05", 5, 0],
      ["2.03", 0, 1],
    ] as const) {
      const { cpu, execute } = createFpMachine(version);
      execute("mtfsfi", word(7, 5, 1));
      execute("mffs", (63 << 26) | (4 << 21) | (583 << 1));
      expect(cpu.registers.fpr(4)).toBe((BigInt(upper) << 32n) | BigInt(low === 1 ? 5 : 0));
    }
  });

  const sister = (kind: number) => (63 << 26) | (4 << 21) | (kind << 16) | (2 << 11) | (583 << 1);

  it("reads and changes the control bits with the light forms of mffs from 3.0 on", () => {
    const { cpu, execute } = createFpMachine("3.0");
    const all = u(FX | XX | 0x7_f000 | VE | XE | FEX | 2);
    cpu.registers.fpscr = all;
    execute("mffsl", sister(24));
    expect(cpu.registers.fpr(4)).toBe(BigInt(0x7_f000 | VE | XE | 2));
    cpu.registers.setFpr(2, 3n);
    execute("mffscrn", sister(22));
    expect(cpu.registers.fpr(4)).toBe(BigInt(VE | XE | 2));
    expect(cpu.registers.fpscr & 3).toBe(3);
    execute("mffscrni", (sister(23) & ~(31 << 11)) | (1 << 11));
    expect(cpu.registers.fpscr & 3).toBe(1);
    execute("mffsce", sister(1));
    expect(cpu.registers.fpscr).toBe(u(FX | XX | 0x7_f000 | 1));
  });

  it("takes the light forms for mffs before 3.0, as the C library counts on", () => {
    const { cpu, execute } = createFpMachine("2.03");
    cpu.registers.fpscr = u(FX | XX | 2);
    cpu.registers.setFpr(2, 3n);
    for (const [name, kind] of Object.entries({ mffsl: 24, mffscrn: 22, mffscrni: 23, mffsce: 1 })) {
      cpu.registers.setFpr(4, 0n);
      execute(name, sister(kind));
      expect(cpu.registers.fpr(4)).toBe(BigInt(u(FX | XX | 2)));
      expect(cpu.registers.fpscr).toBe(u(FX | XX | 2));
    }
  });
});

/** The FPSCR and FPRs as the manual has them: 64 bits, numbered from the left (Power ISA 3.0B, I.4.2.2 and I.4.6.10). */
type Bits = number[];
const bitsOf = (value: bigint): Bits =>
  Array.from({ length: 64 }, (_, n) => Number((value >> BigInt(63 - n)) & 1n));
const numberOf = (bits: Bits): bigint => bits.reduce((sum, bit) => 2n * sum + BigInt(bit), 0n);
const span = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);
const DRN = span(29, 31);
const INVALID = [...span(39, 44), ...span(53, 55)];
const EXCEPTION_BITS = [...span(35, 38), ...INVALID];
const CONTROL_BITS = [...DRN, ...span(56, 63)];
const EXISTING = new Set([...DRN, ...span(32, 51), ...span(53, 63)]);

/** FEX and VX as they follow from the others; what does not exist is zero. */
function settled(f: Bits): Bits {
  const next = f.map((bit, n) => (EXISTING.has(n) ? bit : 0));
  next[34] = INVALID.some((n) => next[n]) ? 1 : 0;
  next[33] = [34, 35, 36, 37, 38].some((n, i) => next[n] && next[56 + i]) ? 1 : 0;
  return next;
}
/** Those of the bits, zeros for all others. */
const only = (f: Bits, wanted: readonly number[]): Bits => f.map((bit, n) => (wanted.includes(n) ? bit : 0));
/** `f` with the bits from `from` in some places but FEX and VX, which are not set by name. */
const withBits = (f: Bits, places: readonly number[], from: (n: number) => number): Bits =>
  settled(f.map((bit, n) => (places.includes(n) && n !== 33 && n !== 34 ? from(n) : bit)));

interface Operation {
  /** Bits of the word beside the opcode that may be anything. */
  readonly free: number;
  /** The FPSCR after it, what goes to FRT, and what goes to which CR field. */
  readonly does: (
    f: Bits,
    b: Bits,
    word: number,
  ) => { f?: Bits; t?: Bits; cr?: [field: number, value: number] };
}
const wordField = (word: number, first: number, last: number) =>
  (word >>> (31 - last)) & (2 ** (last - first + 1) - 1);
const OPERATIONS: Readonly<Record<string, Operation>> = {
  mffs: { free: 1, does: (f) => ({ t: f }) },
  mffsl: { free: 0, does: (f) => ({ t: only(f, [...DRN, ...span(45, 51), ...span(56, 63)]) }) },
  mffsce: { free: 0, does: (f) => ({ t: f, f: withBits(f, span(56, 60), () => 0) }) },
  mffscdrn: { free: 0, does: (f, b) => ({ t: only(f, CONTROL_BITS), f: withBits(f, DRN, (n) => b[n]) }) },
  mffscrn: { free: 0, does: (f, b) => ({ t: only(f, CONTROL_BITS), f: withBits(f, [62, 63], (n) => b[n]) }) },
  mffscdrni: {
    free: 7 << 11,
    does: (f, _b, word) => ({
      t: only(f, CONTROL_BITS),
      f: withBits(f, DRN, (n) => (wordField(word, 18, 20) >> (31 - n)) & 1),
    }),
  },
  mffscrni: {
    free: 3 << 11,
    does: (f, _b, word) => ({
      t: only(f, CONTROL_BITS),
      f: withBits(f, [62, 63], (n) => (wordField(word, 19, 20) >> (63 - n)) & 1),
    }),
  },
  mcrfs: {
    free: (7 << 23) | (7 << 18),
    does: (f, _b, word) => {
      const copied = span(0, 3).map((i) => 32 + 4 * wordField(word, 11, 13) + i);
      const cleared = copied.filter((n) => n === 32 || EXCEPTION_BITS.includes(n));
      return {
        f: withBits(f, cleared, () => 0),
        cr: [wordField(word, 6, 8), copied.reduce((sum, n) => 2 * sum + f[n], 0)],
      };
    },
  },
  mtfsfi: {
    free: (7 << 23) | (1 << 16) | (15 << 12) | 1,
    does: (f, _b, word) => {
      const first = 4 * wordField(word, 6, 8) + (wordField(word, 15, 15) ? 0 : 32);
      return {
        f: withBits(f, span(first, first + 3), (n) => (wordField(word, 16, 19) >> (first + 3 - n)) & 1),
      };
    },
  },
  mtfsf: {
    free: (1 << 25) | (255 << 17) | (1 << 16) | 1,
    does: (f, b, word) => {
      const start = wordField(word, 15, 15) ? 0 : 32;
      const chosen = span(0, 31).filter((n) => wordField(word, 7 + (n >> 2), 7 + (n >> 2)));
      const places = wordField(word, 6, 6) ? span(0, 63) : chosen.map((n) => start + n);
      return { f: withBits(f, places, (n) => b[n]) };
    },
  },
  mtfsb0: {
    free: (31 << 21) | 1,
    does: (f, _b, word) => ({ f: withBits(f, [32 + wordField(word, 6, 10)], () => 0) }),
  },
  mtfsb1: {
    free: (31 << 21) | 1,
    does: (f, _b, word) => {
      const n = 32 + wordField(word, 6, 10);
      const isNew = EXCEPTION_BITS.includes(n) && f[n] === 0;
      return { f: withBits(f, isNew ? [n, 32] : [n], () => 1) };
    },
  },
};

describe("instructions on the FPSCR, bit by bit", () => {
  it.each(Object.keys(OPERATIONS))("do what the manual says: %s", (name) => {
    const { cpu, execute, match } = createFpMachine("3.0");
    const { registers } = cpu;
    const { free, does } = OPERATIONS[name];
    const doubleword = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    const sparse = fc.tuple(doubleword, doubleword, doubleword).map(([a, b, c]) => a & b & c);
    const any = fc.oneof(
      doubleword,
      sparse,
      sparse.map((value) => BigInt.asUintN(64, ~value)),
    );
    fc.assert(
      fc.property(any, any, fc.nat(2 ** 32 - 1), fc.nat(2 ** 32 - 1), (status, b, random, cr) => {
        const targets = /^mffs/.test(name) ? 4 << 21 : 0;
        const source = /^(mtfsf|mffscdrn|mffscrn)$/.test(name) ? 2 << 11 : 0;
        const word = match(name) | (random & free) | targets | source;
        const before = settled(bitsOf(status));
        registers.u64[FPSCR / 8] = numberOf(before);
        registers.cr = cr;
        registers.setFpr(2, b);
        registers.setFpr(4, 0x123n);
        execute(name, word);
        const { f = before, t, cr: given } = does(before, bitsOf(b), word);
        const records = (word & free & 1) !== 0;
        const [field, value] = records ? [1, Number(numberOf(f.slice(32, 36)))] : (given ?? [0, cr >>> 28]);
        const shift = 28 - 4 * field;
        expect(registers.u64[FPSCR / 8].toString(16)).toBe(numberOf(f).toString(16));
        expect(registers.fpr(4)).toBe(t === undefined ? 0x123n : numberOf(t));
        expect(registers.cr).toBe(u((cr & ~(15 << shift)) | (value << shift)));
      }),
      { numRuns: 150 },
    );
  });
});

describe("enabled floating-point exceptions", () => {
  const divideByZero = (enables: number, msr: bigint) => {
    const machine = createFpMachine();
    const { registers } = machine.cpu;
    registers.fpscr = enables;
    registers.msr = msr;
    registers.setFpr(1, toBits(1));
    registers.setFpr(2, 0n);
    registers.setFpr(4, 42n);
    return { registers, run: () => machine.run("fdiv") };
  };

  it("interrupt with the FPSCR set and the target unchanged when FE0 or FE1 is set", () => {
    for (const msr of [MSR_FE0, MSR_FE1, MSR_FE0 | MSR_FE1]) {
      const { registers, run } = divideByZero(ZE, msr);
      expect(run).toThrow("floating-point at 0x10000000");
      expect(registers.fpscr).toBe(u(FX | FEX | ZX | ZE));
      expect(registers.fpr(4)).toBe(42n);
    }
  });

  it("do not interrupt with FE0 and FE1 clear, and leave the target as well", () => {
    const { registers, run } = divideByZero(ZE, 0n);
    run();
    expect(registers.fpscr).toBe(u(FX | FEX | ZX | ZE));
    expect(registers.fpr(4)).toBe(42n);
  });

  it("write the target first when it is inexact that is enabled", () => {
    const { registers, run } = divideByZero(XE, MSR_FE0);
    registers.setFpr(2, toBits(3));
    expect(run).toThrow("floating-point");
    expect(registers.fpr(4)).toBe(toBits(1 / 3));
  });

  it("interrupt where mtfsf enables an exception that is pending", () => {
    const { cpu, execute } = createFpMachine();
    cpu.registers.fpscr = u(FX | ZX);
    cpu.registers.msr = MSR_FE0;
    cpu.registers.setFpr(2, BigInt(ZE));
    expect(() => execute("mtfsf", (63 << 26) | (2 << 17) | (2 << 11) | (711 << 1))).toThrow("floating-point");
    expect(cpu.registers.fpscr).toBe(u(FX | FEX | ZX | ZE));
  });
});
