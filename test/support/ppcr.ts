/** Runs guest programs through the `ppcr` command of this checkout. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readlinkSync, rmSync, statSync, symlinkSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Run, runProcess } from "./process.ts";
import type { GuestRunOptions } from "./qemu.ts";

/** The checkout. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** The command as a script for Node. */
export const cli = join(root, "dist", "bin", "ppcr.cjs");

/** The environment of commands: nothing is kept from one test to another. */
export const surroundings = { NO_COLOR: "1", PPCR_JIT_CACHE: "off" };

/** Runs `ppcr` with these arguments, as they are. */
export async function ppcr(
  args: readonly string[],
  options: Omit<GuestRunOptions, "args"> = {},
): Promise<Run> {
  ensureBuilt();
  return runProcess(process.execPath, {
    ...options,
    args: [cli, ...args],
    env: { ...surroundings, ...options.env },
  });
}

/** `ppcr run` of a guest program, with its environment and, in front of it, options of our own. */
export async function runPpcr(
  path: string,
  { args = [], env = {}, ...options }: GuestRunOptions = {},
  flags: readonly string[] = [],
): Promise<Run> {
  const environment = Object.entries(env).flatMap(([name, value]) => ["-E", `${name}=${value}`]);
  return ppcr(["run", "--clear-env", ...flags, ...environment, "--", path, ...args], options);
}

let built = false;

/** Compiles the command if its sources changed since it was last compiled. Test files run in processes of their own. */
export function ensureBuilt(): void {
  if (built) return;
  const lock = join(root, "node_modules", ".cache", "ppcr-build.lock");
  mkdirSync(dirname(lock), { recursive: true });
  while (!tryLock(lock)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  try {
    if (newestSource() > modified(cli)) {
      const { status, stdout } = spawnSync("npm", ["run", "--silent", "build"], {
        cwd: root,
        encoding: "utf8",
      });
      if (status !== 0) throw new Error(`ppcr does not compile:\n${stdout}`);
      utimesSync(cli, new Date(), new Date());
    }
    built = true;
  } finally {
    rmSync(lock);
  }
}

/** Takes the lock between processes that build: a symbolic link that names its holder. Throws where that was killed. */
function tryLock(path: string): boolean {
  try {
    symlinkSync(`${process.pid}`, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const holder = holderOf(path);
    if (holder === undefined || isAlive(holder)) return false;
    throw new Error(`${path} is left over from process ${holder}, which was killed: remove it`);
  }
}

/** Undefined where it has been given up by now. */
function holderOf(lock: string): number | undefined {
  try {
    return Number(readlinkSync(lock));
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function newestSource(): number {
  return Math.max(
    modified(join(root, "index.ts")),
    ...["emu", "cr", "cli", "scripts"].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
        .map((entry) => modified(join(entry.parentPath, entry.name))),
    ),
  );
}

/** Milliseconds; 0 when there is no such file. */
function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
