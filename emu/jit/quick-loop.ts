/**
 * The quick loop: an interpreter in one WebAssembly function, for code that is not hot. V8 has it compiled in a millisecond and optimised
 * in a few more, while a loop over handlers in JavaScript takes V8 seconds to get up to speed, and then runs at a quarter of this.
 *
 * It executes the instructions of `quick-rows.ts` in pages that the interpreter has opened. What else there is it leaves to the
 * interpreter's handlers, one at a time; where it can't go on at all, it says why. Where the program arrives at translated code it calls
 * that, and goes on where it came back.
 */
import type { CpuModel } from "../cpu/cpu.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import {
  BUDGET_OFFSET,
  CALL_SITES,
  CALLED_SHIFT,
  CALLS_OFFSET,
  COUNTS,
  COUNTS_OFFSET,
  MARKS_OFFSET,
  MARKS_SIZE,
  OPEN_OFFSET,
  OPEN_SIZE,
} from "./corner.ts";
import type { Linker } from "./linker.ts";
import { quickModule } from "./quick-code.ts";
import { nameOfQuick, type QuickTarget } from "./quick-kind.ts";

/** Where `step` has the interpreter execute one instruction: 0 go on, `Stop.thrown` or `Stop.changed`. */
type Step = (address: number) => number;

/** What a loop is for, and who may have its module. */
interface QuickKind {
  readonly target: QuickTarget;
  readonly model: CpuModel;
  /** Modules that were made before, by name. */
  readonly prepared: ((name: string) => WebAssembly.Module | undefined) | undefined;
}

export class QuickLoop {
  /** (address, instructions left, bytes of stack for translated code; 0 has it stop there): why it stopped. NIA is set. */
  readonly run: (pc: number, left: number, stack: number) => number;
  /** What it counted of translated code in that time, by `Counted`. */
  readonly counts: Int32Array;
  private readonly marks: Uint8Array;
  private readonly open: Uint8Array;
  private readonly budget: Int32Array;
  /** See `CALLS_OFFSET`. */
  private readonly calls: Int32Array;

  constructor(memory: AddressSpace, { target, model, prepared }: QuickKind, { all }: Linker, step: Step) {
    const { buffer } = memory.memory;
    this.marks = new Uint8Array(buffer, MARKS_OFFSET, MARKS_SIZE);
    this.open = new Uint8Array(buffer, OPEN_OFFSET, OPEN_SIZE);
    this.budget = new Int32Array(buffer, BUDGET_OFFSET, 1);
    this.calls = new Int32Array(buffer, CALLS_OFFSET, CALL_SITES * (2 + 2 ** CALLED_SHIFT));
    this.counts = new Int32Array(buffer, COUNTS_OFFSET, COUNTS);
    const callees = new WebAssembly.Table({ element: "anyfunc", initial: 0 });
    const imports = { m: { memory: memory.memory, step, callees, all } };
    const { exports } = new WebAssembly.Instance(moduleOf(target, model, prepared), imports);
    this.run = exports.run as QuickLoop["run"];
  }

  /** Instructions left when it came back. */
  get left(): number {
    return this.budget[0];
  }

  openPage(page: number): void {
    this.open[page >>> 3] |= 1 << (page & 7);
  }
  closePage(page: number): void {
    this.open[page >>> 3] &= ~(1 << (page & 7));
  }

  /** Whether the program may have come to an address by a branch. */
  hasRun(address: number): boolean {
    return (this.marks[(address >>> 2) & (MARKS_SIZE - 1)] & 1) !== 0;
  }
  /** Where the branch through CTR at an address has led lately, what it has led to most often first. */
  calledFrom(address: number): readonly number[] {
    const site = (address >>> 2) & (CALL_SITES - 1);
    if (this.calls[2 * site] !== address) return [];
    const times = new Map<number, number>();
    const first = 2 * CALL_SITES + (site << CALLED_SHIFT);
    for (const target of this.calls.subarray(first, first + 2 ** CALLED_SHIFT)) {
      times.set(target, (times.get(target) ?? 0) + 1);
    }
    return [...times].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([target]) => target);
  }
  /** Arrivals at an address since it was last told how many to allow. */
  arrivalsAt(address: number): number {
    return this.marks[(address >>> 2) & (MARKS_SIZE - 1)] >>> 1;
  }
  /** Has it stop at every first arrival. */
  allowNothing(): void {
    this.marks.fill(254);
  }
  /** Arrivals that it can count. */
  static readonly most = 127;
  /** Has the loop stop when the program has arrived at an address more often than that. */
  allow(address: number, arrivals: number): void {
    const at = (address >>> 2) & (MARKS_SIZE - 1);
    this.marks[at] = (254 - 2 * arrivals) | (this.marks[at] & 1);
  }
}

const modules = new Map<string, WebAssembly.Module>();

/** The module of a target and model: what was prepared, or made now, which takes ten times as long as compiling it. */
function moduleOf(target: QuickTarget, model: CpuModel, prepared: QuickKind["prepared"]): WebAssembly.Module {
  const name = nameOfQuick(target, model);
  let module = modules.get(name);
  if (module === undefined) {
    module = prepared?.(name) ?? new WebAssembly.Module(quickModule(target, model));
    modules.set(name, module);
  }
  return module;
}
