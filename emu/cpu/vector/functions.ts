/**
 * Vector rows as WebAssembly functions over one CPU's memory: a row is one module, made when the instruction is first met, for
 * programs use a few of several hundred. What it exports is the handler itself.
 */

import { decode } from "../../isa/decoder.ts";
import type { Instruction } from "../../isa/instruction.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import { FAR_START } from "../../memory/far-map.ts";
import { memoryLimits } from "../../memory/wasm-memory.ts";
import type { CpuKind } from "../cpu.ts";
import { type Handler, illegal, type Selector } from "../handler.ts";
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

/** What picks the handler of a row: it belongs to the CPU that is bound. */
export const familyHandler = (row: Row | ImmediateRow): Selector => ({
  select: (word, kind) => functionOf(row, decode(word)!, word, kind) ?? illegal,
});

/** A row that handles most operands and has a handler in TypeScript for all others: see `Frame.leaveUnless`. */
export const withFallback = (row: Row, fallback: Handler): Selector => ({
  select: (word, kind) => functionOf(row, decode(word)!, word, kind, fallback)!,
});

/** What a row is a row of. */
type Subject = Pick<Instruction, "name" | "operands" | "vrc">;

/** A row for the immediate that a word has; undefined for values that have no code: invalid forms. */
export function expressionOf(
  row: Row | ImmediateRow,
  word: number,
): { value?: number; row: Row } | undefined {
  if (typeof row === "function") return { row };
  const value = fieldOf(word, row.bits);
  if (row.values?.includes(value) === false) return undefined;
  return { value, row: (frame) => row.row(frame, value) };
}

/** Modules by row and surroundings, which machines of one kind share. */
const modules = new Map<string, WebAssembly.Module>();
/** Of an address space: what modules import, and the functions there are, by row. */
const instances = new WeakMap<
  AddressSpace,
  { imports: WebAssembly.Imports; functions: Map<string, Handler> }
>();

/** The function of a row; `word` is the one with the immediate, if there is such. Undefined for invalid forms. */
export function functionOf(
  row: Row | ImmediateRow,
  subject: Subject,
  word: number,
  { is64 }: CpuKind,
  fallback?: Handler,
): Handler | undefined {
  const { memory } = cpu;
  const expression = expressionOf(row, word);
  if (expression === undefined) return undefined;
  const name = `${subject.name}/${expression.value ?? ""}`;
  let known = instances.get(memory);
  if (known === undefined)
    instances.set(memory, (known = { imports: imports(memory), functions: new Map() }));
  let handler = known.functions.get(name);
  if (handler === undefined) {
    const bigEndian = memory.byteOrder === "big";
    const around = { size: memory.size, is64, bigEndian };
    const module = moduleOf(subject, name, expression.row, around);
    const imports = fallback === undefined ? known.imports : { m: { ...known.imports.m, h: fallback } };
    handler = new WebAssembly.Instance(module, imports).exports.f as Handler;
    known.functions.set(name, handler);
  }
  return handler;
}

/** Rows have addresses of 32 bits. What is checked next after `near` is its access: far frames have guards, which send it there. */
const imports = (memory: AddressSpace): WebAssembly.Imports => {
  let from = 0;
  const whole = (ea: number): number => {
    const address = (ea >>> 0) - from;
    from = 0;
    return address;
  };
  return {
    m: {
      m: memory.memory,
      l: (ea: number, size: number) => memory.checkLoad(whole(ea), size),
      s: (ea: number, size: number) => memory.checkStore(whole(ea), size),
      f: (high: number, low: number, store: number) => {
        const ea = memory.near(high, low, store !== 0);
        from = FAR_START;
        return ea;
      },
      h: illegal,
    },
  };
};

function moduleOf(subject: Subject, name: string, row: Row, around: Surroundings): WebAssembly.Module {
  const key = name + JSON.stringify(around);
  let module = modules.get(key);
  if (module === undefined) {
    modules.set(key, (module = new WebAssembly.Module(moduleBytes(subject, row, around))));
  }
  return module;
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

/** The module of a row: imports the memory and the four ways out of the fast path, exports the function. */
function moduleBytes({ operands, vrc }: Subject, row: Row, around: Surroundings): Uint8Array<ArrayBuffer> {
  const frame = new Frame(operands, around);
  const code = frame.function(row, vrc === true);
  const body = [...list(frame.locals.map((type) => [1, type])), ...code, 0x0b];
  const types = [
    [0x60, 2, I32, I32, 0],
    [0x60, 3, I32, I32, I32, 1, I32],
  ];
  const imports = [
    [...name("m"), ...name("l"), 0, 0],
    [...name("m"), ...name("s"), 0, 0],
    [...name("m"), ...name("f"), 0, 1],
    [...name("m"), ...name("h"), 0, 0],
    [...name("m"), ...name("m"), 2, ...memoryLimits(1).flatMap(unsigned)],
  ];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(types)),
    ...section(2, list(imports)),
    ...section(3, list([[0]])),
    ...section(7, list([[...name("f"), 0, 4]])),
    ...section(10, list([[...unsigned(body.length), ...body]])),
  ]);
}
