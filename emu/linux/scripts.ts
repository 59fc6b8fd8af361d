/** Scripts: their first line names the program that is to read them (Linux: fs/binfmt_script.c). */
import { decodeName } from "../host/names.ts";
import type { ProcessFiles, ProgramFile } from "./contracts.ts";
import { ELOOP, ENOENT, SysError } from "./errno.ts";

/** Interpreters of interpreters that exec follows. */
export const MAX_SCRIPTS = 5;
/** Bytes of a script's first line that count. */
const SCRIPT_LINE = 256;

/** The interpreter and its one argument on a script's first line; undefined when it is no script. */
export function scriptLine(
  bytes: Uint8Array,
): { path: Uint8Array; argument: Uint8Array | undefined } | undefined {
  if (bytes[0] !== 0x23 || bytes[1] !== 0x21) return undefined;
  const head = bytes.subarray(2, SCRIPT_LINE);
  const end = head.indexOf(10);
  if (end < 0 && bytes.length >= SCRIPT_LINE) return undefined;
  const line = new TextDecoder("latin1").decode(end < 0 ? head : head.subarray(0, end));
  const match = /^[ \t]*([^ \t\0]+)(?:[ \t]+([^\0]*?))?[ \t]*$/.exec(line);
  if (match === null) return undefined;
  const toBytes = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  return { path: toBytes(match[1]), argument: match[2] ? toBytes(match[2]) : undefined };
}

interface Program {
  program: ProgramFile;
  argv: readonly Uint8Array[];
  execfn: Uint8Array;
}

/**
 * Finds the ELF program to run for `request`, through the interpreters of scripts; `isHidden` says that the path of a script
 * will lead nowhere once the program runs. Throws ENOEXEC, ELOOP, ENOENT.
 */
export function throughScripts(
  files: Pick<ProcessFiles, "openProgram">,
  request: Program,
  isHidden = false,
): Program {
  let { program, argv, execfn: name } = request;
  for (let depth = 0; ; depth++) {
    const script = scriptLine(program.bytes);
    if (script === undefined) return { program, argv, execfn: request.execfn };
    if (isHidden) throw new SysError(ENOENT);
    if (depth >= MAX_SCRIPTS) throw new SysError(ELOOP);
    const argument = script.argument === undefined ? [] : [script.argument];
    program = files.openProgram(decodeName(script.path));
    argv = [script.path, ...argument, name, ...argv.slice(1)];
    name = script.path;
  }
}
