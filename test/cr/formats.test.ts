import { describe, expect, it } from "vitest";
import { check, imageJson, imageText, readImage, restart, writeImage } from "../../cr/index.ts";
import type { ThreadSnapshot } from "../../emu/snapshot.ts";
import {
  area,
  imageBytes,
  machine,
  openFile,
  pages,
  process,
  registers,
  sha256,
  source,
  thread,
  withContents,
} from "./samples.ts";

/** Builds an image record by record, for what our writer does not write. */
class Records {
  readonly parts: Buffer[] = [];
  private readonly littleEndian: boolean;
  constructor(littleEndian = false) {
    this.littleEndian = littleEndian;
  }
  raw(bytes: Uint8Array): this {
    this.parts.push(Buffer.from(bytes));
    return this;
  }
  record(type: number, parent: number, payload: Uint8Array): this {
    const header = Buffer.alloc(8);
    const view = new DataView(header.buffer, header.byteOffset, 8);
    view.setInt16(0, type, this.littleEndian);
    view.setInt16(2, payload.length, this.littleEndian);
    view.setUint32(4, parent, this.littleEndian);
    return this.raw(header).raw(payload);
  }
  get bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.parts));
  }
}

const longs = (...values: bigint[]) => {
  const bytes = Buffer.alloc(8 * values.length);
  for (const [index, value] of values.entries()) bytes.writeBigUInt64BE(value, 8 * index);
  return bytes;
};

describe("chunks of pages", () => {
  const many = 5000;
  const snapshot = (abi: "ppc32" | "ppc64") => {
    const one = process(abi, 1234);
    const start = 0x2000_0000;
    const addresses = Array.from({ length: many }, (_, n) => start + n * 4096);
    const big = area(start, start + many * 4096, { pages: pages(addresses) });
    return machine(abi, { processes: [{ ...one, memory: { ...one.memory, areas: [big] } }] });
  };

  it.each([
    ["ppc32", [4096, 904]],
    ["ppc64", [2048, 2048, 904]],
  ] as const)("hold four pages full of addresses in an image of %s", (abi, sizes) => {
    const image = readImage(source(imageBytes(snapshot(abi), { strict: true })));
    expect(image.tasks[0].areas[0].runs.map((run) => run.addresses.length)).toEqual(sizes);
    expect(withContents(restart(source(imageBytes(snapshot(abi))), { sha256 }))).toEqual(
      withContents(snapshot(abi)),
    );
  });
});

describe("an image of a kernel with pages of 64 KiB", () => {
  it("is read, its pages in sixteen parts, and written again as it was", () => {
    const template = readImage(source(imageBytes(machine("ppc64"), { strict: true })));
    const contents = Buffer.alloc(65536, 7);
    contents.writeUInt32BE(0xfeedface, 3 * 4096);
    const [text, data] = template.tasks[0].areas;
    const from = imageBytes(machine("ppc64"), { strict: true });
    const at = (record: { offset?: number }) => record.offset!;
    const [mm, mmContext] = [template.tasks[0].mm, template.tasks[0].mmContext!];
    const vma = Buffer.from(from.subarray(at(data.vma), at(data.vma) + 56));
    vma.writeBigUInt64BE(0x1001_0000n, 16);
    vma.writeBigUInt64BE(0x1003_0000n, 24);
    const wideText = Buffer.from(from.subarray(at(text.vma), at(data.vma)));
    wideText.writeBigUInt64BE(0x1000_0000n, 16);
    wideText.writeBigUInt64BE(0x1001_0000n, 24);
    const bytes = new Records()
      .raw(from.subarray(0, at(mm) + 104))
      .raw(wideText)
      .raw(vma)
      .record(203, 0, longs(2n))
      .raw(longs(0x1001_0000n, 0x1002_0000n))
      .raw(contents)
      .raw(contents)
      .record(203, 0, longs(0n))
      .raw(from.subarray(at(mmContext))).bytes;
    const image = readImage(source(bytes));
    expect(image.pageSize).toBe(65536);
    const parts = restart(source(bytes)).processes[0].memory.areas[1].pages;
    expect(parts.addresses.length).toBe(32);
    expect(parts.addresses.slice(15, 18)).toEqual([0x1001_f000, 0x1002_0000, 0x1002_1000]);
    expect(Buffer.from(parts.read(19)).readUInt32BE(0)).toBe(0xfeedface);
    expect(parts.read(2)).toEqual(new Uint8Array(4096).fill(7));
    const pieces: Uint8Array[] = [];
    writeImage(image, { write: (piece) => void pieces.push(piece.slice()) });
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
  });
});

describe("several processes", () => {
  const tree = machine("ppc32", {
    processes: [
      process("ppc32", 10, { ppid: 1 }),
      process("ppc32", 20, { ppid: 10 }),
      process("ppc32", 30, {
        ppid: 10,
        descriptors: [0, 1, 7].map((fd) => ({ fd, closeOnExec: fd === 7, openFile: fd % 2 })),
      }),
      process("ppc32", 40, { ppid: 20 }),
    ],
    openFiles: [openFile("/tmp/a"), openFile("/tmp", { kind: "directory" })],
  });

  it("stand in the image depth first, each before its children", () => {
    const image = readImage(source(imageBytes(tree, { strict: true })));
    expect(image.pids.map(({ values }) => values.vpid)).toEqual([10, 20, 40, 30]);
    expect(image.tasks.map(({ mm }) => mm.parent)).toEqual([10, 20, 40, 30]);
  });

  it("share open files by objref, each described where it first appears", () => {
    const image = readImage(source(imageBytes(tree, { strict: true })));
    const seen = image.tasks.map((task) =>
      task.descriptors.map(({ entry, file }) => [entry.values.fd, entry.values.objref, file !== undefined]),
    );
    expect(seen).toEqual([
      [[0, 1, true]],
      [[0, 1, false]],
      [[0, 1, false]],
      [
        [0, 1, false],
        [1, 2, true],
        [7, 2, false],
      ],
    ]);
    const last = restart(source(imageBytes(tree)), { sha256 }).processes[2];
    expect(last.descriptors).toEqual(tree.processes[2].descriptors);
  });
});

describe("registers", () => {
  const vsr = Array.from({ length: 64 }, (_, n): [bigint, bigint] => [
    BigInt(n + 1),
    n < 32 ? BigInt(1000 + n) : 0n,
  ]);

  it.each(["ppc64", "ppc64le"] as const)(
    "of VSX stand in the VSX width of %s in that kernel's order",
    (abi) => {
      const high = vsr.map(([fpr, low], n): [bigint, bigint] => (n < 32 ? [fpr, low] : [0n, 0n]));
      const one = process(abi, 1234, {
        threads: [thread(abi, 1234, { registers: registers(abi, { vsr: high }) })],
      });
      const image = readImage(source(imageBytes(machine(abi, { processes: [one] }), { strict: true })));
      expect(image.shape).toEqual({ longSize: 8, fpWidth: 2 });
      expect(image.tasks[0].cpu.values.fpr.slice(0, 4)).toEqual(
        abi === "ppc64" ? [1n, 1000n, 2n, 1001n] : [1000n, 1n, 1001n, 2n],
      );
    },
  );

  it("of a process that waits in a system call show its trap", () => {
    const trap = (blocked: ThreadSnapshot["blocked"]) => {
      const one = process("ppc64", 1234, { threads: [thread("ppc64", 1234, { blocked })] });
      return readImage(source(imageBytes(machine("ppc64", { processes: [one] })))).tasks[0].cpu.values.trap;
    };
    expect([trap(null), trap({ deadline: null, state: { kind: "begun" } })]).toEqual([0x900n, 0xc00n]);
  });
});

describe("the flags of mappings", () => {
  it("are those of a kernel of the time", () => {
    const one = process("ppc32", 1234);
    const file = (path: string) => ({ path, offset: 0 });
    const areas = [
      area(0x1000_0000, 0x1000_1000, { prot: 5, file: file("/tmp/self") }),
      area(0x1001_0000, 0x1001_1000, { prot: 3, file: file("/tmp/self") }),
      area(0x1002_0000, 0x1002_1000, { prot: 5, file: file("/lib/libc.so.6") }),
      area(0x1003_0000, 0x1003_1000, { prot: 3, file: file("/lib/libc.so.6") }),
      area(0x1004_0000, 0x1004_1000, { prot: 3, name: "[heap]" }),
      area(0xbfff_0000, 0xbfff_1000, { prot: 3, growsDown: true, name: "[stack]" }),
    ];
    const snapshot = machine("ppc32", { processes: [{ ...one, memory: { ...one.memory, areas } }] });
    const image = readImage(source(imageBytes(snapshot, { strict: true })));
    expect(image.tasks[0].areas.map(({ vma }) => vma.values.vm_flags)).toEqual([
      0x0800_1875n,
      0x0810_1873n,
      0x0800_0075n,
      0x0810_0073n,
      0x0010_0073n,
      0x0010_0173n,
    ]);
  });
});

describe("views", () => {
  const bytes = imageBytes(machine("ppc64"));

  it("as text show tasks, registers, mappings, descriptors and the trailer", () => {
    const text = imageText(readImage(source(bytes), { sha256 }));
    for (const part of [
      "shape ppc64",
      "2009-01-27 16:57:36 UTC",
      'task 1234 "self"',
      "nip 0000000010000400",
      "10010000-10011000 rw-p       1 page",
      "/tmp/self+0x0",
      "#1 file /tmp/out.self",
      "MACHINE",
      "abi ppc64",
    ]) {
      expect(text).toContain(part);
    }
  });

  it("as data have a schema version, 64-bit numbers in hexadecimal, and go through JSON", () => {
    const data = imageJson(readImage(source(bytes), { sha256 }));
    const again = JSON.parse(JSON.stringify(data));
    expect(again).toEqual(data);
    expect(again).toMatchObject({
      schema_version: 1,
      byte_order: "big",
      shape: { long_size: 8, fp_width: 1 },
      head: { magic: "0xfeed0cc0a2d200", machine: "ppc64", rev: 3 },
      pids: [{ vpid: 1234, vtgid: 1234, vppid: 1 }],
      tasks: [
        {
          comm: "self",
          cpu: { nip: "0x10000400" },
          vmas: [{ fname: { path: "/tmp/self" } }, { fname: null }],
        },
      ],
    });
    for (const record of again.trailer.records) expect(record.values, record.name).not.toBeNull();
    expect(again.trailer.records[0]).toMatchObject({
      name: "MACHINE",
      values: { abi: "ppc64", cpuModel: "power8" },
    });
  });

  it("of a check name nothing for a sound image", () => {
    const { findings, snapshot } = check(source(bytes), { sha256 });
    expect(findings).toEqual([]);
    expect(snapshot?.processes[0].pid).toBe(1234);
  });
});
