/** Translated code takes no more room than it may, and no more time, however much of a program is hot once. */
import { expect, it } from "vitest";
import { modelFor } from "../../emu/cpu/models.ts";
import { MSR_SF } from "../../emu/cpu/registers.ts";
import { asm } from "../../emu/isa/encoder.ts";
import { JitEngine } from "../../emu/jit/engine.ts";
import { Translations } from "../../emu/jit/translations.ts";
import { AddressSpace } from "../../emu/memory/address-space.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../emu/memory/vma.ts";
import type { Tuning } from "../../emu/tuning.ts";
import { ProgramTag } from "../../emu/program-tag.ts";
import { cpuOn } from "../support/cpu.ts";
import { SOON } from "./engines-agree.ts";

const START = 0x1000_0000;
const LOOPS = 1500;
const TURNS = 20;

/** An engine about to run these instructions, with their address in r5. */
function engineOf(words: readonly number[], translations: Translations): JitEngine {
  const memory = new AddressSpace({ byteOrder: "big", size: 0x2000_0000 });
  const end = START + ((4 * words.length + 4095) & -4096);
  memory.map({ start: START, end, prot: PROT_READ | PROT_WRITE | PROT_EXEC, offset: 0 });
  const bytes = new Uint8Array(4 * words.length);
  words.forEach((word, i) => {
    new DataView(bytes.buffer).setInt32(4 * i, word);
  });
  memory.write(START, bytes);
  const { registers } = memory;
  const cpu = cpuOn(memory, modelFor(undefined, "ppc64"));
  registers.msr = MSR_SF;
  registers.nia = BigInt(START);
  registers.setGpr(5, BigInt(START));
  return new JitEngine(cpu, translations);
}

/** An engine about to run loops that lead on to one another through a register: a region each. */
function engineOfLoops(tuning: Partial<Tuning>): JitEngine {
  return engineOf(wordsOfLoops(), new Translations({ ...SOON, threshold: 3, ...tuning }));
}
function wordsOfLoops(): number[] {
  const loop = [
    "addi 5,5,32",
    `addi 6,0,${TURNS}`,
    "mtspr 9,6",
    "addi 4,4,1",
    "bc 16,0,-4",
    "mtspr 9,5",
    "bcctr 20,0,0",
    "ori 0,0,0",
  ];
  const words = loop.map((line) => asm(line));
  const all = Array.from({ length: LOOPS }, () => words).flat();
  return [...all, asm("sc")];
}

/** Runs them all. */
function runLoops(engine: JitEngine): void {
  const { registers } = engine.cpu;
  expect(engine.run(10_000_000)).toBe("syscall");
  expect(registers.gpr(4)).toBe(BigInt(LOOPS * TURNS));
  expect(registers.instructions).toBe(BigInt(LOOPS * (5 + 2 * TURNS)));
}

it("gives code back when there is too much of it", () => {
  const mostBytes = 60_000;
  const engine = engineOfLoops({ mostBytes, executedPerTranslated: 0 });
  runLoops(engine);
  const { units, bytes: made } = engine.statistics;
  expect(units).toBeGreaterThan(LOOPS / 2);
  expect(made).toBeGreaterThan(5 * mostBytes);
  const { used, kept } = engine.moduleBytes;
  expect(used).toBeLessThanOrEqual(mostBytes);
  expect(kept).toBeLessThanOrEqual(mostBytes);
});

it("translates no more than the program has run for", () => {
  const [translatedFreely, executedPerTranslated] = [100, 200];
  const engine = engineOfLoops({ translatedFreely, executedPerTranslated });
  runLoops(engine);
  const { guestInstructions } = engine.statistics;
  const earned = translatedFreely + (LOOPS * (5 + 2 * TURNS)) / executedPerTranslated;
  expect(guestInstructions).toBeGreaterThan(translatedFreely);
  expect(guestInstructions).toBeLessThan(earned + 20);
});

it("counts what others have translated, and translates little beside it", () => {
  const tuning = { translatedFreely: 100, executedPerTranslated: 200, executedPerAdded: 2000 };
  const translations = new Translations({ ...SOON, threshold: 3, ...tuning });
  const words = wordsOfLoops();
  const program = new ProgramTag("loops", 0, () => new Uint8Array(1));
  const made = [0, 0, 0].map(() => {
    const before = translations.statistics.guestInstructions;
    const engine = engineOf(words, translations);
    engine.program = program;
    runLoops(engine);
    return translations.statistics.guestInstructions - before;
  });
  expect(translations.statistics.reused).toBeGreaterThan(0);
  const more = (LOOPS * (5 + 2 * TURNS)) / tuning.executedPerAdded;
  expect(made[0]).toBeGreaterThan(5 * more);
  for (const later of made.slice(1)) {
    expect(later).toBeGreaterThan(0);
    expect(later).toBeLessThan(more + 20);
  }
});

it("takes less of a function whose module would be too big", () => {
  const mostModuleBytes = 40_000;
  const steps = 1500;
  const sizes: number[] = [];
  const step = [asm("andi. 6,4,1"), asm("bc 12,2,8"), asm("xor 7,7,4"), asm("addi 4,4,1")];
  const loop = Array.from({ length: steps }, () => step).flat();
  const back = -4 * loop.length;
  const words = [asm("addi 6,0,100"), asm("mtspr 9,6"), ...loop, asm(`bc 16,0,${back}`), asm("sc")];
  const onTranslated = ({ module }: { module: Uint8Array }) => void sizes.push(module.length);
  const translations = new Translations({ ...SOON, threshold: 3, mostModuleBytes }, undefined, {
    onTranslated,
  });
  const engine = engineOf(words, translations);
  expect(engine.run(10_000_000)).toBe("syscall");
  expect(engine.cpu.registers.gpr(4)).toBe(BigInt(100 * steps));
  expect(sizes.length).toBeGreaterThan(0);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(mostModuleBytes);
  expect(Math.max(...sizes)).toBeGreaterThan(mostModuleBytes / 4);
});

it("takes less also where the small functions that become part of it make it too big", () => {
  const steps = 100;
  const leaf = [...Array.from({ length: 15 }, () => asm("addi 4,4,1")), asm("bclr 20,0,0")];
  const first = 3 + 2 * steps;
  const calls = Array.from({ length: steps }, (_, i) => {
    const at = 3 + 2 * i;
    return [asm("xor 7,7,4"), asm(`bl ${4 * (first + 2 - at - 1)}`)];
  }).flat();
  const words = [
    ...[asm("addi 6,0,100"), asm("mtspr 9,6"), asm("ori 0,0,0")],
    ...calls,
    ...[asm(`bc 16,0,${-4 * calls.length}`), asm("sc")],
    ...leaf,
  ];
  /** The largest module, where none may be larger. */
  const largest = (mostModuleBytes: number): number => {
    const sizes: number[] = [];
    const onTranslated = ({ module }: { module: Uint8Array }) => void sizes.push(module.length);
    const tuning = { ...SOON, threshold: 3, mostModuleBytes };
    const engine = engineOf(words, new Translations(tuning, undefined, { onTranslated }));
    expect(engine.run(10_000_000)).toBe("syscall");
    expect(engine.cpu.registers.gpr(4)).toBe(BigInt(100 * steps * 15));
    return Math.max(...sizes);
  };
  const most = Math.floor(0.72 * largest(1_000_000));
  expect(largest(most)).toBeLessThanOrEqual(most);
});
