import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { GuestFault } from "../../emu/cpu/fault.ts";
import { AddressSpace } from "../../emu/memory/address-space.ts";
import type { ByteOrder } from "../../emu/memory/byte-order.ts";
import { fileChanged, fileTruncated } from "../../emu/memory/file-views.ts";
import { PAGE_SIZE } from "../../emu/memory/layout.ts";
import type { MappedFile } from "../../emu/memory/mapped-file.ts";
import { SharedObject, takeBack } from "../../emu/memory/shared-object.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE, type Vma } from "../../emu/memory/vma.ts";

const RW = PROT_READ | PROT_WRITE;
const BASE = 0x1000_0000;

/** The fault that `run` throws; fails the test when it throws none. */
function faultOf(run: () => unknown): GuestFault {
  try {
    run();
  } catch (error) {
    if (error instanceof GuestFault) return error;
    throw error;
  }
  throw new Error("no fault");
}

const anonymous = (start: number, pages: number, prot = RW): Vma => ({
  start,
  end: start + pages * PAGE_SIZE,
  prot,
  offset: 0,
});

/** A file in memory. */
function memoryFile(contents: Uint8Array): MappedFile & { contents: Uint8Array } {
  return {
    contents,
    path: "/data",
    size() {
      return this.contents.length;
    },
    read(position, into) {
      const part = this.contents.subarray(position, position + into.length);
      into.set(part);
      return part.length;
    },
    write(position, from) {
      this.contents.set(from, position);
    },
  };
}

describe.each<ByteOrder>(["big", "little"])("a %s-endian address space", (byteOrder) => {
  let space: AddressSpace;
  beforeEach(() => {
    space = new AddressSpace({ byteOrder });
  });

  it("stores and loads every size at any alignment in guest byte order", () => {
    space.map(anonymous(BASE, 2));
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 * PAGE_SIZE - 8 }),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.constantFrom(1, 2, 4, 8),
        (offset, value, size) => {
          const at = BASE + offset;
          const bits = BigInt.asUintN(8 * size, value);
          if (size === 1) space.store8(at, Number(bits));
          else if (size === 2) space.store16(at, Number(bits));
          else if (size === 4) space.store32(at, Number(bits));
          else space.store64(at, bits);
          const bytes = [...space.read(at, size)];
          if (byteOrder === "little") bytes.reverse();
          expect(bytes.reduce((n, b) => (n << 8n) | BigInt(b), 0n)).toBe(bits);
          const loaded =
            size === 1
              ? BigInt(space.load8(at))
              : size === 2
                ? BigInt(space.load16(at))
                : size === 4
                  ? BigInt(space.load32(at) >>> 0)
                  : space.load64(at);
          expect(loaded).toBe(bits);
        },
      ),
    );
  });

  it.each([127, 128, 143, 4096, 65_551, 150_003])("copies %d bytes in and out in order", (length) => {
    space.map(anonymous(BASE, 64));
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
    space.write(BASE + 5, bytes);
    expect(Buffer.compare(space.read(BASE + 5, length), bytes)).toBe(0);
    const order = Uint8Array.from({ length }, (_, i) => space.view.getUint8(space.host(BASE + 5 + i, 1)));
    expect(Buffer.compare(order, bytes)).toBe(0);
    expect([space.read(BASE, 5), space.read(BASE + 5 + length, 5)]).toEqual([
      new Uint8Array(5),
      new Uint8Array(5),
    ]);
  });

  it("faults at the first byte of the access that is not mapped", () => {
    space.map(anonymous(BASE, 1));
    const fault = faultOf(() => space.load32(BASE + PAGE_SIZE - 2));
    expect([fault.kind, fault.address, fault.isStore]).toEqual([
      "data-unmapped",
      BigInt(BASE + PAGE_SIZE),
      false,
    ]);
    expect(faultOf(() => space.store8(4, 1))).toMatchObject({ kind: "data-unmapped", isStore: true });
  });

  it("tells protection from absence", () => {
    space.map(anonymous(BASE, 1, PROT_READ));
    space.map(anonymous(BASE + PAGE_SIZE, 1, 0));
    expect(space.load8(BASE)).toBe(0);
    expect(faultOf(() => space.store8(BASE, 1)).kind).toBe("data-protected");
    expect(faultOf(() => space.load8(BASE + PAGE_SIZE)).kind).toBe("data-protected");
  });

  it("lets nobody but debuggers load from what is only executable, where that can be told", () => {
    const far = 0x7f00_0000_0000;
    for (const [hasExecuteOnly, start] of [false, true].flatMap((has) =>
      [BASE, far].map((at) => [has, at] as const),
    )) {
      const own = new AddressSpace({ byteOrder, hasFar: true, hasExecuteOnly });
      own.map(anonymous(start, 2));
      own.write(start, Uint8Array.of(1, 2, 3, 4));
      own.protect(start, start + PAGE_SIZE, PROT_EXEC);
      own.map(anonymous(start + PAGE_SIZE, 1, PROT_EXEC));
      const child = new AddressSpace({ byteOrder, hasFar: true, hasExecuteOnly });
      own.fork(child);
      for (const each of [own, child]) {
        for (const at of [start, start + 2, start + PAGE_SIZE]) {
          if (hasExecuteOnly) {
            const fault = faultOf(() => each.read(at, 2));
            expect(fault).toMatchObject({ kind: "data-protected", address: BigInt(at) });
          } else each.read(at, 2);
          each.markCode(Math.floor(at / PAGE_SIZE), BigInt(at));
        }
        expect(each.readForced(start, 4)).toEqual(Uint8Array.of(1, 2, 3, 4));
        each.protect(start, start + PAGE_SIZE, PROT_WRITE | PROT_EXEC);
        expect(each.read(start, 4)).toEqual(Uint8Array.of(1, 2, 3, 4));
      }
    }
  });

  it("writes nothing of a store whose second page refuses it", () => {
    space.map(anonymous(BASE, 1));
    space.map(anonymous(BASE + PAGE_SIZE, 1, PROT_READ));
    expect(() => space.store64(BASE + PAGE_SIZE - 4, 2n ** 64n - 1n)).toThrow(GuestFault);
    expect(space.load32(BASE + PAGE_SIZE - 4)).toBe(0);
    expect(space.isTouched(BASE)).toBe(false);
  });

  it("never wraps an access at the end of the address space", () => {
    expect(faultOf(() => space.load32(0xffff_fffe)).kind).toBe("data-unmapped");
    expect(faultOf(() => space.load8(space.limit)).kind).toBe("data-unmapped");
  });

  it("refuses to map into the machine's corner or off page boundaries", () => {
    expect(() => space.map(anonymous(space.limit, 1))).toThrow(RangeError);
    expect(() => space.map({ ...anonymous(BASE, 1), start: BASE + 8 })).toThrow(RangeError);
  });

  it("keeps the machine's own tables apart from the first and the last address that may be mapped", () => {
    const last = space.limit - PAGE_SIZE;
    for (const at of [0, last]) {
      space.map(anonymous(at, 1));
      space.write(at, new Uint8Array(PAGE_SIZE).fill(0xa5));
    }
    expect(space.registers.bytes.every((byte) => byte === 0)).toBe(true);
    expect(space.readGuard.filter((guard) => guard === 0).length).toBe(2);
    space.registers.bytes.fill(0x5a);
    for (const at of [0, last]) expect(space.read(at, PAGE_SIZE).every((byte) => byte === 0xa5)).toBe(true);
    // Vectors of fewer bytes are accessed whole, and put back what they found.
    expect(space.host(space.limit - 1, 1) + 16).toBeLessThanOrEqual(space.size);
  });

  it("gives zeros after an unmap and a new map", () => {
    space.map(anonymous(BASE, 2));
    space.store32(BASE + 8, -1);
    space.unmap(BASE, BASE + PAGE_SIZE);
    expect(() => space.load8(BASE + 8)).toThrow(GuestFault);
    space.map(anonymous(BASE, 1));
    expect(space.load32(BASE + 8)).toBe(0);
  });

  it("splits areas and merges equal neighbours", () => {
    space.map(anonymous(BASE, 4));
    expect(space.protect(BASE + PAGE_SIZE, BASE + 2 * PAGE_SIZE, PROT_READ)).toBe(true);
    expect([...space.areas].map((a) => (a.end - a.start) / PAGE_SIZE)).toEqual([1, 1, 2]);
    expect(space.protect(BASE + PAGE_SIZE, BASE + 2 * PAGE_SIZE, RW)).toBe(true);
    expect(space.areas.count).toBe(1);
    expect(space.protect(BASE, BASE + 5 * PAGE_SIZE, RW)).toBe(false);
  });

  it("lists the areas that have a part in a range", () => {
    for (const page of [0, 2, 4]) space.map(anonymous(BASE + page * PAGE_SIZE, 1));
    const pagesOf = (from: number, to: number) =>
      space.areas
        .overlapping(BASE + from * PAGE_SIZE, BASE + to * PAGE_SIZE)
        .map(({ start }) => (start - BASE) / PAGE_SIZE);
    expect([pagesOf(0, 5), pagesOf(1, 4), pagesOf(2, 3), pagesOf(3, 4), pagesOf(5, 9)]).toEqual([
      [0, 2, 4],
      [2],
      [2],
      [],
      [],
    ]);
    expect(space.areas.above(BASE + PAGE_SIZE)?.start).toBe(BASE + 2 * PAGE_SIZE);
    expect(space.areas.above(BASE + 5 * PAGE_SIZE)).toBeUndefined();
  });

  it("keeps what is mapped, and where, equal to a simple page map under random operations", () => {
    const pages = 16;
    const operation = fc.record({
      kind: fc.constantFrom("map", "unmap", "protect", "write", "discard"),
      first: fc.integer({ min: 0, max: pages - 1 }),
      count: fc.integer({ min: 1, max: 6 }),
      prot: fc.constantFrom(0, PROT_READ, RW),
      value: fc.integer({ min: 1, max: 255 }),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
        const mine = new AddressSpace({ byteOrder, size: 512 * 1024 * 1024 });
        const model = new Map<number, { prot: number; value: number }>();
        for (const { kind, first, count, prot, value } of operations) {
          const last = Math.min(pages, first + count);
          const start = BASE + first * PAGE_SIZE;
          const end = BASE + last * PAGE_SIZE;
          const range = Array.from({ length: last - first }, (_, i) => first + i);
          if (kind === "map") {
            mine.map({ start, end, prot, offset: 0 });
            for (const page of range) model.set(page, { prot, value: 0 });
          } else if (kind === "unmap") {
            mine.unmap(start, end);
            for (const page of range) model.delete(page);
          } else if (kind === "protect") {
            const hole = range.find((page) => !model.has(page));
            expect(mine.protect(start, end, prot)).toBe(hole === undefined);
            for (const page of range) if (page < (hole ?? pages)) model.get(page)!.prot = prot;
          } else if (kind === "discard") {
            mine.discard(start, end);
            for (const page of range) if (model.has(page)) model.get(page)!.value = 0;
          } else if (model.get(first)?.prot === RW) {
            mine.store8(start + 5, value);
            model.get(first)!.value = value;
          }
        }
        for (let page = 0; page < pages; page++) {
          const at = BASE + page * PAGE_SIZE;
          const expected = model.get(page);
          expect(mine.areas.find(at)?.prot).toBe(expected?.prot);
          if (expected === undefined) expect(faultOf(() => mine.load8(at)).kind).toBe("data-unmapped");
          else if (expected.prot === 0) expect(faultOf(() => mine.load8(at)).kind).toBe("data-protected");
          else expect(mine.load8(at + 5)).toBe(expected.value);
        }
        const areas = [...mine.areas];
        for (let i = 1; i < areas.length; i++)
          expect(areas[i].start).toBeGreaterThanOrEqual(areas[i - 1].end);
      }),
      { numRuns: 60 },
    );
  });

  it("asks before it faults on what is not mapped, and goes on with what was mapped there", () => {
    space.map({ ...anonymous(BASE, 1), growsDown: true });
    const asked: number[] = [];
    space.onUnmapped = (address) => {
      asked.push(address);
      if (address < BASE - 4 * PAGE_SIZE) return false;
      space.growDown(space.areas.above(address)!, address - (address % PAGE_SIZE));
      return true;
    };
    space.store32(BASE - 4 * PAGE_SIZE + 8, 7);
    expect(space.areas.find(BASE)).toMatchObject({ start: BASE - 4 * PAGE_SIZE, end: BASE + PAGE_SIZE });
    expect([space.load32(BASE - 4 * PAGE_SIZE + 8), space.load32(BASE - PAGE_SIZE)]).toEqual([7, 0]);
    expect(faultOf(() => space.load8(BASE - 5 * PAGE_SIZE)).kind).toBe("data-unmapped");
    expect(asked).toEqual([BASE - 4 * PAGE_SIZE + 8, BASE - 5 * PAGE_SIZE]);
  });

  it("reads a private file mapping lazily and faults beyond its last page", () => {
    const file = memoryFile(Uint8Array.from({ length: PAGE_SIZE + 10 }, (_, i) => i));
    space.map({ start: BASE, end: BASE + 3 * PAGE_SIZE, prot: RW, file, offset: 0 });
    expect(space.load8(BASE + PAGE_SIZE + 9)).toBe((PAGE_SIZE + 9) & 255);
    expect(space.load8(BASE + PAGE_SIZE + 10)).toBe(0);
    expect(faultOf(() => space.load8(BASE + 2 * PAGE_SIZE)).kind).toBe("data-beyond-file");
    expect(space.isTouched(BASE + PAGE_SIZE)).toBe(false);
    space.store8(BASE, 99);
    expect(space.isTouched(BASE)).toBe(true);
    expect(file.contents[0]).toBe(0);
    space.discard(BASE, BASE + PAGE_SIZE);
    expect(space.load8(BASE)).toBe(0);
  });

  it("shows every mapping of a shared object each write at once", () => {
    const shared = new SharedObject();
    space.map({ start: BASE, end: BASE + 2 * PAGE_SIZE, prot: RW, shared, offset: 0 });
    space.map({ start: 2 * BASE, end: 2 * BASE + PAGE_SIZE, prot: RW, shared, offset: PAGE_SIZE });
    space.store32(BASE + PAGE_SIZE + 4, 0x1234_5678);
    expect(space.load32(2 * BASE + 4)).toBe(0x1234_5678);
    space.store32(2 * BASE + 4, 5);
    expect(space.load32(BASE + PAGE_SIZE + 4)).toBe(5);
    space.unmap(BASE, BASE + 2 * PAGE_SIZE);
    expect(space.load32(2 * BASE + 4)).toBe(5);
    space.unmap(2 * BASE, 2 * BASE + PAGE_SIZE);
    space.map({ start: BASE, end: BASE + 2 * PAGE_SIZE, prot: PROT_READ, shared, offset: 0 });
    expect(space.load32(BASE + PAGE_SIZE + 4)).toBe(5);
  });

  it("has all pages of an access there at once, where one that comes takes another back", () => {
    const file = memoryFile(new Uint8Array(2 * PAGE_SIZE).fill(7));
    const shared = new SharedObject(file);
    const read = file.read.bind(file);
    file.read = (position, into) => {
      takeBack(shared.page(0));
      return read(position, into);
    };
    space.map({ start: BASE, end: BASE + PAGE_SIZE, prot: RW, shared, offset: 0 });
    const beside = { start: BASE + PAGE_SIZE, end: BASE + 2 * PAGE_SIZE };
    space.map({ ...beside, prot: RW, file, offset: PAGE_SIZE });
    const across = BASE + PAGE_SIZE - 2;
    space.store8(BASE, 9);
    expect(space.load32(across)).toBe(0x0707_0707);
    space.map({ ...beside, prot: RW, file, offset: PAGE_SIZE });
    space.store32(across, 0x0101_0101);
    expect(space.load32(across)).toBe(0x0101_0101);
    space.map({ ...beside, prot: RW, shared, offset: 0 });
    space.store32(across, 0x0202_0202);
    shared.takeDirty(0, 1);
    space.store8(BASE, 3);
    expect([shared.isDirty(0), space.load8(BASE + PAGE_SIZE)]).toEqual([true, 3]);
  });

  it("leaves nothing of what went elsewhere to whatever is mapped there next", () => {
    const file = memoryFile(new Uint8Array(PAGE_SIZE).fill(7));
    const shared = new SharedObject(file);
    for (const at of [BASE, 2 * BASE]) {
      space.map({ start: at, end: at + PAGE_SIZE, prot: RW, shared, offset: 0 });
      expect(space.load8(at)).toBe(7);
    }
    space.map({ start: 3 * BASE, end: 3 * BASE + PAGE_SIZE, prot: RW, file, offset: 0 });
    expect(space.load8(3 * BASE)).toBe(7);
    fileChanged(file, 0, 1);
    for (const at of [BASE, 3 * BASE]) {
      space.map(anonymous(at, 1));
      expect(space.load8(at)).toBe(0);
    }
  });

  it("reads again the private pages of exactly the changed part of a file, in every address space", () => {
    const file = memoryFile(new Uint8Array(4 * PAGE_SIZE).fill(1));
    const other = new AddressSpace({ byteOrder });
    const map = { start: BASE, end: BASE + 3 * PAGE_SIZE, prot: RW, file, offset: PAGE_SIZE };
    for (const each of [space, other]) {
      each.map(map);
      for (const page of [0, 1, 2]) expect(each.load8(BASE + page * PAGE_SIZE)).toBe(1);
    }
    space.map({ ...map, start: 2 * BASE, end: 2 * BASE + PAGE_SIZE, offset: 2 * PAGE_SIZE });
    expect(space.load8(2 * BASE)).toBe(1);
    other.store8(BASE + 2 * PAGE_SIZE + 1, 9);
    file.contents.fill(2);
    fileChanged(file, 3 * PAGE_SIZE - 1, 3 * PAGE_SIZE + 1);
    const show = (each: AddressSpace) => [0, 1, 2].map((page) => each.load8(BASE + page * PAGE_SIZE));
    expect([show(space), show(other), space.load8(2 * BASE)]).toEqual([[1, 2, 2], [1, 2, 1], 2]);
  });

  it("takes pages beyond the new end of a file away, written or not, and the file's own come after them", () => {
    const file = memoryFile(new Uint8Array(4 * PAGE_SIZE).fill(1));
    space.map({ start: BASE, end: BASE + 4 * PAGE_SIZE, prot: RW, file, offset: 0 });
    for (const page of [0, 1, 2]) space.store8(BASE + page * PAGE_SIZE + 1, 9);
    expect(space.load8(BASE + 3 * PAGE_SIZE)).toBe(1);
    file.contents = file.contents.slice(0, PAGE_SIZE + 10);
    fileTruncated(file, PAGE_SIZE + 10);
    for (const page of [2, 3]) {
      expect(faultOf(() => space.load8(BASE + page * PAGE_SIZE)).kind).toBe("data-beyond-file");
      expect(space.isTouched(BASE + page * PAGE_SIZE)).toBe(false);
    }
    // The page of the new end is a copy already: Linux leaves it whole.
    expect([space.load8(BASE + PAGE_SIZE + 1), space.load8(BASE + PAGE_SIZE + 20)]).toEqual([9, 1]);
    file.contents = new Uint8Array(4 * PAGE_SIZE);
    expect([space.load8(BASE + 2 * PAGE_SIZE + 1), space.load8(BASE + 3 * PAGE_SIZE)]).toEqual([0, 0]);
  });

  it("moves contents, protection and growth with mremap's move", () => {
    space.map(anonymous(BASE, 2));
    space.store32(BASE + PAGE_SIZE, 77);
    space.move(BASE, BASE + 2 * PAGE_SIZE, 2 * BASE, 2 * BASE + 4 * PAGE_SIZE);
    expect(space.areas.find(BASE)).toBeUndefined();
    expect(space.load32(2 * BASE + PAGE_SIZE)).toBe(77);
    expect(space.load32(2 * BASE + 3 * PAGE_SIZE)).toBe(0);
  });

  it("tells of a store into a page with decoded code, once", () => {
    const changed: number[] = [];
    const others: number[] = [];
    const other = (page: number) => others.push(page);
    space.addCodeListener((page) => changed.push(page));
    space.addCodeListener(other);
    space.map(anonymous(BASE, 1, RW | PROT_EXEC));
    space.store32(BASE, 0x6000_0000);
    space.markCode(BASE / PAGE_SIZE, BigInt(BASE));
    expect(space.fetch(BASE)).toBe(0x6000_0000);
    space.store32(BASE + 8, 1);
    space.store32(BASE + 12, 1);
    expect([changed, others]).toEqual([[BASE / PAGE_SIZE], [BASE / PAGE_SIZE]]);
    space.removeCodeListener(other);
    space.markCode(BASE / PAGE_SIZE, BigInt(BASE));
    space.store32(BASE, 1);
    expect([changed.length, others.length]).toEqual([2, 1]);
    expect(faultOf(() => space.markCode(1, 4096n)).kind).toBe("fetch-unmapped");
    space.map(anonymous(BASE, 1));
    expect(faultOf(() => space.markCode(BASE / PAGE_SIZE, BigInt(BASE))).kind).toBe("fetch-protected");
  });

  it("counts a page as dirty from its first write after clearDirty", () => {
    space.map(anonymous(BASE, 2));
    space.store8(BASE, 1);
    expect([space.isDirty(BASE), space.isDirty(BASE + PAGE_SIZE)]).toEqual([true, false]);
    space.clearDirty();
    expect([space.isDirty(BASE), space.isTouched(BASE)]).toEqual([false, true]);
    space.store8(BASE, 2);
    expect(space.isDirty(BASE)).toBe(true);
  });

  it("stops accesses that match the data address breakpoint, and no others", () => {
    space.map(anonymous(BASE, 1));
    space.store8(BASE, 1);
    space.setBreakpoint(BigInt(BASE + 16) | 2n);
    space.store32(BASE + 8, 1);
    expect(space.load32(BASE + 16)).toBe(0);
    expect(faultOf(() => space.store32(BASE + 20, 1))).toMatchObject({ kind: "breakpoint", isStore: true });
    space.setBreakpoint(0n);
    space.store32(BASE + 20, 1);
  });

  it("puts restored pages in place whatever the protection", () => {
    space.map(anonymous(BASE, 1, PROT_READ));
    const bytes = new Uint8Array(PAGE_SIZE).fill(3);
    space.restorePage(BASE, bytes);
    expect(space.load8(BASE + 100)).toBe(3);
    expect(space.isTouched(BASE)).toBe(true);
  });

  it("makes a page that is restored later when it is first wanted, and only then", () => {
    let made = 0;
    const restoreLater = (address: number): void => {
      space.map(anonymous(address, 1, PROT_READ));
      space.restorePageLater(address, () => {
        made++;
        return new Uint8Array(PAGE_SIZE).fill(7);
      });
    };
    restoreLater(BASE);
    expect([space.isTouched(BASE), space.usage(BASE, BASE + PAGE_SIZE)]).toEqual([
      true,
      { present: 1, written: 1 },
    ]);
    expect(made).toBe(0);
    expect(space.peek(BASE + 8, 2)).toEqual(Uint8Array.of(7, 7));
    const child = new AddressSpace({ byteOrder: space.byteOrder, size: space.size });
    space.fork(child);
    expect(child.load8(BASE + 9)).toBe(7);
    expect(space.load8(BASE + 100)).toBe(7);
    const before = made;
    expect([space.load8(BASE + 101), space.peek(BASE + 102, 1)[0]]).toEqual([7, 7]);
    expect(made).toBe(before);

    space.unmap(BASE, BASE + PAGE_SIZE);
    restoreLater(BASE);
    space.unmap(BASE, BASE + PAGE_SIZE);
    space.map(anonymous(BASE, 1, PROT_READ));
    expect([space.load8(BASE), made]).toEqual([0, before]);
  });
});
