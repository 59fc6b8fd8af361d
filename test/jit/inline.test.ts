/** Small functions become part of those that call them. */
import { expect, it } from "vitest";
import { Interpreter } from "../../emu/cpu/interpreter.ts";
import { modelFor } from "../../emu/cpu/models.ts";
import { MSR_SF } from "../../emu/cpu/registers.ts";
import { asm } from "../../emu/isa/encoder.ts";
import { JitEngine } from "../../emu/jit/engine.ts";
import { inlineLeaves } from "../../emu/jit/inline.ts";
import { decodePieces, encodePieces, ownBlocks } from "../../emu/jit/piece.ts";
import { End, scan } from "../../emu/jit/scan.ts";
import { Translations } from "../../emu/jit/translations.ts";
import { AddressSpace } from "../../emu/memory/address-space.ts";
import { PAGE_SIZE } from "../../emu/memory/layout.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../emu/memory/vma.ts";
import { cpuOn } from "../support/cpu.ts";
import { SOON } from "./engines-agree.ts";
import { sourceOf } from "./words-source.ts";

const START = 0x1000_0000;
const CALLS = ["bl 16", "addi 3,3,1", "bl 8", "b -12"];

/** How the blocks of a loop end that calls a function twice. */
function endsWith(...callee: string[]): End[] {
  const source = sourceOf(
    START,
    [...CALLS, ...callee].map((line) => asm(line)),
  );
  return inlineLeaves(scan(source, [START], true, 100), source).blocks.map(({ end }) => end);
}

it("copies a function that calls nobody to each call of it", () => {
  const copy = [End.Branch, End.Jump];
  const callee = ["cmpi 0,0,3,0", "bclr 12,2,0", "addi 4,4,1", "bclr 20,0,0"];
  expect(endsWith(...callee)).toEqual([End.Jump, ...copy, End.Jump, ...copy, End.Jump]);
});

it("copies a function that makes a system call", () => {
  const copy = [End.Fall, End.Jump];
  expect(endsWith("sc 0", "bclr 20,0,0")).toEqual([End.Jump, ...copy, End.Jump, ...copy, End.Jump]);
});

it("copies what jumps through CTR, and calls what is there", () => {
  const copy = [End.IndirectCall];
  expect(endsWith("mtspr 9,5", "bcctr 20,0,0")).toEqual([End.Jump, ...copy, End.Jump, ...copy, End.Jump]);
});

it("leaves a function alone that changes LR, calls or is long", () => {
  const calls = [End.Call, End.Call, End.Jump];
  expect(endsWith("mtspr 8,5", "bclr 20,0,0")).toEqual(calls);
  expect(endsWith("mfspr 5,8", "bl 8", "bclr 20,0,0", "bclr 20,0,0")).toEqual(calls);
  expect(endsWith("sc 2", "bclr 20,0,0")).toEqual(calls);
  expect(endsWith("scv 0", "bclr 20,0,0")).toEqual([End.Call, End.Call, End.Jump]);
  expect(endsWith(...new Array(50).fill("addi 4,4,1"), "bclr 20,0,0")).toEqual(calls);
});

/** The loop on one page of code, and on the next one the function, which adds one or leaves that. */
function createCpu() {
  const memory = new AddressSpace({ byteOrder: "big", size: 0x2100_0000 });
  const prot = PROT_READ | PROT_WRITE | PROT_EXEC;
  memory.map({ start: START, end: START + 2 * PAGE_SIZE, prot, offset: 0 });
  const loop = [`bl ${PAGE_SIZE}`, "addi 3,3,1", "b -8"];
  const callee = ["andi. 5,3,1", "bclr 12,2,0", "addi 4,4,1", "bclr 20,0,0"];
  for (const [i, line] of loop.entries()) memory.store32(START + 4 * i, asm(line));
  for (const [i, line] of callee.entries()) memory.store32(START + PAGE_SIZE + 4 * i, asm(line));
  memory.registers.msr = MSR_SF;
  memory.registers.nia = BigInt(START);
  return cpuOn(memory, modelFor("power9", "ppc64"));
}

it("does as the interpreter does, at every count, and when the function changes", () => {
  const [left, right] = [createCpu(), createCpu()];
  const translations = new Translations(SOON);
  const jit = new JitEngine(right, translations);
  const engines = [jit, new Interpreter(left)];
  const run = (count: number) => {
    for (const engine of engines) expect(engine.run(count)).toBe("limit");
    const state = ({ registers }: typeof left) => [3, 4, 5, 31].map((n) => registers.gpr(n));
    expect([...state(right), right.registers.lr, right.registers.nia, right.registers.cr]).toEqual([
      ...state(left),
      left.registers.lr,
      left.registers.nia,
      left.registers.cr,
    ]);
  };
  run(200_000);
  expect(jit.statistics.units).toBeGreaterThan(0);
  expect(jit.statistics.entered).toBeLessThan(20);
  for (let count = 1; count < 30; count++) run(count);
  for (const { memory } of [left, right]) memory.store32(START + PAGE_SIZE + 8, asm("addi 4,4,3"));
  run(200_000);
});

it("copies what a call through a register has led to, and has the call beside it", () => {
  const words = [
    "bcctrl 20,0,0",
    "b -4",
    "addi 4,4,1",
    "bclr 20,0,0",
    "bcctr 20,0,0",
    "addi 4,4,2",
    "bclr 20,0,0",
  ];
  const called = [8, 16, 20, 4].map((at) => START + at);
  const calls: number[] = [];
  const calledFrom = (address: number) => {
    calls.push(address);
    return called;
  };
  const source = {
    ...sourceOf(
      START,
      words.map((line) => asm(line)),
    ),
    calledFrom,
  };
  const { blocks } = inlineLeaves(scan(source, [START], true, 100), source);
  expect(calls).toEqual([START]);
  expect(blocks.map(({ end }) => end)).toEqual([End.IndirectCall, End.Jump, End.Jump, End.Jump]);
  // Not what jumps anywhere, nor what follows the call.
  expect(blocks[0].guesses).toEqual([START + 8, START + 20]);
  expect([...blocks[0].copies!]).toEqual([
    [START + 8, 1],
    [START + 20, 2],
  ]);
});

/** Calls of the functions on the next page, of the one that r6 chooses: through CTR, and by way of what jumps through it, behind them. */
const INDEX = ["bcl 20,31,4", "mulli 7,6,4", "lwzx 7,8,7"];
const BY_CTR = [...INDEX, "mtspr 9,7", "bcctrl 20,0,0", "addi 6,6,1", "and 6,6,9", "b -28"];
const STUB = START + PAGE_SIZE + 64 * 8;
const BY_STUB = [...INDEX, `bl ${STUB - START - 12}`, "addi 6,6,1", "and 6,6,9", "b -24"];

/** A loop that makes such a call at every turn; the fifth of the functions has a loop. */
function createCaller(loop: readonly string[]) {
  const memory = new AddressSpace({ byteOrder: "big", size: 0x2100_0000 });
  const prot = PROT_READ | PROT_WRITE | PROT_EXEC;
  memory.map({ start: START, end: START + 3 * PAGE_SIZE, prot, offset: 0 });
  const functions = [
    ["addi 3,3,1", "bclr 20,0,0"],
    ["andi. 5,3,1", "bclr 12,2,0", "addi 4,4,3", "bclr 20,0,0"],
    ["cmpi 0,0,3,100", "bc 12,0,12", "addi 3,0,0", "add 4,4,3", "bclr 20,0,0"],
    ["stw 4,64(8)", "lwz 5,68(8)", "add 3,3,5", "bclr 20,0,0"],
    ["addi 10,10,-1", "cmpi 0,0,10,0", "bc 12,1,-8", "addi 10,0,3", "bclr 20,0,0"],
    ["mfspr 11,8", "mtspr 8,11", "addi 3,3,5", "bclr 20,0,0"],
    ["addi 3,3,7", "bclr 20,0,0"],
    ["xori 4,4,9", "bclr 20,0,0"],
    ["mtspr 9,7", "bcctr 20,0,0"],
  ];
  const store = (at: number, lines: readonly string[]) =>
    lines.forEach((line, i) => {
      memory.store32(at + 4 * i, asm(line));
    });
  store(START, loop);
  functions.forEach((lines, i) => {
    const at = START + PAGE_SIZE + 64 * i;
    store(at, lines);
    memory.store32(START + 2 * PAGE_SIZE + 4 * i, at);
  });
  const { registers } = memory;
  registers.msr = MSR_SF;
  registers.nia = BigInt(START);
  registers.setGpr(8, BigInt(START + 2 * PAGE_SIZE));
  return cpuOn(memory, modelFor("power9", "ppc64"));
}

it.each([
  ["a call through a register", BY_CTR],
  ["one by way of a jump", BY_STUB],
])("does as the interpreter does where %s leads to copies, and where it no longer does", (_, loop) => {
  const [left, right] = [createCaller(loop), createCaller(loop)];
  const jit = new JitEngine(right, new Translations(SOON));
  const engines = [jit, new Interpreter(left)];
  const run = (count: number) => {
    for (const engine of engines) expect(engine.run(count)).toBe("limit");
    const state = ({ registers }: typeof left) => [3, 4, 5, 6, 10, 11].map((n) => registers.gpr(n));
    const rest = ({ registers }: typeof left) => [registers.lr, registers.ctr, registers.nia, registers.cr];
    expect([...state(right), ...rest(right)]).toEqual([...state(left), ...rest(left)]);
  };
  // The quick loop takes over between two turns of the engine.
  run(1500);
  // Which functions are called: the index is masked by this.
  for (const mask of [3n, 7n, 0n, 7n]) {
    for (const { registers } of [left, right]) registers.setGpr(9, mask);
    run(200_000);
    for (let count = 1; count < 40; count++) run(count);
  }
  expect(jit.statistics.units).toBeGreaterThan(0);
  expect(jit.statistics.translated).toBeGreaterThan(100_000);
  const { translated, entered } = jit.statistics;
  for (const { registers } of [left, right]) registers.setGpr(9, 3n);
  run(50_000);
  // The four functions that were known when the loop was translated are part of it.
  expect(jit.statistics.translated - translated).toBeGreaterThan(49_000);
  expect(jit.statistics.entered - entered).toBeLessThan(5);
  for (const { memory } of [left, right]) memory.store32(START + PAGE_SIZE, asm("addi 3,3,2"));
  run(50_000);
  // What is called beside them comes back to the loop.
  for (const { registers } of [left, right]) registers.setGpr(9, 7n);
  run(200_000);
  const before = jit.statistics.entered;
  run(50_000);
  expect(jit.statistics.entered - before).toBeLessThan(5);
});

it("keeps which of a piece's blocks are another function's", () => {
  const piece = {
    entries: [START],
    needs: [1],
    callees: [],
    looksUp: false,
    blocks: Int32Array.of(START, 2, START + 64, 1),
    inlined: 1,
    words: Int32Array.of(1, 2, 3),
    cold: [],
    remade: 0,
    wire: Uint8Array.of(0),
    native: undefined,
    module: undefined,
  };
  const bytes = Buffer.concat(encodePieces([piece]));
  const [kept] = decodePieces(
    new Uint8Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)),
  );
  expect([...ownBlocks(kept)]).toEqual([START, 2]);
  expect(kept.blocks).toEqual(piece.blocks);
});
