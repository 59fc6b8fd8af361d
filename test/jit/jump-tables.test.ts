/**
 * Jumps through tables of targets stay in translated code; the table's address is a doubleword of either byte order. Where every operation of an
 * interpreter ends with one, they share the way to the operations.
 */
import { expect, it } from "vitest";
import { Interpreter } from "../../emu/cpu/interpreter.ts";
import { modelFor } from "../../emu/cpu/models.ts";
import { MSR_SF } from "../../emu/cpu/registers.ts";
import { asm } from "../../emu/isa/encoder.ts";
import { JitEngine } from "../../emu/jit/engine.ts";
import { buildFlow } from "../../emu/jit/flow.ts";
import { scan } from "../../emu/jit/scan.ts";
import { Translations } from "../../emu/jit/translations.ts";
import { AddressSpace } from "../../emu/memory/address-space.ts";
import { PAGE_SIZE } from "../../emu/memory/layout.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../emu/memory/vma.ts";
import { cpuOn } from "../support/cpu.ts";
import { SOON } from "./engines-agree.ts";
import { sourceOf } from "./words-source.ts";

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

const createCpu = (byteOrder: "big" | "little") =>
  cpuWith(byteOrder, LINES, (memory) => {
    for (const [i, index] of CASES.entries()) memory.store32(TABLE + 4 * i, CODE + 4 * index - TABLE);
    memory.store64(DATA, BigInt(TABLE));
  });

/** A processor at the beginning of a program, whose data `fill` makes. */
function cpuWith(
  byteOrder: "big" | "little",
  lines: readonly string[],
  fill: (memory: AddressSpace) => void,
) {
  const memory = new AddressSpace({ byteOrder, size: 0x2100_0000 });
  const map = (start: number, prot: number) => memory.map({ start, end: start + PAGE_SIZE, prot, offset: 0 });
  map(CODE, PROT_READ | PROT_WRITE | PROT_EXEC);
  map(DATA, PROT_READ | PROT_WRITE);
  for (const [i, line] of lines.entries()) memory.store32(CODE + 4 * i, asm(line));
  fill(memory);
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
    const jit = new JitEngine(right, new Translations(SOON));
    for (const engine of [jit, new Interpreter(left)]) expect(engine.run(400_000)).toBe("limit");
    expect([4, 3].map((n) => right.registers.gpr(n))).toEqual([4, 3].map((n) => left.registers.gpr(n)));
    expect(right.registers.nia).toBe(left.registers.nia);
    expect(jit.statistics.translated).toBeGreaterThan(300_000);
    expect(jit.statistics.entered).toBeLessThan(100);
  });
}

/** Operations of the interpreter below, and where the bytes that it interprets lie; its table is at DATA. */
const OPERATIONS = 30;
const PROGRAM = DATA + 0x800;
/** What operations do apart from adding to r3: the first one begins again, the fourth one makes two others change places in the table. */
const SPECIAL: Readonly<Record<number, readonly string[]>> = {
  0: ["addi 4,6,-1"],
  3: ["ld 11,8(5)", "ld 12,16(5)", "std 11,16(5)", "std 12,8(5)"],
  8: ["addi 8,8,3", "addi 3,3,1", "addi 8,8,-1", "cmpi 0,0,8,0", "bc 12,1,-12"],
  11: ["stw 3,1024(5)", "lwz 7,1024(5)"],
};
const NEXT = ["lbzu 9,1(4)", "rldicr 9,9,3,60", "ldx 10,5,9", "mtspr 9,10", "bcctr 20,0,0"];

/** Its operations, one after the other, and where each begins. */
function interpreterLines(): { lines: string[]; starts: number[] } {
  const lines = [...NEXT];
  const starts: number[] = [];
  for (let i = 0; i < OPERATIONS; i++) {
    starts.push(lines.length);
    lines.push(`addi 3,3,${i + 1}`, ...(SPECIAL[i] ?? []), ...NEXT);
  }
  return { lines, starts };
}

function interpreterCpu(byteOrder: "big" | "little") {
  const { lines, starts } = interpreterLines();
  const cpu = cpuWith(byteOrder, lines, (memory) => {
    for (const [i, at] of starts.entries()) memory.store64(DATA + 8 * i, BigInt(CODE + 4 * at));
    for (let i = 0; i < 200; i++) memory.store8(PROGRAM + i, 1 + ((17 * i) % (OPERATIONS - 1)));
    memory.store8(PROGRAM + 200, 0);
  });
  const { registers } = cpu.memory;
  registers.setGpr(4, BigInt(PROGRAM - 1));
  registers.setGpr(5, BigInt(DATA));
  registers.setGpr(6, BigInt(PROGRAM));
  return cpu;
}

for (const byteOrder of ["big", "little"] as const) {
  it(`follows a table that every operation of a ${byteOrder}-endian interpreter jumps through`, () => {
    const [left, right] = [interpreterCpu(byteOrder), interpreterCpu(byteOrder)];
    const jit = new JitEngine(right, new Translations(SOON));
    const interpreter = new Interpreter(left);
    for (const count of [1_000_000, 1, 2, 3, 5, 7, 11, 13, 4001]) {
      for (const engine of [jit, interpreter]) expect(engine.run(count)).toBe("limit");
      for (let n = 0; n < 32; n++) expect(right.registers.gpr(n)).toBe(left.registers.gpr(n));
      expect(right.registers.nia).toBe(left.registers.nia);
    }
    expect(jit.statistics.translated).toBeGreaterThan(500_000);
  });
}

it("has one way to the operations of an interpreter, and one loop", () => {
  const { lines, starts } = interpreterLines();
  const entries = starts.map((at) => CODE + 4 * at);
  const source = {
    ...sourceOf(
      CODE,
      lines.map((line) => asm(line)),
    ),
    registers: new Int32Array(64).fill(DATA, 10, 11),
    peek: (address: number) => entries[(address - DATA) / 8],
  };
  const region = scan(source, [CODE], true, 1000);
  const { switches, switching, edges, loops } = buildFlow(region, [0]);
  expect([...switches.keys()].map((node) => edges[node].length)).toEqual([OPERATIONS]);
  expect(switching.size).toBe(OPERATIONS + 1);
  for (const node of switching) expect(edges[node].map(({ to }) => to)).toEqual([...switches.keys()]);
  expect(loops.map(({ header }) => switches.has(header))).toEqual([true, false]);
});
