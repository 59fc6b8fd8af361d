import { expect, it } from "vitest";
import { GuestFault } from "../../../emu/cpu/fault.ts";
import { FPSCR, MSR_FE0, MSR_FE1 } from "../../../emu/cpu/registers.ts";
import { FLOATING_POINT } from "../../../emu/isa/table/floating-point.ts";
import { PROT_READ, PROT_WRITE } from "../../../emu/memory/vma.ts";
import { CASE_MEMORY, CASE_MEMORY_SIZE, type CaseState, RESERVED_GPRS } from "../../oracles/case-state.ts";
import { fpDifference } from "../../oracles/fp-differences.ts";
import { Random, randomGroup } from "../../oracles/generate.ts";
import { type CaseAbi, runUnderQemu } from "../../oracles/qemu-cases.ts";
import { describeWithTools } from "../../support/tools.ts";
import { createFpMachine } from "./machine.ts";
import { randomOperands, randomStatus, Words } from "./operands.ts";

const TOOLS = ["qemu-ppc", "powerpc-linux-gnu-gcc", "qemu-ppc64", "powerpc64-linux-gnu-gcc"];

const SIGNALS: Record<string, [number, number]> = {
  "data-unmapped": [11, 1],
  illegal: [4, 1],
  "floating-point": [8, 0],
};

/** The facility's handlers, executing the states of the differential campaign. */
function createSubject(abi: CaseAbi) {
  const machine = createFpMachine(abi === "ppc32" ? "2.03" : "3.0", abi === "ppc64", 0x2800_0000);
  const { memory } = machine;
  const page = CASE_MEMORY & -4096;
  memory.map({ start: page, end: page + 4096, prot: PROT_READ | PROT_WRITE, offset: 0 });
  const r = memory.registers;
  const mask = abi === "ppc64" ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn;
  return (name: string, word: number, state: CaseState): CaseState => {
    state.gpr.forEach((value, n) => {
      r.setGpr(n, value);
    });
    state.fpr.forEach((value, n) => {
      r.setFpr(n, value);
    });
    r.cr = state.cr;
    r.fpscr = state.fpscr;
    // The runner leaves DRN alone, so that it is what the last instruction made of it.
    if (!name.startsWith("mffs")) r.u32[FPSCR / 4 + 1] = 0;
    // qemu-user has both bits set whatever prctl says.
    r.msr = MSR_FE0 | MSR_FE1;
    memory.write(CASE_MEMORY, state.memory);
    let fault: CaseState["fault"] = null;
    try {
      machine.execute(name, word);
    } catch (error) {
      if (!(error instanceof GuestFault)) throw error;
      const [signal, code] = SIGNALS[error.kind];
      fault = { signal, code };
    }
    return {
      ...state,
      gpr: state.gpr.map((_, n) => r.gpr(n) & mask),
      cr: r.cr,
      fpr: state.fpr.map((_, n) => r.fpr(n)),
      fpscr: r.fpscr,
      fault,
      memory: memory.read(CASE_MEMORY, CASE_MEMORY_SIZE),
    };
  };
}

/** What differs, qemu's value first. */
function differences(qemu: CaseState, ppcr: CaseState): string[] {
  const hex = (value: bigint | number) => value.toString(16);
  const pairs: [string, string, string][] = [
    ["fault", hex(qemu.fault?.signal ?? 0), hex(ppcr.fault?.signal ?? 0)],
    ["cr", hex(qemu.cr), hex(ppcr.cr)],
    ["fpscr", hex(qemu.fpscr), hex(ppcr.fpscr)],
    ["memory", Buffer.from(qemu.memory).toString("hex"), Buffer.from(ppcr.memory).toString("hex")],
  ];
  for (let n = 0; n < 32; n++) {
    if (!RESERVED_GPRS.includes(n)) pairs.push([`gpr${n}`, hex(qemu.gpr[n]), hex(ppcr.gpr[n])]);
    pairs.push([`fpr${n}`, hex(qemu.fpr[n]), hex(ppcr.fpr[n])]);
  }
  return pairs.filter(([, a, b]) => a !== b).map(([field, a, b]) => `${field} ${a} ${b}`);
}

describeWithTools("the floating-point facility beside qemu-user", TOOLS, () => {
  const count = Number(process.env.PPCR_FP_RUNS ?? 20);
  for (const abi of ["ppc64", "ppc32"] as const) {
    it(`gives the same states on ${abi}, but for the differences that are listed`, () => {
      const subject = createSubject(abi);
      const random = new Random(7);
      const operandWords = new Words(8);
      const found: string[] = [];
      const rows = FLOATING_POINT().filter(
        (row) =>
          abi === "ppc64" ||
          // The 750 has no fsqrt.
          (row.facility === "fp" && /^(P1|P2|PPC)$/.test(row.version) && !row.name.startsWith("fsqrt")),
      );
      const groups = rows.flatMap((row) =>
        Array.from({ length: 4 }, () => {
          const group = randomGroup(random, row, abi, count);
          for (const state of group.states) {
            state.fpscr = randomStatus(operandWords);
            for (let n = 0; n < 32; n += 4) state.fpr.splice(n, 3, ...randomOperands(operandWords));
            const [a, b, c] = randomOperands(operandWords);
            state.fpr[(group.word >> 16) & 31] = a;
            state.fpr[(group.word >> 6) & 31] = c;
            state.fpr[(group.word >> 11) & 31] = b;
          }
          return { row, ...group };
        }),
      );
      const theirs = runUnderQemu(abi, abi === "ppc32" ? "7448" : "power9", groups);
      groups.forEach(({ row, word, states }, g) => {
        states.forEach((before, s) => {
          const qemu = theirs[g]![s];
          const ppcr = subject(row.name, word, before);
          const fields = differences(qemu, ppcr);
          if (fields.length === 0) return;
          if (fpDifference({ row, abi, word, before, qemu, ppcr }) !== undefined) return;
          const operands = [16, 11, 6].map((shift) => before.fpr[(word >> shift) & 31].toString(16));
          found.push(
            `${row.name} 0x${(word >>> 0).toString(16)} ${operands} fpscr=${before.fpscr.toString(16)} ` +
              fields.join("; "),
          );
        });
      });
      const tally = new Map<string, string[]>();
      for (const line of found) {
        const name = line.split(" ")[0];
        tally.set(name, [...(tally.get(name) ?? []), line]);
      }
      expect(
        [...tally].flatMap(([name, lines]) => [`${name}: ${lines.length}`, ...lines.slice(0, 2)]),
      ).toEqual([]);
    });
  }
});
