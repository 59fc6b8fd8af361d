import { beforeEach, describe, expect, it } from "vitest";
import { growStack } from "../../../emu/linux/stack.ts";
import { AddressSpace } from "../../../emu/memory/address-space.ts";
import { PAGE_SIZE } from "../../../emu/memory/layout.ts";
import { PROT_READ, PROT_WRITE } from "../../../emu/memory/vma.ts";

const RW = PROT_READ | PROT_WRITE;
const TOP = 0x1000_0000;
const LIMIT = 8 * 1024 * 1024;
/** stack_guard_gap */
const GAP = 256 * PAGE_SIZE;

describe("a stack", () => {
  let memory: AddressSpace;
  const mayHave = () => true;
  const stackStart = () => memory.areas.find(TOP - 1)!.start;
  const mapBelow = (end: number, parts: { prot?: number; growsDown?: boolean } = {}) =>
    memory.map({ start: end - PAGE_SIZE, end, prot: RW, offset: 0, ...parts });

  beforeEach(() => {
    memory = new AddressSpace({ byteOrder: "big", size: 0x2000_0000 });
    memory.map({ start: TOP - PAGE_SIZE, end: TOP, prot: RW, offset: 0, growsDown: true, name: "[stack]" });
    memory.onUnmapped = (address) => growStack(memory, address, LIMIT, mayHave);
  });

  it("grows to the page of an access, down to its limit", () => {
    memory.store32(TOP - 10 * PAGE_SIZE + 12, 7);
    expect(stackStart()).toBe(TOP - 10 * PAGE_SIZE);
    memory.store8(TOP - LIMIT, 1);
    expect(stackStart()).toBe(TOP - LIMIT);
    expect(() => memory.store8(TOP - LIMIT - 1, 1)).toThrow(/data-unmapped/);
  });

  it("keeps stack_guard_gap free below itself, to the page", () => {
    const wanted = TOP - 4 * PAGE_SIZE;
    mapBelow(wanted - GAP + PAGE_SIZE);
    expect(() => memory.load8(wanted)).toThrow(/data-unmapped/);
    expect(stackStart()).toBe(TOP - PAGE_SIZE);
    memory.unmap(wanted - GAP, wanted);
    mapBelow(wanted - GAP);
    memory.load8(wanted);
    expect(stackStart()).toBe(wanted);
    expect(() => memory.load8(wanted - 1)).toThrow(/data-unmapped/);
  });

  it.each([
    ["memory without permissions", { prot: 0 }],
    ["another stack", { growsDown: true }],
  ])("may come near to %s", (_, parts) => {
    mapBelow(TOP - 8 * PAGE_SIZE, parts);
    memory.store8(TOP - 6 * PAGE_SIZE, 1);
    expect(stackStart()).toBe(TOP - 6 * PAGE_SIZE);
  });

  it("is grown by no access that lies above it or below vm.mmap_min_addr", () => {
    expect(growStack(memory, TOP + PAGE_SIZE, LIMIT, mayHave)).toBe(false);
    expect(growStack(memory, 0xf000, Number.POSITIVE_INFINITY, mayHave)).toBe(false);
  });
});
