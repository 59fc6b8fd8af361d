/** One register state of the differential campaign, and its encoding for the case runner (case-runner.c). */

/** Bytes of memory a case may touch, and where they lie: the end of a page; the next page is not mapped. */
export const CASE_MEMORY_SIZE = 256;
export const CASE_MEMORY = 0x2000_0000 + 4096 - CASE_MEMORY_SIZE;
/** Registers the runner keeps for itself: stack, TOC, thread pointer. */
export const RESERVED_GPRS: readonly number[] = [1, 2, 13];

export interface CaseState {
  /** 32 values; those of RESERVED_GPRS mean nothing. */
  gpr: bigint[];
  cr: number;
  xer: number;
  lr: bigint;
  ctr: bigint;
  /** 32 bit patterns: doublewords 0 of VSRs 0 to 31. */
  fpr: bigint[];
  /** Doublewords 1 of VSRs 0 to 31, and VRs 0 to 31, which are VSRs 32 to 63; none in cases that are not about vectors. */
  low?: bigint[];
  vr?: bigint[];
  vscr?: number;
  fpscr: number;
  /** The signal the instruction raised and its si_code, after it; null for none. */
  fault: { signal: number; code: number } | null;
  memory: Uint8Array;
}

/** One instruction and the states to execute it on. */
export interface CaseGroup {
  word: number;
  /** What follows the word; a no-op unless the word is a prefix. */
  suffix?: number;
  states: CaseState[];
}

const NOP = 0x6000_0000;
const DOUBLEWORDS = 32 + 4 + 128 + 4;
const VSR_AT = 36;
const FPSCR_AT = VSR_AT + 128;
export const STATE_SIZE = 8 * DOUBLEWORDS + CASE_MEMORY_SIZE;

/** Bytes of the groups, as a runner of that byte order reads them. */
export function encodeGroups(groups: readonly CaseGroup[], littleEndian: boolean): Uint8Array {
  const states = groups.reduce((sum, group) => sum + group.states.length, 0);
  const bytes = new Uint8Array(groups.length * 12 + states * STATE_SIZE);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const put = (value: bigint) => {
    view.setBigUint64(at, BigInt.asUintN(64, value), littleEndian);
    at += 8;
  };
  for (const { word, suffix = NOP, states } of groups) {
    view.setInt32(at, word, littleEndian);
    view.setInt32(at + 4, suffix, littleEndian);
    view.setUint32(at + 8, states.length, littleEndian);
    at += 12;
    for (const state of states) {
      for (const value of state.gpr) put(value);
      put(BigInt(state.cr));
      put(BigInt(state.xer));
      put(state.lr);
      put(state.ctr);
      const { fpr, low = [], vr = [], vscr = 0 } = state;
      for (let n = 0; n < 32; n++) {
        put(fpr[n]);
        put(low[n] ?? 0n);
      }
      for (let n = 0; n < 32; n++) {
        put((vr[n] ?? 0n) >> 64n);
        put(vr[n] ?? 0n);
      }
      put(BigInt(state.fpscr));
      put(0n);
      put(0n);
      put(BigInt(vscr));
      bytes.set(state.memory, at);
      at += CASE_MEMORY_SIZE;
    }
  }
  return bytes;
}

/** The states the runner wrote, in order. */
export function decodeStates(bytes: Uint8Array, littleEndian: boolean): CaseState[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const states: CaseState[] = [];
  for (let start = 0; start + STATE_SIZE <= bytes.length; start += STATE_SIZE) {
    const value = (index: number) => view.getBigUint64(start + 8 * index, littleEndian);
    const fault = Number(value(FPSCR_AT + 1));
    const vsr = (n: number, half: number) => value(VSR_AT + 2 * n + half);
    states.push({
      gpr: Array.from({ length: 32 }, (_, n) => value(n)),
      cr: Number(value(32)),
      xer: Number(value(33)),
      lr: value(34),
      ctr: value(35),
      fpr: Array.from({ length: 32 }, (_, n) => vsr(n, 0)),
      low: Array.from({ length: 32 }, (_, n) => vsr(n, 1)),
      vr: Array.from({ length: 32 }, (_, n) => (vsr(32 + n, 0) << 64n) | vsr(32 + n, 1)),
      vscr: Number(value(FPSCR_AT + 3) & 0xffff_ffffn),
      fpscr: Number(value(FPSCR_AT) & 0xffff_ffffn),
      fault: fault === 0 ? null : { signal: fault >> 8, code: fault & 0xff },
      memory: bytes.slice(start + 8 * DOUBLEWORDS, start + STATE_SIZE),
    });
  }
  return states;
}
