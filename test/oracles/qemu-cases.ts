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

const runners = new Map<CaseAbi, string>();

/** Builds the runner (once a process) and returns its path. */
export function buildCaseRunner(abi: CaseAbi): string {
  let path = runners.get(abi);
  if (path === undefined) {
    path = join(mkdtempSync(join(tmpdir(), "ppcr-cases-")), `runner-${abi}`);
    const sources = ["case-runner.c", "case-runner-entry.S"].map((name) => join(import.meta.dirname, name));
    const built = spawnSync(TOOLS[abi].compiler, ["-static", "-O1", "-o", path, ...sources], {
      encoding: "utf8",
    });
    if (built.status !== 0) throw new Error(`cannot build the case runner: ${built.stderr ?? built.error}`);
    runners.set(abi, path);
  }
  return path;
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
  const result = spawnSync(TOOLS[abi].qemu, ["-cpu", cpu, buildCaseRunner(abi)], {
    input: encodeGroups(groups, littleEndian),
    maxBuffer: 2 ** 30,
    timeout: PATIENCE,
    killSignal: "SIGKILL",
  });
  if (result.error !== undefined && result.status === null && result.signal === null) throw result.error;
  if (result.status === 0) {
    const states = decodeStates(result.stdout, littleEndian);
    return groups.map((group) => states.splice(0, group.states.length));
  }
  if (groups.length === 1) return [undefined];
  const middle = groups.length >> 1;
  return [
    ...runUnderQemu(abi, cpu, groups.slice(0, middle)),
    ...runUnderQemu(abi, cpu, groups.slice(middle)),
  ];
}
