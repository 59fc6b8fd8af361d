/** Jumps through tables of targets stay in translated code; the table's address is a doubleword of either byte order. */
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

const CODE = 0x1000_0000;
const DATA = 0x1001_0000;
/** Where the table of distances lies; its address is at DATA. */
const TABLE = DATA + 0x100;
const CASES = [9, 11, 13, 15];

/** Goes through four cases in turn, for ever. */
const LINES = [
  "cmpli 0,0,3,3",
  "bc 12,1,60",
  "ld 10,0(2)",
  "rldicr 9,3,2,61",
  "lwax 9,10,9",
  "add 9,9,10",
  "mtspr 9,9",
  "or 6,6,6",
  "bcctr 20,0,0",
  "addi 4,4,1",
  "b 24",
  "addi 4,4,2",
  "b 16",
  "addi 4,4,4",
  "b 8",
  "addi 4,4,8",
  "addi 3,3,1",
  "andi. 3,3,3",
  "b -72",
];

function createCpu(byteOrder: "big" | "little") {
  const memory = new AddressSpace({ byteOrder, size: 0x2100_0000 });
  const map = (start: number, prot: number) => memory.map({ start, end: start + PAGE_SIZE, prot, offset: 0 });
  map(CODE, PROT_READ | PROT_WRITE | PROT_EXEC);
  map(DATA, PROT_READ | PROT_WRITE);
  for (const [i, line] of LINES.entries()) memory.store32(CODE + 4 * i, asm(line));
  for (const [i, index] of CASES.entries()) memory.store32(TABLE + 4 * i, CODE + 4 * index - TABLE);
  memory.store64(DATA, BigInt(TABLE));
  const { registers } = memory;
  registers.msr = MSR_SF;
  registers.nia = BigInt(CODE);
  registers.setGpr(2, BigInt(DATA));
  const model = modelFor("power9", byteOrder === "big" ? "ppc64" : "ppc64le");
  return cpuOn(memory, model);
}

for (const byteOrder of ["big", "little"] as const) {
  it(`follows a table of a ${byteOrder}-endian program`, () => {
    const [left, right] = [createCpu(byteOrder), createCpu(byteOrder)];
    const jit = new JitEngine(right, new Translations({ translateAfter: 0 }));
    for (const engine of [jit, new Interpreter(left)]) expect(engine.run(400_000)).toBe("limit");
    expect([4, 3].map((n) => right.registers.gpr(n))).toEqual([4, 3].map((n) => left.registers.gpr(n)));
    expect(right.registers.nia).toBe(left.registers.nia);
    expect(jit.statistics.translated).toBeGreaterThan(300_000);
    expect(jit.statistics.entered).toBeLessThan(100);
  });
}
