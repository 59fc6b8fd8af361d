/** What the engines of one machine have in common: the archives of the programs it runs, how they decide, and what they have done. */
import type { HostTranslations } from "../host/host.ts";
import { type ProgramTag, shortDigest } from "../program-tag.ts";
import { TUNING, type Tuning } from "../tuning.ts";
import { Archive } from "./archive.ts";

/** What the translator has done, for --stats. */
export interface JitStatistics {
  /** Functions translated, of how many guest instructions, to how many bytes, and the milliseconds of all that and of compiling. */
  units: number;
  guestInstructions: number;
  bytes: number;
  generating: number;
  compiling: number;
  /** Functions that an earlier run or another process had translated, how many of them with optimised code, and the milliseconds of that. */
  reused: number;
  reusedOptimised: number;
  reusing: number;
  /** Instructions executed by translated code, and how often it was entered from outside. */
  translated: number;
  entered: number;
  /** Instructions that translated code had the interpreter execute. */
  steps: number;
}

export class Translations {
  readonly tuning: Tuning;
  private readonly host: HostTranslations | undefined;
  private readonly archives = new Map<string, Archive>();
  readonly statistics: JitStatistics = {
    units: 0,
    guestInstructions: 0,
    bytes: 0,
    generating: 0,
    compiling: 0,
    reused: 0,
    reusedOptimised: 0,
    reusing: 0,
    translated: 0,
    entered: 0,
    steps: 0,
  };

  constructor(tuning: Partial<Tuning> = {}, host?: HostTranslations) {
    this.tuning = { ...TUNING, ...tuning };
    this.host = host;
  }

  /** The archive of a program on a kind of machine. Without a program it is a new one, which nobody else has. */
  archiveOf(program: ProgramTag | undefined, kind: readonly unknown[]): Archive {
    if (program === undefined) return new Archive();
    const name = shortDigest(`${program.name} ${JSON.stringify([kind, this.tuning])}`);
    let archive = this.archives.get(name);
    if (archive === undefined)
      this.archives.set(name, (archive = new Archive(this.host, name, program.path)));
    return archive;
  }

  /** Has the host keep what is new. */
  save(): void {
    for (const archive of this.archives.values()) archive.save();
  }
}
