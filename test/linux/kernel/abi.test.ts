import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GuestFault } from "../../../emu/cpu/fault.ts";
import { ABIS, struct, TIMESPEC, TIMESPEC64 } from "../../../emu/linux/abi.ts";
import { EDEADLOCK, errnoName, errnoOf } from "../../../emu/linux/errno.ts";
import { syscallNames } from "../../../emu/linux/syscalls/syscall-numbers.ts";
import { syscallRows } from "../../../emu/linux/syscalls/syscall-table.ts";
import { AddressSpace } from "../../../emu/memory/address-space.ts";
import { readCString } from "../../../emu/memory/c-strings.ts";
import { PROT_READ, PROT_WRITE } from "../../../emu/memory/vma.ts";

const MIXED = struct({ a: "u8", b: "long", c: "u16", d: "u64", e: ["u32", 3], f: ["bytes", 3], g: "i8" });

describe("structs as data", () => {
  it("aligns fields as the C compiler does for either width", () => {
    const offsets = (abi: "ppc32" | "ppc64") =>
      (["a", "b", "c", "d", "e", "f", "g"] as const).map((field) => MIXED.offset(ABIS[abi], field));
    expect(offsets("ppc32")).toEqual([0, 4, 8, 16, 24, 36, 39]);
    expect(MIXED.size(ABIS.ppc32)).toBe(40);
    expect(offsets("ppc64")).toEqual([0, 8, 16, 24, 32, 44, 47]);
    expect(MIXED.size(ABIS.ppc64)).toBe(48);
    expect([TIMESPEC.size(ABIS.ppc32), TIMESPEC64.size(ABIS.ppc32), TIMESPEC.size(ABIS.ppc64)]).toEqual([
      8, 16, 16,
    ]);
  });

  it("writes the guest's byte order, and zeros for what is left out", () => {
    expect([...TIMESPEC.encode(ABIS.ppc32, { tv_sec: -2 })]).toEqual([255, 255, 255, 254, 0, 0, 0, 0]);
    expect([...struct({ x: "u16" }).encode(ABIS.ppc64le, { x: 0x1234 })]).toEqual([0x34, 0x12]);
  });

  it("keeps nothing of what was written before, and changes nothing that was given away", () => {
    const first = TIMESPEC.encode(ABIS.ppc32, { tv_sec: 1, tv_nsec: 2 });
    expect([...TIMESPEC.lend(ABIS.ppc32, { tv_nsec: 3 })]).toEqual([0, 0, 0, 0, 0, 0, 0, 3]);
    expect([...first]).toEqual([0, 0, 0, 1, 0, 0, 0, 2]);
  });

  it.each(["ppc32", "ppc64", "ppc64le"] as const)("reads back what it has written for %s", (abi) => {
    const long =
      abi === "ppc32" ? fc.bigInt(-(2n ** 31n), 2n ** 31n - 1n) : fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);
    const values = fc.record({
      a: fc.nat({ max: 255 }),
      b: long,
      c: fc.nat({ max: 65535 }),
      d: fc.bigInt(0n, 2n ** 64n - 1n),
      e: fc.array(fc.nat({ max: 2 ** 32 - 1 }), { minLength: 3, maxLength: 3 }),
      f: fc.uint8Array({ minLength: 3, maxLength: 3 }),
      g: fc.integer({ min: -128, max: 127 }),
    });
    fc.assert(
      fc.property(values, (fields) => {
        expect(MIXED.decode(ABIS[abi], MIXED.encode(ABIS[abi], fields))).toEqual(fields);
      }),
    );
  });
});

/** Near, across pages, and above 4 GiB. */
const PLACES = { ppc32: [0x10_0010, 0x10_0ff9], ppc64: [0x10_0010, 0x10_0ff9, 0x1234_5678_0ff9] } as const;

describe.each(["ppc32", "ppc64", "ppc64le"] as const)("what goes to memory on %s", (name) => {
  const abi = ABIS[name];
  const memory = new AddressSpace({
    byteOrder: abi.littleEndian ? "little" : "big",
    size: 16 * 2 ** 20,
    hasFar: abi.is64,
  });
  const places = PLACES[abi.is64 ? "ppc64" : "ppc32"];
  for (const place of places) {
    const start = place - (place % 4096);
    memory.map({ start, end: start + 8192, prot: PROT_READ | PROT_WRITE, offset: 0 });
  }
  it.each(places)(
    "is a struct as it is laid out, zeros between its fields and in those kept free, at %i",
    (place) => {
      const layout = struct({
        a: "u8",
        b: "long",
        c: "u16",
        d: "u64",
        __free: "u16",
        e: "i8",
        f: "u32",
        g: "i64",
      });
      const values = [0xfe, -2, 0x1234, 0x1234_5678_9abc_def0n, -3, 0x8765_4321, 2 ** 40 + 7];
      const [a, b, c, d, e, f, g] = values;
      memory.write(place, new Uint8Array(layout.size(abi)).fill(0xff));
      layout.writeInOrder(abi, memory, place, values);
      const bytes = layout.encode(abi, { a, b, c, d, e, f, g });
      expect([...memory.read(place, bytes.length)]).toEqual([...bytes]);
      layout.writeInOrder(abi, memory, place, values.slice(0, 2));
      expect([...memory.read(place, bytes.length)]).toEqual([...layout.encode(abi, { a, b })]);
    },
  );
  it.each(places)("is a string up to its NUL, or none within its limit, at %i", (place) => {
    const text = [..."seven"].map((character) => character.charCodeAt(0));
    memory.write(place, Uint8Array.of(...text, 0, 65));
    expect([...readCString(memory, place, 6)!]).toEqual(text);
    expect(readCString(memory, place, 5)).toBeUndefined();
    // It ends with the last page, and there is no next one.
    const end = place - (place % 4096) + 8192;
    memory.write(end - 6, Uint8Array.of(...text, 0));
    expect([...readCString(memory, end - 6, 4096)!]).toEqual(text);
    memory.write(end - 1, Uint8Array.of(65));
    expect(() => readCString(memory, end - 6, 4096)).toThrow(GuestFault);
  });
});

describe("error names", () => {
  it("knows powerpc's EDEADLOCK, which elsewhere is EDEADLK", () => {
    expect(EDEADLOCK).toBe(58);
    expect([errnoName(58), errnoName(35), errnoName(2)]).toEqual(["EDEADLOCK", "EDEADLK", "ENOENT"]);
  });
  it("takes unknown names of a host for EIO", () => {
    expect([errnoOf("ENOTEMPTY"), errnoOf("EWHATEVER"), errnoOf("toString")]).toEqual([39, 5, 5]);
  });
});

describe("the table of system calls", () => {
  const names = { 32: syscallNames(ABIS.ppc32), 64: syscallNames(ABIS.ppc64) };
  it("has a row for a name once, and a number for every row", () => {
    const known = new Set([...names[32].values(), ...names[64].values()]);
    const rows = syscallRows().map(({ name }) => name);
    expect(rows.filter((name) => !known.has(name))).toEqual([]);
    expect(rows.filter((name, i) => rows.indexOf(name) !== i)).toEqual([]);
  });
  it("has powerpc's numbers, and of both widths those of its own", () => {
    expect([1, 90, 172, 386].map((number) => names[64].get(number))).toEqual([
      "exit",
      "mmap",
      "rt_sigreturn",
      "pkey_mprotect",
    ]);
    expect([names[32].get(192), names[64].get(192)]).toEqual(["mmap2", undefined]);
    expect([names[32].get(403), names[64].get(403)]).toEqual(["clock_gettime64", undefined]);
  });
  it("describes every argument with a type that the trace knows", () => {
    const types = new Set("int uint hex octal long ulong ptr str fd off64 signal pad".split(" "));
    for (const { name, args } of syscallRows()) {
      const unknown = args.split(" ").filter((type) => type !== "" && !types.has(type));
      expect([name, ...unknown]).toEqual([name]);
    }
  });
});
