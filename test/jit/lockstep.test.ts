/** The translator against the interpreter: random programs, stopped at random counts. */
import { expect, it } from "vitest";
import { Interpreter } from "../../emu/cpu/interpreter.ts";
import { asm } from "../../emu/isa/encoder.ts";
import { JitEngine } from "../../emu/jit/engine.ts";
import { Translations } from "../../emu/jit/translations.ts";
import {
  type Abi,
  AT_ONCE,
  advance,
  agree,
  BY_AND_BY,
  createCpu,
  prepare,
  QUICKLY,
  show,
} from "./engines-agree.ts";
import { DATA_START } from "./random-programs.ts";

const PROGRAMS = Number(process.env.PPCR_LOCKSTEP_PROGRAMS ?? 80);
const FIRST = Number(process.env.PPCR_LOCKSTEP_FIRST ?? 1);

for (const [abi, model, tuning] of [
  ["ppc32", undefined, AT_ONCE],
  ["ppc64", undefined, AT_ONCE],
  ["ppc64", "power10", AT_ONCE],
  ["ppc64le", "power10", AT_ONCE],
  ["ppc32", undefined, BY_AND_BY],
  ["ppc64", "power9", BY_AND_BY],
  ["ppc32", undefined, QUICKLY],
  ["ppc64", "power9", QUICKLY],
  ["ppc64le", "power10", QUICKLY],
] as [Abi, string | undefined, typeof AT_ONCE][]) {
  const when =
    tuning === QUICKLY
      ? "in the quick loop"
      : `translated ${tuning === AT_ONCE ? "at first sight" : "by and by"}`;
  it(`agrees on random programs, ${when}: ${abi} ${model ?? "default model"}`, () => {
    agree(abi, model, FIRST, PROGRAMS, tuning);
  });
}

it("has every CR field right where code is left from a block within blocks", () => {
  const [left, right] = [createCpu("ppc64", undefined), createCpu("ppc64", undefined)];
  // Two comparisons into CR0, with registers unsaved before each; the load leaves from behind the second, in the end by a fault.
  const words = [
    "addi 3,3,1",
    "addi 4,4,1",
    "addi 5,5,1",
    "cmpi 0,0,3,5",
    "bc 12,2,36",
    "addi 6,6,-1",
    "addi 7,7,1",
    "addi 10,10,3",
    "cmp 0,0,6,7",
    "bc 12,1,12",
    "cmpi 0,1,10,40",
    "addi 11,11,1",
    "lwzu 8,1028(9)",
    "b -52",
  ].map((line) => asm(line));
  for (const cpu of [left, right]) {
    prepare(cpu, "ppc64", words, 5);
    for (const [n, value] of [0n, 0n, 0n, 0n, 0n, 9n, 0n, 0n, BigInt(DATA_START), 0n, 0n].entries()) {
      cpu.registers.setGpr(n + 1, value);
    }
  }
  const jit = new JitEngine(right, new Translations(AT_ONCE));
  expect([advance(jit, 10_000), ...show(right)]).toEqual([
    advance(new Interpreter(left), 10_000),
    ...show(left),
  ]);
  expect(right.registers.instructions).toBeGreaterThan(200n);
  expect(jit.statistics.translated).toBeGreaterThan(100);
});

it("enters a loop in its inner one, where there is no way in to its head", () => {
  const [left, right] = [createCpu("ppc64", undefined), createCpu("ppc64", undefined)];
  const words = [
    "addi 5,5,1",
    "addi 9,9,-1",
    "cmpi 0,0,9,0",
    "bc 4,2,-8",
    "andi. 9,5,7",
    "addi 9,9,3",
    "bc 16,0,-24",
    "b -28",
  ].map((line) => asm(line));
  for (const cpu of [left, right]) prepare(cpu, "ppc64", words, 5);
  const jit = new JitEngine(right, new Translations({ ...BY_AND_BY, mostEntries: 1 }));
  for (const count of [50, 1_000, 10_000]) {
    expect([advance(jit, count), ...show(right)]).toEqual([
      advance(new Interpreter(left), count),
      ...show(left),
    ]);
  }
  expect(jit.statistics.translated).toBeGreaterThan(5_000);
});

it("leaves CR6 alone where an instruction that may record does not", () => {
  const [left, right] = [createCpu("ppc64le", "power10"), createCpu("ppc64le", "power10")];
  const words = ["cmpi 6,1,1,0", "vstrihr 4,5", "vstribl 6,7", "vcmpequb 8,9,10", "addi 1,1,1", "b -20"].map(
    (line) => asm(line),
  );
  for (const cpu of [left, right]) prepare(cpu, "ppc64le", words, 5);
  const jit = new JitEngine(right, new Translations(AT_ONCE));
  // Stopped after each of them.
  for (let count = 1; count < 60; count++) {
    expect([advance(jit, 7), ...show(right)]).toEqual([advance(new Interpreter(left), 7), ...show(left)]);
  }
  expect(jit.statistics.translated).toBeGreaterThan(100);
});
