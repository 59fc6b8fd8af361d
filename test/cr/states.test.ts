/** States of open files and of calls in progress: typed records, and the JSON text that older images have. */
import { describe, expect, it } from "vitest";
import { ImageError, readImage, restart, writeImage } from "../../cr/index.ts";
import type { Fields, Layout, Values } from "../../cr/record-layout.ts";
import { sourceOf } from "../../cr/stream.ts";
import { OPEN_FILES, THREAD_STATE, TRAILER_TYPES, type TrailerType } from "../../cr/trailer-records.ts";
import type { FileState, OpenFileSnapshot } from "../../emu/snapshot.ts";
import { imageBytes, machine, openFile, process, sha256, source, thread } from "./samples.ts";

/** The bytes of an image with the values of one of its trailer records changed. */
function changed<F extends Fields>(
  bytes: Uint8Array,
  type: TrailerType,
  layout: Layout<F>,
  change: (values: Values<F>) => Values<F>,
): Uint8Array {
  const image = readImage(source(bytes), { sha256 });
  const record = image.trailer!.records.find(({ header }) => header.type === type.type)!;
  const { payload, header } = record;
  const { values } = layout.decode(payload.read(0, payload.size), image.format, header.version);
  const after = change(values);
  const encoded = layout.encode(after, image.format);
  record.payload = sourceOf(encoded);
  record.header = { ...header, version: layout.oldest(after), length: encoded.length };
  const pieces: Uint8Array[] = [];
  writeImage(image, { write: (piece) => void pieces.push(piece.slice()) }, sha256);
  return new Uint8Array(Buffer.concat(pieces));
}

const withFile = (file: OpenFileSnapshot) =>
  imageBytes(
    machine("ppc64", {
      processes: [process("ppc64", 1234, { descriptors: [{ fd: 0, closeOnExec: false, openFile: 0 }] })],
      openFiles: [file],
    }),
  );

/** An image of an open file whose state is this text, as ppcr wrote it before states had types. */
const oldFile = (kind: OpenFileSnapshot["kind"], state: string): Uint8Array =>
  changed(withFile(openFile("", { kind })), TRAILER_TYPES.FILES, OPEN_FILES, (values) => ({
    ...values,
    openFiles: [{ ...values.openFiles[0], state, own: null }],
  }));

/** An image of a thread whose call remembers this text. */
const oldCall = (state: string): Uint8Array => {
  const blocked = { deadline: null, state: { kind: "begun" } } as const;
  const one = process("ppc64", 1234, { threads: [thread("ppc64", 1234, { blocked })] });
  const bytes = imageBytes(machine("ppc64", { processes: [one] }));
  return changed(bytes, TRAILER_TYPES.THREAD, THREAD_STATE, (values) => ({
    ...values,
    blocked: { deadline: null, state, call: null },
  }));
};

const thawed = (bytes: Uint8Array) => restart(source(bytes), { sha256 });
const versionOf = (bytes: Uint8Array, { type }: TrailerType) =>
  readImage(source(bytes), { sha256 }).trailer!.records.find(({ header }) => header.type === type)!.header
    .version;

const CONTROL = [3, 28, 127, 21, 4, 1, 0, 0, 0, 0, 23, 18, 26, 17, 19, 22, 15, 0, 0];
const FLAGS = {
  c_iflag: 0x300,
  c_oflag: 3,
  c_cflag: 0x4b0f,
  c_lflag: 0x80,
  c_line: 0,
  c_ispeed: 9600,
  c_ospeed: 38400,
};
const TERMIOS = { ...FLAGS, c_cc: CONTROL };

describe("a state in an image of an older version", () => {
  it.each<[string, OpenFileSnapshot["kind"], unknown, unknown]>([
    [
      "an eventfd",
      "special",
      { type: "eventfd", counter: "18446744073709551614", semaphore: true },
      { kind: "eventfd", counter: 2n ** 64n - 2n, semaphore: true },
    ],
    [
      "an epoll set",
      "special",
      { type: "epoll", items: [[3, 0, -2147483647, 1, 4096, "7"]] },
      {
        kind: "epoll",
        items: [{ fd: 3, openFile: 0, events: -2147483647, told: 1, amount: 4096, data: 7n }],
      },
    ],
    ["a file open with O_PATH", "special", { type: "path" }, { kind: "path" }],
    [
      "a file of /proc",
      "proc",
      { mode: 0o444, contents: "a\u00ffb" },
      { kind: "contents", mode: 0o444, contents: Uint8Array.of(0x61, 0xff, 0x62) },
    ],
    [
      "a listing",
      "directory",
      [["12", "file", "a name"]],
      { kind: "listing", entries: [{ ino: 12n, kind: "file", name: "a name" }] },
    ],
    ["seals", "file", { seals: 6 }, { kind: "seals", bits: 6 }],
    [
      "a terminal",
      "inherited",
      { termios: TERMIOS, size: { rows: 24, columns: 80 } },
      { kind: "terminal", ...TERMIOS, foreground: null, size: { rows: 24, columns: 80 } },
    ],
    [
      "a terminal of /dev/tty",
      "device",
      { termios: TERMIOS, foreground: 12 },
      { kind: "terminal", ...TERMIOS, foreground: 12, size: null },
    ],
  ])("comes back: %s", (_what, kind, before, after) => {
    const bytes = oldFile(kind, JSON.stringify(before));
    expect(versionOf(bytes, TRAILER_TYPES.FILES)).toBe(1);
    expect(thawed(bytes).openFiles[0].state).toEqual(after);
  });

  it.each([
    ["", { kind: "begun" }],
    ["woken", { kind: "woken", index: 0 }],
    ['{"done":12}', { kind: "moved", done: 12 }],
    ['{"kind":"moved","done":7}', { kind: "moved", done: 7 }],
    ['{"kind":"vfork","child":9}', { kind: "vfork", child: 9 }],
  ])("comes back: the call that remembers %s", (text, state) => {
    const bytes = oldCall(text);
    expect(versionOf(bytes, TRAILER_TYPES.THREAD)).toBe(1);
    expect(thawed(bytes).processes[0].threads[0].blocked).toEqual({ deadline: null, state });
  });

  it.each<[OpenFileSnapshot["kind"], string]>([
    ["special", "{"],
    ["special", "null"],
    ["special", "{}"],
    ["special", '{"type":"constructor"}'],
    ["special", '{"type":"eventfd"}'],
    ["special", '{"type":"eventfd","counter":"-1","semaphore":false}'],
    ["special", '{"type":"eventfd","counter":1.5,"semaphore":false}'],
    ["special", '{"type":"epoll","items":7}'],
    ["special", '{"type":"epoll","items":[[3,-1,0,0,0,"7"]]}'],
    ["special", '{"type":"epoll","items":[[3,0,1e10,0,0,"7"]]}'],
    ["special", '{"type":"epoll","items":[null]}'],
    ["proc", '{"mode":292}'],
    ["proc", '{"mode":-1,"contents":""}'],
    ["directory", "[1]"],
    ["directory", '[["1","nothing","a"]]'],
    ["directory", '[["x","file","a"]]'],
    ["directory", '[["1","file",5]]'],
    ["inherited", "5"],
    ["inherited", JSON.stringify({ termios: { ...TERMIOS, c_lflag: -1 } })],
    ["inherited", JSON.stringify({ termios: { ...TERMIOS, c_lflag: 2 ** 32 } })],
    ["inherited", JSON.stringify({ termios: { ...TERMIOS, c_cc: [1, 2, 3] } })],
    ["inherited", JSON.stringify({ termios: { ...TERMIOS, c_cc: Array(19).fill(256) } })],
    ["device", JSON.stringify({ termios: TERMIOS, size: { rows: 70_000, columns: 80 } })],
    ["pipe-read", "{}"],
  ])("is refused in words where it makes no sense: %s %s", (kind, state) => {
    expect(() => thawed(oldFile(kind, state))).toThrow(ImageError);
    expect(() => thawed(oldFile(kind, state))).toThrow(/open file .* has a state/);
  });

  it.each([
    "{",
    "null",
    '{"done":-1}',
    '{"done":1e99}',
    '{"kind":"vfork","child":"x"}',
    '{"kind":"?"}',
    "[]",
    "7",
  ])("is refused in words where no call wrote it: %s", (text) => {
    expect(() => thawed(oldCall(text))).toThrow(ImageError);
    expect(() => thawed(oldCall(text))).toThrow(/system call of thread 1234 has a state that makes no sense/);
  });
});

describe("a state", () => {
  const listing: FileState = { kind: "listing", entries: [{ ino: 7n, kind: "file", name: "a name" }] };
  const bytes = withFile(openFile("/area", { kind: "directory", state: listing, deleted: true }));

  it("needs the version of its record that has types, and only then", () => {
    expect(versionOf(bytes, TRAILER_TYPES.FILES)).toBe(2);
    expect(
      versionOf(withFile(openFile("/area", { kind: "directory", deleted: true })), TRAILER_TYPES.FILES),
    ).toBe(1);
  });

  it("is refused in words whatever byte of its record is damaged", () => {
    const image = readImage(source(bytes), { sha256 });
    const record = image.trailer!.records.find(({ header }) => header.type === TRAILER_TYPES.FILES.type)!;
    const sound = record.payload.read(0, record.payload.size).slice();
    const written = (payload: Uint8Array): Uint8Array => {
      record.payload = sourceOf(payload);
      const pieces: Uint8Array[] = [];
      writeImage(image, { write: (piece) => void pieces.push(piece.slice()) }, sha256);
      return new Uint8Array(Buffer.concat(pieces));
    };
    let refused = 0;
    for (let at = 0; at < sound.length; at++) {
      for (const value of [0xff, 0x7f, sound[at] ^ 1]) {
        const damaged = sound.slice();
        damaged[at] = value;
        try {
          thawed(written(damaged));
        } catch (error) {
          expect(error, `byte ${at}`).toBeInstanceOf(ImageError);
          refused++;
        }
      }
    }
    expect(refused).toBeGreaterThan(sound.length);
  });

  it("of a kind that is not known here is refused, with what to do", () => {
    const files = changed(bytes, TRAILER_TYPES.FILES, OPEN_FILES, (values) => values);
    const image = readImage(source(files), { sha256 });
    const record = image.trailer!.records.find(({ header }) => header.type === TRAILER_TYPES.FILES.type)!;
    const payload = record.payload.read(0, record.payload.size).slice();
    // The kind stands before the count of names.
    payload[Buffer.from(payload).indexOf("a name") - 4 - 1 - 8 - 4 - 1] = 200;
    record.payload = sourceOf(payload);
    const pieces: Uint8Array[] = [];
    writeImage(image, { write: (piece) => void pieces.push(piece.slice()) }, sha256);
    const newer = new Uint8Array(Buffer.concat(pieces));
    expect(() => thawed(newer)).toThrow(/file state of kind 200 is not known here: a newer ppcr wrote it/);
  });
});
