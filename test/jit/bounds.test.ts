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
import { cpuOn } from "../support/cpu.ts";

const START = 0x1000_0000;
const LOOPS = 1500;
const TURNS = 20;

/** An engine about to run loops that lead on to one another through a register: a region each. */
function engineOfLoops(tuning: Partial<Tuning>): JitEngine {
  const memory = new AddressSpace({ byteOrder: "big", size: 0x2000_0000 });
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
  const size = 4 * words.length;
  memory.map({
    start: START,
    end: START + ((LOOPS * size + 8191) & -4096),
    prot: PROT_READ | PROT_WRITE | PROT_EXEC,
    offset: 0,
  });
  const bytes = new Uint8Array(LOOPS * size + 4);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < LOOPS * words.length; at++) view.setInt32(4 * at, words[at % words.length]);
  view.setInt32(LOOPS * size, asm("sc"));
  memory.write(START, bytes);
  const { registers } = memory;
  const cpu = cpuOn(memory, modelFor(undefined, "ppc64"));
  registers.msr = MSR_SF;
  registers.nia = BigInt(START);
  registers.setGpr(5, BigInt(START));
  return new JitEngine(cpu, new Translations({ threshold: 3, ...tuning }));
}

/** Runs them all. */
function runLoops(engine: JitEngine): void {
  const { registers } = engine.cpu;
  expect(engine.run(10_000_000)).toBe("syscall");
  expect(registers.gpr(4)).toBe(BigInt(LOOPS * TURNS));
  expect(registers.instructions).toBe(BigInt(LOOPS * (5 + 2 * TURNS)));
}

it("gives code back when there is too much of it", () => {
  const mostBytes = 100_000;
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
