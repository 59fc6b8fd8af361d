/** A loop is translated from the beginning of its function, which would be translated once more when it is hot as well. */
import { expect, it } from "vitest";
import { Interpreter } from "../../emu/cpu/interpreter.ts";
import { modelFor } from "../../emu/cpu/models.ts";
import { asm } from "../../emu/isa/encoder.ts";
import { JitEngine } from "../../emu/jit/engine.ts";
import { Translations } from "../../emu/jit/translations.ts";
import { AddressSpace } from "../../emu/memory/address-space.ts";
import { PAGE_SIZE } from "../../emu/memory/layout.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../emu/memory/vma.ts";
import { cpuOn } from "../support/cpu.ts";
import { SOON } from "./engines-agree.ts";

const START = 0x1000_0000;
/** Calls the function 32 bytes on, for ever. */
const MAIN = [
  "addi 4,4,1",
  "b 28",
  "b -8",
  "ori 0,0,0",
  "ori 0,0,0",
  "ori 0,0,0",
  "bclr 20,0,0",
  "ori 0,0,0",
];
const FRAME = "stwu 1,-16(1)";
const TURNS = ["addi 5,0,3", "mtspr 9,5", "addi 3,3,1", "bc 16,0,-4"];
const FUNCTION = START + 4 * MAIN.length;

/** What is translated first of calls of a function that begins so. */
function firstTranslated(beginning: readonly string[]) {
  const lines = [...MAIN, ...beginning, ...TURNS, "addi 1,1,16", "bclr 20,0,0"];
  const code = lines.map((line) => asm(line) | (line === "b 28" ? 1 : 0));
  const [left, right] = [0, 1].map(() => {
    const memory = new AddressSpace({ byteOrder: "big", size: 0x2100_0000 });
    const prot = PROT_READ | PROT_WRITE | PROT_EXEC;
    memory.map({ start: START, end: START + 2 * PAGE_SIZE, prot, offset: 0 });
    for (const [i, word] of code.entries()) memory.store32(START + 4 * i, word);
    memory.registers.nia = BigInt(START);
    memory.registers.setGpr(1, BigInt(START + 2 * PAGE_SIZE - 64));
    return cpuOn(memory, modelFor("power9", "ppc32"));
  });
  const entries: (readonly number[])[] = [];
  const onTranslated = (region: { entries: readonly number[] }) => entries.push(region.entries);
  const jit = new JitEngine(right, new Translations(SOON, undefined, { onTranslated }));
  for (const engine of [jit, new Interpreter(left)]) expect(engine.run(100_000)).toBe("limit");
  const state = ({ registers }: typeof left) => [registers.nia, registers.gpr(3), registers.gpr(4)];
  expect(state(right)).toEqual(state(left));
  return entries[0];
}

it("has the function's beginning and the loop as entries, with a stack frame and without", () => {
  for (const beginning of [[FRAME], ["addi 1,1,-16"]]) {
    expect(firstTranslated(beginning)).toEqual([FUNCTION, FUNCTION + 12]);
  }
});
