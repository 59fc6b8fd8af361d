/** The campaign's subject: the same cases on the interpreter, without a personality. */
import { type FaultKind, GuestFault } from "../../emu/cpu/fault.ts";
import { summarize } from "../../emu/cpu/floating-point/fpscr.ts";
import { Interpreter } from "../../emu/cpu/interpreter.ts";
import { modelFor } from "../../emu/cpu/models.ts";
import { FPSCR, MSR_FE0, MSR_FE1, MSR_SF, VSCR, VSR } from "../../emu/cpu/registers.ts";
import { AddressSpace } from "../../emu/memory/address-space.ts";
import { PAGE_SIZE } from "../../emu/memory/layout.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../emu/memory/vma.ts";
import { CASE_MEMORY, CASE_MEMORY_SIZE, type CaseGroup, type CaseState } from "./case-state.ts";
import type { CaseAbi } from "./qemu-cases.ts";
import { cpuOn } from "../support/cpu.ts";

const CODE = 0x1000_0000;

/** Linux signal and si_code of a fault; SIGFPE's code is left to the personality. */
const SIGNALS: Record<FaultKind, [number, number]> = {
  "data-unmapped": [11, 1],
  "data-protected": [11, 2],
  "data-beyond-file": [7, 2],
  "out-of-memory": [9, 0x80],
  "fetch-unmapped": [11, 1],
  "fetch-protected": [11, 2],
  "fetch-beyond-file": [7, 2],
  alignment: [7, 1],
  illegal: [4, 1],
  unavailable: [4, 1],
  privileged: [4, 5],
  trap: [5, 1],
  "floating-point": [8, 0],
  breakpoint: [5, 4],
};

/** Index of VSR n, doubleword 1 first, in the view of doublewords. */
const vsrAt = (n: number): number => (VSR + 16 * n) / 8;

/** Executes cases one at a time on a CPU of its own. */
export class CaseMachine {
  readonly memory: AddressSpace;
  private readonly at: number;
  private readonly interpreter: Interpreter;
  private readonly is64: boolean;

  /** The memory that belongs to the cases is at `at`, at the end of what is mapped. */
  constructor(abi: CaseAbi, model: string, at = CASE_MEMORY) {
    this.at = at;
    this.is64 = abi !== "ppc32";
    const byteOrder = abi === "ppc64le" ? "little" : "big";
    const memory = new AddressSpace({ byteOrder, size: 0x2800_0000, hasFar: at >= 2 ** 32 });
    this.memory = memory;
    memory.map({ start: CODE, end: CODE + PAGE_SIZE, prot: PROT_READ | PROT_WRITE | PROT_EXEC, offset: 0 });
    const page = at - (at % PAGE_SIZE);
    memory.map({ start: page, end: page + PAGE_SIZE, prot: PROT_READ | PROT_WRITE, offset: 0 });
    const cpu = cpuOn(memory, modelFor(model, abi), this.is64);
    this.interpreter = new Interpreter(cpu);
  }

  run(groups: readonly CaseGroup[]): CaseState[][] {
    // A new runner starts with FPSCR.DRN = 0, and then leaves it to the cases.
    this.memory.registers.u32[FPSCR / 4 + 1] = 0;
    return groups.map(({ word, suffix, states }) => {
      this.memory.store32(CODE, word);
      this.memory.store32(CODE + 4, suffix ?? 0);
      return states.map((state) => this.runOne(state));
    });
  }

  private runOne(state: CaseState): CaseState {
    const { memory, is64 } = this;
    const r = memory.registers;
    for (const [n, value] of state.gpr.entries()) r.setGpr(n, value);
    const { low = [], vr = [], vscr = 0 } = state;
    for (const [n, value] of state.fpr.entries()) {
      r.setFpr(n, value);
      r.u64[vsrAt(n)] = low[n] ?? 0n;
    }
    for (const [n, value] of vr.entries()) {
      r.u64[vsrAt(32 + n)] = value;
      r.u64[vsrAt(32 + n) + 1] = value >> 64n;
    }
    r.u32[VSCR / 4] = vscr;
    r.cr = state.cr;
    r.xer = state.xer;
    r.lr = state.lr;
    r.ctr = state.ctr;
    r.fpscr = summarize(state.fpscr);
    // qemu-user has FE0 and FE1 set whatever prctl says.
    r.msr = (is64 ? MSR_SF : 0n) | MSR_FE0 | MSR_FE1;
    r.nia = BigInt(CODE);
    memory.write(this.at, state.memory);
    let fault: CaseState["fault"] = null;
    try {
      this.interpreter.run(1);
    } catch (error) {
      if (!(error instanceof GuestFault)) throw error;
      const [signal, code] = SIGNALS[error.kind];
      fault = { signal, code };
    }
    const mask = is64 ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn;
    return {
      gpr: state.gpr.map((_, n) => r.gpr(n) & mask),
      cr: r.cr,
      xer: r.xer,
      lr: r.lr & mask,
      ctr: r.ctr & mask,
      fpr: state.fpr.map((_, n) => r.fpr(n)),
      low: state.fpr.map((_, n) => r.u64[vsrAt(n)]),
      vr: state.fpr.map((_, n) => (r.u64[vsrAt(32 + n) + 1] << 64n) | r.u64[vsrAt(32 + n)]),
      vscr: r.u32[VSCR / 4],
      fpscr: r.fpscr,
      fault,
      memory: memory.read(this.at, CASE_MEMORY_SIZE),
    };
  }
}
