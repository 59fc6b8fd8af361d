/**
 * Vector rows as WebAssembly functions over one CPU's memory: a family of rows is one module, made when the first of its
 * instructions is met. Its exports are the handlers themselves.
 */

import { instructionNamed } from "../../isa/table.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import { READ_GUARD_OFFSET, REGISTERS_OFFSET, WRITE_GUARD_OFFSET } from "../../memory/layout.ts";
import { memoryLimits } from "../../memory/wasm-memory.ts";
import type { CpuKind } from "../cpu.ts";
import { type Handler, type HandlerTable, illegal, type Selector } from "../handler.ts";
import { cpu } from "../views.ts";
import { type Code, I32, unsigned } from "./expressions.ts";
import { Frame, type Row, type Surroundings } from "./frame.ts";

/** Rows that are written for each value of an immediate field of the word, bits first to last. */
export interface ImmediateRow {
  readonly bits: readonly [first: number, last: number];
  /** The values it has code for; all where it does not say. */
  readonly values?: readonly number[];
  readonly row: (frame: Frame, value: number) => Code;
}

/** Vector instructions by the mnemonics of the instruction table. */
export type Family = Readonly<Record<string, Row | ImmediateRow>>;

/** The field of an immediate row in a word. */
export const fieldOf = (word: number, [first, last]: readonly [number, number]): number =>
  (word >>> (31 - last)) & (2 ** (last - first + 1) - 1);

/** Handlers of a family. Those that `select` gives belong to the CPU that is bound. */
export function familyHandlers(family: Family): HandlerTable {
  const selector = (name: string, row: Row | ImmediateRow): Selector => {
    if (typeof row === "function") return { select: (_word, kind) => functionsOf(family, kind)[name] };
    // Values that have no code are invalid forms.
    return {
      select: (word, kind) => functionsOf(family, kind)[`${name}/${fieldOf(word, row.bits)}`] ?? illegal,
    };
  };
  return Object.fromEntries(Object.entries(family).map(([name, row]) => [name, selector(name, row)]));
}

type Functions = Readonly<Record<string, Handler>>;

/** Modules by family and surroundings, which machines of one kind share, and their instances by address space. */
const modules = new WeakMap<Family, Map<string, WebAssembly.Module>>();
const instances = new WeakMap<AddressSpace, Map<Family, Functions>>();

function functionsOf(family: Family, { is64 }: CpuKind): Functions {
  let known = instances.get(cpu.memory);
  if (known === undefined) instances.set(cpu.memory, (known = new Map()));
  let functions = known.get(family);
  if (functions === undefined) known.set(family, (functions = instantiate(family, cpu.memory, is64)));
  return functions;
}

/** Where a CPU's registers and memory are. */
function surroundings({ byteOrder, corner, size }: AddressSpace, is64: boolean): Surroundings {
  return {
    registers: corner + REGISTERS_OFFSET,
    readGuard: corner + READ_GUARD_OFFSET,
    writeGuard: corner + WRITE_GUARD_OFFSET,
    is64,
    bigEndian: byteOrder === "big",
    top: size,
  };
}

function instantiate(family: Family, memory: AddressSpace, is64: boolean): Functions {
  const around = surroundings(memory, is64);
  const key = JSON.stringify(around);
  let known = modules.get(family);
  if (known === undefined) modules.set(family, (known = new Map()));
  let module = known.get(key);
  if (module === undefined) known.set(key, (module = new WebAssembly.Module(moduleBytes(family, around))));
  const instance = new WebAssembly.Instance(module, {
    m: {
      m: memory.memory,
      l: (ea: number, size: number) => memory.checkLoad(ea >>> 0, size),
      s: (ea: number, size: number) => memory.checkStore(ea >>> 0, size),
      f: (high: number, low: number, store: number) => memory.near(high, low, store !== 0),
    },
  });
  return { ...instance.exports } as Functions;
}

const name = (text: string): number[] => [text.length, ...new TextEncoder().encode(text)];
const list = (items: readonly (readonly number[])[]): number[] => [
  ...unsigned(items.length),
  ...items.flat(),
];
const section = (id: number, content: readonly number[]): number[] => [
  id,
  ...unsigned(content.length),
  ...content,
];

/** The module of a family: imports the memory and the three ways out of the fast path, exports a function a row. */
function moduleBytes(family: Family, around: Surroundings): Uint8Array<ArrayBuffer> {
  const functions: { name: string; body: number[] }[] = [];
  const add = (mnemonic: string, suffix: string, row: Row): void => {
    const { operands, vrc } = instructionNamed(mnemonic)!;
    const frame = new Frame(operands, around);
    const code = frame.function(row, vrc === true);
    const locals = list(frame.locals.map((type) => [1, type]));
    const body = [...locals, ...code, 0x0b];
    functions.push({ name: mnemonic + suffix, body: [...unsigned(body.length), ...body] });
  };
  for (const [mnemonic, row] of Object.entries(family)) {
    if (typeof row === "function") {
      add(mnemonic, "", row);
      continue;
    }
    const [first, last] = row.bits;
    const { values = Array.from({ length: 2 ** (last - first + 1) }, (_, i) => i) } = row;
    for (const value of values) {
      add(mnemonic, `/${value}`, (frame) => row.row(frame, value));
    }
  }
  const types = [
    [0x60, 2, I32, I32, 0],
    [0x60, 3, I32, I32, I32, 1, I32],
  ];
  const imports = [
    [...name("m"), ...name("l"), 0, 0],
    [...name("m"), ...name("s"), 0, 0],
    [...name("m"), ...name("f"), 0, 1],
    [...name("m"), ...name("m"), 2, ...memoryLimits(1).flatMap(unsigned)],
  ];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(types)),
    ...section(2, list(imports)),
    ...section(3, list(functions.map(() => [0]))),
    ...section(7, list(functions.map(({ name: exported }, i) => [...name(exported), 0, ...unsigned(3 + i)]))),
    ...section(10, list(functions.map(({ body }) => body))),
  ]);
}
