/** Two engines on random programs, everything translated at first sight, stopped at random counts. */
import { expect } from "vitest";
import type { Cpu } from "../../emu/cpu/cpu.ts";
import { GuestFault } from "../../emu/cpu/fault.ts";
import { Interpreter } from "../../emu/cpu/interpreter.ts";
import { modelFor } from "../../emu/cpu/models.ts";
import { CTR, fprOffset, INSTRUCTIONS, LR, MSR_SF, NIA, VSR } from "../../emu/cpu/registers.ts";
import { bind } from "../../emu/cpu/views.ts";
import { JitEngine } from "../../emu/jit/engine.ts";
import { Translations, type TranslationsOptions } from "../../emu/jit/translations.ts";
import { AddressSpace } from "../../emu/memory/address-space.ts";
import { PAGE_SIZE } from "../../emu/memory/layout.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../emu/memory/vma.ts";
import type { Tuning } from "../../emu/tuning.ts";
import { cpuOn } from "../support/cpu.ts";
import { CODE_START, DATA_PAGES, DATA_START, randomNumbers, randomProgram } from "./random-programs.ts";

export type Abi = "ppc32" | "ppc64" | "ppc64le";

/** A CPU with a code page and some of data. */
export function createCpu(abi: Abi, model: string | undefined): Cpu {
  const memory = new AddressSpace({ byteOrder: abi === "ppc64le" ? "little" : "big", size: 0x2100_0000 });
  const map = (start: number, pages: number, prot: number) =>
    memory.map({ start, end: start + pages * PAGE_SIZE, prot, offset: 0 });
  map(CODE_START, 2, PROT_READ | PROT_WRITE | PROT_EXEC);
  map(DATA_START, DATA_PAGES, PROT_READ | PROT_WRITE);
  map(DATA_START + DATA_PAGES * PAGE_SIZE, 1, PROT_READ);
  return cpuOn(memory, modelFor(model, abi), abi !== "ppc32");
}

/** Values that the boundary cases are made of, among them doubles of every class. */
const INTERESTING = [
  0n,
  1n,
  0xffff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000n,
  0x7fff_ffffn,
  0xffff_ffff_8000_0000n,
  0x3ff0_0000_0000_0000n,
  0x3ff8_0000_0000_0000n,
  0xc000_0000_0000_0000n,
  0x4340_0000_0000_0001n,
  0x7ff0_0000_0000_0000n,
  0x7ff4_0000_0000_0000n,
  0x000f_ffff_ffff_ffffn,
  0x3810_0000_0000_0000n,
  0x36a0_0000_0000_0000n,
  0x47ef_ffff_e000_0000n,
];

/** Registers and memory of a program, the same for a seed. */
export function prepare({ registers, memory }: Cpu, abi: Abi, words: readonly number[], seed: number): void {
  const random = randomNumbers(seed);
  const value = (): bigint =>
    random() % 2 === 0
      ? INTERESTING[random() % INTERESTING.length]
      : (BigInt(random()) << 32n) | BigInt(random());
  registers.bytes.fill(0);
  for (let n = 0; n < 32; n++) {
    registers.setGpr(n, value());
    const single = random() % 2 === 0;
    const moderate = (1023n + BigInt(random() % 40) - 20n) << 52n;
    const fraction = (BigInt(random()) << 20n) | BigInt(random() & 0xfffff);
    registers.setFpr(
      n,
      random() % 4 === 0 ? value() : moderate | (single ? fraction & ~0x1fff_ffffn : fraction),
    );
  }
  // What else VSRs have: doubles or singles, some of them integers or nothing.
  const element = (bits: 32 | 64): bigint => {
    const [bias, digits] = bits === 64 ? [1023n, 52n] : [127n, 23n];
    const exponent = (bias + BigInt(random() % 40) - 10n) << digits;
    const fraction = ((BigInt(random()) << 20n) | BigInt(random() & 0xfffff)) & ((1n << digits) - 1n);
    const number = exponent | (random() % 2 === 0 ? fraction : fraction & (~0n << (digits - 8n)));
    return random() % 8 === 0 ? 0n : number | (random() % 2 === 0 ? 0n : 1n << BigInt(bits - 1));
  };
  for (let n = 0; n < 64; n++) {
    const ofSingles = n % 3 === 0;
    const doubleword = () => (ofSingles ? (element(32) << 32n) | element(32) : element(64));
    registers.u64[(VSR + 16 * n) / 8] = doubleword();
    if (n >= 32) registers.u64[(VSR + 16 * n) / 8 + 1] = doubleword();
  }
  for (const n of [1, 26, 27, 28]) registers.setGpr(n, BigInt(DATA_START + (random() % 0x3800)));
  registers.setGpr(25, BigInt(random() % 64));
  registers.cr = random();
  registers.xer = random() & 0x2000_0000;
  registers.fpscr = [0, 0x0200_0000, 0x8202_4000, random() & 3, 0xf8][random() % 5];
  registers.msr = abi === "ppc32" ? 0n : MSR_SF;
  registers.nia = BigInt(CODE_START);
  for (let i = 0; i < words.length; i++) memory.store32(CODE_START + 4 * i, words[i]);
  for (let at = 0; at < DATA_PAGES * PAGE_SIZE; at += 4) memory.store32(DATA_START + at, random() | 0);
}

/** Runs `limit` instructions; says how that ended. */
export function advance(engine: Interpreter, limit: number): string {
  try {
    return engine.run(limit);
  } catch (error) {
    if (!(error instanceof GuestFault)) throw error;
    return `${error.kind} at 0x${error.address.toString(16)}`;
  }
}

/** The registers as text, without what a 32-bit CPU leaves undefined. */
export function show({ registers, is64 }: Cpu): string[] {
  const mask = is64 ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn;
  const lines: string[] = [];
  const hex = (n: bigint | number) => n.toString(16);
  for (let n = 0; n < 32; n++) lines.push(`r${n} ${hex(registers.gpr(n) & mask)}`);
  for (let n = 0; n < 32; n++) lines.push(`f${n} ${hex(registers.u64[fprOffset(n) / 8])}`);
  lines.push(`cr ${hex(registers.cr)}`, `xer ${hex(registers.xer)}`, `fpscr ${hex(registers.fpscr)}`);
  lines.push(`lr ${hex(registers.u64[LR / 8] & mask)}`, `ctr ${hex(registers.u64[CTR / 8] & mask)}`);
  lines.push(`nia ${hex(registers.u64[NIA / 8])}`, `count ${registers.u64[INSTRUCTIONS / 8]}`);
  for (let offset = 320; offset < 360; offset += 8) lines.push(`reserve ${hex(registers.u64[offset / 8])}`);
  for (let n = 0; n < 64; n++) {
    lines.push(
      `v${n} ${hex(registers.u64[(VSR + 16 * n) / 8 + 1])} ${hex(registers.u64[(VSR + 16 * n) / 8])}`,
    );
  }
  return lines;
}

/** What is hot is translated in programs of any length, and without a stop. */
export const SOON: Partial<Tuning> = { translateAfter: 0, longestStretch: Number.POSITIVE_INFINITY };

/** Everything is translated at first sight. */
export const AT_ONCE: Partial<Tuning> = {
  ...SOON,
  threshold: 0,
  entryThreshold: 0,
  coldThreshold: 0,
  executedPerTranslated: 0,
};

/** Both engines on a 64-bit program, stopped after each of the counts; the translator's, with its statistics. */
export function runBoth(
  model: string,
  words: readonly number[],
  counts: readonly number[],
  seed: number,
  change: (cpu: Cpu) => void,
) {
  const [left, right] = [createCpu("ppc64", model), createCpu("ppc64", model)];
  for (const cpu of [left, right]) {
    prepare(cpu, "ppc64", words, seed);
    change(cpu);
  }
  const [interpreter, jit] = [new Interpreter(left), new JitEngine(right, new Translations(AT_ONCE))];
  const ends = counts.map((count) => {
    const [ended, wanted] = [advance(jit, count), advance(interpreter, count)];
    expect([ended, ...show(right)]).toEqual([wanted, ...show(left)]);
    return [ended, right.registers.i32[NIA / 4] - CODE_START];
  });
  return { ends, registers: right.registers, statistics: jit.statistics };
}
/** What has run a few times is, without what has not, and again when that has; the quick loop runs the rest. */
export const BY_AND_BY: Partial<Tuning> = {
  ...SOON,
  quickAfter: 0,
  threshold: 2,
  entryThreshold: 6,
  entryThresholdEach: 0,
  coldThreshold: 1,
  executedPerTranslated: 0,
};

/** Nothing is translated: the quick loop runs all. */
export const QUICKLY: Partial<Tuning> = { quickAfter: 0, threshold: 1_000_000 };

/** Holds the translator against the interpreter on so many programs, the first one of that seed, in turns of up to so many instructions. */
export function agree(
  abi: Abi,
  model: string | undefined,
  first: number,
  programs: number,
  tuning = AT_ONCE,
  { translator, longest = 3000 }: { translator?: TranslationsOptions["translator"]; longest?: number } = {},
): JitEngine {
  const left = createCpu(abi, model);
  const right = createCpu(abi, model);
  const interpreter = new Interpreter(left);
  const jit = new JitEngine(right, new Translations(tuning, undefined, { translator }));
  for (let seed = first; seed < first + programs; seed++) {
    bind(left);
    const { words } = randomProgram(seed, left);
    prepare(left, abi, words, seed);
    prepare(right, abi, words, seed);
    const random = randomNumbers(seed + 77);
    for (let turn = 0; turn < 60; turn++) {
      const limit = 1 + (random() % (random() % 4 === 0 ? 20 : longest));
      const [ended, wanted] = [advance(jit, limit), advance(interpreter, limit)];
      const where = `program ${seed}, turn ${turn}`;
      expect([where, ended, ...show(right)]).toEqual([where, wanted, ...show(left)]);
      if (wanted !== "limit") break;
    }
    const bytes = DATA_PAGES * PAGE_SIZE;
    const same =
      Buffer.compare(right.memory.peek(DATA_START, bytes), left.memory.peek(DATA_START, bytes)) === 0;
    expect(same, `memory of program ${seed}`).toBe(true);
  }
  const { translated, quick } = jit.statistics;
  const runs = [...(tuning === QUICKLY ? [] : [translated]), ...(tuning === AT_ONCE ? [] : [quick])];
  for (const instructions of runs) expect(instructions).toBeGreaterThan(programs * 10);
  return jit;
}
