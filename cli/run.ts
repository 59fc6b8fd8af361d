/** `ppcr run`: runs a program from its beginning. */
import { resolve } from "node:path";
import { nodeHost } from "../emu/host/node/index.ts";
import { CPU_MODELS, defaultMounts, Machine, ProgramError } from "../emu/machine.ts";
import { EXIT_NOT_FOUND, EXIT_NOT_RUNNABLE, Failure } from "./failure.ts";
import type { MachineFlags } from "./options.ts";
import { checkFlags, runSession, straceSink, wantedCrSyscalls } from "./session.ts";

export interface RunFlags extends MachineFlags {
  env: string[];
  clearEnv?: boolean;
  argv0?: string;
  cpu?: string;
}

/** Runs the program at a host path; returns ppcr's exit status. */
export async function run(
  program: string | undefined,
  args: readonly string[],
  flags: RunFlags,
): Promise<number> {
  if (flags.cpu === "help") {
    process.stdout.write(
      CPU_MODELS.map(({ name, description }) => `${name.padEnd(10)} ${description}\n`).join(""),
    );
    return 0;
  }
  if (program === undefined) throw new Failure("run what? Name a program, or see 'ppcr help run'");
  checkFlags(flags);
  const path = resolve(program);
  const host = nodeHost();
  const mounts = defaultMounts({
    program: path,
    cwd: process.cwd(),
    sysroot: flags.sysroot,
    extra: flags.dir,
  });
  const crSyscalls = await wantedCrSyscalls(host, flags);
  const machine = loadMachine(() =>
    Machine.load({
      host,
      mounts,
      program: path,
      argv: [flags.argv0 ?? program, ...args],
      env: environment(flags),
      cwd: process.cwd(),
      pid: flags.seed === undefined ? process.pid : undefined,
      seed: flags.seed,
      cpuModel: flags.cpu,
      engine: flags.engine,
      strace: straceSink(flags),
      crSyscalls,
    }),
  );
  return runSession(machine, host, flags);
}

/** The guest's environment: ppcr's own unless it is to be left out, then -E in order; later ones win. */
function environment({ env, clearEnv }: RunFlags): string[] {
  const variables = new Map<string, string>(
    clearEnv ? [] : (Object.entries(process.env) as [string, string][]),
  );
  for (const text of env) {
    const at = text.indexOf("=");
    variables.set(text.slice(0, at), text.slice(at + 1));
  }
  return [...variables].map(([name, value]) => `${name}=${value}`);
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
