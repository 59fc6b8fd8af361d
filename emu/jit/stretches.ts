/** What the guest's thread translates: so much at a stretch, between which the program goes on. */
import { MOST_ORDERS, TRANSLATED_WITHIN } from "../tuning.ts";
import { type Order, type Product, producing } from "./produce.ts";
import type { Interruptible } from "./translate.ts";

/** Who is told what has become of an order; undefined where the host's stack is too small for blocks so deep in each other. */
type Receive = (product: Product | undefined) => void;

interface Work {
  readonly order: Order;
  readonly receive: Receive;
  /** Where it is, once begun. */
  steps: Interruptible<Product> | undefined;
}

/** The orders that wait for a machine's own thread, the first of which is under way. */
export class Stretches {
  private readonly waiting: Work[] = [];
  /** Milliseconds of a stretch, and of what was done lately, less what the program has had since. */
  private readonly longest: number;
  private used = 0;
  private endedAt = 0;

  constructor(longest: number) {
    this.longest = longest;
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }
  get isFull(): boolean {
    return this.waiting.length >= MOST_ORDERS;
  }

  send(order: Order, receive: Receive): void {
    this.waiting.push({ order, receive, steps: undefined });
  }

  /** Goes on with what there is, as long as a stretch may be of which so much is over; returns the milliseconds that this has taken. */
  goOn(kept: number): number {
    const began = performance.now();
    let now = began;
    this.used = Math.max(0, this.used - (began - this.endedAt) * TRANSLATED_WITHIN);
    const until = began + this.longest - this.used - kept;
    while (this.waiting.length > 0 && now < until) {
      const [work] = this.waiting;
      const done = this.step(work);
      if (done !== undefined) {
        this.waiting.shift();
        work.receive(done.product);
      }
      now = performance.now();
    }
    // What took much longer than it should was kept waiting by the host: the program is not to make up for that.
    this.used = Math.min(this.used + now - began, 2 * this.longest);
    this.endedAt = now;
    return now - began;
  }

  /** A step of the way; what came of it where it was the last one. */
  private step(work: Work): { product: Product | undefined } | undefined {
    try {
      work.steps ??= producing(work.order);
      const { done, value } = work.steps.next();
      return done ? { product: value } : undefined;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return { product: undefined };
    }
  }

  end(): void {
    this.waiting.length = 0;
  }
}
