/**
 * The interpreter: runs a thread's instructions one by one until a limit, a system call or a fault.
 *
 * Each code page has an array of handlers beside its instruction words, filled as slots are first reached. A
 * handler gets the word and its address; it returns nothing to go on with the next instruction, or the next
 * address (a taken branch), or SYSCALL. Faults are thrown and leave NIA at the instruction that caused them.
 */
import { fitsPrefixed, isPrefix } from "../isa/prefixed-table.ts";
import { PAGE_SHIFT, PAGE_SIZE } from "../memory/layout.ts";
import type { ProgramTag } from "../program-tag.ts";
import type { Cpu, CpuModel } from "./cpu.ts";
import { handlerOf } from "./dispatch.ts";
import { GuestFault } from "./fault.ts";
import { LK } from "./fields.ts";
import { BREAK, callKernel, FAR, farTarget, type Handler, illegal, SYSCALL } from "./handler.ts";
import { NIA } from "./registers.ts";
import { bind, cpu as state } from "./views.ts";

/**
 * Why `run` came back: the limit was reached, or the instruction at NIA, not yet retired, is `sc` or has a breakpoint; or the one before was a
 * system call, which has been made, and something comes before the next one.
 */
export type Exit = "limit" | "syscall" | "called" | "breakpoint";

/** How a call ends that an engine has the kernel make without coming back. */
export const CallEnd = {
  /** It was not made: `run` is to come back with "syscall". */
  notMade: 0,
  /** It was, and the program goes on behind it. */
  made: 1,
  /** It was, and `run` is to come back with "called". */
  interrupted: 2,
} as const;
export type CallEnd = (typeof CallEnd)[keyof typeof CallEnd];

/** What a translator wants to know of the interpreter: where programs arrive again and again. */
export interface Watch {
  /** Arrivals at an address by a backward branch, a call, a return or through a register before `arrived` is called. */
  readonly patience: number;
  /** Asked at each arrival from then on; `left` instructions are left. True has the interpreter return "arrived" there. */
  arrived(address: number, left: number): boolean;
  /** Told of each page when it is first run; may set another patience for places in it. */
  opened?(page: number): void;
}

const WORDS = PAGE_SIZE / 4;
/** Code pages that are found without a look into the map of all. */
const RECENT = 256;
/** Pages in 4 GiB. */
const PAGES = 2 ** 32 / PAGE_SIZE;

/** A page of code; what it has of each word is made when it is first wanted, which may be never where another engine runs the page. */
class CodePage {
  readonly page: number;
  readonly words: Int32Array;
  /** Stands in for the handlers of words that have not been executed. */
  private readonly first: Handler;
  private readonly arrivals: number | undefined;
  private handled: Handler[] | undefined;
  private waiting: Int32Array | undefined;

  constructor(page: number, words: Int32Array, first: Handler, arrivals: number | undefined) {
    this.page = page;
    this.words = words;
    this.first = first;
    this.arrivals = arrivals;
  }

  get handlers(): Handler[] {
    return (this.handled ??= new Array<Handler>(WORDS).fill(this.first));
  }
  /** Arrivals at each word before the watch is asked. */
  get patience(): Int32Array {
    if (this.waiting === undefined)
      this.waiting = this.arrivals === undefined ? NO_PATIENCE : new Int32Array(WORDS).fill(this.arrivals);
    return this.waiting;
  }
  /** The handler of a word, if it has been executed. */
  known(index: number): Handler | undefined {
    const handler = this.handled?.[index];
    return handler === this.first ? undefined : handler;
  }
}

/** What is asked of a place can double often. */
const MOST_PATIENCE = 2 ** 31 - 1;
const NO_PATIENCE = new Int32Array(0);

export class Interpreter {
  readonly cpu: Cpu;
  private readonly codePages = new Map<number, CodePage>();
  /** Those of them that were wanted last, each at its number modulo RECENT. */
  private readonly recent = new Array<CodePage | undefined>(RECENT).fill(undefined);
  /** The page being run, and whether a store has changed it since the loop entered it. */
  private running = -1;
  private stale = false;
  protected watch: Watch | undefined;
  /** Addresses at which `run` comes back. */
  protected breakpoints: ReadonlySet<number> = new Set();
  /** Instructions that were left of the limit when `run` came back. */
  left = 0;
  /** Makes the system call at an address, if nothing can come of it but its result. The engine counts it itself. */
  callKernel: (address: number, vectored: boolean) => CallEnd = () => CallEnd.notMade;
  /** What is run, for an engine that may have seen it before. */
  program: ProgramTag | undefined;

  constructor(cpu: Cpu, watch?: Watch) {
    this.cpu = cpu;
    this.watch = watch;
    cpu.memory.addCodeListener((page) => {
      this.closePage(page);
      if (page === this.running) this.stale = true;
    });
  }

  /**
   * Runs at most `limit` instructions (a positive safe integer). On return, by exit or by GuestFault, NIA is the
   * next instruction to execute and INSTRUCTIONS has grown by those retired.
   */
  run(limit: number): Exit {
    return this.interpret(limit) as Exit;
  }

  /** The same, but comes back with "arrived" where the watch says so; without a watch that never is. */
  protected interpret(limit: number): Exit | "arrived" {
    const { cpu, watch } = this;
    const { registers } = cpu;
    let arrives = false;
    bind(cpu);
    let pc = registers.i32[NIA / 4];
    // The upper half of all addresses below, and the pages before the first one with it. Only near code is watched.
    let high = registers.u32[NIA / 4 + 1];
    let pages = high * PAGES;
    state.codeHigh = high;
    let left = limit;
    // [start, index) of the page at `base` have run since `left` was last brought up to date.
    let base = pc;
    let start = 0;
    let index = 0;
    try {
      while (left > 0) {
        const page = pages + (pc >>> PAGE_SHIFT);
        base = pc & -PAGE_SIZE;
        start = index = (pc >>> 2) & (WORDS - 1);
        const { words, handlers, patience } = this.pageAt(page) ?? this.openPage(page, pc);
        this.running = page;
        this.stale = false;
        if (arrives && patience[index]-- <= 0 && watch!.arrived(pc, left)) return "arrived";
        arrives = false;
        let end = Math.min(WORDS, index + left);
        while (index < end) {
          const next = handlers[index](words[index], base + (index << 2));
          if (next === undefined) {
            index++;
            if (this.stale) break;
            continue;
          }
          if ((next & 3) !== 0) {
            if (next !== FAR) return next === SYSCALL ? "syscall" : "breakpoint";
            left -= index + 1 - start;
            ({ high, low: pc } = farTarget);
            pages = high * PAGES;
            state.codeHigh = high;
            arrives = false;
            base = pc & -PAGE_SIZE;
            start = index = (pc >>> 2) & (WORDS - 1);
            break;
          }
          left -= index + 1 - start;
          if (watch !== undefined && high === 0) arrives = isArrival(words[index], base + (index << 2), next);
          pc = next;
          start = index = (pc >>> 2) & (WORDS - 1);
          if ((pc & -PAGE_SIZE) !== base || this.stale) {
            base = pc & -PAGE_SIZE;
            end = -1;
            break;
          }
          if (arrives && patience[index]-- <= 0 && watch!.arrived(pc, left)) return "arrived";
          end = Math.min(WORDS, index + left);
        }
        left -= index - start;
        pc = (base + (index << 2)) | 0;
        start = index;
        if (index === WORDS && pc === 0 && cpu.is64) {
          high++;
          pages = high * PAGES;
          state.codeHigh = high;
          base = start = index = 0;
        }
      }
      return "limit";
    } finally {
      left -= index - start;
      this.running = -1;
      this.left = left;
      registers.i32[NIA / 4] = base + (index << 2);
      registers.i32[NIA / 4 + 1] = high;
      registers.retire(limit - left);
    }
  }

  /** Executes the instruction at `cia` alone, without counting it: translated code's way into a handler. */
  step(cia: number): ReturnType<Handler> {
    bind(this.cpu);
    state.codeHigh = 0;
    const { words, handlers } = this.pageAt(cia >>> PAGE_SHIFT) ?? this.openPage(cia >>> PAGE_SHIFT, cia);
    const index = (cia >>> 2) & (WORDS - 1);
    return handlers[index](words[index], cia);
  }

  /** Whether the instruction at NIA, of a 32-bit program, is one of another model. */
  isOf(model: CpuModel): boolean {
    const { memory, registers, is64 } = this.cpu;
    const nia = registers.u32[NIA / 4];
    const suffix = fitsPrefixed(nia) ? memory.fetch(nia + 4) : undefined;
    return handlerOf(memory.fetch(nia), { is64, model }, suffix) !== illegal;
  }
  /** Takes over from another one. */
  succeed(other: Interpreter): void {
    this.program = other.program;
    this.setBreakpoints(other.breakpoints);
  }

  /** Has `run` come back with "breakpoint" at these addresses, and no others, whenever the program is there. */
  setBreakpoints(addresses: ReadonlySet<number>): void {
    if (addresses === this.breakpoints) return;
    const changed = [...this.breakpoints, ...addresses];
    this.breakpoints = addresses;
    for (const address of changed) this.closePage(Math.floor(address / PAGE_SIZE));
  }

  /** Pages that have been run since they last changed. */
  protected get openPages(): Iterable<number> {
    return this.codePages.keys();
  }
  /** Whether the page that holds an address has been run since it last changed. */
  isOpen(address: number): boolean {
    return this.pageAt(address >>> PAGE_SHIFT) !== undefined;
  }
  /** Whether the instruction at an address has been executed here since its page last changed. */
  protected hasRun(address: number): boolean {
    return this.pageAt(address >>> PAGE_SHIFT)?.known((address >>> 2) & (WORDS - 1)) !== undefined;
  }
  /** Whether the instruction at an address is a system call, and has been executed here since its page last changed. */
  protected isCallAt(address: number): boolean {
    return this.pageAt(address >>> PAGE_SHIFT)?.known((address >>> 2) & (WORDS - 1)) === callKernel;
  }
  /** The same for the instruction at NIA. */
  protected get isAtCall(): boolean {
    const { i32 } = this.cpu.registers;
    return i32[NIA / 4 + 1] === 0 && this.isCallAt(i32[NIA / 4]);
  }
  /** Whether all of `words` stand at an address on; undefined where a page of theirs has not been run. */
  protected holds(address: number, words: ArrayLike<number>): boolean | undefined {
    for (let i = 0; i < words.length; ) {
      const at = (address + 4 * i) >>> 0;
      const page = this.pageAt(at >>> PAGE_SHIFT);
      if (page === undefined) return undefined;
      for (let k = (at >>> 2) & (WORDS - 1); k < WORDS && i < words.length; k++, i++) {
        if (page.words[k] !== words[i]) return false;
      }
    }
    return true;
  }
  /** Sets how many arrivals at an address, in a page that is open, go by before the watch is asked. */
  setPatience(address: number, arrivals: number): void {
    const page = this.pageAt(address >>> PAGE_SHIFT);
    if (page !== undefined) page.patience[(address >>> 2) & (WORDS - 1)] = Math.min(arrivals, MOST_PATIENCE);
  }
  /** How many arrivals at an address are still to go by before the watch is asked; undefined where its page has not been run. */
  protected patienceAt(address: number): number | undefined {
    return this.pageAt(address >>> PAGE_SHIFT)?.patience[(address >>> 2) & (WORDS - 1)];
  }
  /** Lets up to `most` of the arrivals at an address pass that are to go by before the watch is asked; returns how many. */
  protected passArrivals(address: number, most: number): number {
    const page = this.pageAt(address >>> PAGE_SHIFT);
    const index = (address >>> 2) & (WORDS - 1);
    if (page === undefined || page.patience[index] <= 0) return 0;
    const passed = Math.min(most, page.patience[index]);
    page.patience[index] -= passed;
    return passed;
  }
  /** Counts an arrival that did not come about in the interpreter; whether the watch wants to be asked. */
  countArrival(address: number): boolean {
    const page = this.pageAt(address >>> PAGE_SHIFT);
    return page !== undefined && page.patience[(address >>> 2) & (WORDS - 1)]-- <= 0;
  }

  /** The code page of that number, if it has been run since it last changed. */
  private pageAt(page: number): CodePage | undefined {
    const at = page % RECENT;
    const recent = this.recent[at];
    if (recent !== undefined && recent.page === page) return recent;
    const code = this.codePages.get(page);
    if (code !== undefined) this.recent[at] = code;
    return code;
  }
  protected closePage(page: number): void {
    this.codePages.delete(page);
    this.recent[page % RECENT] = undefined;
  }
  /** Gets a page ready that is run for the first time since it changed. Throws GuestFault where it may not be. */
  protected openPage(page: number, pc: number): CodePage {
    const { memory } = this.cpu;
    const high = Math.floor(page / PAGES);
    if (high >= 2 ** 31 || page * PAGE_SIZE >= memory.limit) {
      throw new GuestFault("fetch-unmapped", (BigInt(high) << 32n) | BigInt(pc >>> 0));
    }
    memory.markCode(page, (BigInt(high) << 32n) | BigInt(pc >>> 0));
    const words = memory.fetchPage(page);
    const first: Handler = (word, cia) => {
      const index = (cia >>> 2) & (WORDS - 1);
      const handler = this.breakpoints.has(high * 2 ** 32 + (cia >>> 0))
        ? breakHere
        : handlerOf(word, this.cpu, fitsPrefixed(cia) ? words[index + 1] : undefined);
      code.handlers[index] = handler;
      return handler(word, cia);
    };
    const { watch } = this;
    const code = new CodePage(page, words, first, watch?.patience);
    this.codePages.set(page, code);
    watch?.opened?.(page);
    return code;
  }
}

const breakHere: Handler = () => BREAK;

/**
 * Of the branches taken, those that lead to the beginning of something: a loop, a function, what follows a call. Prefixes come back with
 * an address too.
 */
const isArrival = (word: number, cia: number, next: number): boolean =>
  next - cia <= 0 || ((word & LK) !== 0 && !isPrefix(word)) || word >>> 26 === 19;
