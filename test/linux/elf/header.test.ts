import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ElfError } from "../../../emu/linux/elf/error.ts";
import { PT_GNU_STACK, PT_LOAD, readHeader, readProgram } from "../../../emu/linux/elf/header.ts";
import { readSections, readSymbols, sectionBytes } from "../../../emu/linux/elf/sections.ts";
import { root } from "../../support/ppcr.ts";
import { CODE, DATA, DATA_FILE, DATA_MEMORY, tinyElf } from "../../support/tiny-elf.ts";

const built = (name: string): Uint8Array => readFileSync(join(root, "guest-bins", "built", name));
const files: [string, Uint8Array][] = [
  ["tiny ppc32", tinyElf("ppc32", ["sc"])],
  ["tiny ppc64", tinyElf("ppc64", ["sc"])],
  ["tiny ppc64le", tinyElf("ppc64le", ["sc"])],
  ["tiny with interpreter", tinyElf("ppc64", ["sc"], { interpreter: "/lib64/ld64.so.1" })],
  ["hello ppc32", built("hello-ppc32")],
  ["hello ppc64", built("hello-ppc64")],
];

/** Everything that reads ELF files; all of it must succeed or throw an ElfError. */
const readers = [readHeader, readProgram, readSections, readSymbols];

function readAll(bytes: Uint8Array): void {
  for (const read of readers) {
    try {
      read(bytes);
    } catch (error) {
      if (!(error instanceof ElfError)) throw error;
      expect(error.message).toMatch(/\(at offset 0x[0-9a-f]+\)$/);
    }
  }
}

describe("program headers", () => {
  it("gives segments, entry and stack flags of both classes", () => {
    for (const abi of ["ppc32", "ppc64"] as const) {
      const elf = readProgram(tinyElf(abi, ["sc"]));
      expect(elf.abi).toBe(abi);
      const loads = elf.segments.filter(({ type }) => type === PT_LOAD);
      expect(loads.map(({ vaddr, flags }) => [vaddr, flags])).toEqual([
        [CODE, 5],
        [DATA, 6],
      ]);
      expect(loads[1]).toMatchObject({ filesz: DATA_FILE, memsz: DATA_MEMORY });
      expect(elf.segments.find(({ type }) => type === PT_GNU_STACK)?.flags).toBe(6);
      expect(elf.isRelocatable).toBe(false);
    }
  });

  it("tells the function pointer convention by e_flags", () => {
    expect(readProgram(tinyElf("ppc64", ["sc"])).elfv2).toBe(false);
    expect(readProgram(tinyElf("ppc64", ["sc"], { elfv2: true })).elfv2).toBe(true);
  });

  it("reads the interpreter's path without its NUL", () => {
    const { interpreter } = readProgram(tinyElf("ppc32", ["sc"], { interpreter: "/lib/ld.so.1" }));
    expect(new TextDecoder().decode(interpreter)).toBe("/lib/ld.so.1");
  });

  it("loads a file without section headers", () => {
    expect(readSections(tinyElf("ppc64", ["sc"]))).toEqual([]);
    expect(readProgram(tinyElf("ppc64", ["sc"])).segments).toHaveLength(3);
  });

  const spoilt = (abi: "ppc32" | "ppc64", at: number, ...values: number[]): Uint8Array => {
    const bytes = tinyElf(abi, ["sc"]);
    bytes.set(values, at);
    return bytes;
  };
  it.each([
    ["another magic", spoilt("ppc64", 0, 0x7e), /not an ELF file/],
    ["an unknown class", spoilt("ppc64", 4, 3), /unknown ELF class/],
    ["an unknown byte order", spoilt("ppc64", 5, 0), /unknown byte order/],
    ["another machine", spoilt("ppc64", 18, 0, 62), /not for PowerPC/],
    ["a class that is not the machine's", spoilt("ppc64", 18, 0, 20), /does not fit/],
    ["an object file", spoilt("ppc32", 16, 0, 1), /an object file, not an executable/],
    ["no program headers", spoilt("ppc32", 44, 0, 0), /no program headers/],
    ["program headers of another size", spoilt("ppc32", 42, 0, 31), /program headers of 31 bytes/],
    ["program headers beyond the file", spoilt("ppc64", 32, 0x7f), /out of range|beyond the end/],
    ["a segment beyond the file", spoilt("ppc32", 52 + 4, 0, 0xff, 0, 0), /beyond the end of the file/],
    ["a segment above 128 TiB", spoilt("ppc64", 64 + 16, 0, 1), /above 128 TiB/],
    ["an entry point in no segment", spoilt("ppc32", 24, 0x20), /lies in no segment/],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => readProgram(bytes)).toThrow(message);
    expect(() => readProgram(bytes)).toThrow(ElfError);
  });
});

describe("sections and symbols", () => {
  it("finds .text and the symbols of a linked program", () => {
    for (const name of ["hello-ppc32", "progress-ppc64"]) {
      const file = built(name);
      const text = readSections(file).find((section) => section.name === ".text")!;
      expect(text.flags & 6).toBe(6);
      expect(sectionBytes(file, text)).toHaveLength(text.size);
    }
  });
});

describe("damaged files", () => {
  it.each(files)("every truncation of %s is read or refused clearly", (_, bytes) => {
    const step = bytes.length > 20_000 ? 97 : 1;
    for (let length = 0; length < bytes.length; length += step) readAll(bytes.subarray(0, length));
  });

  it.each(files)("random mutations of the headers of %s are read or refused clearly", (_, bytes) => {
    const mutation = fc.record({
      at: fc.oneof(fc.nat({ max: Math.min(bytes.length - 1, 400) }), fc.nat({ max: bytes.length - 1 })),
      value: fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat({ max: 255 })),
    });
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 12 }), (mutations) => {
        const copy = Uint8Array.from(bytes);
        for (const { at, value } of mutations) copy[at] = value;
        readAll(copy);
      }),
      { numRuns: 2000 },
    );
  });
});
