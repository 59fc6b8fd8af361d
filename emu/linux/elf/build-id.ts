/** The build id of an ELF file: the note by which linkers tell one build of a file from another. */
import { hexadecimal } from "../../hexadecimal.ts";

const PT_NOTE = 4;
const NT_GNU_BUILD_ID = 3;
/** Bounds of what is looked at. */
const MOST_HEADERS = 128;
const LONGEST_NOTES = 65536;

/** The build id in hexadecimal; undefined where there is none, or no ELF file. `read` gives up to `length` bytes at an offset. */
export function buildId(read: (at: number, length: number) => Uint8Array): string | undefined {
  const head = read(0, 64);
  const view = viewOf(head);
  if (head.length < 64 || view.getUint32(0) !== 0x7f454c46) return undefined;
  const is64 = head[4] === 2;
  const little = head[5] === 1;
  const phoff = is64 ? Number(view.getBigUint64(32, little)) : view.getUint32(28, little);
  const size = view.getUint16(is64 ? 54 : 42, little);
  const count = Math.min(view.getUint16(is64 ? 56 : 44, little), MOST_HEADERS);
  if (size < (is64 ? 56 : 32)) return undefined;
  const headers = read(phoff, size * count);
  for (let at = 0; at + size <= headers.length; at += size) {
    const header = viewOf(headers.subarray(at, at + size));
    if (header.getUint32(0, little) !== PT_NOTE) continue;
    const offset = is64 ? Number(header.getBigUint64(8, little)) : header.getUint32(4, little);
    const length = is64 ? Number(header.getBigUint64(32, little)) : header.getUint32(16, little);
    const found = findNote(read(offset, Math.min(length, LONGEST_NOTES)), little);
    if (found !== undefined) return found;
  }
  return undefined;
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const aligned = (length: number): number => (length + 3) & ~3;

/** Walks the notes of a segment: sizes of name and contents, type, then both, each padded to words. */
function findNote(notes: Uint8Array, little: boolean): string | undefined {
  const view = viewOf(notes);
  for (let at = 0; at + 12 <= notes.length; ) {
    const [nameSize, size, type] = [0, 4, 8].map((offset) => view.getUint32(at + offset, little));
    const name = at + 12;
    const start = name + aligned(nameSize);
    if (start + size > notes.length) return undefined;
    const isGnu = nameSize === 4 && view.getUint32(name) === 0x474e5500;
    if (isGnu && type === NT_GNU_BUILD_ID) {
      return hexadecimal(notes.subarray(start, start + size));
    }
    at = start + aligned(size);
  }
  return undefined;
}
