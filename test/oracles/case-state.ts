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
  /** 32 bit patterns. */
  fpr: bigint[];
  fpscr: number;
  /** The signal the instruction raised and its si_code, after it; null for none. */
  fault: { signal: number; code: number } | null;
  memory: Uint8Array;
}

/** One instruction and the states to execute it on. */
export interface CaseGroup {
  word: number;
  states: CaseState[];
}

const DOUBLEWORDS = 32 + 4 + 32 + 2;
export const STATE_SIZE = 8 * DOUBLEWORDS + CASE_MEMORY_SIZE;

/** Big-endian bytes of the groups, as the runner reads them. */
export function encodeGroups(groups: readonly CaseGroup[]): Uint8Array {
  const states = groups.reduce((sum, group) => sum + group.states.length, 0);
  const bytes = new Uint8Array(groups.length * 8 + states * STATE_SIZE);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const put = (value: bigint) => {
    view.setBigUint64(at, BigInt.asUintN(64, value));
    at += 8;
  };
  for (const { word, states } of groups) {
    view.setInt32(at, word);
    view.setUint32(at + 4, states.length);
    at += 8;
    for (const state of states) {
      for (const value of state.gpr) put(value);
      put(BigInt(state.cr));
      put(BigInt(state.xer));
      put(state.lr);
      put(state.ctr);
      for (const value of state.fpr) put(value);
      put(BigInt(state.fpscr));
      put(0n);
      bytes.set(state.memory, at);
      at += CASE_MEMORY_SIZE;
    }
  }
  return bytes;
}

/** The states the runner wrote, in order. */
export function decodeStates(bytes: Uint8Array): CaseState[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const states: CaseState[] = [];
  for (let start = 0; start + STATE_SIZE <= bytes.length; start += STATE_SIZE) {
    const value = (index: number) => view.getBigUint64(start + 8 * index);
    const fault = Number(value(69));
    states.push({
      gpr: Array.from({ length: 32 }, (_, n) => value(n)),
      cr: Number(value(32)),
      xer: Number(value(33)),
      lr: value(34),
      ctr: value(35),
      fpr: Array.from({ length: 32 }, (_, n) => value(36 + n)),
      fpscr: Number(value(68) & 0xffff_ffffn),
      fault: fault === 0 ? null : { signal: fault >> 8, code: fault & 0xff },
      memory: bytes.slice(start + 8 * DOUBLEWORDS, start + STATE_SIZE),
    });
  }
  return states;
}
