/** `ppcr run`: runs a program from its beginning. */
import { resolve } from "node:path";
import { nodeHost } from "../emu/host/node/index.ts";
import { CPU_MODELS, Machine, ProgramError } from "../emu/machine.ts";
import { type EnvironmentFlags, guestEnvironment } from "./environment.ts";
import { EXIT_NOT_FOUND, EXIT_NOT_RUNNABLE, Failure, print } from "./failure.ts";
import { grants, warnOfGrants } from "./grants.ts";
import { cacheBeyondGuest } from "./jit-cache.ts";
import type { MachineFlags } from "./options.ts";
import { checkFlags, machineOptions, runSession, wantedCrSyscalls, wantedRegions } from "./session.ts";
import type { Ending } from "./status.ts";
import { workingDirectory } from "./surroundings.ts";

export interface RunFlags extends MachineFlags, EnvironmentFlags {
  argv0?: string;
  cpu?: string;
  release?: string;
  stack?: bigint;
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
  checkFlags(flags);
  const cwd = workingDirectory();
  const path = resolve(cwd, program);
  const host = nodeHost({ translations: cacheBeyondGuest(flags.jitCache, flags, cwd) });
  const mounts = grants(flags, { cwd, program: path });
  warnOfGrants(flags, cwd);
  const regions = wantedRegions(flags);
  const crSyscalls = await wantedCrSyscalls(host, flags);
  const machine = loadMachine(() =>
    Machine.load({
      host,
      mounts,
      program: path,
      execfn: program,
      argv: [flags.argv0 ?? program, ...args],
      env: guestEnvironment(flags),
      cwd,
      pid: flags.seed === undefined ? process.pid : undefined,
      seed: flags.seed,
      cpuModel: flags.cpu,
      profile: flags.profile !== undefined,
      onTranslated: regions?.add,
      release: flags.release,
      stackLimit: flags.stack,
      ...machineOptions(flags),
      crSyscalls,
    }),
  );
  return runSession(machine, host, flags, regions);
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
