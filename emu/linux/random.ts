/** The machine's random numbers: the host's, or with a seed xoshiro256** (Blackman and Vigna), seeded by splitmix64. */
import type { Host } from "../host/host.ts";

export interface Random {
  fill(into: Uint8Array): void;
  /** State for a snapshot; empty when there is none to keep. */
  readonly state: bigint[];
}

/** Random numbers of the host. */
export function hostRandom(host: Host): Random {
  const store = new Uint8Array(STORED);
  let used = STORED;
  const fill = (into: Uint8Array): void => {
    const { length } = into;
    if (length > STORED / 4) {
      host.random(into);
      return;
    }
    if (used + length > STORED) {
      host.random(store);
      used = 0;
    }
    into.set(store.subarray(used, used + length));
    // Nothing that a program has been given stays here.
    store.fill(0, used, used + length);
    used += length;
  };
  return { fill, state: [] };
}
/** Bytes that are asked for together: to ask the host takes longer than all else of a call. */
const STORED = 1024;

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotateLeft = (value: bigint, by: bigint): bigint => u64((value << by) | (value >> (64n - by)));

/** Four doublewords of generator state from a seed of any size. */
function expand(seed: bigint): bigint[] {
  let x = u64(seed);
  return Array.from({ length: 4 }, () => {
    x = u64(x + 0x9e37_79b9_7f4a_7c15n);
    let z = u64((x ^ (x >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
    z = u64((z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn);
    return z ^ (z >> 31n);
  });
}

/** A generator that gives the same bytes for the same seed, or goes on from the state of a snapshot. */
export class SeededRandom implements Random {
  readonly state: bigint[];

  constructor(seed: bigint, state?: readonly bigint[]) {
    this.state = state?.length === 4 ? [...state] : expand(seed);
  }

  private next(): bigint {
    const s = this.state;
    const result = u64(rotateLeft(u64(s[1] * 5n), 7n) * 9n);
    const t = u64(s[1] << 17n);
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotateLeft(s[3], 45n);
    return result;
  }

  /** Whole doublewords are used up, least significant byte first; the rest of the last one is dropped. */
  fill(into: Uint8Array): void {
    const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
    const whole = into.length - (into.length % 8);
    for (let at = 0; at < whole; at += 8) view.setBigUint64(at, this.next(), true);
    if (whole === into.length) return;
    const last = new DataView(new ArrayBuffer(8));
    last.setBigUint64(0, this.next(), true);
    into.set(new Uint8Array(last.buffer, 0, into.length - whole), whole);
  }
}
