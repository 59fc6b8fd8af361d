/**
 * What the command finds around it: its words, its environment, its working directory. To Linux they are bytes, and Node reads
 * them as UTF-8; where they are none, they are read once more from /proc. Bytes that are no UTF-8 stand in a string as
 * `emu/host/names.ts` says.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { decodeName } from "../emu/host/names.ts";
import { builtins } from "../emu/host/node/builtins.ts";
import { describeSystemError, Failure } from "./failure.ts";

/** What Node leaves of bytes that are no UTF-8. */
const LOST = "\ufffd";

/** The strings of a list in /proc that a NUL ends each; undefined where there is no such list. */
function procList(name: string): string[] | undefined {
  try {
    return readFileSync(`/proc/self/${name}`).toString("latin1").split("\0").slice(0, -1).map(fromLatin1);
  } catch {
    return undefined;
  }
}

const fromLatin1 = (text: string): string => decodeName(Buffer.from(text, "latin1"));

/** The words behind `ppcr`. Throws Failure for one that Node has changed where nothing else has it. */
export function commandWords(): string[] {
  const words = process.argv.slice(2);
  const damaged = words.find((word) => word.includes(LOST));
  if (damaged === undefined) return words;
  const all = procList("cmdline");
  if (all === undefined)
    throw new Failure(`the argument "${damaged}" is no UTF-8, which Node can't pass on here`);
  return all.slice(all.length - words.length);
}

/** The environment, in its order. Throws Failure for a variable that Node has changed where nothing else has it. */
export function hostEnvironment(): Map<string, string> {
  const variables = new Map(Object.entries(process.env) as [string, string][]);
  const damaged = [...variables].find(([name, value]) => name.includes(LOST) || value.includes(LOST));
  if (damaged === undefined) return variables;
  const all = procList("environ");
  if (all === undefined) {
    throw new Failure(`the environment variable ${damaged[0]} is no UTF-8, which Node can't pass on here`);
  }
  return new Map(all.filter((text) => text.includes("=")).map(splitVariable));
}

/** NAME=VALUE in its parts. */
export function splitVariable(text: string): [name: string, value: string] {
  const at = text.indexOf("=");
  return [text.slice(0, at), text.slice(at + 1)];
}

/** The working directory. Throws Failure where there is none any more. */
export function workingDirectory(): string {
  try {
    const folder = process.cwd();
    if (!folder.includes(LOST)) return folder;
    return decodeName(readlinkSync("/proc/self/cwd", { encoding: "buffer" }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      throw new Failure("the working directory has been deleted; go to another one and try again");
    }
    throw new Failure(`the working directory can't be had: ${describeSystemError(error)}`);
  }
}

/** The absolute path of one that the user has given. Node's own working directory is wrong where it is no UTF-8. */
export const absolute = (path: string): string => resolve(isAbsolute(path) ? "/" : workingDirectory(), path);

/** The user's home folder; undefined where nobody says one, as for a container's user that /etc/passwd does not know. */
export function homeFolder(): string | undefined {
  // What node:os asks first; to load it takes a hundredth of a short run.
  const known = process.env[process.platform === "win32" ? "USERPROFILE" : "HOME"];
  if (known !== undefined) return known;
  try {
    return builtins.os.homedir();
  } catch {
    return undefined;
  }
}
