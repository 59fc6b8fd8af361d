import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GuestFault } from "../../emu/cpu/fault.ts";
import { AddressSpace } from "../../emu/memory/address-space.ts";
import { PIECE_SIZE } from "../../emu/memory/far-map.ts";
import { PAGE_SIZE } from "../../emu/memory/layout.ts";
import { SharedObject } from "../../emu/memory/shared-object.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../emu/memory/vma.ts";

const RW = PROT_READ | PROT_WRITE;
const FAR = 0x1234_5678_0000;
const NEAR = 0x10_0000;
const END = 2 ** 47;
const MIB = 2 ** 20;

/** `size`: of the one memory, of which the corner takes four. */
const space = (size = 16 * MIB, byteOrder: "big" | "little" = "big") =>
  new AddressSpace({ byteOrder, size, hasFar: true });
const anonymous = (start: number, length: number, prot = RW) => ({
  start,
  end: start + length,
  prot,
  offset: 0,
});

/** What the CPU makes of an address. */
const ea = (memory: AddressSpace, address: number, isStore: boolean): number =>
  memory.near(Math.floor(address / 2 ** 32), address | 0, isStore);
const load8 = (memory: AddressSpace, address: number): number => memory.load8(ea(memory, address, false));
const load64 = (memory: AddressSpace, address: number): bigint => memory.load64(ea(memory, address, false));
const store64 = (memory: AddressSpace, address: number, value: bigint): void =>
  memory.store64(ea(memory, address, true), value);

function faultOf(access: () => unknown): [string, bigint] {
  try {
    access();
  } catch (error) {
    if (error instanceof GuestFault) return [error.kind, error.address];
    throw error;
  }
  throw new Error("no fault");
}

describe.each(["big", "little"] as const)("far memory of a %s-endian guest", (byteOrder) => {
  it("holds what is stored, by the CPU and by the kernel, across pieces and whatever their order", () => {
    const memory = space(64 * MIB, byteOrder);
    memory.map(anonymous(FAR, 32 * PIECE_SIZE));
    // Touched from the last to the first, so that no piece lies beside the next one by itself.
    for (let piece = 31; piece >= 0; piece -= 3)
      memory.write(FAR + piece * PIECE_SIZE + 5, Uint8Array.of(piece));
    for (let piece = 1; piece < 32; piece++)
      store64(memory, FAR + piece * PIECE_SIZE - 3, BigInt(piece) << 32n);
    for (let piece = 1; piece < 32; piece++) {
      expect(load64(memory, FAR + piece * PIECE_SIZE - 3)).toBe(BigInt(piece) << 32n);
      expect(memory.read64(FAR + piece * PIECE_SIZE - 3)).toBe(BigInt(piece) << 32n);
    }
    for (let piece = 31; piece >= 0; piece -= 3)
      expect(memory.read(FAR + piece * PIECE_SIZE + 5, 1)[0]).toBe(piece);
  });
});

describe("far memory", () => {
  it("faults at its own addresses, and never where it has its place", () => {
    const memory = space();
    memory.map(anonymous(FAR, PAGE_SIZE));
    const near = ea(memory, FAR, true);
    memory.store8(near, 7);
    const other = ea(memory, FAR + 0x800, false);
    expect(other - near).toBe(0x800);
    const place = near + 2 ** 32;
    expect(memory.load8(ea(memory, FAR, false))).toBe(7);
    // At once: by what was accessed before nothing may be known.
    expect(faultOf(() => memory.load8(place))).toEqual(["data-unmapped", BigInt(place)]);
    expect(faultOf(() => memory.read(place, 1))).toEqual(["data-unmapped", BigInt(place)]);
    expect(faultOf(() => load8(memory, FAR + PAGE_SIZE))).toEqual(["data-unmapped", BigInt(FAR + PAGE_SIZE)]);
    expect(faultOf(() => load64(memory, FAR + PAGE_SIZE - 3))).toEqual([
      "data-unmapped",
      BigInt(FAR + PAGE_SIZE),
    ]);
    memory.protect(FAR, FAR + PAGE_SIZE, PROT_READ);
    expect(load8(memory, FAR)).toBe(7);
    expect(faultOf(() => store64(memory, FAR + 16, 1n))).toEqual(["data-protected", BigInt(FAR + 16)]);
    expect(faultOf(() => memory.near(-1, -8, false))).toEqual(["data-unmapped", 0xffff_ffff_ffff_fff8n]);
    expect(faultOf(() => memory.near(0x8000, 0, false))).toEqual(["data-unmapped", BigInt(END)]);
    expect(faultOf(() => memory.write(FAR * 2, new Uint8Array(1)))[0]).toBe("data-unmapped");
  });

  it("gives way to near memory, and goes on elsewhere", () => {
    const memory = space(32 * MIB);
    memory.map(anonymous(FAR, 8 * PIECE_SIZE));
    for (let piece = 0; piece < 8; piece++) store64(memory, FAR + piece * PIECE_SIZE, BigInt(piece + 1));
    const place = ea(memory, FAR, false) + 2 ** 32;
    expect(memory.hasRoom(place, place + 8 * PIECE_SIZE)).toBe(true);
    memory.map(anonymous(place, 8 * PIECE_SIZE));
    expect(memory.load64(place)).toBe(0n);
    for (let piece = 0; piece < 8; piece++)
      expect(load64(memory, FAR + piece * PIECE_SIZE)).toBe(BigInt(piece + 1));
  });

  it("is there as long as the one memory has room, and says when it has not", () => {
    const memory = space(16 * MIB);
    memory.map(anonymous(FAR, 2 ** 40, 0));
    memory.protect(FAR, FAR + 2 ** 40, RW);
    let pieces = 0;
    const [kind, address] = faultOf(() => {
      for (; ; pieces++) store64(memory, FAR + pieces * 16 * PIECE_SIZE, 1n);
    });
    expect([kind, address]).toEqual(["out-of-memory", BigInt(FAR + pieces * 16 * PIECE_SIZE)]);
    expect(pieces).toBeGreaterThan(150);
    // All that is in use would have to go, and nothing is free.
    expect(memory.hasRoom(NEAR, NEAR + 8 * MIB)).toBe(false);
    memory.unmap(FAR, FAR + 2 ** 40);
    expect(memory.hasRoom(NEAR, NEAR + 8 * MIB)).toBe(true);
    memory.map(anonymous(FAR, PAGE_SIZE));
    expect(load64(memory, FAR)).toBe(0n);
  });

  it("refuses pages of an image that the one memory has no room for", () => {
    const memory = space(8 * MIB);
    memory.map(anonymous(FAR, 64 * PIECE_SIZE));
    const restoreAll = () => {
      for (let piece = 0; piece < 64; piece++)
        memory.restorePage(FAR + piece * PIECE_SIZE, new Uint8Array(PAGE_SIZE).fill(piece));
    };
    expect(restoreAll).toThrow(RangeError);
  });
  it("is forked page by page, and what is shared is shared", () => {
    const [parent, child] = [space(), space()];
    parent.map(anonymous(FAR, 4 * PIECE_SIZE));
    const shared = new SharedObject();
    parent.map({ ...anonymous(FAR * 2, PIECE_SIZE), shared });
    store64(parent, FAR, 1n);
    store64(parent, FAR + PIECE_SIZE, 2n);
    store64(parent, FAR * 2, 3n);
    parent.fork(child);
    store64(parent, FAR, 10n);
    store64(child, FAR + PIECE_SIZE, 20n);
    expect([load64(child, FAR), load64(child, FAR + PIECE_SIZE)]).toEqual([1n, 20n]);
    expect([load64(parent, FAR), load64(parent, FAR + PIECE_SIZE)]).toEqual([10n, 2n]);
    store64(child, FAR * 2, 30n);
    expect(load64(parent, FAR * 2)).toBe(30n);
    child.reset();
    expect(load64(parent, FAR + PIECE_SIZE)).toBe(2n);
  });

  it("tells those who hold its code of stores into it, by its own addresses", () => {
    const memory = space();
    memory.map(anonymous(FAR, PAGE_SIZE, RW | PROT_EXEC));
    const told: number[] = [];
    memory.addCodeListener((page) => told.push(page));
    memory.markCode(FAR / PAGE_SIZE, BigInt(FAR));
    store64(memory, FAR + 8, 1n);
    expect(told).toEqual([FAR / PAGE_SIZE]);
  });

  it("has data breakpoints", () => {
    const memory = space();
    memory.map(anonymous(FAR, PIECE_SIZE));
    memory.setBreakpoint(BigInt(FAR + 64) | 3n);
    expect(faultOf(() => load64(memory, FAR + 64))).toEqual(["breakpoint", BigInt(FAR + 64)]);
    expect(load64(memory, FAR + 72)).toBe(0n);
  });

  it("is what a map of bytes would be, whatever is mapped, moved, stored and dropped", () => {
    // Pages around the border of two pieces, and some of near memory that get in the way of their places.
    const PAGES = 6;
    const bases = [FAR + PIECE_SIZE - 3 * PAGE_SIZE, FAR + 9 * PIECE_SIZE - 3 * PAGE_SIZE, NEAR];
    const operation = fc.record({
      kind: fc.constantFrom("map", "unmap", "store", "store", "store", "discard", "move", "obstacle"),
      base: fc.nat(2),
      to: fc.nat(2),
      first: fc.nat(PAGES - 1),
      count: fc.integer({ min: 1, max: PAGES }),
      offset: fc.nat(PAGE_SIZE - 1),
      value: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 30 }), (operations) => {
        const memory = space(24 * MIB);
        /** Bytes of mapped pages by address of the page. */
        const model = new Map<number, Uint8Array>();
        const pagesOf = (start: number, end: number) =>
          Array.from({ length: (end - start) / PAGE_SIZE }, (_, i) => start + i * PAGE_SIZE);
        const at = (address: number) => (address < 2 ** 32 ? address : ea(memory, address, true));
        let obstacle = 0x80_0000;
        for (const { kind, base, to, first, count, offset, value } of operations) {
          const start = bases[base] + first * PAGE_SIZE;
          const end = Math.min(start + count * PAGE_SIZE, bases[base] + PAGES * PAGE_SIZE);
          if (kind === "map") {
            memory.map(anonymous(start, end - start));
            for (const page of pagesOf(start, end)) model.set(page, new Uint8Array(PAGE_SIZE));
          } else if (kind === "unmap") {
            memory.unmap(start, end);
            for (const page of pagesOf(start, end)) model.delete(page);
          } else if (kind === "discard") {
            memory.discard(start, end);
            for (const page of pagesOf(start, end)) model.get(page)?.fill(0);
          } else if (kind === "move") {
            const target = bases[to];
            if (base === to || !pagesOf(start, end).every((page) => model.has(page))) continue;
            const area = memory.areas.find(start)!;
            if (area.end < end) continue;
            memory.move(start, end, target, target + (end - start));
            pagesOf(start, end).forEach((page, i) => {
              model.set(target + i * PAGE_SIZE, model.get(page)!);
              model.delete(page);
            });
          } else if (kind === "obstacle") {
            if (obstacle + PIECE_SIZE > memory.nearLimit) continue;
            memory.map(anonymous(obstacle, PIECE_SIZE));
            obstacle += PIECE_SIZE;
          } else {
            const address = start + offset;
            const last = address + 7 - ((address + 7) % PAGE_SIZE);
            const pages = [start, last].map((page) => model.get(page));
            if (pages.includes(undefined)) {
              expect(faultOf(() => memory.store64(at(address), value))[0]).toBe("data-unmapped");
              continue;
            }
            memory.store64(at(address), value);
            for (let i = 0; i < 8; i++) {
              const byte = address + i;
              model.get(byte - (byte % PAGE_SIZE))![byte % PAGE_SIZE] = Number(
                (value >> BigInt(56 - 8 * i)) & 255n,
              );
            }
          }
        }
        for (const base of bases) {
          for (const page of pagesOf(base, base + PAGES * PAGE_SIZE)) {
            const expected = model.get(page);
            expect(memory.areas.find(page) !== undefined).toBe(expected !== undefined);
            if (expected !== undefined) expect(memory.read(page, PAGE_SIZE)).toEqual(expected);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
