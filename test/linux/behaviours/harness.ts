/** Behaviours that check themselves: one program an ABI holds all of them. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "vitest";
import { defaultMounts } from "../../../emu/machine.ts";
import { compilers, inTemporaryDirectory, type Target } from "../../support/guests.ts";
import { freeze, load, type SubjectOptions, thaw } from "../../support/machine.ts";
import { requireTool } from "../../support/tools.ts";

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const cache = join(here, "..", "..", "..", "node_modules", ".cache", "ppcr-guests");

const files = readdirSync(here).filter((name) => /\.[ch]$/.test(name));
const sources = files.filter((name) => name.endsWith(".c"));

/** Their names, AREA/NAME. */
export const behaviours: readonly string[] = sources.flatMap((file) => {
  const text = readFileSync(join(here, file), "utf8");
  return [...text.matchAll(/^BEHAVIOUR\((\w+)\)/gm)].map(([, name]) => `${file.slice(0, -2)}/${name}`);
});

/** Path of the program, built if its sources have changed. */
export async function buildBehaviours(target: Target): Promise<string> {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(join(here, file)));
  mkdirSync(cache, { recursive: true });
  const name = `behaviours-${target}-${hash.digest("hex").slice(0, 16)}`;
  const path = join(realpathSync(cache), name);
  if (readdirSync(cache).includes(name)) return path;
  const temporary = `${path}.${process.pid}`;
  const paths = sources.map((source) => join(here, source));
  const flags = ["-O1", "-static", "-w", "-o", temporary, ...paths, "-lpthread", "-lrt"];
  await run(requireTool(compilers[target]), flags);
  await rename(temporary, path);
  return path;
}

/** Runs `use` with what a machine for the program needs, in a folder of its own. */
const inFolder = <T>(program: string, use: (options: SubjectOptions) => Promise<T>): Promise<T> =>
  inTemporaryDirectory((folder) => {
    const cwd = realpathSync(folder);
    const mounts = defaultMounts({ program, cwd });
    return use({ cwd, mounts, seed: 5n, input: "", addressSpaceSize: 2 ** 30 });
  });

/** Runs all of them; what they print. */
export const runAll = (program: string, options: SubjectOptions): Promise<string[]> =>
  inFolder(program, async (surroundings) => {
    const { machine, host } = load(program, { ...surroundings, ...options });
    await machine.run();
    machine.close();
    return host.stdout.text.split("\n").filter((line) => line !== "");
  });

/** The instruction counts at which a behaviour makes its system calls. */
function systemCalls(program: string, name: string, options: SubjectOptions): Promise<bigint[]> {
  return inFolder(program, async (surroundings) => {
    const counts: bigint[] = [];
    const strace = () => void counts.push(machine.instructions);
    const { machine } = load(program, { ...surroundings, ...options, args: [name], strace });
    await machine.run();
    machine.close();
    return [...new Set(counts)];
  });
}

/**
 * Runs a behaviour in one machine after another: it is frozen at the system call boundaries that `choose` picks of all, each time
 * thawed in a new machine. It must not notice.
 */
export async function runFrozen(
  program: string,
  name: string,
  choose: (counts: readonly bigint[]) => readonly bigint[],
  options: SubjectOptions = {},
): Promise<number> {
  const counts = choose(await systemCalls(program, name, options));
  await inFolder(program, async (surroundings) => {
    let subject = load(program, { ...surroundings, ...options, args: [name] });
    let stdout = "";
    for (const count of counts) {
      const { reason } = await subject.machine.run(count);
      if (reason !== "limit") break;
      const image = freeze(subject);
      stdout += subject.host.stdout.text;
      subject.machine.close();
      subject = thaw(image, { ...subject, input: "" });
    }
    const stop = await subject.machine.run();
    subject.machine.close();
    const all = stdout + subject.host.stdout.text;
    expect([name, all, stop]).toEqual([name, `PASS ${name}\n`, { reason: "exit", status: 0 }]);
  });
  return counts.length;
}
