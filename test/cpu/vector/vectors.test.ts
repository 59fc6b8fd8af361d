import { describe, expect, it } from "vitest";
import { CASE_MEMORY, type CaseState } from "../../oracles/case-state.ts";
import { CaseMachine } from "../../oracles/interpreter-cases.ts";
import type { CaseAbi } from "../../oracles/qemu-cases.ts";
import { assemble } from "../driver.ts";

const blank = (): CaseState => ({
  gpr: new Array<bigint>(32).fill(0n),
  cr: 0,
  xer: 0,
  lr: 0n,
  ctr: 0n,
  fpr: new Array<bigint>(32).fill(0n),
  low: new Array<bigint>(32).fill(0n),
  vr: new Array<bigint>(32).fill(0n),
  vscr: 0,
  fpscr: 0,
  fault: null,
  memory: Uint8Array.from({ length: 256 }, (_, i) => i),
});

/** Executes one instruction on VRs and GPRs by number. */
function run(
  abi: CaseAbi,
  line: string,
  {
    vr = {},
    gpr = {},
    ...rest
  }: { vr?: Record<number, bigint>; gpr?: Record<number, bigint> } & Partial<Omit<CaseState, "vr" | "gpr">>,
  model = "power9",
): CaseState {
  const state = { ...blank(), ...rest };
  for (const [n, value] of Object.entries(vr)) state.vr![Number(n)] = value;
  for (const [n, value] of Object.entries(gpr)) state.gpr[Number(n)] = value;
  const [[after]] = new CaseMachine(abi, model).run([{ word: assemble(line)[0], states: [state] }]);
  return after;
}

const ABIS = ["ppc32", "ppc64", "ppc64le"] as const;
const A = 0x00010203_04050607_08090a0b_0c0d0e0fn;
const B = 0xff00ff00_ff00ff00_ff00ff00_ff00ff00n;

describe.each(ABIS)("vector arithmetic on %s", (abi) => {
  it("adds bytes modulo 256", () => {
    expect(run(abi, "vaddubm 2,3,4", { vr: { 3: A, 4: B } }).vr![2]).toBe(
      0xff010103_03050507_0709090b_0b0d0d0fn,
    );
  });

  it("sets SAT where a sum sticks at the end of its range, and leaves it set", () => {
    const high = run(abi, "vaddubs 2,3,4", { vr: { 3: B, 4: B } });
    expect(high.vr![2]).toBe(B);
    expect(high.vscr).toBe(1);
    expect(run(abi, "vaddubs 2,3,4", { vr: { 3: 1n, 4: 1n }, vscr: 1 }).vscr).toBe(1);
    expect(run(abi, "vaddubs 2,3,4", { vr: { 3: 1n, 4: 1n } }).vscr).toBe(0);
  });

  it("sets CR6 where a compare records: all true, none true, or neither", () => {
    const cr6 = (a: bigint, b: bigint) => (run(abi, "vcmpequb. 2,3,4", { vr: { 3: a, 4: b } }).cr >>> 4) & 15;
    expect(cr6(A, A)).toBe(8);
    expect(cr6(0n, (1n << 128n) - 1n)).toBe(2);
    expect(cr6(A, 0n)).toBe(0);
    expect(run(abi, "vcmpequb 2,3,4", { vr: { 3: A, 4: A } }).cr).toBe(0);
  });

  it("numbers elements from the left in both byte orders", () => {
    expect(run(abi, "vspltb 2,3,1", { vr: { 3: A } }).vr![2]).toBe(0x01010101_01010101_01010101_01010101n);
    expect(run(abi, "vsldoi 2,3,4,1", { vr: { 3: A, 4: B } }).vr![2]).toBe(
      0x01020304_05060708_090a0b0c_0d0e0fffn,
    );
  });
});

describe("vector storage access", () => {
  const load = (abi: CaseAbi, line: string, offset: number): bigint =>
    run(abi, line, { gpr: { 4: BigInt(CASE_MEMORY + offset) } }).vr![2];

  it("has a quadword's first byte at the left in big-endian mode and at the right in little-endian mode", () => {
    for (const line of ["lvx 2,0,4", "lxvx 34,0,4"]) {
      expect(load("ppc64", line, 16)).toBe(0x10111213_14151617_18191a1b_1c1d1e1fn);
      expect(load("ppc64le", line, 16)).toBe(0x1f1e1d1c_1b1a1918_17161514_13121110n);
    }
  });

  it("keeps the order of elements in those that name their size", () => {
    expect(load("ppc64le", "lxvd2x 34,0,4", 16)).toBe(0x17161514_13121110_1f1e1d1c_1b1a1918n);
    expect(load("ppc64le", "lxvw4x 34,0,4", 16)).toBe(0x13121110_17161514_1b1a1918_1f1e1d1cn);
    expect(load("ppc64le", "lxvh8x 34,0,4", 16)).toBe(0x11101312_15141716_19181b1a_1d1c1f1en);
    expect(load("ppc64le", "lxvb16x 34,0,4", 16)).toBe(0x10111213_14151617_18191a1b_1c1d1e1fn);
    expect(load("ppc64", "lxvd2x 34,0,4", 17)).toBe(0x11121314_15161718_191a1b1c_1d1e1f20n);
  });

  it("clears the low bits of the address of lvx alone", () => {
    expect(load("ppc64", "lvx 2,0,4", 19)).toBe(load("ppc64", "lvx 2,0,4", 16));
    expect(load("ppc64", "lxvx 34,0,4", 19)).toBe(0x13141516_1718191a_1b1c1d1e_1f202122n);
  });

  it("moves as many bytes as lxvl is told, and touches no others", () => {
    const loaded = (abi: CaseAbi, line: string, count: bigint, offset: number) =>
      run(abi, line, { gpr: { 4: BigInt(CASE_MEMORY + offset), 5: count << 56n } });
    expect(loaded("ppc64", "lxvl 34,4,5", 3n, 16).vr![2]).toBe(0x101112n << 104n);
    expect(loaded("ppc64le", "lxvl 34,4,5", 3n, 16).vr![2]).toBe(0x121110n);
    expect(loaded("ppc64le", "lxvll 34,4,5", 3n, 16).vr![2]).toBe(0x101112n << 104n);
    // The page ends after the case's memory.
    expect(loaded("ppc64", "lxvl 34,4,5", 1n, 255).fault).toBeNull();
    expect(loaded("ppc64", "lxvl 34,4,5", 2n, 255).fault).toEqual({ signal: 11, code: 1 });
    // Of no bytes it doesn't matter where they are, beyond all memory too.
    for (const abi of ["ppc64", "ppc64le"] as const)
      for (const line of ["lxvl 34,4,5", "lxvll 34,4,5", "stxvl 34,4,5", "stxvll 34,4,5"])
        for (const ea of [BigInt(CASE_MEMORY + 4096), 0n, 0xffff_ffffn, 0xffff_fff0n, 1n << 40n, -1n]) {
          const after = run(abi, line, { gpr: { 4: BigInt.asUintN(64, ea) } });
          expect([after.fault, after.memory]).toEqual([null, blank().memory]);
        }
  });

  it("changes nothing when it faults", () => {
    const gpr = { 4: BigInt(CASE_MEMORY + 248) };
    const store = run("ppc64", "stxvx 34,0,4", { vr: { 2: A }, gpr });
    expect(store.fault).toEqual({ signal: 11, code: 1 });
    expect([...store.memory]).toEqual([...blank().memory]);
    expect(run("ppc64", "lxvx 34,0,4", { vr: { 2: A }, gpr }).vr![2]).toBe(A);
    const far = run("ppc64", "lvx 2,0,4", { gpr: { 4: 1n << 40n } });
    expect(far.fault).toEqual({ signal: 11, code: 1 });
  });
});

/** The product of polynomials over GF(2). */
function polynomialProduct(a: bigint, b: bigint): bigint {
  let sum = 0n;
  for (let i = 0n; a >> i > 0n; i++) if ((a >> i) & 1n) sum ^= b << i;
  return sum;
}

describe("polynomial products", () => {
  it.each([
    ["vpmsumb", 8],
    ["vpmsumh", 16],
    ["vpmsumw", 32],
    ["vpmsumd", 64],
  ] as const)("%s adds those of the even and the odd elements", (name, bits) => {
    const ones = (1n << 128n) - 1n;
    const numbers = [0n, 1n, ones, A, B, ones / 15n, ones / 3n, 1n << 127n];
    // A linear congruential generator, for operands without a pattern.
    let seed = 20261127n;
    const next = () => (seed = (seed * 6364136223846793005n + 1442695040888963407n) % (1n << 64n));
    for (let i = 0; i < 12; i++) numbers.push((next() << 64n) | next());
    const element = (value: bigint, i: number) => BigInt.asUintN(bits, value >> BigInt(bits * i));
    const pairs = numbers.flatMap((a) => numbers.map((b) => [a, b]));
    const states = pairs.map(([a, b]) => ({
      ...blank(),
      vr: [0n, 0n, 0n, a, b, ...new Array<bigint>(27).fill(0n)],
    }));
    const [after] = new CaseMachine("ppc64le", "power9").run([
      { word: assemble(`${name} 2,3,4`)[0], states },
    ]);
    pairs.forEach(([a, b], n) => {
      let expected = 0n;
      for (let i = 0; i < 128 / bits; i += 2) {
        const product = (i: number) => polynomialProduct(element(a, i), element(b, i));
        expected |= (product(i) ^ product(i + 1)) << BigInt(bits * i);
      }
      expect(after[n].vr![2]).toBe(expected);
    });
  });
});

describe("vector cryptography", () => {
  it("gives the rounds of FIPS 197's example", () => {
    // Appendix B: the state after the first AddRoundKey, and after round 1 with its key.
    const start = 0x193de3be_a0f4e22b_9ac68d2a_e9f84808n;
    const key = 0xa0fafe17_88542cb1_23a33939_2a6c7605n;
    const round = run("ppc64", "vcipher 2,3,4", { vr: { 3: start, 4: key } }).vr![2];
    expect(round).toBe(0xa49c7ff2_689f352b_6b5bea43_026a5049n);
    // The last round has no mixing of columns, so that with a key of zeros vncipherlast undoes vcipherlast.
    expect(
      run("ppc64", "vncipherlast 2,3,4", {
        vr: { 3: run("ppc64", "vcipherlast 2,3,4", { vr: { 3: start } }).vr![2] },
      }).vr![2],
    ).toBe(start);
  });
});
