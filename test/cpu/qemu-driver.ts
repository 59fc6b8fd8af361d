/**
 * qemu-user as a test driver. Where a program parts from the interpreter at an instruction with a known difference (test/oracles has the
 * list, docs/differences.md shows it) it has the interpreter's result: nothing but the list may hide a difference.
 */
import { decode } from "../../emu/isa/decoder.ts";
import { differences } from "../oracles/campaign.ts";
import type { CaseState } from "../oracles/case-state.ts";
import { knownDifference } from "../oracles/known-differences.ts";
import type { CpuCase, CpuResult, TestAbi, TestDriver } from "./driver.ts";
import { GdbConnectionError } from "./gdb-remote.ts";
import { interpreterDriver } from "./interpreter-driver.ts";
import { QemuMachine } from "./qemu-machine.ts";

/** qemu-user's names of the CPU models that it has: qemu-ppc knows no server processors. */
const CPUS: Record<TestAbi, Readonly<Record<string, string>>> = {
  ppc32: { "750": "750", "7400": "7400", "7450": "7450" },
  ppc64: { "970": "970", power7: "power7", power8: "power8", power9: "power9" },
};
const DEFAULT_MODEL: Record<TestAbi, string> = { ppc32: "750", ppc64: "power8" };
const LINUX_SIGNALS = { SIGILL: 4, SIGTRAP: 5, SIGABRT: 6, SIGBUS: 7, SIGFPE: 8, SIGSEGV: 11, syscall: 0 };

const machines = new Map<string, QemuMachine>();

function run(testCase: CpuCase): CpuResult {
  const theirs = execute(testCase);
  const ours = interpreterDriver.run(testCase);
  const same = difference(stateBefore(testCase), stateAfter(theirs), stateAfter(ours)).length === 0;
  if (!same && isKnown(testCase)) return ours;
  if (theirs instanceof GdbConnectionError) throw theirs;
  return theirs;
}

/** Whether the first instruction at which the emulators part differs for a reason that is listed. What follows it can't be compared. */
function isKnown(testCase: CpuCase): boolean {
  let before = stateBefore(testCase);
  for (const [i, word] of testCase.words.entries()) {
    const part = { ...testCase, words: testCase.words.slice(0, i + 1) };
    const ppcr = stateAfter(interpreterDriver.run(part));
    const qemu = stateAfter(execute(part));
    const fields = difference(before, qemu, ppcr);
    if (fields.length > 0) {
      const row = decode(word);
      const differing = { abi: testCase.abi, word, before, qemu, ppcr, fields };
      return row !== undefined && knownDifference({ ...differing, row }) !== undefined;
    }
    before = ppcr;
  }
  return false;
}

const difference = (before: CaseState, qemu: CaseState, ppcr: CaseState): string[] =>
  differences(before, qemu, ppcr).map(({ field }) => field);

/** The result, or how the emulator ended; the next case then gets another. */
function execute(testCase: CpuCase): CpuResult | GdbConnectionError {
  const { abi, model = DEFAULT_MODEL[abi] } = testCase;
  const cpu = CPUS[abi][model];
  if (cpu === undefined) throw new Error(`qemu-user has no ${model} for ${abi}: ask driver.models first`);
  const key = `${abi} ${cpu}`;
  let machine = machines.get(key);
  if (machine === undefined) machines.set(key, (machine = new QemuMachine(abi, cpu)));
  try {
    return machine.execute(testCase);
  } catch (error) {
    machine.close();
    machines.delete(key);
    if (error instanceof GdbConnectionError) return error;
    throw error;
  }
}

const bytesOf = (memory: CpuCase["memory"] = []): Uint8Array =>
  Uint8Array.from(memory.flatMap(({ bytes }) => bytes));

function stateBefore({ registers, memory }: CpuCase): CaseState {
  const list = (values: Readonly<Record<number, bigint>> = {}) =>
    Array.from({ length: 32 }, (_, n) => values[n] ?? 0n);
  const { cr = 0, xer = 0, lr = 0n, ctr = 0n, fpscr = 0, gpr, fpr } = registers;
  return { cr, xer, lr, ctr, fpscr, gpr: list(gpr), fpr: list(fpr), fault: null, memory: bytesOf(memory) };
}

/** The emulator's own end looks like the program's by SIGABRT. */
function stateAfter(result: CpuResult | GdbConnectionError): CaseState {
  if (result instanceof GdbConnectionError) {
    return {
      ...stateBefore({ abi: "ppc32", registers: {}, words: [] }),
      fault: { signal: LINUX_SIGNALS.SIGABRT, code: 0 },
    };
  }
  const { registers, memory, signal } = result;
  const fault = signal === undefined ? null : { signal: LINUX_SIGNALS[signal], code: 0 };
  return { ...registers, fault, memory: bytesOf(memory) };
}

export const qemuDriver: TestDriver = { name: "qemu-user", models: (abi) => Object.keys(CPUS[abi]), run };
