/** A call of what has another table of contents, which leaves r2 changed, comes back into the code of its caller. */
import { expect, it } from "vitest";
import { Interpreter } from "../../emu/cpu/interpreter.ts";
import { modelFor } from "../../emu/cpu/models.ts";
import { MSR_SF } from "../../emu/cpu/registers.ts";
import { asm } from "../../emu/isa/encoder.ts";
import { JitEngine } from "../../emu/jit/engine.ts";
import { Translations } from "../../emu/jit/translations.ts";
import { AddressSpace } from "../../emu/memory/address-space.ts";
import { PAGE_SIZE } from "../../emu/memory/layout.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../emu/memory/vma.ts";
import { cpuOn } from "../support/cpu.ts";
import { SOON } from "./engines-agree.ts";

const START = 0x1000_0000;
/** r1 and r2 are in the third page, the function in the second. */
const BEFORE = [
  "addis 1,0,4096",
  "ori 1,1,8192",
  "addis 2,0,4096",
  "ori 2,2,8448",
  "addis 6,0,4096",
  "ori 6,6,4096",
];
const LOOP = ["mtspr 9,6", "lwz 7,0(2)", "std 2,24(1)", "bcctr 20,0,0", "ld 2,24(1)", "addi 3,3,1", "b -24"];
const CALLEE = ["addi 2,2,64", "bclr 20,0,0"];

function createCpu() {
  const memory = new AddressSpace({ byteOrder: "big", size: 0x2100_0000 });
  const prot = PROT_READ | PROT_WRITE | PROT_EXEC;
  memory.map({ start: START, end: START + 3 * PAGE_SIZE, prot, offset: 0 });
  const code = [...BEFORE, ...LOOP].map((line) => asm(line) | (line.startsWith("bcctr") ? 1 : 0));
  for (const [i, word] of code.entries()) memory.store32(START + 4 * i, word);
  for (const [i, line] of CALLEE.entries()) memory.store32(START + PAGE_SIZE + 4 * i, asm(line));
  memory.registers.msr = MSR_SF;
  memory.registers.nia = BigInt(START);
  return cpuOn(memory, modelFor("power9", "ppc64"));
}

it("is not left after a call for r2, which the caller loads anew", () => {
  const [left, right] = [createCpu(), createCpu()];
  const jit = new JitEngine(right, new Translations(SOON));
  for (const engine of [jit, new Interpreter(left)]) expect(engine.run(200_000)).toBe("limit");
  const state = ({ registers }: typeof left) => [1, 2, 3, 6, 7].map((n) => registers.gpr(n));
  expect([right.registers.nia, ...state(right)]).toEqual([left.registers.nia, ...state(left)]);
  // Until the function is hot as well the loop comes out to it at every turn.
  expect(jit.statistics.units).toBe(2);
  expect(jit.statistics.entered).toBeLessThan(2_000);
});
