/** Paths out of guest memory: what was named before is no other name. */
import { describe, expect, it } from "vitest";
import { decodeName, encodeName } from "../../emu/host/names.ts";
import { recentNames } from "../../emu/linux/recent-names.ts";
import { AddressSpace } from "../../emu/memory/address-space.ts";
import { PROT_READ, PROT_WRITE } from "../../emu/memory/vma.ts";

const AT = 0x1ffc;

describe.each(["big", "little"] as const)("names in %s-endian memory", (byteOrder) => {
  const memory = new AddressSpace({ byteOrder, size: 2 ** 24 });
  memory.map({ start: 0x1000, end: 0x4000, prot: PROT_READ | PROT_WRITE, offset: 0 });
  const nameOf = (bytes: Uint8Array): string => {
    memory.write(AT, bytes);
    return recentNames.at(memory, AT, bytes.length);
  };

  it("are what their bytes stand for, whatever was there before", () => {
    const names = [
      "a",
      "b",
      "ab",
      "ba",
      "é",
      "éé",
      "\udce9",
      "a\udce9",
      "\u{1f600}",
      "x".repeat(128),
      "y".repeat(200),
    ];
    for (const name of [...names, ...names.reverse()]) expect(nameOf(encodeName(name))).toBe(name);
  });

  it("are told apart where they are alike", () => {
    // More than there is room for, from few letters: many share a place.
    for (let i = 0; i < 5000; i++) {
      const bytes = Uint8Array.from(
        [0, 1, 2, 3],
        (n) => 0x60 + ((i >> (n * 3)) & 7) + (i % 7 === n ? 0x80 : 0),
      );
      expect(nameOf(bytes)).toBe(decodeName(bytes));
      expect(nameOf(bytes)).toBe(decodeName(bytes));
    }
  });
});
