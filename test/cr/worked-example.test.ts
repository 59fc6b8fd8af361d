import { describe, expect, it } from "vitest";
import type { Image } from "../../cr/image.ts";
import { readImage, restart, writeImage } from "../../cr/index.ts";
import { imageBytes, machine, sha256, source, withContents } from "./samples.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** Where each record of an image starts. */
function offsets(image: Image): Record<string, number> {
  const [task] = image.tasks;
  const [code, data] = task.areas;
  return {
    HEAD: image.head.offset!,
    HEAD_ARCH: image.headArch!.offset!,
    TREE: image.tree.offset!,
    pids: image.pids[0].offset!,
    TASK: task.task.offset!,
    STRING: task.comm.offset!,
    MM: task.mm.offset!,
    "VMA 1": code.vma.offset!,
    "FNAME 1": code.name!.offset!,
    "PGARR 1": code.end.offset!,
    "VMA 2": data.vma.offset!,
    "PGARR 2": data.runs[0].header.offset!,
    "PGARR 3": data.end.offset!,
    MM_CONTEXT: task.mmContext!.offset!,
    FILES: task.files.offset!,
    FD_ENT: task.descriptors[0].entry.offset!,
    FD_DATA: task.descriptors[0].file!.data.offset!,
    "FNAME 2": task.descriptors[0].file!.name.offset!,
    THREAD: task.thread!.offset!,
    CPU: task.cpu.offset!,
    TAIL: image.tail.offset!,
  };
}

const FIRST = {
  HEAD: 0,
  HEAD_ARCH: 232,
  TREE: 244,
  pids: 260,
  TASK: 276,
  STRING: 308,
  MM: 332,
  "VMA 1": 436,
  "FNAME 1": 492,
  "PGARR 1": 510,
  "VMA 2": 526,
  "PGARR 2": 582,
};

describe("the worked example of the format", () => {
  const rows = [
    { abi: "ppc32", fpWidth: 1, after: 4698, tail: 5288, total: 5304, cpu: "006801c0000004d2" },
    { abi: "ppc64", fpWidth: 1, after: 4702, tail: 5468, total: 5484, cpu: "00680270000004d2" },
    { abi: "ppc64", fpWidth: 2, after: 4702, tail: 5724, total: 5740, cpu: "00680370000004d2" },
  ] as const;

  it.each(rows)("puts every record of $abi with $fpWidth doublewords a register at its offset", (row) => {
    const { abi, fpWidth, after, tail, total } = row;
    const bytes = imageBytes(machine(abi), { strict: true, fpWidth });
    expect(bytes.length).toBe(total);
    const image = readImage(source(bytes), { strict: true });
    const mmContext = after + 16;
    expect(offsets(image)).toEqual({
      ...FIRST,
      "PGARR 3": after,
      MM_CONTEXT: mmContext,
      FILES: mmContext + 12,
      FD_ENT: mmContext + 28,
      FD_DATA: mmContext + 52,
      "FNAME 2": mmContext + 84,
      THREAD: mmContext + 106,
      CPU: mmContext + 118,
      TAIL: tail,
    });
    const cpu = image.tasks[0].cpu.offset!;
    expect(hex(bytes.subarray(cpu, cpu + 8))).toBe(row.cpu);
  });

  it("begins and ends with the bytes that the format gives", () => {
    const bytes = imageBytes(machine("ppc32"), { strict: true });
    expect(hex(bytes.subarray(0, 40))).toBe(
      "000100e00000000000feed0cc0a2d20000020006001c000300000000497f3d000000000000000001",
    );
    expect(hex(bytes.subarray(-16))).toBe("1389000800000000002d2a0cc0deef00");
    expect(hex(bytes.subarray(232, 244))).toBe("0002000400000000deadbeef");
  });

  it.each(["ppc32", "ppc64", "ppc64le"] as const)("goes on as the same %s machine", (abi) => {
    const snapshot = machine(abi);
    const again = restart(source(imageBytes(snapshot)), { sha256 });
    expect(withContents(again)).toEqual(withContents(snapshot));
  });

  it("is written again as the same bytes", () => {
    const bytes = imageBytes(machine("ppc64"));
    const pieces: Uint8Array[] = [];
    writeImage(
      readImage(source(bytes), { sha256 }),
      { write: (piece) => void pieces.push(piece.slice()) },
      sha256,
    );
    expect(hex(Buffer.concat(pieces))).toBe(hex(bytes));
  });
});
