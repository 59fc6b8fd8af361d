/** Settles FPSCR: what translated code has left of FPRF, FI and FR to be found (see `fp-record.ts`) is found. */
import type { Cpu } from "../cpu/cpu.ts";
import { handlerOf } from "../cpu/dispatch.ts";
import { CR, fprOffset } from "../cpu/registers.ts";
import { bind } from "../cpu/views.ts";
import { RECORD_SIZE, RECORDS_OFFSET } from "./corner.ts";
import { RECORDS } from "./slots.ts";

/** Words of the registers that the noted instructions use: FRT, beside which they write the doubleword below, and the three operands. */
const FRT_WORD = fprOffset(0) / 4;
const OPERAND_WORDS = [1, 2, 3].map((n) => fprOffset(n) / 4);
/** Words of a record. */
const SIZE = RECORD_SIZE / 4;

export class PendingStatus {
  private readonly cpu: Cpu;
  private readonly words: Int32Array;
  private readonly saved = new Int32Array(4 + 2 * OPERAND_WORDS.length);

  constructor(cpu: Cpu) {
    this.cpu = cpu;
    const { memory } = cpu.memory;
    this.words = new Int32Array(memory.buffer, RECORDS_OFFSET, RECORDS * SIZE).fill(0);
  }

  /** Executes what is noted on the noted operands once more, for its effect on FPSCR alone. FPSCR's mode is what it was then: whoever changes it settles first. */
  settle(): void {
    const { words, cpu } = this;
    if ((words[0] | words[SIZE] | words[2 * SIZE]) === 0) return;
    bind(cpu);
    const { i32, bytes } = cpu.registers;
    const cr0 = bytes[CR];
    this.save(i32);
    for (let record = 0; record < RECORDS; record++) {
      const at = record * SIZE;
      const word = words[at];
      if (word === 0) continue;
      words[at] = 0;
      for (let part = 0; part < 3; part++) {
        const to = OPERAND_WORDS[part];
        i32[to] = words[at + 2 * part + 2];
        i32[to + 1] = words[at + 2 * part + 3];
      }
      handlerOf(word, cpu)(word, 0);
    }
    this.restore(i32);
    bytes[CR] = cr0;
  }

  private save(i32: Int32Array): void {
    const { saved } = this;
    for (let i = 0; i < 4; i++) saved[i] = i32[FRT_WORD - 2 + i];
    for (let part = 0; part < 3; part++) {
      saved[4 + 2 * part] = i32[OPERAND_WORDS[part]];
      saved[5 + 2 * part] = i32[OPERAND_WORDS[part] + 1];
    }
  }
  private restore(i32: Int32Array): void {
    const { saved } = this;
    for (let i = 0; i < 4; i++) i32[FRT_WORD - 2 + i] = saved[i];
    for (let part = 0; part < 3; part++) {
      i32[OPERAND_WORDS[part]] = saved[4 + 2 * part];
      i32[OPERAND_WORDS[part] + 1] = saved[5 + 2 * part];
    }
  }
}
