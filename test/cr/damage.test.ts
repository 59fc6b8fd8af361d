import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ImageErrorKind } from "../../cr/errors.ts";
import { check, checkImage, type Image, ImageError, readImage, writeImage } from "../../cr/index.ts";
import type { FileState } from "../../emu/snapshot.ts";
import { area, imageBytes, machine, openFile, pages, process, sha256, source } from "./samples.ts";

const PLAIN = imageBytes(machine("ppc32"), { strict: true });
const WHOLE = imageBytes(
  machine("ppc64", {
    processes: [process("ppc64", 1234, { descriptors: [{ fd: 0, closeOnExec: false, openFile: 0 }] })],
    openFiles: [openFile("", { kind: "inherited", inherited: 0 })],
  }),
);

/** Record offsets of the plain image (the worked example, ppc32). */
const AT = {
  HEAD: 0,
  HEAD_ARCH: 232,
  TREE: 244,
  TASK: 276,
  STRING: 308,
  MM: 332,
  VMA: 436,
  FNAME: 492,
  PGARR: 510,
  VMA_2: 526,
  PGARR_2: 582,
  MM_CONTEXT: 4714,
  FILES: 4726,
  FD_ENT: 4742,
  FD_DATA: 4766,
  THREAD: 4820,
  CPU: 4832,
  TAIL: 5288,
};
/** Where the plain image's records begin: all of the above, the PGARR that ends the second mapping, and the descriptor's FNAME. */
const RECORDS = [...new Set([...Object.values(AT), 4698, 4798])].sort((a, b) => a - b);

/** A copy with some bytes replaced. */
function patched(bytes: Uint8Array, at: number, replacement: number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(replacement, at);
  return copy;
}

/** The first error, or undefined when there is none. Anything but an ImageError is a bug. */
function errorOf(bytes: Uint8Array, strict = false): ImageError | undefined {
  try {
    readImage(source(bytes), { sha256, strict });
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(ImageError);
    return error as ImageError;
  }
}

const encoded = (image: Image): Uint8Array => {
  const pieces: Uint8Array[] = [];
  writeImage(image, { write: (piece) => void pieces.push(piece.slice()) }, sha256);
  return new Uint8Array(Buffer.concat(pieces));
};

describe("a truncated image", () => {
  it("is refused at every length", () => {
    for (let length = 0; length < PLAIN.length; length++) {
      expect(errorOf(PLAIN.subarray(0, length))?.kind, `length ${length}`).toBe("truncated");
    }
  });

  it("is refused at every length when it has a trailer that is needed", () => {
    for (let length = 0; length < WHOLE.length; length++) {
      expect(errorOf(WHOLE.subarray(0, length))?.kind, `length ${length}`).toBe("truncated");
    }
  });

  it("says in which record, where, and how much is missing", () => {
    const error = errorOf(PLAIN.subarray(0, AT.CPU + 100))!;
    expect(error).toMatchObject({ kind: "truncated", record: "CPU", offset: AT.CPU });
    expect(error.message).toContain("356 bytes are missing");
  });
});

describe("a flipped bit", () => {
  const flipped = (bytes: Uint8Array, bit: number) =>
    patched(bytes, bit >> 3, [bytes[bit >> 3] ^ (1 << (bit & 7))]);

  it("anywhere in an image with a trailer is found", () => {
    for (let bit = 0; bit < 8 * WHOLE.length; bit++) {
      const inPage = bit >> 3 > 700 && bit >> 3 < 4600 && bit % 64 !== 0;
      if (inPage) continue;
      expect(errorOf(flipped(WHOLE, bit)), `bit ${bit}`).toBeDefined();
    }
  });

  it("in a plain image is found, or is in a value: what is read has the same length", () => {
    let values = 0;
    for (let bit = 0; bit < 8 * PLAIN.length; bit++) {
      if (bit >> 3 > 700 && bit >> 3 < 4600) continue;
      const bytes = flipped(PLAIN, bit);
      const { image, findings } = check(source(bytes));
      if (image === undefined) {
        expect(
          findings.some(({ severity }) => severity === "error"),
          `bit ${bit}`,
        ).toBe(true);
      } else {
        expect(Buffer.compare(encoded(image), bytes), `bit ${bit}`).toBe(0);
        values++;
      }
    }
    expect(values).toBeGreaterThan(1000);
  });
});

describe("damage is told apart", () => {
  const rows: [string, Uint8Array, ImageErrorKind, string][] = [
    ["an empty file", new Uint8Array(), "truncated", ""],
    ["another file", new TextEncoder().encode("#!/bin/sh\necho hello, world\n"), "not-an-image", ""],
    ["an ELF program", patched(PLAIN, 0, [0x7f, 0x45, 0x4c, 0x46]), "not-an-image", ""],
    ["a damaged magic", patched(PLAIN, 9, [0]), "magic", "HEAD"],
    ["a later format", patched(PLAIN, 0, [0, 0, 0, 1, 0, 0, 0, 0x30]), "newer-format", "HEAD"],
    [
      "v14, without the names in HEAD",
      patched(patched(PLAIN, 2, [0, 0x28]), 232, [9, 9]),
      "newer-format",
      "HEAD",
    ],
    ["another format revision", patched(PLAIN, 22, [0, 2]), "version", "HEAD"],
    ["unknown flags", patched(PLAIN, 38, [0x12]), "flags", "HEAD"],
    ["an x86 image", patched(PLAIN, 168, [0x69, 0x36, 0x38, 0x36, 0]), "architecture", "HEAD"],
    ["a trailer that is missing", patched(PLAIN, 38, [1]), "truncated", "TRAILER"],
    ["a header in the other byte order", patched(PLAIN, AT.TASK, [0x66, 0, 0x18, 0]), "byte-order", "TASK"],
    ["an unknown record", patched(PLAIN, AT.TASK, [0x12, 0x34]), "unknown-record", ""],
    ["a record out of place", patched(PLAIN, AT.TASK, [0, 201]), "record-order", "MM"],
    ["a wrong length", patched(PLAIN, AT.MM + 2, [0, 95]), "record-length", "MM"],
    ["a negative length", patched(PLAIN, AT.MM + 2, [0xff, 0xff]), "record-length", "MM"],
    ["a CPU record of no shape", patched(PLAIN, AT.CPU + 2, [0x02, 0x00]), "record-length", "CPU"],
    ["a wrong parent", patched(PLAIN, AT.VMA + 7, [9]), "record-parent", "VMA"],
    ["an FD_DATA of another objref", patched(PLAIN, AT.FD_DATA + 7, [2]), "record-parent", "FD_DATA"],
    ["no tasks", patched(PLAIN, AT.TREE + 8, [0, 0, 0, 0]), "count", "TREE"],
    ["too many tasks", patched(PLAIN, AT.TREE + 8, [0x7f, 0xff, 0xff, 0xff]), "count", "TREE"],
    ["too many mappings", patched(PLAIN, AT.MM + 12, [0xff, 0xff, 0xff, 0xff]), "count", "MM"],
    ["too many pages", patched(PLAIN, AT.PGARR_2 + 8, [0, 0, 0, 1, 0, 0, 0, 0]), "count", "PGARR"],
    ["too many descriptors", patched(PLAIN, AT.FILES + 12, [0xff, 0, 0, 0]), "count", "FILES"],
    ["a mapping type of later formats", patched(PLAIN, AT.VMA + 11, [3]), "value", "VMA"],
    ["a range that ends before it starts", patched(PLAIN, AT.VMA + 16, [0, 0, 0, 1]), "value", "VMA"],
    [
      "overlapping mappings",
      patched(PLAIN, AT.VMA + 24, [0, 0, 0, 0, 0x10, 0x01, 0x10, 0]),
      "overlap",
      "VMA",
    ],
    ["a shared mapping", patched(PLAIN, AT.VMA_2 + 8 + 39, [0x7b]), "value", "VMA"],
    ["a page outside of its mapping", patched(PLAIN, AT.PGARR_2 + 16, [0x20]), "value", "PGARR"],
    ["a page at an odd address", patched(PLAIN, AT.PGARR_2 + 19, [1]), "value", "PGARR"],
    ["a name without NUL", patched(PLAIN, AT.FNAME + 17, [0x61]), "value", "FNAME"],
    ["a NUL inside a name", patched(PLAIN, AT.FNAME + 12, [0]), "value", "FNAME"],
    ["a relative name", patched(PLAIN, AT.FNAME + 8, [0x61]), "value", "FNAME"],
    ["an objref of 0", patched(PLAIN, AT.FD_ENT + 8, [0, 0, 0, 0]), "value", "FD_ENT"],
    ["a negative descriptor", patched(PLAIN, AT.FD_ENT + 12, [0xff, 0xff, 0xff, 0xff]), "value", "FD_ENT"],
    ["a comm longer than it says", patched(PLAIN, AT.TASK + 24 + 3, [15]), "value", "TASK"],
    ["a comm of negative length", patched(PLAIN, AT.TASK + 24, [0xff]), "value", "TASK"],
    ["a damaged end", patched(PLAIN, AT.TAIL + 9, [0]), "magic", "TAIL"],
    ["a byte of a page, under a digest", patched(WHOLE, 700, [WHOLE[700] ^ 1]), "digest", "END"],
  ];

  it.each(rows)("%s", (_, bytes, kind, record) => {
    const error = errorOf(bytes)!;
    expect(error, "was accepted").toBeDefined();
    expect([error.kind, error.record]).toEqual([kind, record]);
    const number = RECORDS.indexOf(error.offset);
    if (number >= 0) expect(error.index).toBe(number);
    expect(error.message.length).toBeGreaterThan(10);
  });

  it("lists everything that is wrong, as far as the image can be read", () => {
    const twice = patched(patched(PLAIN, AT.FNAME + 8, [0x61]), AT.TAIL + 9, [0]);
    const { findings, image } = checkImage(source(twice));
    expect(image).toBeUndefined();
    expect(findings.map(({ kind, record }) => [kind, record])).toEqual([
      ["value", "FNAME"],
      ["magic", "TAIL"],
    ]);
  });

  it("warns of bytes after the end, which the tool of the time appended", () => {
    const { image, findings } = checkImage(source(Buffer.concat([PLAIN, Buffer.from("checkpoint id 1\n")])));
    expect(image).toBeDefined();
    expect(findings).toMatchObject([{ severity: "warning", kind: "trailing-data", offset: PLAIN.length }]);
  });
});

describe("the dummy records", () => {
  const dummies = [AT.HEAD_ARCH, AT.MM_CONTEXT, AT.THREAD];

  it("may hold anything, but not in strict mode", () => {
    for (const at of dummies) {
      const bytes = patched(PLAIN, at + 8, [1, 2, 3, 4]);
      expect(errorOf(bytes)).toBeUndefined();
      expect(errorOf(bytes, true)).toMatchObject({ kind: "value", offset: at });
    }
  });

  it("may be empty, 8 bytes long, or not there, but not in strict mode", () => {
    const replaced = (at: number, length: number | undefined) =>
      Buffer.concat([
        PLAIN.subarray(0, at),
        length === undefined ? new Uint8Array() : patched(PLAIN.subarray(at, at + 8), 3, [length]),
        new Uint8Array(length ?? 0),
        PLAIN.subarray(at + 12),
      ]);
    for (const at of dummies) {
      for (const length of [0, 8, undefined]) {
        const bytes = replaced(at, length);
        expect(errorOf(bytes), `${length} at ${at}`).toBeUndefined();
        expect(errorOf(bytes, true)?.kind, `${length} at ${at}`).toBe(
          length === undefined ? "record-order" : "value",
        );
        expect(Buffer.compare(encoded(readImage(source(bytes))), bytes)).toBe(0);
      }
      expect(errorOf(replaced(at, 5))?.kind).toBe("record-length");
    }
  });

  it("is written as each flavour has it", () => {
    const sizes = (["seed", "reviewed", "empty", "bare"] as const).map(
      (flavour) => imageBytes(machine("ppc32"), { strict: true, flavour }).length,
    );
    expect(sizes).toEqual([5304, 5304 - 24, 5304 - 12, 5304 - 36]);
  });
});

describe("hostile images", () => {
  /** The records of the plain image, as pieces; raw data is with the record before it. */
  const starts = RECORDS;
  const records = starts.map((start, index) => ({
    // A mapping may also have no pages.
    optional: [AT.HEAD_ARCH, AT.MM_CONTEXT, AT.THREAD, AT.PGARR_2].includes(start),
    start,
    bytes: PLAIN.subarray(start, starts[index + 1]),
  }));

  it("with records out of order, doubled or missing are refused, unless they may be missing", () => {
    const needed = starts.filter((_, index) => !records[index].optional);
    const several = fc.array(fc.nat(records.length - 1), { maxLength: 2 });
    fc.assert(
      fc.property(fc.shuffledSubarray(records), several, (some, extra) => {
        const chosen = [...some, ...extra.map((index) => records[index])];
        const error = errorOf(new Uint8Array(Buffer.concat(chosen.map(({ bytes }) => bytes))));
        const kept = chosen.filter(({ optional }) => !optional).map(({ start }) => start);
        if (kept.slice(0, needed.length).join() !== needed.join()) expect(error).toBeDefined();
      }),
      { numRuns: 500 },
    );
    for (const [index, { optional }] of records.entries()) {
      const without = records.filter((_, other) => other !== index).map(({ bytes }) => bytes);
      expect(errorOf(new Uint8Array(Buffer.concat(without))) === undefined, `record ${index}`).toBe(optional);
    }
    for (let index = 1; index < records.length; index++) {
      const swapped = records.map(({ bytes }) => bytes);
      [swapped[index - 1], swapped[index]] = [swapped[index], swapped[index - 1]];
      expect(
        errorOf(new Uint8Array(Buffer.concat(swapped))),
        `records ${index - 1} and ${index}`,
      ).toBeDefined();
    }
  });

  it("of random changes are read or refused, and nobody reads them over and over", () => {
    const change = fc.record({
      at: fc.nat(WHOLE.length - 1),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(PLAIN, WHOLE),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        (whole, changes) => {
          const bytes = whole.slice();
          for (const { at, bytes: replacement } of changes) {
            bytes.set(replacement.subarray(0, Math.max(0, bytes.length - at)), Math.min(at, bytes.length));
          }
          const image = source(bytes);
          let read = 0;
          check({
            ...image,
            read: (offset, length, into) => {
              const got = image.read(offset, length, into);
              read += got.length;
              return got;
            },
          });
          expect(read).toBeLessThan(4 * bytes.length + 100_000);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("of another machine's address space can be looked at, but not restarted", () => {
    const bytes = imageBytes(machine("ppc64"), { strict: true });
    const far = patched(patched(bytes, AT.VMA_2 + 16, [0, 1, 0x0f, 0xff]), AT.VMA_2 + 24, [0, 1, 0x0f, 0xff]);
    const moved = patched(far, AT.PGARR_2 + 16, [0, 1, 0x0f, 0xff]);
    const { image, snapshot, findings } = check(source(moved));
    expect(image).toBeDefined();
    expect(snapshot).toBeUndefined();
    expect(findings.at(-1)).toMatchObject({ severity: "error", kind: "unsupported", record: "VMA" });
  });
});

const TERMINAL: FileState = {
  kind: "terminal",
  ...{ c_iflag: 0, c_oflag: 0, c_cflag: 0, c_lflag: 0, c_cc: Array(19).fill(0), c_line: 0 },
  ...{ c_ispeed: 9600, c_ospeed: 9600, foreground: null, size: null },
};

/** Somebody who is told what happens in a directory. */
const TOLD = { type: 1, owner: 1234, signal: 0, fd: 4, watched: 4, lease: 2, wanted: 2, until: 0n };

describe("writing", () => {
  it("is refused where no thaw could bring it back, and says what that is", () => {
    const snapshot = machine("ppc64", {
      processes: [process("ppc64", 1234)],
      obstacles: ["/area/x, which is like nothing else"],
    });
    expect(() => imageBytes(snapshot)).toThrow(
      /an image of this could never be thawed:\n {2}- \/area\/x, which is like nothing else/,
    );
  });
});

describe("strict writing", () => {
  it("says every reason why a plain image cannot be", () => {
    const one = process("ppc64", 1234);
    const [leader] = one.threads;
    const vsr = leader.registers.vsr.map((pair, n): [bigint, bigint] => (n === 40 ? [1n, 2n] : pair));
    const snapshot = machine("ppc64", {
      openFiles: [
        openFile("", { kind: "pipe-read", pipe: 0 }),
        openFile("", { kind: "inherited", inherited: 1 }),
        openFile("/tmp/gone", { deleted: true }),
        openFile("/dev/tty", { kind: "inherited", inherited: 0, state: TERMINAL }),
        openFile("/tmp", { kind: "directory", signals: TOLD }),
      ],
      pipes: [{ ino: 0n, capacity: 65536, contents: new Uint8Array(3) }],
      sharedObjects: [{ file: null, size: 4096, pages: pages([0]) }],
      processes: [
        {
          ...one,
          signalActions: one.signalActions.map((action, n) =>
            n === 9 ? { ...action, handler: 0x1000n } : action,
          ),
          pendingSignals: [{ signo: 10, errno: 0, code: 0, pid: 1, uid: 0, value: 0n, timer: 0, overrun: 0 }],
          intervalTimers: [{ remaining: 5n, interval: 0n }],
          memory: {
            ...one.memory,
            areas: [
              ...one.memory.areas,
              area(0x2000_0000, 0x2000_1000, { sharedObject: { index: 0, offset: 0 } }),
            ],
          },
          descriptors: [0, 1, 2, 3, 4].map((fd) => ({ fd, closeOnExec: false, openFile: fd })),
          threads: [
            {
              ...leader,
              signalMask: 4n,
              registers: { ...leader.registers, vsr },
              blocked: { deadline: 9n, state: { kind: "begun" } },
            },
          ],
        },
      ],
    });
    let error: unknown;
    try {
      imageBytes(snapshot, { strict: true });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ImageError);
    expect((error as ImageError).kind).toBe("not-plain");
    expect((error as ImageError).message.split("\n  - ").slice(1)).toEqual([
      "handled or ignored signals: 10",
      "pending signals",
      "an interval timer is running",
      "vector registers in use",
      "blocked signals",
      "a timed wait in progress",
      "shared mapping at 20000000-20001000",
      "descriptor 0 is a pipe-read",
      "descriptor 1 is an inherited stream",
      "descriptor 2 is a deleted file (/tmp/gone)",
      "descriptor 3 is a terminal with settings of its own",
      "descriptor 4 has an owner that is told by signals",
    ]);
    const image = readImage(source(imageBytes(snapshot)), { sha256 });
    expect(image.head.values.flags).toBe(0x101n);
  });
});
