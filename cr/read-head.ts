/** The beginning of an image: what it is, which byte order, which version. */
import type { Cursor } from "./cursor.ts";
import type { Rec } from "./image.ts";
import { textOf } from "./record-fields.ts";
import * as R from "./records.ts";

const ascii = (text: string): number[] => Array.from(text, (character) => character.charCodeAt(0));

/** Beginnings of files that people take for images. */
const OTHER_FILES: [number[], string][] = [
  [[0x7f, ...ascii("ELF")], "an ELF file; a program is started with 'ppcr run'"],
  [[0x1f, 0x8b], "a gzip file; unpack it first"],
  [[0x28, 0xb5, 0x2f, 0xfd], "a zstd file; unpack it first"],
  [[0xfd, ...ascii("7zXZ")], "an xz file; unpack it first"],
];

/** Machines of the same patch series that are not ours. */
const FOREIGN = /^(i[3-7]86|x86_64|s390x?|arm.*|aarch64.*)$/;
const POWERPC = /^(ppc|ppc64|ppc64le|powerpc|powerpc64|powerpc64le)$/;

/** Finds the byte order from the magic and sets it; throws when this is no v13 image. */
function recognise(cursor: Cursor): void {
  const { source } = cursor;
  if (source.size === 0) throw cursor.fatal("truncated", "", 0, "the image is empty");
  const bytes = new Uint8Array(source.read(0, Math.min(16, source.size)));
  const whole = new Uint8Array(16);
  whole.set(bytes);
  const view = new DataView(whole.buffer);
  const begins = (start: number[]) => start.every((byte, index) => whole[index] === byte);
  const other = OTHER_FILES.find(([start]) => begins(start));
  if (other !== undefined) throw cursor.fatal("not-an-image", "", 0, `this is ${other[1]}`);
  const v13 = [begins([0, 1, 0, 0xe0]), begins([1, 0, 0xe0, 0])];
  const magic = [view.getBigUint64(8) === R.HEAD_MAGIC, view.getBigUint64(8, true) === R.HEAD_MAGIC];
  const order = magic.indexOf(true);
  if (bytes.length < 16) {
    const startsRight = [
      [0, 1, 0, 0xe0],
      [1, 0, 0xe0, 0],
    ].some((start) => bytes.subarray(0, 4).every((byte, index) => byte === start[index]));
    if (!startsRight) throw cursor.fatal("not-an-image", "", 0, "this is not a linux-cr checkpoint image");
    throw cursor.truncated("HEAD", 0, R.HEADER_SIZE + R.RECORD_TYPES.HEAD.size.least - bytes.length);
  }
  if (order < 0) {
    if (v13[0] || v13[1]) throw cursor.fatal("magic", "HEAD", 8, "the magic number is damaged");
    throw cursor.fatal("not-an-image", "", 0, "this is not a linux-cr checkpoint image");
  }
  const littleEndian = order === 1;
  cursor.format = { littleEndian, longSize: 4 };
  if (v13[1 - order]) {
    throw cursor.fatal("byte-order", "HEAD", 0, "header and magic number have different byte orders");
  }
  if (view.getUint32(0, littleEndian) === 1) {
    throw cursor.fatal(
      "newer-format",
      "HEAD",
      0,
      "this image is of a later linux-cr format (ckpt_hdr, v15 and up); only v13 can be read",
    );
  }
}

/** v14 took the uts strings out of HEAD: it begins alike, is shorter, and what follows is no v13 record. */
function refuseV14(cursor: Cursor): void {
  const header = cursor.peek(0)!;
  const expected = R.RECORD_TYPES.HEAD.size.least;
  if (header.type !== R.RECORD_TYPES.HEAD.id || header.len === expected || header.len < 0) return;
  const after = cursor.peek(R.HEADER_SIZE + expected);
  if (after !== undefined && R.recordType(after.type) !== undefined) return;
  throw cursor.fatal(
    "newer-format",
    "HEAD",
    0,
    `HEAD is ${header.len} bytes long where v13 has ${expected}: this image is of linux-cr v14 or later, or damaged`,
  );
}

/** Takes HEAD. `strict`: refuse what the kernel of the seed patch refuses. */
export function readHead(cursor: Cursor, strict: boolean): Rec<R.HeadValues> {
  recognise(cursor);
  refuseV14(cursor);
  const head = cursor.record(R.RECORD_TYPES.HEAD, R.HEAD);
  const { major, minor, patch, rev, flags } = head.values;
  if (head.parent !== 0)
    cursor.note("error", "record-parent", "HEAD", head, `parent is ${head.parent}; it must be 0`);
  if (rev !== R.VERSION.rev) {
    cursor.note(
      "error",
      "version",
      "HEAD",
      head,
      `format revision ${rev}; only ${R.VERSION.rev} can be read`,
    );
  }
  if (major !== R.VERSION.major || minor !== R.VERSION.minor || patch !== R.VERSION.patch) {
    const { VERSION } = R;
    cursor.note(
      strict ? "error" : "warning",
      "version",
      "HEAD",
      head,
      `written by kernel ${major}.${minor}.${patch}; v13 belongs to ${VERSION.major}.${VERSION.minor}.${VERSION.patch}`,
    );
  }
  const known = strict ? R.FLAG_CHECKPOINT : R.FLAG_CHECKPOINT | R.FLAG_TRAILER;
  if ((flags & ~known) !== 0n) {
    cursor.note(
      "error",
      "flags",
      "HEAD",
      head,
      `flags 0x${flags.toString(16)} have unknown bits 0x${(flags & ~known).toString(16)}`,
    );
  } else if ((flags & R.FLAG_CHECKPOINT) === 0n) {
    cursor.note("warning", "flags", "HEAD", head, "flags do not say that a checkpoint wrote the image");
  }
  const machine = textOf(head.values.machine);
  if (FOREIGN.test(machine)) {
    throw cursor.fatal("architecture", "HEAD", head, `this is an image of ${machine}, not of powerpc`);
  }
  if (!POWERPC.test(machine)) {
    cursor.note("warning", "architecture", "HEAD", head, `unknown machine "${machine}"`);
  }
  return head;
}

/** Bytes of a long in an image of this machine. */
export const longSizeOf = (head: R.HeadValues): 4 | 8 => (textOf(head.machine).includes("64") ? 8 : 4);
