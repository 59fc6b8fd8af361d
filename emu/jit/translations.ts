/** What the engines of one machine have in common: the archives of the programs it runs, how they decide, and what they have done. */
import type { HostTranslations, HostTranslator } from "../host/host.ts";
import { type ProgramTag, shortDigest } from "../program-tag.ts";
import { TUNING, type Tuning } from "../tuning.ts";
import { Archive } from "./archive.ts";
import { Orders } from "./orders.ts";
import { hasFusedMultiplyAdd } from "./probe.ts";
import { Stretches } from "./stretches.ts";

/** What the translator has done, for --stats. */
export interface JitStatistics {
  /** Functions translated, of how many guest instructions, to how many bytes, and the milliseconds of all that and of compiling. */
  units: number;
  guestInstructions: number;
  bytes: number;
  generating: number;
  compiling: number;
  /** How many of those another thread has translated, the milliseconds that this took it, and of how many the guest's code had changed meanwhile. */
  ordered: number;
  ordering: number;
  stale: number;
  /** Milliseconds that the guest has been kept waiting for translations at a stretch, at the most. */
  longestPause: number;
  /** Functions that an earlier run or another process had translated, how many of them with optimised code, and the milliseconds of that. */
  reused: number;
  reusedOptimised: number;
  reusing: number;
  /** Milliseconds in translated code and in the interpreter, where somebody wants to know; see `JitEngine.run`. */
  running: number | undefined;
  interpreting: number | undefined;
  /** Instructions executed by the quick loop. */
  quick: number;
  /** Instructions executed by translated code, and how often it was entered from outside. */
  translated: number;
  entered: number;
  /** Why translated code was left. */
  exits: JitExits;
  /** Instructions that translated code had the interpreter execute, and how often which, by a sample. */
  steps: number;
  stepped: Record<string, number>;
}

export interface JitExits {
  /** The instructions that it might execute were used up. */
  limit: number;
  /** There was other translated code to go on with, which only JavaScript or the quick loop leads to. */
  other: number;
  /** There was none: for the interpreter to go on, mostly where nothing is hot. */
  cold: number;
  /** A system call came next. */
  syscall: number;
  /** An instruction executed for it had a fault, or stopped the program otherwise. */
  fault: number;
  /** It had to leave its first instruction to the interpreter. */
  first: number;
}

/** Guest code that is translated together, and what became of it. */
export interface TranslatedRegion {
  /** Where it can be entered, the place it was rooted at first. */
  readonly entries: readonly number[];
  readonly blocks: readonly { readonly address: number; readonly words: Int32Array }[];
  /** The WebAssembly module. */
  readonly module: Uint8Array;
  /** Whether another process or an earlier run had made it. */
  readonly isReused: boolean;
}

/** What of the options of a machine is about translating. */
export interface TranslationsOptions {
  /** Called once, before anything is translated: what there is to be set in the host's engine is set then. */
  onTranslating?: () => void;
  /** Is shown the guest code that is translated, and its WebAssembly. */
  onTranslated?: (region: TranslatedRegion) => void;
  /** Begins another thread that translates. */
  translator?: () => HostTranslator | undefined;
  /** Modules of the quick loop that were made before, by name. */
  prepared?: (name: string) => WebAssembly.Module | undefined;
  /** Find out how long translated code and the interpreter run, for the statistics. */
  timed?: boolean;
}

export class Translations {
  readonly tuning: Tuning;
  /** Is shown what comes into use. */
  readonly watcher: ((region: TranslatedRegion) => void) | undefined;
  readonly prepared: TranslationsOptions["prepared"];
  private readonly host: HostTranslations | undefined;
  /** A program was long enough for the quick loop: those that it executes or forks need not show that they are. */
  isQuick = false;
  /** Called once, before anything is translated. */
  private starting: (() => void) | undefined;
  private translator: TranslationsOptions["translator"];
  private orders: Orders | undefined;
  /** When the program was last made to wait. */
  private keptSince = 0;
  private stretches: Stretches | undefined;
  private readonly archives = new Map<string, Archive>();
  readonly statistics: JitStatistics = {
    units: 0,
    guestInstructions: 0,
    bytes: 0,
    generating: 0,
    compiling: 0,
    ordered: 0,
    ordering: 0,
    stale: 0,
    longestPause: 0,
    reused: 0,
    reusedOptimised: 0,
    reusing: 0,
    running: undefined,
    interpreting: undefined,
    quick: 0,
    translated: 0,
    entered: 0,
    exits: { limit: 0, other: 0, cold: 0, syscall: 0, fault: 0, first: 0 },
    steps: 0,
    stepped: {},
  };

  constructor(
    tuning: Partial<Tuning> = {},
    host?: HostTranslations,
    { onTranslated, onTranslating, prepared, timed, translator }: TranslationsOptions = {},
  ) {
    this.tuning = { ...TUNING, ...tuning };
    this.watcher = onTranslated;
    this.prepared = prepared;
    this.host = host;
    this.starting = onTranslating;
    this.translator = translator;
    if (timed) this.statistics.running = this.statistics.interpreting = 0;
  }

  /** Whether WebAssembly has a multiply-add that rounds once. Whoever asks is about to translate. */
  hasFusedMultiplyAdd(): boolean {
    this.start();
    return hasFusedMultiplyAdd();
  }

  /** The program is long enough that something of it will be translated. */
  start(): void {
    const { starting } = this;
    this.starting = undefined;
    starting?.();
  }

  /** The archive of a program on a kind of machine. Without a program it is a new one, which nobody else has. */
  archiveOf(program: ProgramTag | undefined, kind: readonly unknown[]): Archive {
    const { mostBytes } = this.tuning;
    if (program === undefined) return new Archive(mostBytes);
    const name = shortDigest(`${program.name} ${JSON.stringify([kind, this.tuning])}`);
    let archive = this.archives.get(name);
    if (archive === undefined)
      this.archives.set(name, (archive = new Archive(mostBytes, this.host, name, program.path)));
    return archive;
  }

  /** Who is to translate in the place of the guest's thread while that goes on; undefined where whoever asks is to do so. */
  get others(): Orders | undefined {
    if (this.translator !== undefined && this.statistics.guestInstructions >= this.tuning.threadAfter) {
      const thread = this.translator();
      this.translator = undefined;
      if (thread !== undefined) this.orders = new Orders(thread, this.tuning.mostSilent);
    }
    const { orders } = this;
    return orders?.isReady === true && !orders.hasEnded ? orders : undefined;
  }
  /** What the guest's thread translates itself. */
  get own(): Stretches {
    return (this.stretches ??= new Stretches(this.tuning.longestStretch));
  }
  /** Whether there is enough to do. */
  get isBusy(): boolean {
    return this.orders?.isFull === true || this.stretches?.isFull === true;
  }
  /** Whether somebody is translating, as far as is known. */
  get isWorking(): boolean {
    return this.orders !== undefined || this.stretches?.isEmpty === false;
  }
  /** The program is kept waiting from now on. */
  beginPause(): void {
    this.keptSince = performance.now();
  }
  /** Milliseconds since then. */
  private get kept(): number {
    return performance.now() - this.keptSince;
  }
  /** Whether it may be kept waiting for longer. */
  get isPatient(): boolean {
    return this.kept < this.tuning.longestStretch;
  }
  notePause(): void {
    this.statistics.longestPause = Math.max(this.statistics.longestPause, this.kept);
  }
  /** Has everybody told of what others have translated, and goes on with what the guest's thread does, if it is time. */
  deliver(): void {
    this.orders?.deliver();
    if (this.stretches?.isEmpty === false) this.goOn();
  }
  /** Goes on with what the guest's thread translates, for a stretch with what the program has been kept waiting already. */
  goOn(): void {
    const { statistics } = this;
    const taken = this.own.goOn(this.kept);
    statistics.generating += taken;
    statistics.compiling += taken;
    this.notePause();
  }

  /** Nothing will be translated any more: has the host keep what is new. */
  end(): void {
    this.orders?.deliver();
    this.orders?.end();
    this.stretches?.end();
    this.orders = this.translator = undefined;
    for (const archive of this.archives.values()) archive.save();
  }
}
