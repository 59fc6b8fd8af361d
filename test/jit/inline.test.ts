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

it("leaves a function alone that changes LR, calls, jumps anywhere or is long", () => {
  const calls = [End.Call, End.Call, End.Jump];
  expect(endsWith("mtspr 8,5", "bclr 20,0,0")).toEqual(calls);
  expect(endsWith("mfspr 5,8", "bl 8", "bclr 20,0,0", "bclr 20,0,0")).toEqual(calls);
  expect(endsWith("bcctr 20,0,0")).toEqual(calls);
  expect(endsWith("sc 0", "bclr 20,0,0")).toEqual(calls);
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
  const translations = new Translations({ translateAfter: 0 });
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
