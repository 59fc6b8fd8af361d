import { describe, expect, it } from "vitest";
import { compare, readImage } from "../../cr/index.ts";
import { area, imageBytes, machine, openFile, process, registers, source, thread } from "./samples.ts";

const image = (byte: number, more: { r5?: bigint; end?: number; position?: bigint; pid?: number } = {}) => {
  const contents = new Uint8Array(4096);
  contents.fill(byte, 16, 19);
  const pid = more.pid ?? 1234;
  const one = process("ppc64", pid);
  const own = registers("ppc64");
  own.gpr[5] = more.r5 ?? own.gpr[5];
  const memory = {
    ...one.memory,
    areas: [
      area(0x1001_0000, 0x1001_1000, { pages: { addresses: [0x1001_0000], read: () => contents } }),
      area(0x1002_0000, more.end ?? 0x1002_1000),
    ],
  };
  const snapshot = machine("ppc64", {
    processes: [{ ...one, memory, threads: [thread("ppc64", pid, { registers: own })] }],
    openFiles: [openFile("/tmp/out.self", { position: more.position ?? 0n })],
  });
  return readImage(source(imageBytes(snapshot, { strict: true })));
};

describe("comparing images", () => {
  it("finds nothing between equal ones", () => {
    expect([...compare(image(1), image(1))]).toEqual([]);
  });

  it("names registers, mappings, pages and descriptors that differ", () => {
    const found = [...compare(image(1), image(2, { r5: 7n, end: 0x1002_2000, position: 10n }))];
    expect(found).toEqual([
      { pid: 1234, what: "register", where: "gpr[5]", before: "0x505050505050505", after: "0x7" },
      {
        pid: 1234,
        what: "mapping",
        where: "0x10020000",
        before: "to 0x10021000 flags 0x100073",
        after: "to 0x10022000 flags 0x100073",
      },
      {
        pid: 1234,
        what: "page",
        where: "0x10010000",
        before: "0x1",
        after: "0x2",
        bytes: { first: 0x1001_0010, count: 3 },
      },
      {
        pid: 1234,
        what: "descriptor",
        where: "0",
        before: "/tmp/out.self flags 0200002 at 0",
        after: "/tmp/out.self flags 0200002 at 10",
      },
    ]);
  });

  it("names tasks that only one has", () => {
    expect([...compare(image(1), image(1, { pid: 99 }))].map(({ what, where }) => [what, where])).toEqual([
      ["task", "1234"],
      ["task", "99"],
    ]);
  });
});
