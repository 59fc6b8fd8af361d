/** A machine under the command line: run to its end or to a stop, freeze on demand, report. */
import { writeFileSync } from "node:fs";
import { memoryDigest, registersDigest } from "../emu/digest.ts";
import type { Host } from "../emu/host/host.ts";
import { toHost } from "../emu/host/node/files.ts";
import { disassembleWords } from "../emu/isa/disassembler.ts";
import type { Machine, MachineStop } from "../emu/machine.ts";
import { writeFully } from "./atomic-file.ts";
import { type CheckpointRequest, serveControl } from "./control.ts";
import { describeSystemError, EXIT_FAILURE, EXIT_NO_CHECKPOINT, Failure, say } from "./failure.ts";
import type { MachineFlags } from "./options.ts";
import type { Preparation } from "./preparation.ts";
import { type Ending, killedBy } from "./status.ts";

/** Signals of the host that the guest gets; the numbers are the same on powerpc Linux. */
const FORWARDED: readonly [NodeJS.Signals, number][] = [
  ["SIGHUP", 1],
  ["SIGINT", 2],
  ["SIGQUIT", 3],
  ["SIGUSR1", 10],
  ["SIGUSR2", 12],
  ["SIGTERM", 15],
  ["SIGCONT", 18],
  ["SIGWINCH", 28],
];

/** Those that a user or the system sends for a program to end: no image is worth their wait. */
const ENDING: ReadonlySet<string> = new Set(["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"]);

const SIGILL = 4;
const SIGTSTP = 20;

/** Runs a machine to its end and returns how ppcr is to end. */
export async function runSession(machine: Machine, { host, flags, regions }: Preparation): Promise<Ending> {
  const session = new Session(machine, host, flags);
  try {
    const ending = await session.run();
    await regions?.write(machine.is64);
    return ending;
  } finally {
    session.close();
  }
}

class Session {
  private readonly machine: Machine;
  private readonly host: Host;
  private readonly flags: MachineFlags;
  private readonly closers: (() => void)[] = [];
  /** Where an image is still to be made. */
  private checkpointAt: bigint | undefined;
  /** The last of the signals that end programs. */
  private interruption: string | undefined;
  /** It couldn't be written. */
  private notSaved = false;
  /** A control request that waits for the machine to stop. */
  private waiting: { stopped(): void; ended(): void } | undefined;
  /** Settled by the client of that request: is the image safe, and should the guest end? */
  private verdict: Promise<boolean> | undefined;

  constructor(machine: Machine, host: Host, flags: MachineFlags) {
    this.machine = machine;
    this.host = host;
    this.flags = flags;
    this.checkpointAt = flags.checkpointAt;
    for (const [name, signo] of FORWARDED) {
      const forward = () => {
        if (ENDING.has(name)) this.interruption = name;
        machine.signal(signo);
      };
      process.on(name, forward);
      this.closers.push(() => process.off(name, forward));
    }
    // ^Z is for the jobs of a guest that has some; any other stops as a whole, ppcr with it.
    const stop = () => {
      if (machine.controlsJobs) machine.signal(SIGTSTP);
      else process.kill(process.pid, "SIGSTOP");
    };
    process.on("SIGTSTP", stop);
    this.closers.push(() => process.off("SIGTSTP", stop));
  }

  close(): void {
    for (const close of this.closers) close();
    this.machine.close();
  }

  async run(): Promise<Ending> {
    const { machine, flags } = this;
    const started = process.hrtime.bigint();
    const before = machine.instructions;
    const running = this.runToStop();
    // By now the program is over, or has run until the host had its turn.
    if (!machine.hasEnded)
      this.closers.push(serveControl({ freeze: (...request) => this.freezeFor(...request) }));
    const stop = await running;
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    const ended = endingOf(stop);
    if (stop.reason === "signal" && stop.signo === SIGILL) await this.explainIllegal();
    if (stop.reason === "signal" && stop.core && flags.core !== undefined) {
      const { saveCore } = await import("./images.ts");
      await saveCore(machine.freeze(), stop.signo, flags.core);
    }
    if (flags.profile !== undefined) {
      const { writeProfile } = await import("./profile.ts");
      writeProfile(machine.profile!, flags.profile);
    }
    if (flags.stats !== undefined) this.report(ended, seconds, machine.instructions - before);
    // Who interrupts the freeze means the program: a shell's loop is to stop.
    if (stop.reason === "signal" && this.notSaved && this.interruption !== undefined) return ended!;
    return this.withoutImage(ended) ?? ended ?? { status: 0 };
  }

  /** How to end where --checkpoint-at was asked for and there is no image; says so. */
  private withoutImage(ended: Ending | undefined): Ending | undefined {
    const { machine, checkpointAt, notSaved } = this;
    if (checkpointAt === undefined && !notSaved) return undefined;
    const what = ended === undefined ? "was stopped" : "ended";
    const early = notSaved ? "" : `, before --checkpoint-at ${checkpointAt}`;
    const own = ended === undefined ? "" : `; its own status is ${ended.status}`;
    say(`the program ${what} after ${machine.instructions} instructions${early}${own}`);
    return { status: notSaved ? EXIT_FAILURE : EXIT_NO_CHECKPOINT };
  }

  private async runToStop(): Promise<MachineStop> {
    const { machine, flags } = this;
    const { stopAt } = flags;
    for (const [name, at] of [
      ["--checkpoint-at", flags.checkpointAt],
      ["--stop-at", flags.stopAt],
    ] as const) {
      if (at !== undefined && at < machine.instructions) {
        throw new Failure(
          `${name} ${at} is over: the program has executed ${machine.instructions} instructions`,
        );
      }
    }
    for (;;) {
      const { checkpointAt } = this;
      const first = checkpointAt !== undefined && (stopAt === undefined || checkpointAt <= stopAt);
      const stop = await machine.run(first ? checkpointAt : stopAt);
      switch (stop.reason) {
        case "exit":
        case "signal":
          this.waiting?.ended();
          return stop;
        case "limit":
          if (machine.instructions === checkpointAt) {
            this.checkpointAt = undefined;
            if ((await this.freezeNow()) && !flags.leaveRunning) return stop;
          }
          if (machine.instructions === stopAt) return stop;
          break;
        case "stopped":
          if (await this.letClientFreeze()) {
            this.checkpointAt = undefined;
            return stop;
          }
      }
    }
  }

  /**
   * Writes an image of the program as it is now. Throws Failure when there is none, as where `isWanted` does not hold any more, or where
   * a signal came that ends programs: the guest, which goes on, is to have it.
   */
  private async save(
    path: string,
    flags: Pick<MachineFlags, "flavour" | "strict" | "includeFiles">,
    isWanted = () => true,
  ): Promise<void> {
    const { saveImage } = await import("./images.ts");
    this.interruption = undefined;
    await saveImage(this.machine.freeze(flags), path, this.host, flags, () => {
      if (this.interruption !== undefined) throw new Failure(`${this.interruption} came first`);
      if (!isWanted()) throw new Failure("whoever asked for it has gone away");
    });
  }

  /** Does what --checkpoint-at asks for. False when there is no image; the program goes on then. */
  private async freezeNow(): Promise<boolean> {
    const { machine, flags } = this;
    try {
      await this.save(flags.output!, flags);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.notSaved = true;
      say(`${error.message}; the program goes on`);
      return false;
    }
    say(`frozen after ${machine.instructions} instructions into ${flags.output}`);
    return true;
  }

  /** Names the instruction that the program died of: most often one of a facility that the CPU model has not. */
  private async explainIllegal(): Promise<void> {
    const { is64, nextInstruction } = this.machine;
    const { address, words } = nextInstruction;
    const [word, suffix] = words;
    const text =
      word === undefined ? "nothing" : disassembleWords(word, () => suffix, address, { is64 }).text;
    const plain = text.replace(/\s+/g, " ").trim();
    say(
      `the program was killed at 0x${address.toString(16)} by "${plain}", which ${this.machine.cpuModel} does not execute`,
    );
  }

  /** Serves the control request that stopped the machine; true when the guest lives on in its image only. */
  private async letClientFreeze(): Promise<boolean> {
    const waiting = this.waiting;
    this.waiting = undefined;
    waiting?.stopped();
    const verdict = this.verdict;
    this.verdict = undefined;
    return (await verdict) ?? false;
  }

  private async freezeFor(request: CheckpointRequest, isWanted: () => boolean) {
    if (this.waiting !== undefined || this.verdict !== undefined) {
      throw new Error("another request to freeze it is under way");
    }
    let settle: (ended: boolean) => void = () => {};
    this.verdict = new Promise((resolve) => {
      settle = resolve;
    });
    const stopped = new Promise<void>((resolve, reject) => {
      this.waiting = { stopped: resolve, ended: () => reject(new Error("its program has just ended")) };
    });
    this.machine.requestStop();
    await stopped;
    const { instructions } = this.machine;
    try {
      await this.save(request.path, request, isWanted);
    } catch (error) {
      settle(false);
      throw error;
    }
    return {
      instructions,
      finish: (safe: boolean) => {
        const ends = safe && !request.leaveRunning;
        if (safe) say(`frozen after ${instructions} instructions${ends ? "" : "; going on"}`);
        settle(ends);
      },
    };
  }

  private report(ended: Ending | undefined, seconds: number, executed: bigint): void {
    const { machine, host, flags } = this;
    const snapshot = machine.freeze();
    const stats = {
      schema_version: 1,
      instructions: Number(machine.instructions),
      seconds,
      mips: Number(executed) / seconds / 1e6,
      exit_status: ended?.status ?? null,
      engine: flags.engine,
      jit: machine.jitStatistics,
      registers_sha256: registersDigest(snapshot, () => host.sha256()),
      memory_sha256: memoryDigest(snapshot, () => host.sha256()),
    };
    const text = `${JSON.stringify(stats, null, 2)}\n`;
    try {
      if (flags.stats === true) writeFully(2, Buffer.from(text));
      else writeFileSync(toHost(flags.stats as string), text);
    } catch (error) {
      const where = flags.stats === true ? "standard error" : flags.stats;
      throw new Failure(`cannot write ${where}: ${describeSystemError(error)}`);
    }
  }
}

/** How ppcr is to end when its program did; undefined when that was only stopped. */
function endingOf(stop: MachineStop): Ending | undefined {
  if (stop.reason === "exit") return { status: stop.status };
  return stop.reason === "signal" ? killedBy(stop.signo) : undefined;
}
