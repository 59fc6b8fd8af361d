/** Has another thread of the host translate, while the guest's thread goes on: what is sent there, what that does, and what comes back. */
import type { HostTranslator } from "../host/host.ts";
import { newMemory } from "../memory/wasm-memory.ts";
import { MOST_ORDERS } from "../tuning.ts";
import { type Order, type Product, produce } from "./produce.ts";
import { rowsOf } from "./scan.ts";

/** What is sent: an order without the rows of its instructions, which are no data. */
interface Request {
  readonly number: number;
  readonly order: Order;
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
  /** Milliseconds that the other thread may leave all of them unanswered, and the time at which it began to. */
  private readonly patience: number;
  private silentSince = 0;

  constructor(thread: HostTranslator, patience: number) {
    this.thread = thread;
    this.patience = patience;
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

  send(order: Order, receive: Receive): void {
    const number = ++this.last;
    if (this.waiting.size === 0) this.silentSince = performance.now();
    this.waiting.set(number, receive);
    const blocks = order.region.blocks.map((block) => ({ ...block, rows: [] }));
    const request: Request = { number, order: { ...order, region: { ...order.region, blocks } } };
    this.thread.send(request);
  }

  /** Tells of what has been done. A thread that is kept from working is let go of: the guest would wait for what it can make itself. */
  deliver(): void {
    if (this.waiting.size === 0) return;
    for (let found = this.thread.receive(); found !== undefined; found = this.thread.receive()) {
      const { number, made } = found as Answer;
      const receive = this.waiting.get(number);
      this.waiting.delete(number);
      this.silentSince = performance.now();
      receive?.(made);
    }
    if (performance.now() - this.silentSince > this.patience) this.thread.end();
    if (!this.thread.hasEnded) return;
    for (const receive of this.waiting.values()) receive(undefined);
    this.waiting.clear();
  }

  end(): void {
    this.waiting.clear();
    this.thread.end();
  }
}

/** With the rows found again by the words. */
const whole = ({ region, ...order }: Order): Order => ({
  ...order,
  region: {
    ...region,
    blocks: region.blocks.map((block) => ({ ...block, rows: rowsOf(block.start, block.words) })),
  },
});

/**
 * What another thread does: answers a request that the machine has sent by `HostTranslator`. Both are data that `structuredClone` copies.
 * Nothing of it throws.
 */
export function fulfil(request: unknown): unknown {
  const { number, order } = request as Request;
  const began = performance.now();
  try {
    const product = produce(whole(order));
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
