/**
 * Every storage access of a 64-bit program at addresses from 2^32 on does what it does below; and where far memory has its place in the one
 * memory, there is nothing for a program to access, also right after the CPU has been there.
 */
import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import { asm } from "../../../emu/isa/encoder.ts";
import { PREFIXED } from "../../../emu/isa/prefixed-table.ts";
import { INSTRUCTIONS } from "../../../emu/isa/table.ts";
import { PIECE_SIZE } from "../../../emu/memory/far-map.ts";
import { PROT_READ, PROT_WRITE } from "../../../emu/memory/vma.ts";
import { CASE_MEMORY, type CaseGroup, type CaseState } from "../../oracles/case-state.ts";
import { isStorageAccess, Random, randomGroup, randomPrefixedGroup } from "../../oracles/generate.ts";
import { CaseMachine } from "../../oracles/interpreter-cases.ts";

/** Not at the end of a piece: what crosses from it faults in the same page. */
const FAR = 0x1234_5678_1000 - 256;
const DELTA = BigInt(FAR - CASE_MEMORY);
const SIZE = 4;

/** A group that is about an access, and the register that its address is made from. */
interface AccessGroup {
  name: string;
  word: number;
  suffix?: number;
  states: CaseState[];
  base: number;
}

/** Those that make do without: shifts for addresses, hints, no bytes, no reservation. */
const MAY_NOT_ACCESS = /^(lvsl|lvsr|dcba|dcbtst|dcbt|icbt|(l|st)(swx|xvll?)|st[bhwdq]cx\.)$/;

/** Whether the instruction has its base among the registers that it operates on from RT or RS on: what it stores would be another. */
function hasBaseAsOperand(name: string, word: number, base: number): boolean {
  const first = (word >>> 21) & 31;
  const count = /^st[ms]/.test(name) ? 32 : /at$|q/.test(name) ? 3 : 1;
  return !/^l(?!.*at$)/.test(name) && ((base - first) & 31) < count;
}

/** Random cases of all of them; none whose base is not a register, or is twice in the address. */
function* accesses(random: Random, abi: "ppc64" | "ppc64le"): Generator<AccessGroup> {
  for (const row of INSTRUCTIONS()) {
    if (!isStorageAccess(row) || row.mask === 0) continue;
    for (let n = 0; n < SIZE; n++) {
      const group = randomGroup(random, row, abi, 4);
      const [ra, rb] = [(group.word >>> 16) & 31, (group.word >>> 11) & 31];
      const isIndexed = row.operands.includes("RB");
      if (isIndexed && ra === rb) continue;
      const base = ra !== 0 || !row.operands.includes("RA0") ? ra : rb;
      if (base === rb && !isIndexed && base !== ra) continue;
      if (!hasBaseAsOperand(row.name, group.word, base)) yield { ...group, name: row.name, base };
    }
  }
  for (const row of PREFIXED()) {
    if (!row.operands.includes("D34") || !/^p(l|st)/.test(row.name)) continue;
    for (let n = 0; n < SIZE; n++) {
      const group = randomPrefixedGroup(random, row, abi, 4);
      const base = (group.suffix >>> 16) & 31;
      if (base === 0 || hasBaseAsOperand(row.name.slice(1), group.suffix, base)) continue;
      yield { ...group, name: row.name, base };
    }
  }
}

const moved = ({ word, suffix, states, base }: AccessGroup, delta: bigint): CaseGroup => ({
  word,
  suffix,
  states: states.map((state) => ({
    ...state,
    gpr: state.gpr.map((value, n) => (n === base ? BigInt.asUintN(64, value + delta) : value)),
  })),
});

describe.each(["ppc64", "ppc64le"] as const)("accesses of %s", (abi) => {
  const near = new CaseMachine(abi, "power10");
  const far = new CaseMachine(abi, "power10", FAR);
  const groups = [...accesses(new Random(6), abi)];

  it("are the same at far addresses", () => {
    for (const group of groups) {
      const expected = near.run([group])[0];
      const given = far.run([moved(group, DELTA)])[0];
      for (const [i, state] of expected.entries()) {
        // What still holds an address holds the far one: RA, or RA with update.
        const gpr = state.gpr.map((value, n) =>
          given[i].gpr[n] === BigInt.asUintN(64, value + DELTA) && n === group.base ? given[i].gpr[n] : value,
        );
        const wanted = { ...state, gpr };
        if (!isDeepStrictEqual(given[i], wanted))
          expect([group.name, given[i]]).toEqual([group.name, wanted]);
      }
    }
    expect(new Set(groups.map(({ name }) => name)).size).toBeGreaterThan(150);
  });

  it("fault at the address that stands for a far one, right after it was used", () => {
    const place = far.memory.near(Math.floor(FAR / 2 ** 32), FAR | 0, false) + 2 ** 32;
    for (const group of groups) {
      const [before] = near.run([group]);
      for (const [i, state] of group.states.entries()) {
        // Cases that touch memory at all, and find it; those that reach for another byte before the fault too.
        if (before[i].fault !== null) continue;
        const one = { ...group, states: [state] };
        far.run([moved(one, DELTA)]);
        const [[after]] = far.run([moved(one, BigInt(place - CASE_MEMORY))]);
        expect([group.name, Buffer.compare(after.memory, state.memory)]).toEqual([group.name, 0]);
        if (after.fault !== null)
          expect([group.name, after.fault]).toEqual([group.name, { signal: 11, code: 1 }]);
        else expect(group.name).toMatch(MAY_NOT_ACCESS);
      }
    }
  });

  it("reach what lies before the address, at the start of a piece of far memory too", () => {
    const piece = 0x2345_0000_0000;
    far.memory.map({
      start: piece - PIECE_SIZE,
      end: piece + PIECE_SIZE,
      prot: PROT_READ | PROT_WRITE,
      offset: 0,
    });
    far.memory.write64(piece, 7n);
    // Near memory right before its place, so that the piece before has its own elsewhere.
    const place = far.memory.near(Math.floor(piece / 2 ** 32), piece | 0, false) + 2 ** 32;
    far.memory.map({ start: place - PIECE_SIZE, end: place, prot: PROT_READ, offset: 0 });
    far.memory.write64(piece - 8, 7n);
    const gpr = Array.from({ length: 32 }, (_, n) => (n === 4 ? BigInt(piece) : 0n));
    const state = { ...groups[0].states[0], gpr };
    // Fetch and decrement bounded: not where the one before is the same.
    const decrement = { word: asm("ldat 3,4,28"), states: [state] };
    expect(far.run([decrement])[0][0]).toMatchObject({ fault: null });
    expect(far.memory.read64(piece)).toBe(7n);
    far.memory.write64(piece - 8, 3n);
    expect(far.run([decrement])[0][0].gpr[3]).toBe(7n);
    expect(far.memory.read64(piece)).toBe(6n);
  });
});
