/** The differential campaign: random single instructions on the interpreter and under qemu-user. */

import { available } from "../../emu/cpu/dispatch.ts";
import { spr } from "../../emu/cpu/fields.ts";
import { modelFor } from "../../emu/cpu/models.ts";
import { decode } from "../../emu/isa/decoder.ts";
import type { Instruction } from "../../emu/isa/instruction.ts";
import { PREFIXED } from "../../emu/isa/prefixed-table.ts";
import { INSTRUCTIONS } from "../../emu/isa/table.ts";
import { type CaseGroup, type CaseState, RESERVED_GPRS } from "./case-state.ts";
import { Random, randomGroup, randomPrefixedGroup } from "./generate.ts";
import { CaseMachine } from "./interpreter-cases.ts";
import type { DifferingCase } from "./differing-case.ts";
import { knownDifference } from "./known-differences.ts";
import { type CaseAbi, runUnderQemu } from "./qemu-cases.ts";

export interface Mismatch {
  row: string;
  word: string;
  /** What differs: "gpr3", "cr", "fault", ...: qemu's value, then ours. */
  fields: { field: string; before: string; qemu: string; ppcr: string }[];
  before: CaseState;
}

export interface CampaignResult {
  cases: number;
  rows: number;
  mismatches: Mismatch[];
  /** How often each known difference was met. */
  known: Map<string, number>;
}

/** Branches leave the runner's slot, addpcis and mftb depend on where and when, the others need a kernel; test/cpu has them all. */
export const LEFT_OUT: ReadonlySet<string> = new Set([
  "b",
  "bc",
  "bclr",
  "bcctr",
  "bctar",
  "addpcis",
  "mftb",
  "sc",
  "scv",
  "wait",
  "wait62",
]);

/** mfspr of the time base, as mftb. */
const readsTime = (word: number): boolean =>
  decode(word)?.name === "mfspr" && (spr(word) === 268 || spr(word) === 269);

/** The CPU model for a row, and qemu-user's name of it: a classic one for 32-bit programs; ISA 3.1 on its first processor. */
function processorFor(abi: CaseAbi, row: Instruction): { model: string; cpu: string } {
  if (abi === "ppc32") return { model: "7450", cpu: "7448" };
  const name = row.version === "3.1" ? "power10" : "power9";
  return { model: name, cpu: name };
}

const SCALAR: readonly string[] = ["base", "fp", "storage"];

/** Rows the campaign covers on an ABI: on 32-bit processors without a version, all that such a program can run. */
export function campaignRows(abi: CaseAbi): Instruction[] {
  const isThere = (row: Instruction): boolean => {
    if (abi === "ppc32" && row.facility !== "altivec") return SCALAR.includes(row.facility);
    return available(row, modelFor(processorFor(abi, row).model, abi));
  };
  return INSTRUCTIONS().filter(
    (row) => row.implemented && !LEFT_OUT.has(row.name) && row.facility !== "supervisor" && isThere(row),
  );
}

/** Fields in which two states differ. */
export function differences(before: CaseState, qemu: CaseState, ppcr: CaseState): Mismatch["fields"] {
  const found: Mismatch["fields"] = [];
  const show = (value: unknown) =>
    typeof value === "bigint" || typeof value === "number"
      ? `0x${value.toString(16)}`
      : JSON.stringify(value);
  const compare = (field: string, was: unknown, a: unknown, b: unknown) => {
    if (show(a) !== show(b)) found.push({ field, before: show(was), qemu: show(a), ppcr: show(b) });
  };
  compare("fault", null, qemu.fault?.signal ?? 0, ppcr.fault?.signal ?? 0);
  for (let n = 0; n < 32; n++) {
    if (!RESERVED_GPRS.includes(n)) compare(`gpr${n}`, before.gpr[n], qemu.gpr[n], ppcr.gpr[n]);
    compare(`fpr${n}`, before.fpr[n], qemu.fpr[n], ppcr.fpr[n]);
    compare(`low${n}`, before.low?.[n], qemu.low?.[n], ppcr.low?.[n]);
    compare(`vr${n}`, before.vr?.[n], qemu.vr?.[n], ppcr.vr?.[n]);
  }
  for (const field of ["cr", "xer", "lr", "ctr", "fpscr", "vscr"] as const) {
    compare(field, before[field], qemu[field], ppcr[field]);
  }
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
  compare("memory", hex(before.memory), hex(qemu.memory), hex(ppcr.memory));
  return found;
}

export interface CampaignOptions {
  abi: CaseAbi;
  seed: number;
  /** Words to try of each row, and states for each word. */
  words: number;
  states: number;
  /** Only these rows. */
  only?: readonly string[];
}

/** Mismatches kept of one campaign; there is no use in thousands. */
const MOST_MISMATCHES = 200;

/** Runs `words` x `states` cases of every row. */
export function runCampaign(options: CampaignOptions): CampaignResult {
  const { abi, seed, words, states, only } = options;
  const random = new Random(seed);
  const machines = new Map<string, CaseMachine>();
  const machineOf = (model: string): CaseMachine => {
    const machine = machines.get(model) ?? new CaseMachine(abi, model);
    machines.set(model, machine);
    return machine;
  };
  const result: CampaignResult = { cases: 0, rows: 0, mismatches: [], known: new Map() };
  const rows = campaignRows(abi).filter((row) => only?.includes(row.name) ?? true);
  // Some rows at a time share a qemu process, whose start costs more than their cases.
  for (const { processor, rows: some } of batches(abi, rows)) {
    const tests = some.flatMap((row) => {
      result.rows++;
      const groups = Array.from({ length: words }, () => randomGroup(random, row, abi, states));
      return groups
        .filter(({ word }) => decode(word)?.name === row.name && !readsTime(word))
        .map((group) => ({ name: row.name, row, word: group.word, group }));
    });
    compare(result, abi, tests, processor.cpu, machineOf(processor.model));
  }
  if (abi !== "ppc32") runPrefixed(options, random, machineOf("power10"), result);
  return result;
}

/** Runs the cases of the prefixed instructions, all of which POWER10 has. */
function runPrefixed(
  { abi, words, states, only }: CampaignOptions,
  random: Random,
  machine: CaseMachine,
  result: CampaignResult,
): void {
  const rows = PREFIXED().filter(({ name }) => only?.includes(name) ?? true);
  for (let first = 0; first < rows.length; first += ROWS_AT_ONCE) {
    const tests = rows.slice(first, first + ROWS_AT_ONCE).flatMap((row) => {
      result.rows++;
      return Array.from({ length: words }, () => {
        const group = randomPrefixedGroup(random, row, abi, states);
        const alone = row.facility === "mma" ? decode(group.suffix)! : row;
        return { name: row.name, row: alone, word: group.suffix, group };
      });
    });
    compare(result, abi, tests, "power10", machine);
  }
}

/** The cases of an instruction: of a prefixed one the suffix, and the row that it would be by itself. */
interface Test extends Pick<DifferingCase, "row" | "word"> {
  readonly name: string;
  readonly group: CaseGroup;
}

/** Runs the tests on both sides and judges each case; those of which qemu itself dies are counted by group. */
function compare(
  result: CampaignResult,
  abi: CaseAbi,
  tests: readonly Test[],
  cpu: string,
  machine: CaseMachine,
): void {
  const groups = tests.map(({ group }) => group);
  const theirs = runUnderQemu(abi, cpu, groups);
  const ours = machine.run(groups);
  for (const [g, { name, row, word, group }] of tests.entries()) {
    const answers = theirs[g];
    if (answers === undefined) {
      result.known.set(QEMU_DIES, (result.known.get(QEMU_DIES) ?? 0) + 1);
      continue;
    }
    for (const [s, before] of group.states.entries()) {
      judge(result, { row, abi, word, before, qemu: answers[s], ppcr: ours[g][s] }, name);
    }
  }
}

const ROWS_AT_ONCE = 16;

/** Rows for one processor, as many as share a run. */
function batches(abi: CaseAbi, rows: readonly Instruction[]) {
  const found: { processor: ReturnType<typeof processorFor>; rows: Instruction[] }[] = [];
  for (const row of rows) {
    const processor = processorFor(abi, row);
    const open = found.find(
      (each) => each.processor.cpu === processor.cpu && each.rows.length < ROWS_AT_ONCE,
    );
    if (open === undefined) found.push({ processor, rows: [row] });
    else open.rows.push(row);
  }
  return found;
}
const QEMU_DIES = "qemu-user itself dies of the instruction (groups, not cases)";

/** Counts a case, as a known difference or a mismatch where the two sides differ. */
function judge(result: CampaignResult, differing: Omit<DifferingCase, "fields">, name: string): void {
  const { before, qemu, ppcr } = differing;
  result.cases++;
  const fields = differences(before, qemu, ppcr);
  if (fields.length === 0) return;
  const reason = knownDifference({ ...differing, fields: fields.map(({ field }) => field) });
  if (reason !== undefined) result.known.set(reason, (result.known.get(reason) ?? 0) + 1);
  else if (result.mismatches.length < MOST_MISMATCHES) {
    const word = `0x${(differing.word >>> 0).toString(16)}`;
    result.mismatches.push({ row: name, word, fields, before });
  }
}

/** A mismatch in one line. */
export const describeMismatch = ({ row, word, fields }: Mismatch): string =>
  `${row} ${word}: ${fields.map((f) => `${f.field} was ${f.before}, qemu ${f.qemu}, ppcr ${f.ppcr}`).join("; ")}`;
