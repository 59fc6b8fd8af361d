/**
 * The second engine: an interpreter that has what is hot translated to WebAssembly, and passes from one to the other and back.
 *
 * Translated code runs whole functions with their loops and calls and comes back with the address that is next: when its budget of
 * instructions is used up, at a system call, at a fault or whatever else it leaves to the interpreter.
 */
import type { Cpu } from "../cpu/cpu.ts";
import { CallEnd, type Exit, Interpreter } from "../cpu/interpreter.ts";
import { available } from "../cpu/dispatch.ts";
import { addressDq, addressX } from "../cpu/effective-address.ts";
import { CTR, LR, NIA } from "../cpu/registers.ts";
import { bind } from "../cpu/views.ts";
import { decode } from "../isa/decoder.ts";
import { PAGE_SHIFT, PAGE_SIZE } from "../memory/layout.ts";
import type { Tuning } from "../tuning.ts";
import { FRAME_WITHIN, LEAST_CALLS, MOST_BEFORE, MOST_BEGINNINGS, RETRY_AFTER } from "../tuning.ts";
import type { Archive } from "./archive.ts";
import { Counted, IS_CALL, IS_VECTORED, NO_ADDRESS } from "./corner.ts";
import { Earnings } from "./earnings.ts";
import { PendingStatus } from "./fp-status.ts";
import type { Target } from "./generator.ts";
import { inlineLeaves } from "./inline.ts";
import type { Job, Received } from "./jobs.ts";
import { type Linked, Linker } from "./linker.ts";
import type { Made } from "./orders.ts";
import { ownBlocks, type Piece } from "./piece.ts";
import { extentsOf, partOf, type Product } from "./produce.ts";
import { quickTarget, Stop, VECTOR_ACCESSES } from "./quick-kind.ts";
import { QuickLoop } from "./quick-loop.ts";
import { endsFlow, isCallOf, makesFrame, type JumpTable, type ScanSource, scan } from "./scan.ts";
import type { JitStatistics, Translations } from "./translations.ts";

/** A translated function in this address space. */
interface Unit {
  readonly piece: Piece;
  readonly linked: Linked;
  /** Another process or an earlier run had made it. */
  readonly isReused: boolean;
  readonly pages: ReadonlySet<number>;
}

interface Entry {
  readonly unit: Unit;
  readonly slot: number;
  readonly need: number;
}

/** What an instruction executed for translated code has thrown; or CALLED, where a call has been made after which `run` is to come back. */
type Thrown = { readonly error: unknown };
const CALLED = Symbol("called");

/** Of so many instructions executed for translated code the name of one is looked at: a prime, so that no loop keeps in step with it. */
const SAMPLED = 61;

/** Of so many runs after the first ones the clock is read in one at every change from one tier to the other: a prime, too. */
const WATCHED = 31;

/** Primary opcodes of accesses to vectors. */
const EXTENDED = 31;
const LXV = 61;

/** Pages of near memory. */
const PAGES = 2 ** 32 / PAGE_SIZE;

const now = (): number => performance.now();

export class JitEngine extends Interpreter {
  private readonly tuning: Tuning;
  private readonly translations: Translations;
  private archive: Archive | undefined;
  private known: Target | undefined;
  private readonly status: PendingStatus;
  private linker: Linker | undefined;
  private readonly entries = new Map<number, Entry>();
  /** The unit that has a block beginning at an address. */
  private readonly inside = new Map<number, Unit>();
  /** The unit that leads to an address but has no code of it. */
  private readonly leftOut = new Map<number, Unit>();
  /** Tables of jump targets; see `ScanSource`. */
  private readonly tables = new Map<number, JumpTable>();
  /** Places that were called when they got hot. */
  private readonly functions = new Set<number>();
  /** What is being translated, by the blocks of it; and what has been since this address space ran last. */
  private readonly promised = new Map<number, Job>();
  private readonly received: Received[] = [];
  private readonly byPage = new Map<number, Set<Unit>>();
  private readonly armed = new Set<number>();
  /** Places of which there is code that did not fit the first time. */
  private readonly waited = new Set<number>();
  /** What an instruction executed for translated code has thrown. */
  private thrown: Thrown | undefined;
  private dropped = false;
  /** Runs what is not hot, in programs that are long enough. */
  private quick: QuickLoop | undefined;
  /** A page of code has been closed. */
  private closed = false;
  /** Bytes of the modules that are in use. */
  private bytes = 0;
  /** How often it has run for somebody who wants to know the time of each tier, whether this is watched, and the milliseconds of what was last. */
  private runs = 0;
  private isWatched = false;
  private readonly watched = { running: 0, interpreting: 0 };
  /** Instructions executed in this address space so far, with more for those that take longer; and what has been translated for it. */
  private executed = 0;
  private readonly earnings: Earnings;

  constructor(cpu: Cpu, translations: Translations) {
    super(cpu);
    this.translations = translations;
    const { tuning } = translations;
    this.tuning = tuning;
    this.earnings = new Earnings(tuning);
    this.watch = {
      patience: tuning.threshold,
      arrived: (address, left) => this.arrived(address, left),
      opened: (page) => {
        if (page < PAGES) this.quick?.openPage(page);
        this.expect(page);
      },
    };
    this.status = new PendingStatus(cpu);
    cpu.memory.addCodeListener((page) => this.dropPage(page));
  }

  /** Bytes of the modules that this address space uses, and that are kept for others. */
  get moduleBytes(): { used: number; kept: number } {
    return { used: this.bytes, kept: this.archive?.moduleBytes ?? 0 };
  }

  get statistics(): JitStatistics {
    return this.translations.statistics;
  }

  /** What is translated for; found out when it is first wanted, for most programs are done before anything is hot. */
  private get target(): Target {
    const { cpu } = this;
    return (this.known ??= {
      ...quickTarget(cpu, cpu.memory),
      fused: this.translations.hasFusedMultiplyAdd(),
    });
  }

  override run(limit: number): Exit {
    if (this.received.length > 0 || this.translations.isWorking) {
      this.translations.beginPause();
      if (this.received.length > 0) this.takeReceived();
      this.translations.deliver();
      if (this.received.length > 0 && this.translations.isPatient) this.takeReceived();
    }
    if (this.quick === undefined && this.translations.isQuick) this.becomeQuick();
    if (this.statistics.running === undefined) return this.runBoth(limit);
    const isWatched = (this.isWatched = this.runs < WATCHED || this.runs % WATCHED === 0);
    this.runs++;
    if (isWatched) this.watched.running = this.watched.interpreting = 0;
    return isWatched ? this.runBoth(limit) : this.timed(undefined, this.runBoth, limit);
  }

  /** Runs what is translated and what is not, in turn. */
  private runBoth(limit: number): Exit {
    const { registers } = this.cpu;
    const { isWatched } = this;
    let left = limit;
    for (;;) {
      if (registers.i32[NIA / 4 + 1] === 0) {
        const pc = registers.i32[NIA / 4];
        left = isWatched ? this.timed("running", this.runTranslated, pc, left) : this.runTranslated(pc, left);
        if (this.thrown !== undefined) return this.endThrown(this.thrown);
        if (left === 0) return "limit";
      }
      if (this.isAtCall) return "syscall";
      const piece = this.untilQuick(left);
      const exit = isWatched ? this.timed("interpreting", this.interpret, piece) : this.interpret(piece);
      this.left += left - piece;
      this.expectMore();
      if (exit === "syscall" && left === this.left && left < limit) this.noteSyscall();
      if (exit !== "arrived" && (exit !== "limit" || this.left === 0)) return exit;
      left = this.left;
    }
  }

  /** Gets ready for programs that go on for some time, and has the quick loop take over in those that do. */
  private expectMore(): void {
    if (this.executed > this.tuning.startAfter) this.translations.start();
    if (this.quick === undefined && this.executed > this.tuning.quickAfter) this.becomeQuick();
  }

  /** Of so many instructions those before the quick loop takes over, where there are any. */
  private untilQuick(left: number): number {
    const { quick, executed, tuning } = this;
    return quick === undefined && executed <= tuning.quickAfter
      ? Math.min(left, tuning.quickAfter - executed + 1)
      : left;
  }

  /** The program is no short one: what is not hot is executed by WebAssembly from now on. */
  private becomeQuick(): void {
    const { memory, model } = this.cpu;
    const step = (address: number) => this.executeQuickly(address);
    const kind = { target: quickTarget(this.cpu, memory), model, prepared: this.translations.prepared };
    const quick = new QuickLoop(memory, kind, this.openLinker(), step);
    this.quick = quick;
    this.translations.isQuick = true;
    if (this.tuning.threshold < QuickLoop.most) quick.allowNothing();
    for (const page of this.openPages) if (page < PAGES) quick.openPage(page);
  }

  /** By the quick loop, which leaves what it doesn't know to the interpreter, one instruction at a time. */
  protected override interpret(limit: number): Exit | "arrived" {
    const { quick } = this;
    const { registers } = this.cpu;
    const { i32 } = registers;
    if (quick === undefined || this.breakpoints.size > 0) return this.interpretPlainly(limit);
    // Where somebody wants to know the time of each, translated code is entered from here.
    const stack = this.isWatched ? 0 : this.tuning.stack;
    let left = limit;
    while (left > 0) {
      if (i32[NIA / 4 + 1] !== 0) return this.interpretPlainly(left);
      const stop = quick.run(i32[NIA / 4], left, stack);
      registers.retire(left - quick.left);
      this.noteQuick(quick, left - quick.left, stop);
      left = this.left = quick.left;
      this.status.settle();
      if (stop === Stop.thrown) return this.endThrown(this.thrown!);
      if (stop === Stop.arrived) {
        const address = i32[NIA / 4];
        if (this.countArrival(address) && this.arrived(address, left)) return "arrived";
        quick.allow(address, this.passArrivals(address, QuickLoop.most));
      } else if (stop === Stop.interpret) {
        const pc = i32[NIA / 4];
        if (i32[NIA / 4 + 1] === 0 && !this.isOpen(pc)) {
          this.openPage(pc >>> PAGE_SHIFT, pc);
          continue;
        }
        let exit: Exit | "arrived" = "syscall";
        if (!this.isAtCall) {
          this.noteHandled();
          exit = this.interpretPlainly(1);
          left = this.left += left - 1;
        }
        if (exit === "syscall" && quick.counts[Counted.left] === left) this.noteSyscall();
        if (exit !== "limit") return exit;
      }
    }
    return "limit";
  }

  /** By the handlers, counting what they execute. */
  private interpretPlainly(limit: number): Exit | "arrived" {
    try {
      return super.interpret(limit);
    } finally {
      this.executed += limit - this.left;
    }
  }

  /** Adds what the quick loop has done to the statistics. */
  private noteQuick({ counts, left }: QuickLoop, instructions: number, stop: number): void {
    this.executed += instructions;
    const { statistics } = this;
    const { exits } = statistics;
    const [entered, other, executed, first, limit] = counts;
    const fault = Number(stop === Stop.thrown && counts[Counted.left] === left);
    statistics.quick += instructions - executed;
    statistics.translated += executed;
    statistics.entered += entered;
    exits.other += other;
    exits.first += first;
    exits.limit += limit;
    exits.fault += fault;
    exits.cold += entered - other - first - limit - fault;
  }
  /** Of an exit that was counted as one to cold code. */
  private noteSyscall(): void {
    const { exits } = this.statistics;
    exits.cold--;
    exits.syscall++;
  }

  /** Has an instruction that the quick loop leaves to its handler, where it is counted as one, count for the time it takes. */
  private noteHandled(): void {
    this.executed += this.tuning.executedPerHandled - 1;
  }

  /** The quick loop's way to one instruction. */
  private executeQuickly(address: number): number {
    this.closed = false;
    this.status.settle();
    if (this.makesWay(address) && !this.closed) return Stop.again;
    this.noteHandled();
    try {
      this.step(address);
    } catch (error) {
      this.thrown = { error };
      return Stop.thrown;
    }
    return this.closed ? Stop.changed : 0;
  }

  /** Looks for the quick loop at the page of a vector access; whether it finds nothing in its way there any more. */
  private makesWay(address: number): boolean {
    const { cpu } = this;
    const { memory } = cpu;
    const word = memory.fetch(address >>> 0);
    const opcode = word >>> 26;
    if (opcode !== LXV && opcode !== EXTENDED) return false;
    const row = decode(word);
    const access = row && VECTOR_ACCESSES.get(row.name);
    if (row === undefined || access === undefined || !available(row, cpu.model)) return false;
    const { bytes, isStore } = access;
    bind(cpu);
    try {
      const ea = opcode === LXV ? addressDq(word, isStore) : addressX(word, isStore);
      // Elsewhere it would only come back.
      if (ea < 0 || ea % PAGE_SIZE > PAGE_SIZE - bytes) return false;
      if (isStore) memory.checkStore(ea, bytes);
      else memory.checkLoad(ea, bytes);
      return (isStore ? memory.writeGuard : memory.readGuard)[ea >>> PAGE_SHIFT] === 0;
    } catch {
      return false;
    }
  }

  protected override closePage(page: number): void {
    super.closePage(page);
    this.closed = true;
    if (page < PAGES) this.quick?.closePage(page);
  }
  protected override hasRun(address: number): boolean {
    return super.hasRun(address) || this.quick?.hasRun(address) === true;
  }
  override setPatience(address: number, arrivals: number): void {
    super.setPatience(address, arrivals);
    this.quick?.allow(address, 0);
  }

  /**
   * Adds the time that `run` takes to that of a tier, without what translating takes in it; without a tier to both, as what was watched last
   * is divided.
   */
  private timed<A extends unknown[], T>(
    tier: "running" | "interpreting" | undefined,
    run: (...args: A) => T,
    ...args: A
  ): T {
    const { statistics, watched } = this;
    const began = now() - statistics.compiling - statistics.reusing;
    try {
      return run.apply(this, args);
    } finally {
      const taken = now() - statistics.compiling - statistics.reusing - began;
      if (tier !== undefined) watched[tier] += taken;
      const all = watched.running + watched.interpreting || 1;
      const running = tier === undefined ? (taken * watched.running) / all : tier === "running" ? taken : 0;
      statistics.running! += running;
      statistics.interpreting! += taken - running;
    }
  }

  /** Runs translated code from `pc` on as long as there is some; returns the instructions left. */
  private runTranslated(pc: number, limit: number): number {
    // Translated code knows nothing of breakpoints.
    let entry = this.breakpoints.size > 0 ? undefined : this.entryAt(pc, limit);
    if (entry === undefined) return limit;
    const { registers } = this.cpu;
    const { i32 } = registers;
    const { statistics } = this;
    const { exits } = statistics;
    let left = limit;
    while (entry !== undefined) {
      statistics.entered++;
      const linker = this.linker!;
      pc = linker.enter(entry.slot, left, this.tuning.stack, pc);
      const rest = linker.budgetLeft;
      const executed = left - rest;
      left = rest;
      statistics.translated += executed;
      if (this.thrown !== undefined) exits.fault++;
      else if (left === 0) exits.limit++;
      else if (executed === 0) exits.first++;
      else if (this.isCallAt(pc)) exits.syscall++;
      else {
        entry = this.entryAt(pc, left);
        if (entry !== undefined) exits.other++;
        else exits.cold++;
        continue;
      }
      break;
    }
    i32[NIA / 4] = pc;
    i32[NIA / 4 + 1] = 0;
    registers.retire(limit - left);
    this.executed += limit - left;
    this.status.settle();
    return left;
  }
  private endThrown({ error }: Thrown): Exit {
    this.thrown = undefined;
    this.linker!.hasThrown = false;
    if (error === CALLED) return "called";
    throw error;
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

  /**
   * Translated code's way to one instruction: 0 go on, 1 it has not completed, 2 it has but the code must not be relied on. With NO_ADDRESS
   * none is executed, but FPSCR is settled.
   */
  private executeOne(address: number): number {
    const { memory } = this.cpu;
    if (address === NO_ADDRESS) {
      this.status.settle();
      return 0;
    }
    const isCall = (address & IS_CALL) !== 0;
    if (!isCall && ++this.statistics.steps % SAMPLED === 0) {
      const name = decode(memory.fetch(address >>> 0))?.name ?? "?";
      const { stepped } = this.statistics;
      stepped[name] = (stepped[name] ?? 0) + SAMPLED;
    }
    if (!isCall) this.status.settle();
    const raised = memory.guardsRaised;
    this.dropped = false;
    try {
      if (!isCall) this.step(address);
      else {
        const end = this.callKernel(address & -4, (address & IS_VECTORED) !== 0);
        if (end === CallEnd.notMade) return 1;
        if (end === CallEnd.interrupted) this.thrown = { error: CALLED };
      }
    } catch (error) {
      this.thrown = { error };
      this.linker!.hasThrown = true;
      return 1;
    }
    if (this.thrown !== undefined) this.linker!.hasThrown = true;
    return this.dropped || memory.guardsRaised !== raised || this.thrown !== undefined ? 2 : 0;
  }

  // ---- what is translated ------------------------------------------------------------------------------------

  /** Whether the interpreter is to leave at an address where it has arrived often: there is code, perhaps just made. */
  private arrived(address: number, left: number): boolean {
    if (this.isShort) {
      this.setPatience(address, this.tuning.threshold);
      return false;
    }
    if (!this.entries.has(address)) {
      this.translations.beginPause();
      this.make(address);
      this.translations.notePause();
    }
    return left >= (this.entries.get(address)?.need ?? Number.POSITIVE_INFINITY);
  }

  private make(address: number): void {
    if (this.archive === undefined && !this.openArchive()) {
      this.setPatience(address, this.tuning.reuseThreshold);
      return;
    }
    // What has just been made for it is in the archive as well, and about to be put to use.
    if (this.received.some(({ job }) => job === this.promised.get(address))) {
      this.setPatience(address, this.tuning.reuseThreshold);
      return;
    }
    if (this.reuse(address)) return;
    const { entryThreshold, mostEntries } = this.tuning;
    const isCalled = this.isCalled(address);
    if (isCalled) this.functions.add(address);
    if (!this.earnings.suffice(this.executed) || this.promised.has(address) || this.translations.isBusy) {
      this.setPatience(address, this.tuning.threshold);
      return;
    }
    const within = this.inside.get(address);
    const without = within === undefined ? this.leftOut.get(address)?.piece : undefined;
    // What leads into the code of another unit belongs to that one's function.
    const isOwn = isCalled || without !== undefined;
    const wanted = isOwn || within !== undefined ? [address] : this.fromBeginning(address);
    const unit = within ?? (isOwn ? undefined : (this.inside.get(wanted[0]) ?? this.reachedFrom(address)));
    let other: Job | undefined;
    if (without !== undefined) other = this.translateUnit(without.entries, without);
    else if (unit === undefined) other = this.translateUnit(wanted);
    else {
      const { piece } = unit;
      if (piece.entries.length >= 2 * mostEntries) this.setPatience(address, RETRY_AFTER);
      else if (!this.armed.has(address) && entryThreshold > 0) {
        this.armed.add(address);
        const isBeside = within === undefined;
        this.setPatience(address, isBeside ? this.coldPatience(unit) : this.entryPatience(piece));
        return;
      } else other = this.translateUnit([...piece.entries, address], piece);
    }
    if (other !== undefined) {
      this.promised.set(address, other);
      other.waiting.push(address);
    }
    if (this.promised.has(address)) this.setPatience(address, this.tuning.threshold);
    else if (!this.entries.has(address) && !this.inside.has(address)) this.setPatience(address, RETRY_AFTER);
  }

  /** Whether all that has been run so far would have taken less time than to begin with translating. */
  private get isShort(): boolean {
    const { quick, translated } = this.statistics;
    return Math.max(this.executed, quick + translated) < this.tuning.translateAfter;
  }

  /**
   * The beginning of the function that a loop is in, and the loop; the loop alone where that is not found or has not been called again.
   * It follows what does not go on to it, leads to the loop, and makes a stack frame unless the function has none.
   */
  private fromBeginning(address: number): readonly number[] {
    const { mostInstructions } = this.tuning;
    const { memory, is64 } = this.cpu;
    const candidates: number[] = [];
    let frame = 0;
    // Functions for 64 bits are followed by a word of zero and two that describe them.
    const isBetween = (at: number, word: number) => {
      const described = (at - 8) | 0;
      return endsFlow(word) || (this.isOpen(described) && memory.fetch(described >>> 0) === 0);
    };
    for (let i = 1, at = (address - 4) | 0; i <= MOST_BEFORE && this.isOpen(at); i++, at = (at - 4) | 0) {
      const word = memory.fetch(at >>> 0);
      const after = (at + 4) | 0;
      if (i > 1 && this.hasRun(after) && isBetween(at, word)) {
        candidates.push(after);
        if (frame !== 0 && frame - after <= 4 * FRAME_WITHIN) break;
      }
      if (makesFrame(word)) frame = at;
    }
    for (let tries = MOST_BEGINNINGS; tries > 0 && candidates.length > 0; tries--) {
      const first = candidates.pop()!;
      const isCalled = this.functions.has(first) || this.linker?.isCalled(first) === true;
      if (!isCalled && this.arrivalsAt(first) < LEAST_CALLS) continue;
      if (scan(this.source(), [first], is64, mostInstructions).at.has(address)) return [first, address];
    }
    return [address];
  }
  /** Arrivals at an address so far, where nothing has been translated of it. */
  private arrivalsAt(address: number): number {
    const patience = this.patienceAt(address);
    if (patience === undefined) return 0;
    return this.tuning.threshold - patience + (this.quick?.arrivalsAt(address) ?? 0);
  }

  /** Arrivals at a place that a function leaves out before it is worth its while to translate the function with it. */
  private coldPatience({ piece: { words, remade }, isReused }: Unit): number {
    const { threshold, coldThreshold, reuseColdThreshold } = this.tuning;
    const each = isReused ? reuseColdThreshold : coldThreshold;
    return Math.max(threshold, each * words.length) * 2 ** remade;
  }
  /** Arrivals at a place inside a function before that is translated again with an entry there. */
  private entryPatience({ words, remade }: Piece): number {
    const { entryThreshold, entryThresholdEach } = this.tuning;
    return Math.max(entryThreshold, entryThresholdEach * words.length) * 4 ** remade;
  }
  /** A unit with code that can be reached from an address. */
  private reachedFrom(address: number): Unit | undefined {
    const { blocks } = scan(this.source(), [address], this.cpu.is64, this.tuning.mostInstructions);
    for (const { start } of blocks) {
      const unit = this.inside.get(start);
      if (unit !== undefined) return unit;
    }
    return undefined;
  }
  /** Whether the program has just come to an address by a call. */
  private isCalled(address: number): boolean {
    const { cpu } = this;
    const { i32 } = cpu.registers;
    const caller = (i32[LR / 4] - 4) | 0;
    return (
      this.isOpen(caller) && isCallOf(address, cpu.memory.fetch(caller >>> 0), caller, i32[CTR / 4], cpu.is64)
    );
  }

  // ---- what others have translated ---------------------------------------------------------------------------

  /** Finds out what is known of the program; it may be much, so this is for programs in which something is hot. False where that was enough for now. */
  private openArchive(): boolean {
    const began = now();
    const isSoon = () => now() - began <= this.tuning.longestStretch / 2;
    const { target, cpu } = this;
    // To load the translator may have been.
    if (!isSoon()) return false;
    const archive = this.translations.archiveOf(this.program, [target, cpu.model.name]);
    // It stays open, and there at once when it is asked for again.
    if (this.program !== undefined && !isSoon()) return false;
    this.archive = archive;
    for (const page of archive.entryPages) this.expect(page);
    this.statistics.reusing += now() - began;
    return isSoon();
  }
  /** Has the watch asked sooner at places in a page of which there is code. */
  private expect(page: number): void {
    const { reuseThreshold, threshold } = this.tuning;
    for (const address of this.archive?.inPage(page) ?? []) {
      if (!this.entries.has(address)) this.setPatience(address, Math.min(reuseThreshold, threshold));
    }
  }

  /** Takes over what another process or an earlier run has made for an address. True if the address is to be asked for again later. */
  private reuse(address: number): boolean {
    const pieces = this.archive!.at(address);
    if (pieces.length === 0) return false;
    const { statistics } = this;
    const began = now();
    let isEarly = false;
    for (let i = pieces.length - 1; i >= 0; i--) {
      const fits = this.fits(pieces[i]);
      if (fits === undefined) isEarly = true;
      if (fits !== true) continue;
      this.install(pieces[i], true);
      this.earnings.noteTakenOver(pieces[i]);
      this.show(pieces[i], true);
      statistics.reused++;
      if (pieces[i].native !== undefined) statistics.reusedOptimised++;
      statistics.reusing += now() - began;
      return true;
    }
    statistics.reusing += now() - began;
    // Where not all of its pages have been run yet it gets the time that a new translation would have taken to come.
    if (!isEarly || this.waited.has(address)) return false;
    this.waited.add(address);
    this.setPatience(address, this.tuning.threshold);
    return true;
  }

  /**
   * Whether the guest has the code that a piece was made of, and nothing is lost with what it takes the place of; undefined if that can't be
   * told yet.
   */
  private fits(piece: Piece): boolean | undefined {
    const { entries, blocks, words } = piece;
    for (let i = 0, at = 0; i < blocks.length; i += 2) {
      const holds = this.holds(blocks[i], words.subarray(at, (at += blocks[i + 1])));
      if (holds !== true) return holds;
    }
    for (const unit of this.replaced(ownBlocks(piece))) {
      if (unit.piece.entries.some((entry) => !entries.includes(entry))) return false;
    }
    return true;
  }

  private source(): ScanSource {
    const { memory, registers } = this.cpu;
    return {
      isCode: (address) => this.isOpen(address),
      fetch: (address) => memory.fetch(address >>> 0),
      hasRun: (address) =>
        this.tuning.coldThreshold === 0 || this.hasRun(address) || this.inside.has(address),
      isFunction: (address) => this.functions.has(address) || this.linker?.isCalled(address) === true,
      calledFrom: (address) => this.quick?.calledFrom(address) ?? [],
      registers: registers.i32,
      tables: this.tables,
      peek: (address, isDoubleword = false) => {
        const at = (isDoubleword && memory.byteOrder === "big" ? address + 4 : address) >>> 0;
        if (memory.readGuard[at >>> PAGE_SHIFT] !== 0 || (at & 3) !== 0) return undefined;
        return memory.load32(at);
      },
    };
  }

  /** Has code translated that can be reached from the first of `wanted`, of up to so many instructions. */
  private jobFor(wanted: readonly number[], before: Piece | undefined, most: number): Job | undefined {
    const { cpu, tuning, target } = this;
    const source = this.source();
    const found = scan(source, wanted, cpu.is64, most);
    if (found.instructions === 0) return undefined;
    const replaced = [...this.replaced(extentsOf(found.blocks))].map(({ piece }) => piece);
    const inherited = replaced.flatMap(({ entries }) => entries);
    const { mostEntries, mostPromoted, mostCarried } = tuning;
    const order = {
      region: inlineLeaves(found, source),
      wanted: [...wanted, ...inherited],
      target,
      model: cpu.model,
      tuning: { mostEntries, mostPromoted, mostCarried },
      pages: cpu.memory.memory.buffer.byteLength / 65536,
    };
    return { wanted, before, replaced, order, instructions: found.instructions, waiting: [] };
  }

  /**
   * Translates what can be reached from the first of `wanted`, with entries at all of them; `before` is what had that place. It does not where
   * some of it is being translated already, and returns that.
   */
  private translateUnit(
    wanted: readonly number[],
    before?: Piece,
    most = this.tuning.mostInstructions,
  ): Job | undefined {
    const began = now();
    const { statistics } = this;
    const { compiling } = statistics;
    const job = this.jobFor(wanted, before, most);
    const other = job && this.underWay(job);
    if (job === undefined || other !== undefined) return other;
    const { others } = this.translations;
    for (const { start } of job.order.region.blocks) this.promised.set(start, job);
    if (others !== undefined) others.send(job.order, (made) => this.receive(job, made));
    statistics.generating += now() - began;
    if (others === undefined) this.translateHere(job);
    statistics.compiling = compiling + now() - began;
    return undefined;
  }
  /** Has the guest's thread translate it, and puts it to use where it is done at once. */
  private translateHere(job: Job): void {
    for (const { start } of job.order.region.blocks) this.promised.set(start, job);
    this.translations.own.send(job.order, (product) => this.receiveOwn(job, product));
    this.translations.goOn();
    if (this.received.length > 0 && this.translations.isPatient) this.takeReceived();
  }
  /** What is being translated already and has code of it. */
  private underWay({ order }: Job): Job | undefined {
    for (const { start, isCopy } of order.region.blocks) {
      const other = isCopy ? undefined : this.promised.get(start);
      if (other !== undefined) return other;
    }
    return undefined;
  }

  /** Has less translated where a product is too large, or none could be made. */
  private translateLess({ wanted, before, instructions }: Job, product: Product | undefined): void {
    const part = product === undefined ? 0.5 : partOf(product, this.tuning);
    this.translateUnit(wanted, before, Math.floor(part * instructions));
  }
  /** Puts what was produced into the archive. */
  private keep({ before, replaced }: Job, product: Product, module?: WebAssembly.Module): Piece {
    const { instructions, ...rest } = product;
    const remade = before === undefined ? 0 : before.remade + 1;
    const piece: Piece = { ...rest, remade, native: undefined, module };
    const { statistics } = this;
    statistics.units++;
    statistics.bytes += piece.wire.length;
    statistics.guestInstructions += instructions;
    this.earnings.noteTranslated(piece, instructions);
    for (const piece of before === undefined ? replaced : [before, ...replaced]) this.archive!.remove(piece);
    this.archive!.add(piece);
    return piece;
  }
  private take(piece: Piece): void {
    this.install(piece, false);
    this.show(piece, false);
  }

  /** What has been made of a job is put to use when this address space runs. */
  private receiveOwn(job: Job, product: Product | undefined, module?: WebAssembly.Module): void {
    const isSmall = product !== undefined && partOf(product, this.tuning) === 1;
    const piece = isSmall ? this.keep(job, product, module) : undefined;
    this.received.push({ job, product, piece, isRefused: false });
  }
  /** The same for what another thread has made, or can't. */
  private receive(job: Job, made: Made | undefined): void {
    if (made === undefined)
      return void this.received.push({ job, product: undefined, piece: undefined, isRefused: true });
    const { statistics } = this;
    statistics.ordered++;
    statistics.ordering += made.milliseconds;
    this.receiveOwn(job, made.product, made.module);
  }
  /** Puts to use what has been made, as far as there is time for it, unless the program's code is no longer what it was made of. */
  private takeReceived(): void {
    const began = now();
    const { statistics } = this;
    const { compiling } = statistics;
    do {
      const { job, product, piece, isRefused } = this.received.shift()!;
      for (const start of [...job.order.region.blocks.map((block) => block.start), ...job.waiting]) {
        if (this.promised.get(start) === job) this.promised.delete(start);
      }
      if (!this.isCurrent(job)) statistics.stale++;
      else if (piece !== undefined) this.take(piece);
      else if (isRefused) this.translateHere(job);
      else this.translateLess(job, product);
    } while (this.received.length > 0 && this.translations.isPatient);
    this.translations.notePause();
    statistics.compiling = compiling + now() - began;
  }
  /** Whether the program still has the code of a job, and nothing has come that would be lost with it. */
  private isCurrent({ order: { region, wanted }, before, replaced }: Job): boolean {
    if (!region.blocks.every(({ start, words }) => this.holds(start, words) === true)) return false;
    const own = region.blocks.filter(({ isCopy }) => !isCopy);
    return [...this.replaced(extentsOf(own))].every(
      ({ piece }) =>
        piece === before ||
        replaced.includes(piece) ||
        piece.entries.every((entry) => wanted.includes(entry)),
    );
  }

  private openLinker(): Linker {
    const { cpu, tuning } = this;
    return (this.linker ??= new Linker(cpu.memory, tuning.slots, (address) => this.executeOne(address)));
  }

  /** Makes a piece part of this address space, in place of what it covers. */
  private install(piece: Piece, isReused: boolean): void {
    const { entries, needs, blocks, cold, wire } = piece;
    if (this.bytes + wire.length > this.tuning.mostBytes) this.dropAll();
    const linker = this.openLinker();
    const own = ownBlocks(piece);
    for (const unit of this.replaced(own)) this.drop(unit);
    const linked = linker.instantiate(this.archive!.moduleOf(piece), piece);
    this.archive!.note(piece, linked.code);
    this.bytes += wire.length;
    const pages = new Set<number>();
    const unit: Unit = { piece, linked, isReused, pages };
    for (let i = 0; i < blocks.length; i += 2) {
      if (i < own.length && !this.inside.has(blocks[i])) this.inside.set(blocks[i], unit);
      pages.add(blocks[i] >>> PAGE_SHIFT).add((blocks[i] + 4 * blocks[i + 1] - 4) >>> PAGE_SHIFT);
    }
    for (const page of pages) {
      let units = this.byPage.get(page);
      if (units === undefined) this.byPage.set(page, (units = new Set()));
      units.add(unit);
    }
    entries.forEach((address, i) => {
      this.entries.set(address, { unit, slot: linker.slotOf(address), need: needs[i] });
      linker.link(address, linked.code);
      this.setPatience(address, 0);
    });
    for (const address of cold) {
      this.leftOut.set(address, unit);
      if (!this.entries.has(address)) this.setPatience(address, this.coldPatience(unit));
    }
  }

  private show({ entries, blocks, words, wire }: Piece, isReused: boolean): void {
    const { watcher } = this.translations;
    if (watcher === undefined) return;
    const shown: { address: number; words: Int32Array }[] = [];
    for (let i = 0, at = 0; i < blocks.length; i += 2) {
      shown.push({ address: blocks[i] >>> 0, words: words.slice(at, (at += blocks[i + 1])) });
    }
    watcher({ entries: entries.map((entry) => entry >>> 0), blocks: shown, module: wire, isReused });
  }

  /** Units whose root is one of the blocks. */
  private replaced(blocks: Int32Array): Set<Unit> {
    const units = new Set<Unit>();
    for (let i = 0; i < blocks.length; i += 2) {
      const unit = this.inside.get(blocks[i]);
      if (unit !== undefined) units.add(unit);
    }
    if (units.size === 0) return units;
    const starts = new Set(blocks.filter((_, i) => (i & 1) === 0));
    for (const unit of units) if (!starts.has(unit.piece.entries[0])) units.delete(unit);
    return units;
  }

  // ---- code that changes -------------------------------------------------------------------------------------

  private dropPage(page: number): void {
    const units = this.byPage.get(page);
    if (units === undefined) return;
    this.dropped = true;
    this.tables.clear();
    for (const unit of [...units]) this.drop(unit);
  }

  /** Gives all translated code of this address space back; what is still hot comes again. */
  private dropAll(): void {
    for (const units of [...this.byPage.values()]) for (const unit of [...units]) this.drop(unit);
    this.linker?.reset();
  }

  private drop(unit: Unit): void {
    const { piece, linked, pages } = unit;
    for (const address of piece.entries) {
      if (this.entries.get(address)?.unit !== unit) continue;
      this.entries.delete(address);
      this.linker!.link(address, undefined);
      this.setPatience(address, this.tuning.threshold);
    }
    const own = ownBlocks(piece);
    for (let i = 0; i < own.length; i += 2) {
      const address = own[i];
      if (this.inside.get(address) === unit) this.inside.delete(address);
      this.armed.delete(address);
    }
    for (const address of piece.cold) if (this.leftOut.get(address) === unit) this.leftOut.delete(address);
    this.linker!.forget(linked);
    this.bytes -= piece.wire.length;
    for (const page of pages) this.byPage.get(page)?.delete(unit);
  }
}
