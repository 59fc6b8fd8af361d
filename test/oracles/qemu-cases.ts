/** The differential campaign's oracle: case-runner.c under qemu-user. */
import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CaseGroup, type CaseState, decodeStates, encodeGroups } from "./case-state.ts";

export type CaseAbi = "ppc32" | "ppc64" | "ppc64le";

const TOOLS = {
  ppc32: { compiler: "powerpc-linux-gnu-gcc", qemu: "qemu-ppc" },
  ppc64: { compiler: "powerpc64-linux-gnu-gcc", qemu: "qemu-ppc64" },
  ppc64le: { compiler: "powerpc64le-linux-gnu-gcc", qemu: "qemu-ppc64le" },
};

/** Milliseconds for one run: a case that hangs qemu must not hang the campaign too. */
const PATIENCE = 30_000;

const runners = new Map<string, string>();

/** Builds a runner of this folder (once a process) and returns its path. */
function buildRunner(abi: CaseAbi, sources: readonly string[]): string {
  const key = `${abi} ${sources[0]}`;
  let path = runners.get(key);
  if (path === undefined) {
    path = join(mkdtempSync(join(tmpdir(), "ppcr-cases-")), `runner-${abi}`);
    const paths = sources.map((name) => join(import.meta.dirname, name));
    const built = spawnSync(TOOLS[abi].compiler, ["-static", "-O1", "-o", path, ...paths], {
      encoding: "utf8",
    });
    if (built.status !== 0) throw new Error(`cannot build ${sources[0]}: ${built.stderr ?? built.error}`);
    runners.set(key, path);
  }
  return path;
}

/** Builds the runner of cases and returns its path. */
export const buildCaseRunner = (abi: CaseAbi): string =>
  buildRunner(abi, ["case-runner.c", "case-runner-entry.S"]);

/** Runs a runner on a processor of qemu-user's; its status is not 0 where qemu itself dies or hangs. */
function runRunner(abi: CaseAbi, cpu: string, runner: string, input: Uint8Array) {
  const result = spawnSync(TOOLS[abi].qemu, ["-cpu", cpu, runner], {
    input,
    maxBuffer: 2 ** 30,
    timeout: PATIENCE,
    killSignal: "SIGKILL",
  });
  if (result.error !== undefined && result.status === null && result.signal === null) throw result.error;
  return result;
}

/** Which words (pairs of one and its suffix or a no-op) raise SIGILL on a processor of qemu-user's; undefined for those it dies of. */
export function illegalUnderQemu(
  abi: CaseAbi,
  cpu: string,
  pairs: readonly (readonly [number, number])[],
): (boolean | undefined)[] {
  const input = Buffer.alloc(8 * pairs.length);
  const write = (word: number, at: number) =>
    abi === "ppc64le" ? input.writeInt32LE(word | 0, at) : input.writeInt32BE(word | 0, at);
  for (const [i, [word, suffix]] of pairs.entries()) {
    write(word, 8 * i);
    write(suffix, 8 * i + 4);
  }
  const runner = buildRunner(abi, ["legality-runner.c"]);
  const answers: (boolean | undefined)[] = [];
  while (answers.length < pairs.length) {
    const rest = input.subarray(8 * answers.length);
    const { stdout, status } = runRunner(abi, cpu, runner, rest);
    for (const byte of stdout) answers.push(byte === 1);
    if (status !== 0) answers.push(undefined);
  }
  return answers;
}

/**
 * Executes the groups under qemu-user; the result has one list of states a group, or undefined for a group on which
 * qemu itself dies or hangs.
 */
export function runUnderQemu(
  abi: CaseAbi,
  cpu: string,
  groups: readonly CaseGroup[],
): (CaseState[] | undefined)[] {
  const littleEndian = abi === "ppc64le";
  const input = encodeGroups(groups, littleEndian);
  const { stdout, status } = runRunner(abi, cpu, buildCaseRunner(abi), input);
  if (status === 0) {
    const states = decodeStates(stdout, littleEndian);
    return groups.map((group) => states.splice(0, group.states.length));
  }
  if (groups.length === 1) return [undefined];
  const middle = groups.length >> 1;
  return [
    ...runUnderQemu(abi, cpu, groups.slice(0, middle)),
    ...runUnderQemu(abi, cpu, groups.slice(middle)),
  ];
}
