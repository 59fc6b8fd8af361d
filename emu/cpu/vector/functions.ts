/**
 * Vector rows as WebAssembly functions over one CPU's memory: a family of rows is one module, made when the first of its
 * instructions is met. Its exports are the handlers themselves.
 */
import { READ_GUARD_OFFSET, REGISTERS_OFFSET, WRITE_GUARD_OFFSET } from "../../memory/layout.ts";
import { instructionNamed } from "../../isa/table.ts";
import { GuestFault } from "../fault.ts";
import type { HandlerTable, Selector } from "../handler-table.ts";
import type { Cpu, Handler } from "../interpreter.ts";
import { Frame, type Row, type Surroundings } from "./frame.ts";
import { type Code, I32, unsigned } from "./wasm.ts";

/** Rows that are written for each value of an immediate field of the word, bits first to last. */
export interface ImmediateRow {
  readonly bits: readonly [first: number, last: number];
  readonly row: (frame: Frame, value: number) => Code;
}

/** Vector instructions by the mnemonics of the instruction table. */
export type Family = Readonly<Record<string, Row | ImmediateRow>>;

const fieldOf = (word: number, [first, last]: readonly [number, number]): number =>
  (word >>> (31 - last)) & (2 ** (last - first + 1) - 1);

/** Modules by family and surroundings: machines of one kind share them. */
const modules = new WeakMap<Family, Map<string, WebAssembly.Module>>();

/** Handlers of a family for a CPU. */
export function familyHandlers(cpu: Cpu, family: Family): HandlerTable {
  let functions: Record<string, Handler> | undefined;
  const made = (): Record<string, Handler> => (functions ??= instantiate(cpu, family));
  const selector = (name: string, row: Row | ImmediateRow): Selector => {
    if (typeof row === "function") return { select: () => made()[name] };
    return { select: (word) => made()[`${name}/${fieldOf(word, row.bits)}`] };
  };
  return Object.fromEntries(Object.entries(family).map(([name, row]) => [name, selector(name, row)]));
}

/** Where a CPU's registers and memory are. */
function surroundings({ memory, is64 }: Cpu): Surroundings {
  const { byteOrder, corner, size } = memory;
  return {
    registers: corner + REGISTERS_OFFSET,
    readGuard: corner + READ_GUARD_OFFSET,
    writeGuard: corner + WRITE_GUARD_OFFSET,
    is64,
    bigEndian: byteOrder === "big",
    top: size,
  };
}

function instantiate(cpu: Cpu, family: Family): Record<string, Handler> {
  const around = surroundings(cpu);
  const key = JSON.stringify(around);
  let known = modules.get(family);
  if (known === undefined) modules.set(family, (known = new Map()));
  let module = known.get(key);
  if (module === undefined) known.set(key, (module = new WebAssembly.Module(moduleBytes(family, around))));
  const { memory } = cpu;
  const instance = new WebAssembly.Instance(module, {
    m: {
      m: memory.memory,
      l: (ea: number, size: number) => memory.checkLoad(ea >>> 0, size),
      s: (ea: number, size: number) => memory.checkStore(ea >>> 0, size),
      f: (low: number, high: number, store: number) => {
        throw new GuestFault(
          "data-unmapped",
          (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0),
          store !== 0,
        );
      },
    },
  });
  return { ...instance.exports } as Record<string, Handler>;
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
    for (let value = 0; value < 2 ** (last - first + 1); value++) {
      add(mnemonic, `/${value}`, (frame) => row.row(frame, value));
    }
  }
  const types = [
    [0x60, 2, I32, I32, 0],
    [0x60, 3, I32, I32, I32, 0],
  ];
  const imports = [
    [...name("m"), ...name("l"), 0, 0],
    [...name("m"), ...name("s"), 0, 0],
    [...name("m"), ...name("f"), 0, 1],
    [...name("m"), ...name("m"), 2, 0, 1],
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
