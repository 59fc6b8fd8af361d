/** Settles FPSCR: what translated code has left of FPRF, FI and FR to be found (see `fp-record.ts`) is found. */
import type { Cpu } from "../cpu/cpu.ts";
import { handlerOf } from "../cpu/dispatch.ts";
import { RN } from "../cpu/floating-point/fpscr.ts";
import { CR, FPSCR, fprOffset } from "../cpu/registers.ts";
import { bind } from "../cpu/views.ts";
import { RECORD_SIZE, RECORDS_OFFSET } from "./corner.ts";
import { RECORDS } from "./slots.ts";

/** Registers that the noted instructions use: FRT and the three operands. */
const USED = [0, 1, 2, 3].map((n) => fprOffset(n) / 8);
/** They write the doubleword beside FRT too. */
const CHANGED = [...USED, USED[0] - 1];

export class PendingStatus {
  private readonly cpu: Cpu;
  private readonly words: Int32Array;
  private readonly operands: BigUint64Array;
  private readonly saved = new BigUint64Array(CHANGED.length);

  constructor(cpu: Cpu) {
    this.cpu = cpu;
    const { buffer } = cpu.memory.memory;
    const at = cpu.memory.corner + RECORDS_OFFSET;
    this.words = new Int32Array(buffer, at, (RECORDS * RECORD_SIZE) / 4).fill(0);
    this.operands = new BigUint64Array(buffer, at, (RECORDS * RECORD_SIZE) / 8);
  }

  /** Executes what is noted on the noted operands once more, for its effect on FPSCR alone. */
  settle(): void {
    const { words, operands, saved, cpu } = this;
    if ((words[0] | words[RECORD_SIZE / 4] | words[RECORD_SIZE / 2]) === 0) return;
    bind(cpu);
    const { u64, i32, bytes } = cpu.registers;
    const cr0 = bytes[CR];
    // They were rounded to nearest, or were exact; the mode may have changed since.
    const mode = i32[FPSCR / 4] & RN;
    i32[FPSCR / 4] &= ~RN;
    CHANGED.forEach((at, i) => {
      saved[i] = u64[at];
    });
    for (let record = 0; record < RECORDS; record++) {
      const word = words[(record * RECORD_SIZE) / 4];
      if (word === 0) continue;
      words[(record * RECORD_SIZE) / 4] = 0;
      for (let part = 1; part < 4; part++) u64[USED[part]] = operands[(record * RECORD_SIZE) / 8 + part];
      handlerOf(word, cpu)(word, 0);
    }
    CHANGED.forEach((at, i) => {
      u64[at] = saved[i];
    });
    bytes[CR] = cr0;
    i32[FPSCR / 4] |= mode;
  }
}
