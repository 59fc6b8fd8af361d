/**
 * The second engine: an interpreter that has what is hot translated to WebAssembly, and passes from one to the other and back.
 *
 * Translated code runs whole functions with their loops and calls and comes back with the address that is next: when its budget of
 * instructions is used up, at a system call, at a fault or whatever else it leaves to the interpreter.
 */
import type { Cpu } from "../cpu/cpu.ts";
import { type Exit, Interpreter } from "../cpu/interpreter.ts";
import { INSTRUCTIONS, NIA } from "../cpu/registers.ts";
import { includes } from "../cpu/versions.ts";
import { PAGE_SHIFT } from "../memory/layout.ts";
import { TUNING, type Tuning } from "../tuning.ts";
import { chooseEntries } from "./flow.ts";
import { PendingStatus } from "./fp-status.ts";
import type { Target } from "./generator.ts";
import { Linker } from "./linker.ts";
import { hasFusedMultiplyAdd } from "./probe.ts";
import { type Region, type ScanSource, scan } from "./scan.ts";
import { translate } from "./translate.ts";

/** A translated function. */
interface Unit {
  /** Where its code may be entered, the place it was rooted at first. */
  readonly entries: readonly number[];
  readonly needs: number[];
  readonly blocks: Set<number>;
  /** How often it has been translated again for an entry more. */
  readonly remade: number;
  readonly pages: Set<number>;
}

interface Entry {
  readonly unit: Unit;
  readonly slot: number;
  readonly need: number;
}

/** What the engine has done, for --stats. */
export interface JitStatistics {
  units: number;
  modules: number;
  bytes: number;
  guestInstructions: number;
  milliseconds: number;
  translated: number;
  entered: number;
  steps: number;
}

/** Arrivals after which a place that can't be translated is tried again. */
const LATER = 1_000_000;

const now = (): number => performance.now();

export class JitEngine extends Interpreter {
  private readonly tuning: Tuning;
  private readonly target: Target;
  private readonly status: PendingStatus;
  private linker: Linker | undefined;
  private readonly entries = new Map<number, Entry>();
  /** The unit that has a block beginning at an address. */
  private readonly inside = new Map<number, Unit>();
  private readonly byPage = new Map<number, Set<Unit>>();
  private readonly armed = new Set<number>();
  /** What an instruction executed for translated code has thrown. */
  private thrown: { error: unknown } | undefined;
  private dropped = false;
  readonly statistics: JitStatistics = {
    units: 0,
    modules: 0,
    bytes: 0,
    guestInstructions: 0,
    milliseconds: 0,
    translated: 0,
    entered: 0,
    steps: 0,
  };

  constructor(cpu: Cpu, tuning: Tuning = TUNING) {
    super(cpu);
    this.tuning = tuning;
    this.watch = { patience: tuning.threshold, arrived: (address, left) => this.arrived(address, left) };
    const { memory } = cpu;
    this.target = {
      is64: cpu.is64,
      bigEndian: memory.byteOrder === "big",
      size: memory.size,
      corner: memory.corner,
      has32: includes(cpu.model.version, "3.0"),
      fused: hasFusedMultiplyAdd(),
    };
    this.status = new PendingStatus(cpu);
    memory.addCodeListener((page) => this.dropPage(page));
  }

  override run(limit: number): Exit {
    const { registers } = this.cpu;
    let left = limit;
    for (;;) {
      if (registers.nia <= 0xffff_ffffn) {
        left = this.runTranslated(registers.i32[NIA / 4], left);
        if (left === 0) return "limit";
      }
      const exit = this.interpret(left);
      if (exit !== "arrived") return exit;
      left = this.left;
    }
  }

  /** Runs translated code from `pc` on as long as there is some; returns the instructions left. */
  private runTranslated(pc: number, limit: number): number {
    // Translated code knows nothing of breakpoints.
    let entry = this.breakpoints.size > 0 ? undefined : this.entryAt(pc, limit);
    if (entry === undefined) return limit;
    const { i32, u64 } = this.cpu.registers;
    const { statistics } = this;
    let left = limit;
    while (entry !== undefined) {
      statistics.entered++;
      const linker = this.linker!;
      pc = linker.enter(entry.slot, left, this.tuning.stack, pc);
      const rest = linker.budgetLeft;
      const executed = left - rest;
      left = rest;
      statistics.translated += executed;
      const { thrown } = this;
      if (thrown !== undefined || left === 0 || executed === 0) break;
      entry = this.entryAt(pc, left);
    }
    i32[NIA / 4] = pc;
    i32[NIA / 4 + 1] = 0;
    u64[INSTRUCTIONS / 8] += BigInt(limit - left);
    this.status.settle();
    const { thrown } = this;
    if (thrown === undefined) return left;
    this.thrown = undefined;
    throw thrown.error;
  }

  /** Where code can be entered at an address with so many instructions left; counts the arrival, which may make it so. */
  private entryAt(address: number, left: number): Entry | undefined {
    let entry = this.entries.get(address);
    if (entry === undefined) {
      if (!this.countArrival(address) || !this.arrived(address, left)) return undefined;
      entry = this.entries.get(address)!;
    }
    return left >= entry.need ? entry : undefined;
  }

  /** Translated code's way to one instruction: 0 go on, 1 it has not completed, 2 it has but the code must not be relied on. */
  private executeOne(address: number): number {
    this.statistics.steps++;
    this.status.settle();
    const { memory } = this.cpu;
    const raised = memory.guardsRaised;
    this.dropped = false;
    try {
      this.step(address);
    } catch (error) {
      this.thrown = { error };
      return 1;
    }
    return this.dropped || memory.guardsRaised !== raised ? 2 : 0;
  }

  // ---- what is translated ------------------------------------------------------------------------------------

  /** Whether the interpreter is to leave at an address where it has arrived often: there is code, perhaps just made. */
  private arrived(address: number, left: number): boolean {
    if (!this.entries.has(address)) this.make(address);
    const entry = this.entries.get(address);
    return entry !== undefined && left >= entry.need;
  }

  private make(address: number): void {
    const { tuning } = this;
    const around = this.inside.get(address);
    if (around === undefined) {
      this.translateUnit([address]);
    } else if (around.entries.length >= 2 * tuning.mostEntries) {
      this.setPatience(address, LATER);
    } else if (!this.armed.has(address) && tuning.entryThreshold > 0) {
      this.armed.add(address);
      this.setPatience(address, tuning.entryThreshold * 4 ** around.remade);
    } else {
      this.translateUnit([...around.entries, address], around.remade + 1);
    }
    if (!this.entries.has(address)) {
      if (this.inside.get(address) === undefined) this.setPatience(address, LATER);
    }
  }

  private source(): ScanSource {
    const { memory, registers } = this.cpu;
    return {
      isCode: (address) => this.isOpen(address),
      fetch: (address) => memory.fetch(address >>> 0),
      isFunction: (address) => this.linker?.isCalled(address) === true,
      registers: registers.i32,
      peek: (address) => {
        if (memory.readGuard[address >>> PAGE_SHIFT] !== 0 || (address & 3) !== 0) return undefined;
        return memory.load32(address >>> 0);
      },
    };
  }

  /** Translates what can be reached from the first of `wanted`, with entries at all of them, in place of what they belonged to. */
  private translateUnit(wanted: readonly number[], remade = 0): void {
    const began = now();
    const { cpu, tuning } = this;
    if (this.linker !== undefined && this.linker.bytes > tuning.mostBytes) this.dropAll();
    const region = scan(this.source(), wanted, cpu.is64, tuning.mostInstructions);
    if (region.instructions === 0) return;
    const units = this.replaced(region);
    const all = [...wanted, ...[...units].flatMap((unit) => unit.entries)];
    const entries = chooseEntries(region, all, tuning.mostEntries);
    this.linker ??= new Linker(cpu.memory, tuning.slots, (address) => this.executeOne(address));
    const { linker } = this;
    const body = translate(region, entries, {
      target: this.target,
      model: cpu.model,
      tuning,
      slotOf: (address) => linker.slotOf(address),
    });
    const code = linker.compile(body);
    for (const unit of units) this.drop(unit);
    const unit: Unit = {
      entries: entries.addresses,
      needs: body.needs,
      remade,
      blocks: new Set(),
      pages: new Set(),
    };
    for (const { start, words } of region.blocks) {
      unit.blocks.add(start);
      if (!this.inside.has(start)) this.inside.set(start, unit);
      unit.pages.add(start >>> PAGE_SHIFT).add((start + 4 * words.length - 4) >>> PAGE_SHIFT);
    }
    for (const page of unit.pages) {
      let units = this.byPage.get(page);
      if (units === undefined) this.byPage.set(page, (units = new Set()));
      units.add(unit);
    }
    entries.addresses.forEach((address, i) => {
      this.entries.set(address, { unit, slot: linker.slotOf(address), need: body.needs[i] });
      linker.link(address, code);
      this.setPatience(address, 0);
    });
    const { statistics } = this;
    statistics.units++;
    statistics.modules = linker.modules;
    statistics.bytes = linker.bytes;
    statistics.guestInstructions += region.instructions;
    statistics.milliseconds += now() - began;
  }

  /** Units whose root is a block of the region. */
  private replaced(region: Region): Set<Unit> {
    const units = new Set<Unit>();
    for (const { start } of region.blocks) {
      const unit = this.inside.get(start);
      if (unit !== undefined && region.at.has(unit.entries[0])) units.add(unit);
    }
    return units;
  }

  // ---- code that changes -------------------------------------------------------------------------------------

  private dropPage(page: number): void {
    const units = this.byPage.get(page);
    if (units === undefined) return;
    this.dropped = true;
    for (const unit of [...units]) this.drop(unit);
  }

  /** Gives all translated code back; what is still hot is translated again. */
  private dropAll(): void {
    for (const units of [...this.byPage.values()]) for (const unit of [...units]) this.drop(unit);
    this.linker = undefined;
  }

  private drop(unit: Unit): void {
    for (const address of unit.entries) {
      if (this.entries.get(address)?.unit !== unit) continue;
      this.entries.delete(address);
      this.linker!.link(address, undefined);
      this.setPatience(address, this.tuning.threshold);
    }
    for (const address of unit.blocks) {
      if (this.inside.get(address) === unit) this.inside.delete(address);
      this.armed.delete(address);
    }
    for (const page of unit.pages) this.byPage.get(page)?.delete(unit);
  }
}
