/** Has another thread of the host translate, while the guest's thread goes on: what is sent there, what that does, and what comes back. */
import type { HostTranslator } from "../host/host.ts";
import { newMemory } from "../memory/wasm-memory.ts";
import { MOST_ORDERS } from "../tuning.ts";
import { type Order, type Product, produce } from "./produce.ts";
import { type Block, type End, type JumpTable, type Region, rowsOf } from "./scan.ts";

/** A region as it is sent. */
interface PackedRegion extends Pick<Region, "is64" | "instructions" | "cold"> {
  /** Of each block some numbers and its words; the rows of the instruction table are found again by these. */
  readonly numbers: Int32Array;
  readonly tables: readonly JumpTable[];
  /** What blocks have as their `copies`. */
  readonly copies: readonly ReadonlyMap<number, number>[];
}

/** What is sent. */
interface Request {
  readonly number: number;
  readonly order: Omit<Order, "region">;
  readonly region: PackedRegion;
}

/** What comes back; without a product where it could not be made there. */
interface Answer {
  readonly number: number;
  readonly made?: Made;
}

/** A product with its module, and the milliseconds that it has taken the other thread. */
export interface Made {
  readonly product: Product;
  readonly module: WebAssembly.Module;
  readonly milliseconds: number;
}

/** Who is told what has become of an order; undefined where that has to be made here. */
type Receive = (made: Made | undefined) => void;

/** The orders of a machine that are under way. */
export class Orders {
  private readonly thread: HostTranslator;
  private readonly waiting = new Map<number, Receive>();
  private last = 0;

  constructor(thread: HostTranslator) {
    this.thread = thread;
  }

  /** Whether the other thread has begun to work. */
  get isReady(): boolean {
    return this.thread.isReady;
  }
  /** Whether there are as many as should wait for one thread. */
  get isFull(): boolean {
    return this.waiting.size >= MOST_ORDERS;
  }
  /** Whether there is nobody any more to take one. */
  get hasEnded(): boolean {
    return this.thread.hasEnded;
  }

  send({ region, ...order }: Order, receive: Receive): void {
    const number = ++this.last;
    this.waiting.set(number, receive);
    const request: Request = { number, order, region: pack(region) };
    this.thread.send(request);
  }

  /** Tells of what has been done. */
  deliver(): void {
    for (let found = this.thread.receive(); found !== undefined; found = this.thread.receive()) {
      const { number, made } = found as Answer;
      const receive = this.waiting.get(number);
      this.waiting.delete(number);
      receive?.(made);
    }
    if (!this.thread.hasEnded) return;
    for (const receive of this.waiting.values()) receive(undefined);
    this.waiting.clear();
  }

  end(): void {
    this.waiting.clear();
    this.thread.end();
  }
}

/** Numbers of a block, before those of its words. */
const FIELDS = 8;

/** A region as few objects: to copy one for each block takes the engine longer than what it is put into here and taken from. */
function pack({ is64, blocks, instructions, cold }: Region): PackedRegion {
  const tables: JumpTable[] = [];
  const copies: ReadonlyMap<number, number>[] = [];
  const placeOf = <T>(list: T[], one: T | undefined): number => {
    if (one === undefined) return -1;
    const at = list.lastIndexOf(one);
    return at >= 0 ? at : list.push(one) - 1;
  };
  const size = blocks.reduce((sum, { words }) => sum + FIELDS + words.length, 0);
  const numbers = new Int32Array(size);
  let at = 0;
  for (const { start, words, instructions, end, target, isCopy, table, copies: own } of blocks) {
    const fields = [start, words.length, instructions, end, target, Number(isCopy === true)];
    numbers.set([...fields, placeOf(tables, table), placeOf(copies, own)], at);
    numbers.set(words, at + FIELDS);
    at += FIELDS + words.length;
  }
  return { is64, numbers, tables, copies, instructions, cold };
}

function unpack({ is64, numbers, tables, copies, instructions, cold }: PackedRegion): Region {
  const blocks: Block[] = [];
  const at = new Map<number, number>();
  for (let next = 0; next < numbers.length; ) {
    const [start, length, instructions, end, target, isCopy, table, own] = numbers.subarray(next);
    const words = [...numbers.subarray(next + FIELDS, next + FIELDS + length)];
    if (isCopy === 0) at.set(start, blocks.length);
    blocks.push({
      start,
      words,
      rows: rowsOf(start, words),
      instructions,
      end: end as End,
      target,
      table: tables[table],
      copies: copies[own],
      isCopy: isCopy !== 0,
    });
    next += FIELDS + length;
  }
  return { is64, blocks, at, instructions, cold };
}

/**
 * What another thread does: answers a request that the machine has sent by `HostTranslator`. Both are data that `structuredClone` copies.
 * Nothing of it throws.
 */
export function fulfil(request: unknown): unknown {
  const { number, order, region } = request as Request;
  const began = performance.now();
  try {
    const product = produce({ ...order, region: unpack(region) });
    const module = new WebAssembly.Module(product.wire);
    makeReady(module, order.pages);
    const answer: Answer = { number, made: { product, module, milliseconds: performance.now() - began } };
    return answer;
  } catch {
    return { number } satisfies Answer;
  }
}

/** Memories for functions that only begin. */
const memories = new Map<number, WebAssembly.Memory>();

/** Has the host's engine compile a function, which it does at the first call: of one without host stack, which comes back at once. */
function makeReady(module: WebAssembly.Module, pages: number): void {
  let memory = memories.get(pages);
  if (memory === undefined) memories.set(pages, (memory = newMemory(pages)));
  const table = () => new WebAssembly.Table({ element: "anyfunc", initial: 0 });
  const imports = { m: { memory, callees: table(), all: table(), step: () => 0 } };
  const code = new WebAssembly.Instance(module, imports).exports["0"] as (...numbers: number[]) => unknown;
  code(0, 0, 0);
}
