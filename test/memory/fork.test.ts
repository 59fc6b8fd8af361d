import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { AddressSpace } from "../../emu/memory/address-space.ts";
import type { ByteOrder } from "../../emu/memory/byte-order.ts";
import { CORNER_SIZE, PAGE_SIZE } from "../../emu/memory/layout.ts";
import { AddressSpacePool } from "../../emu/memory/pool.ts";
import { SharedObject } from "../../emu/memory/shared-object.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../../emu/memory/vma.ts";

const RW = PROT_READ | PROT_WRITE;
const BASE = 0x10_0000;
const PAGES = 6;
const OPTIONS = { byteOrder: "big" as ByteOrder, size: 16 * 1024 * 1024 };

const place = (page: number): number => BASE + page * PAGE_SIZE;

/** A file of PAGES pages, each filled with 100 + its index. */
const file = {
  path: "/f",
  size: () => PAGES * PAGE_SIZE,
  read(position: number, into: Uint8Array): number {
    into.fill(100 + position / PAGE_SIZE);
    return into.length;
  },
  write() {},
};

describe("a forked address space", () => {
  let parent: AddressSpace;
  beforeEach(() => {
    parent = new AddressSpace(OPTIONS);
    parent.map({ start: place(0), end: place(PAGES), prot: RW, offset: 0 });
  });
  const forkOf = (space: AddressSpace): AddressSpace => {
    const child = new AddressSpace(OPTIONS);
    space.fork(child);
    return child;
  };

  it("is what an eager copy would be, whoever does what afterwards", () => {
    const action = fc.record({
      kind: fc.constantFrom(
        ...[
          "store",
          "store",
          "load",
          "fork",
          "fork",
          "protect",
          "unmap",
          "map",
          "mapFile",
          "discard",
          "move",
          "end",
        ],
      ),
      who: fc.nat({ max: 5 }),
      page: fc.nat({ max: PAGES - 1 }),
      to: fc.nat({ max: PAGES - 1 }),
      value: fc.integer({ min: 1, max: 99 }),
    });
    const pool = new AddressSpacePool();
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        // Of each page: the byte at its start; undefined where nothing is mapped. A page of the file has its own.
        const alive: { space: AddressSpace; model: ({ value: number; own: number } | undefined)[] }[] = [
          { space: pool.take(OPTIONS), model: new Array(PAGES).fill(undefined) },
        ];
        alive[0].space.map({ start: place(0), end: place(4), prot: RW, offset: 0 });
        for (let page = 0; page < 4; page++) alive[0].model[page] = { value: 0, own: 0 };
        for (const { kind, who, page, to, value } of actions) {
          const { space, model } = alive[who % alive.length];
          const at = place(page);
          if (kind === "map") {
            space.map({ start: at, end: at + PAGE_SIZE, prot: RW, offset: 0 });
            model[page] = { value: 0, own: 0 };
          } else if (kind === "mapFile") {
            space.map({ start: at, end: at + PAGE_SIZE, prot: RW, file, offset: page * PAGE_SIZE });
            model[page] = { value: 100 + page, own: 100 + page };
          } else if (kind === "fork" && alive.length < 6) {
            const child = pool.take(OPTIONS);
            space.fork(child);
            alive.push({ space: child, model: model.map((one) => one && { ...one }) });
          } else if (kind === "end" && alive.length > 1) {
            alive.splice(who % alive.length, 1);
            pool.give(space);
          } else if (model[page] === undefined) {
            expect(() => space.load8(at)).toThrow(/data-unmapped/);
          } else if (kind === "store") {
            space.store8(at, value);
            model[page].value = value;
          } else if (kind === "load") {
            expect(space.load8(at)).toBe(model[page].value);
          } else if (kind === "protect") {
            space.protect(at, at + PAGE_SIZE, PROT_READ);
            space.protect(at, at + PAGE_SIZE, RW);
          } else if (kind === "unmap") {
            space.unmap(at, at + PAGE_SIZE);
            model[page] = undefined;
          } else if (kind === "discard") {
            space.discard(at, at + PAGE_SIZE);
            model[page].value = model[page].own;
          } else if (kind === "move" && to !== page) {
            space.move(at, at + PAGE_SIZE, place(to), place(to) + PAGE_SIZE);
            model[to] = model[page];
            model[page] = undefined;
          }
        }
        for (const { space, model } of alive) {
          for (const [page, one] of model.entries()) {
            if (one === undefined) continue;
            if (space.isTouched(place(page))) expect(space.peek(place(page), 1)[0]).toBe(one.value);
            expect(space.load8(place(page))).toBe(one.value);
            expect(space.load8(place(page) + 9)).toBe(one.own);
          }
          pool.give(space);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("shows bytes across pages in guest order before they are fetched", () => {
    const text = Uint8Array.from({ length: 3 * PAGE_SIZE }, (_, i) => (i * 7) % 251);
    parent.write(BASE + 5, text);
    const grandchild = forkOf(forkOf(parent));
    parent.store8(BASE + PAGE_SIZE + 5, 255);
    expect(grandchild.peek(BASE + 5, text.length)).toEqual(text);
    expect(grandchild.read(BASE + 5, text.length)).toEqual(text);
  });

  it("copies no page until one of the two is written", () => {
    parent.map({ start: 0x40_0000, end: 0xc0_0000, prot: RW, offset: 0 });
    for (let at = 0x40_0000; at < 0xc0_0000; at += PAGE_SIZE) parent.store8(at, 1);
    const copied: number[] = [];
    const child = new AddressSpace(OPTIONS);
    const { peek } = parent;
    parent.peek = (address, length, into) => {
      copied.push(address);
      return peek.call(parent, address, length, into);
    };
    parent.fork(child);
    expect(copied).toEqual([]);
    child.store8(0x50_0000, 2);
    parent.store8(0x60_0000, 3);
    parent.store8(0x60_0000, 4);
    expect(child.load8(0x60_0000)).toBe(1);
    expect(copied).toEqual([0x50_0000, 0x60_0000]);
  });

  it("saves a page that has been protected and unprotected since the fork", () => {
    parent.store8(BASE, 1);
    const child = forkOf(parent);
    parent.protect(BASE, place(1), PROT_READ);
    parent.protect(BASE, place(1), RW);
    parent.store8(BASE, 2);
    expect(child.load8(BASE)).toBe(1);
  });

  it("shares what is shared, and not its decoded code", () => {
    const shared = new SharedObject();
    parent.map({ start: 0x20_0000, end: 0x20_1000, prot: RW, shared, offset: 0 });
    parent.map({ start: 0x30_0000, end: 0x30_1000, prot: RW | PROT_EXEC, offset: 0 });
    parent.store32(0x30_0000, 0x6000_0000);
    parent.markCode(0x300, 0x30_0000n);
    parent.store8(0x20_0000, 1);
    const child = forkOf(parent);
    const told: number[] = [];
    child.addCodeListener((page) => told.push(page));
    child.store8(0x20_0000, 2);
    expect(parent.load8(0x20_0000)).toBe(2);
    child.markCode(0x300, 0x30_0000n);
    expect(child.fetch(0x30_0000)).toBe(0x6000_0000);
    parent.store32(0x30_0000, 0);
    expect(told).toEqual([]);
    child.store32(0x30_0000, 1);
    expect(told).toEqual([0x300]);
  });

  it("keeps protection, and needs an empty space of the same kind", () => {
    parent.store8(BASE, 1);
    parent.protect(BASE, place(1), PROT_READ);
    const child = forkOf(parent);
    expect(() => child.store8(BASE, 1)).toThrow(/data-protected/);
    expect(child.load8(BASE)).toBe(1);
    expect(() => parent.fork(child)).toThrow(RangeError);
    expect(() => parent.fork(new AddressSpace({ ...OPTIONS, byteOrder: "little" }))).toThrow(RangeError);
  });
});

describe("a pool of address spaces", () => {
  it("gives a released space out again as if it were new", () => {
    const pool = new AddressSpacePool();
    const space = pool.take(OPTIONS);
    space.map({ start: BASE, end: place(4), prot: RW | PROT_EXEC, offset: 0 });
    space.store32(BASE + 8, 5);
    space.markCode(BASE / PAGE_SIZE, BigInt(BASE));
    space.setBreakpoint(BigInt(BASE) | 3n);
    space.setWatchpoints([{ start: BASE + 8, end: BASE + 9, loads: true, stores: true }]);
    space.registers.u64[0] = 1n;
    const corner = new Uint8Array(space.memory.buffer, 0, CORNER_SIZE);
    corner[0x1000] = corner[0x30_0000] = 1;
    const told: number[] = [];
    space.addCodeListener((page) => told.push(page));
    space.onUnmapped = () => true;
    pool.give(space);
    expect(told).toEqual([BASE / PAGE_SIZE]);
    expect(pool.take({ ...OPTIONS, byteOrder: "little" })).not.toBe(space);
    expect(pool.take(OPTIONS)).toBe(space);
    expect(pool.take(OPTIONS)).not.toBe(space);
    expect([space.areas.count, space.registers.u64[0]]).toEqual([0, 0n]);
    expect([corner[0x1000], corner[0x30_0000]]).toEqual([0, 0]);
    expect(() => space.load8(BASE)).toThrow(/data-unmapped/);
    space.map({ start: BASE, end: place(4), prot: RW, offset: 0 });
    expect(space.read(BASE, 16)).toEqual(new Uint8Array(16));
    expect([...space.readGuard.subarray(0, 0x200)].filter((guard) => guard === 0)).toHaveLength(4);
  });

  it("lets a space go that has held much", () => {
    const pool = new AddressSpacePool();
    const options = { ...OPTIONS, size: 128 * 1024 * 1024 };
    const space = pool.take(options);
    const [start, end] = [0x10_0000, 0x10_0000 + 65 * 1024 * 1024];
    space.map({ start, end, prot: RW, offset: 0 });
    for (let at = start; at < end; at += PAGE_SIZE) space.store8(at, 1);
    pool.give(space);
    expect(pool.take(options)).not.toBe(space);
  });
});
