/** The interpreter as the partner of a second engine: one that "translates" blocks into calls of handlers. */
import { describe, expect, it } from "vitest";
import type { Cpu } from "../../emu/cpu/cpu.ts";
import { handlerOf } from "../../emu/cpu/dispatch.ts";
import { GuestFault } from "../../emu/cpu/fault.ts";
import type { Handler } from "../../emu/cpu/handler.ts";
import { type Exit, Interpreter } from "../../emu/cpu/interpreter.ts";
import { modelFor } from "../../emu/cpu/models.ts";
import { INSTRUCTIONS, NIA } from "../../emu/cpu/registers.ts";
import { bind } from "../../emu/cpu/views.ts";
import { asm } from "../../emu/isa/encoder.ts";
import { AddressSpace } from "../../emu/memory/address-space.ts";
import { PAGE_SHIFT, PAGE_SIZE } from "../../emu/memory/layout.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../emu/memory/vma.ts";
import { cpuOn } from "../support/cpu.ts";

const CODE = 0x1000_0000;
const FUNCTION = 12;
const ADD_3 = asm("addi 7,7,3");
const ADD_5 = asm("addi 7,7,5");

/** Calls a function forty times and changes its first instruction every eighth time; then loads from where nothing is. */
const PROGRAM = [
  asm("addi 4,0,40"),
  asm("mtspr 9,4"),
  asm("addi 3,3,1"),
  asm(`b ${4 * (FUNCTION - 3)}`) | 1,
  asm("xori 5,3,1"),
  asm("andi. 6,3,7"),
  asm("bc 4,2,12"),
  asm("stw 10,0(11)"),
  asm("xor 10,10,12"),
  asm("bc 16,0,-28"),
  asm("lwz 3,0(0)"),
  asm("sc"),
  ADD_3,
  asm("bclr 20,0"),
];
const LOOP = CODE + 4 * 2;
const AFTER_CALL = CODE + 4 * 4;
const CALLED = CODE + 4 * FUNCTION;

function createCpu(): Cpu {
  const memory = new AddressSpace({ byteOrder: "big", size: 0x2000_0000 });
  const prot = PROT_READ | PROT_WRITE | PROT_EXEC;
  memory.map({ start: CODE, end: CODE + PAGE_SIZE, prot, offset: 0 });
  for (const [i, word] of PROGRAM.entries()) memory.store32(CODE + 4 * i, word);
  const { registers } = memory;
  registers.nia = BigInt(CODE);
  registers.setGpr(10, BigInt(ADD_5));
  registers.setGpr(11, BigInt(CALLED));
  registers.setGpr(12, BigInt(ADD_3 ^ ADD_5));
  return cpuOn(memory, modelFor(undefined, "ppc64"));
}

interface Block {
  readonly words: readonly number[];
  readonly handlers: readonly Handler[];
}

/** Runs blocks as lists of handlers, and all else in the interpreter. */
class StubEngine extends Interpreter {
  readonly blocks = new Map<number, Block>();
  /** Instructions executed in blocks, and blocks that were dropped while they ran. */
  translated = 0;
  dropped = 0;
  private stop = false;

  constructor(cpu: Cpu) {
    super(cpu);
    this.watch = { patience: 2, arrived: (address, left) => this.wants(address, left) };
    cpu.memory.addCodeListener((page) => {
      for (const start of this.blocks.keys()) if (start >>> PAGE_SHIFT === page) this.blocks.delete(start);
      this.stop = true;
    });
  }

  override run(limit: number): Exit {
    let left = limit;
    for (;;) {
      left = this.runBlocks(left);
      if (left === 0) return "limit";
      const exit = this.interpret(left);
      if (exit !== "arrived") return exit;
      left = this.left;
    }
  }

  private wants(address: number, left: number): boolean {
    let block = this.blocks.get(address);
    if (block === undefined) this.blocks.set(address, (block = this.translate(address)));
    return left >= block.words.length;
  }

  /** The instructions through the next branch but those that skip some. */
  private translate(start: number): Block {
    const words: number[] = [];
    for (let at = start; ; at += 4) {
      const word = this.cpu.memory.fetch(at);
      words.push(word);
      if (word >>> 26 === 18 || word >>> 26 === 19 || (word >>> 26 === 16 && (word & 0x8000) !== 0)) break;
    }
    return { words, handlers: words.map((word) => handlerOf(word, this.cpu)) };
  }

  private runBlocks(limit: number): number {
    const { i32, u64 } = this.cpu.registers;
    let pc = i32[NIA / 4];
    let left = limit;
    bind(this.cpu);
    try {
      for (;;) {
        const block = this.blocks.get(pc);
        if (block === undefined || left < block.words.length) return left;
        this.stop = false;
        for (let i = 0; i < block.words.length; i++) {
          const next = block.handlers[i](block.words[i], pc);
          this.translated++;
          left--;
          pc = next ?? pc + 4;
          if (this.stop) this.dropped++;
          if (this.stop || next !== undefined) break;
        }
      }
    } finally {
      u64[NIA / 8] = BigInt(pc >>> 0);
      u64[INSTRUCTIONS / 8] += BigInt(limit - left);
    }
  }
}

/** How a run of at most `limit` instructions ends, and the register block then. */
function advance(engine: Interpreter, limit: number): [string, string] {
  let ended: string;
  try {
    ended = engine.run(limit);
  } catch (error) {
    if (!(error instanceof GuestFault)) throw error;
    ended = error.message;
  }
  return [ended, Buffer.from(engine.cpu.registers.bytes).toString("hex")];
}

describe("the interpreter beside a second engine", () => {
  it("asks at loop heads, called functions and returns, when it has come there often enough", () => {
    const asked: number[] = [];
    const watch = {
      patience: 3,
      arrived: (address: number) => {
        asked.push(address);
        return false;
      },
    };
    const engine = new Interpreter(createCpu(), watch);
    // Three rounds and the head of the fourth.
    engine.run(2 + 3 * 8);
    expect(asked).toEqual([]);
    engine.run(3);
    expect(asked).toEqual([CALLED]);
    engine.run(5);
    expect(asked).toEqual([CALLED, AFTER_CALL, LOOP]);
    engine.setPatience(LOOP, 2);
    engine.run(8 * 2);
    expect(asked.slice(3).filter((address) => address === LOOP)).toEqual([]);
  });

  it("comes back where the watch says so, with what is left of the limit", () => {
    const engine = new StubEngine(createCpu());
    expect(engine.run(30)).toBe("limit");
    expect(engine.left).toBeLessThan(30);
    expect(engine.blocks.size).toBeGreaterThan(0);
    expect(engine.cpu.registers.instructions).toBe(30n);
  });

  it("gives the same states at every count, however a run is cut, and code that changes is noticed", () => {
    for (const piece of [1, 2, 3, 5, 8, 13, 21, 1000]) {
      const plain = new Interpreter(createCpu());
      const engine = new StubEngine(createCpu());
      for (;;) {
        const wanted = advance(plain, piece);
        expect(advance(engine, piece)).toEqual(wanted);
        if (wanted[0] === "limit") continue;
        expect(wanted[0]).toBe("data-unmapped at 0x0");
        break;
      }
      // Forty rounds; from the ninth on the function adds five for eight rounds, then three again.
      expect(plain.cpu.registers.gpr(7)).toBe(BigInt(24 * 3 + 16 * 5));
      if (piece < 1000) continue;
      expect(engine.translated).toBeGreaterThan(100);
      expect(engine.dropped).toBeGreaterThan(0);
    }
  });
});
