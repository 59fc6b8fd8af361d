/**
 * The interpreter: runs a thread's instructions one by one until a limit, a system call or a fault.
 *
 * Each code page has an array of handlers beside its instruction words, filled as slots are first reached. A
 * handler gets the word and its address; it returns nothing to go on with the next instruction, or the next
 * address (a taken branch), or SYSCALL. Faults are thrown and leave NIA at the instruction that caused them.
 */
import { PAGE_SHIFT, PAGE_SIZE } from "../memory/layout.ts";
import type { Cpu } from "./cpu.ts";
import { handlerOf } from "./dispatch.ts";
import { GuestFault } from "./fault.ts";
import { FarBranch, type Handler, SYSCALL } from "./handler.ts";
import { INSTRUCTIONS, NIA } from "./registers.ts";
import { bind } from "./views.ts";

/** Why `run` came back: the limit was reached, or `sc` is the instruction at NIA, not yet retired. */
export type Exit = "limit" | "syscall";

const WORDS = PAGE_SIZE / 4;

interface CodePage {
  readonly words: Int32Array;
  readonly handlers: Handler[];
}

export class Interpreter {
  readonly cpu: Cpu;
  private readonly codePages = new Map<number, CodePage>();
  /** The page being run, and whether a store has changed it since the loop entered it. */
  private running = -1;
  private stale = false;

  constructor(cpu: Cpu) {
    this.cpu = cpu;
    cpu.memory.addCodeListener((page) => {
      this.codePages.delete(page);
      if (page === this.running) this.stale = true;
    });
  }

  /**
   * Runs at most `limit` instructions (a positive safe integer). On return, by exit or by GuestFault, NIA is the
   * next instruction to execute and INSTRUCTIONS has grown by those retired.
   */
  run(limit: number): Exit {
    const { registers } = this.cpu;
    bind(this.cpu);
    if (registers.nia > 0xffff_ffffn) throw new GuestFault("fetch-unmapped", registers.nia);
    let pc = registers.i32[NIA / 4];
    let left = limit;
    // [start, index) of the page at `base` have run since `left` was last brought up to date.
    let base = pc;
    let start = 0;
    let index = 0;
    let far: bigint | undefined;
    try {
      while (left > 0) {
        const page = pc >>> PAGE_SHIFT;
        const { words, handlers } = this.codePages.get(page) ?? this.openPage(page, pc);
        base = pc & -PAGE_SIZE;
        start = index = (pc >>> 2) & (WORDS - 1);
        this.running = page;
        this.stale = false;
        let end = Math.min(WORDS, index + left);
        while (index < end) {
          const next = handlers[index](words[index], base + (index << 2));
          if (next === undefined) {
            index++;
            if (this.stale) break;
            continue;
          }
          if (next === SYSCALL) return "syscall";
          left -= index + 1 - start;
          pc = next;
          start = index = (pc >>> 2) & (WORDS - 1);
          if ((pc & -PAGE_SIZE) !== base || this.stale) {
            base = pc & -PAGE_SIZE;
            end = -1;
            break;
          }
          end = Math.min(WORDS, index + left);
        }
        left -= index - start;
        pc = (base + (index << 2)) | 0;
        start = index;
      }
      return "limit";
    } catch (error) {
      if (!(error instanceof FarBranch)) throw error;
      index++;
      far = error.target;
      throw new GuestFault("fetch-unmapped", far);
    } finally {
      left -= index - start;
      this.running = -1;
      registers.u64[NIA / 8] = far ?? BigInt((base + (index << 2)) >>> 0);
      registers.u64[INSTRUCTIONS / 8] += BigInt(limit - left);
    }
  }

  /** Executes the instruction at `cia` alone, without counting it: translated code's way into a handler. */
  step(cia: number): ReturnType<Handler> {
    bind(this.cpu);
    const { words, handlers } =
      this.codePages.get(cia >>> PAGE_SHIFT) ?? this.openPage(cia >>> PAGE_SHIFT, cia);
    const index = (cia >>> 2) & (WORDS - 1);
    return handlers[index](words[index], cia);
  }

  private openPage(page: number, pc: number): CodePage {
    const { memory } = this.cpu;
    memory.markCode(page, BigInt(pc >>> 0));
    const words = new Int32Array(WORDS);
    for (let i = 0; i < WORDS; i++) words[i] = memory.fetch(page * PAGE_SIZE + 4 * i);
    const handlers = new Array<Handler>(WORDS);
    const first: Handler = (word, cia) => {
      const handler = handlerOf(word, this.cpu);
      handlers[(cia >>> 2) & (WORDS - 1)] = handler;
      return handler(word, cia);
    };
    handlers.fill(first);
    const code = { words, handlers };
    this.codePages.set(page, code);
    return code;
  }
}
