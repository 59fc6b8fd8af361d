/** Handlers of the facility on a register block of their own. */

import type { Cpu } from "../../../emu/cpu/cpu.ts";
import { FLOATING_POINT_TABLES } from "../../../emu/cpu/floating-point/index.ts";
import type { HandlerTable } from "../../../emu/cpu/handler.ts";
import { VSR } from "../../../emu/cpu/registers.ts";
import { bind } from "../../../emu/cpu/views.ts";
import { FLOATING_POINT } from "../../../emu/isa/table/floating-point.ts";
import { VECTOR_OTHER } from "../../../emu/isa/table/vector-other.ts";
import { VSX_QUAD } from "../../../emu/isa/table/vsx-quad.ts";
import { VSX_SCALAR } from "../../../emu/isa/table/vsx-scalar.ts";
import { VSX_VECTOR } from "../../../emu/isa/table/vsx-vector.ts";
import { AddressSpace } from "../../../emu/memory/address-space.ts";
import { cpuOn } from "../../support/cpu.ts";

const handlers: HandlerTable = Object.assign({}, ...FLOATING_POINT_TABLES.map((table) => table()));

/** The rows that the handlers are for. */
export const FP_ROWS = [
  ...FLOATING_POINT(),
  ...VSX_SCALAR(),
  ...VSX_VECTOR(),
  ...VECTOR_OTHER(),
  ...VSX_QUAD(),
].filter((row) => row.implemented);

export interface FpMachine {
  readonly cpu: Cpu;
  readonly memory: AddressSpace;
  readonly names: readonly string[];
  /** The 128 bits of a VSR. */
  vsr(n: number): bigint;
  setVsr(n: number, value: bigint): void;
  /** Executes a word of the row `name`. */
  execute(name: string, word: number): void;
  /** The opcode bits of a row. */
  match(name: string): number;
  /** Executes `name` with FRT, FRA, FRB, FRC = 4, 1, 2, 3 and further bits of the word. */
  run(name: string, more?: number): void;
}

export function createFpMachine(version = "2.07", is64 = true, size = 0x100_0000): FpMachine {
  const memory = new AddressSpace({ byteOrder: "big", size });
  const model = {
    name: "test",
    pvr: 0,
    facilities: new Set(["base", "fp", "fp64", "64"]),
    version,
    cacheBlock: 128,
    hwcap: 0,
    hwcap2: 0,
  };
  const cpu = cpuOn(memory, model, is64);
  const { registers } = cpu;
  const vsr = (n: number) => (registers.u64[VSR / 8 + 2 * n + 1] << 64n) | registers.u64[VSR / 8 + 2 * n];
  const setVsr = (n: number, value: bigint) => {
    registers.u64[VSR / 8 + 2 * n] = value;
    registers.u64[VSR / 8 + 2 * n + 1] = value >> 64n;
  };
  const words = new Map(FP_ROWS.map((row) => [row.name, row.match]));
  const fields = (4 << 21) | (1 << 16) | (2 << 11) | (3 << 6);
  const execute = (name: string, word: number) => {
    bind(cpu);
    const entry = handlers[name];
    const handler = typeof entry === "function" ? entry : entry.select(word, cpu);
    handler(word, 0x1000_0000);
  };
  const match = (name: string) => {
    const row = words.get(name);
    if (row === undefined) throw new Error(`no row ${name}`);
    return row;
  };
  const run = (name: string, more = 0) => {
    const isA = FP_ROWS.find((r) => r.name === name)?.form === "A";
    execute(name, match(name) | (isA ? fields : fields & ~(31 << 6)) | more);
  };
  return { cpu, memory, names: Object.keys(handlers), vsr, setVsr, execute, match, run };
}
