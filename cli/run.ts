/** `ppcr run`: runs a program from its beginning. */
import { CPU_MODELS } from "../emu/cpu-models.ts";
import { Machine, ProgramError } from "../emu/machine.ts";
import { type EnvironmentFlags, guestEnvironment } from "./environment.ts";
import { EXIT_NOT_FOUND, EXIT_NOT_RUNNABLE, Failure, print } from "./failure.ts";
import type { MachineFlags } from "./options.ts";
import { machineOptions, prepare } from "./preparation.ts";
import { runSession } from "./session.ts";
import type { Ending } from "./status.ts";

export interface RunFlags extends MachineFlags, EnvironmentFlags {
  argv0?: string;
  cpu?: string;
  release?: string;
  stack?: bigint;
  user?: { uid: number; gid: number };
}

/** Runs the program at a host path; returns how ppcr is to end. */
export async function run(
  program: string | undefined,
  args: readonly string[],
  flags: RunFlags,
): Promise<Ending> {
  if (flags.cpu === "help") {
    print(CPU_MODELS.map(({ name, description }) => `${name.padEnd(10)} ${description}\n`).join(""));
    return { status: 0 };
  }
  if (program === undefined) throw new Failure("run what? Name a program, or see 'ppcr help run'");
  const prepared = await prepare(flags, program);
  const { cwd } = prepared;
  const machine = loadMachine(() =>
    Machine.load({
      ...machineOptions(prepared),
      program: prepared.program ?? program,
      execfn: program,
      argv: [flags.argv0 ?? program, ...args],
      env: guestEnvironment(flags),
      cwd,
      pid: flags.seed === undefined ? process.pid : undefined,
      seed: flags.seed,
      cpuModel: flags.cpu,
      release: flags.release,
      stackLimit: flags.stack,
      ...flags.user,
    }),
  );
  return runSession(machine, prepared);
}

/** Turns what a machine says of its program into ppcr's exit statuses. */
function loadMachine(load: () => Machine): Machine {
  try {
    return load();
  } catch (error) {
    if (error instanceof RangeError) throw new Failure(error.message);
    if (!(error instanceof ProgramError)) throw error;
    throw new Failure(error.message, error.notFound ? EXIT_NOT_FOUND : EXIT_NOT_RUNNABLE);
  }
}
