/** Terminal settings by stty(1): node itself only knows cooked and raw. */
import type { TerminalSettings } from "../host.ts";
import { builtins, fs } from "./builtins.ts";

/** A control character in stty's notation. */
function character(code: number): string {
  if (code === 0) return "undef";
  if (code < 32) return `^${String.fromCharCode(code + 64)}`;
  if (code === 127) return "^?";
  return code < 127 ? String.fromCharCode(code) : `0x${code.toString(16)}`;
}

function argumentsFor(settings: TerminalSettings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => {
    if (typeof value === "boolean") return value ? name : `-${name}`;
    return [name, name === "min" || name === "time" ? String(value) : character(value)];
  });
}

/** Runs stty on a terminal; what it printed, or undefined when it failed or there is none. */
function stty(fd: number, ...args: string[]): string | undefined {
  const run = builtins.childProcess.spawnSync("stty", args, {
    stdio: [fd, "pipe", "ignore"],
    encoding: "utf8",
    timeout: 2000,
  });
  return run.status === 0 ? run.stdout.trim() : undefined;
}

/** Terminals that have been changed, by device and inode: how they were is restored once, when this process ends. */
const changed = new Set<string>();

/** Changes settings of the terminal at a descriptor. False when that is not possible here. */
export function changeTerminal(fd: number, settings: TerminalSettings): boolean {
  const { dev, ino } = fs.fstatSync(fd);
  const key = `${dev}:${ino}`;
  if (!changed.has(key)) {
    const before = stty(fd, "-g");
    if (before === undefined) return false;
    changed.add(key);
    process.once("exit", () => stty(fd, before));
  }
  return stty(fd, ...argumentsFor(settings)) !== undefined;
}
