/**
 * The auxiliary vector of a program from its stack, for images that do not say it otherwise. A program's first stack has argc, argv
 * and a null, the environment and a null, then the vector, ended by AT_NULL (System V ABI, process initialization).
 */
import { type AreaSnapshot, PAGE_SIZE, type ProcessSnapshot } from "../emu/snapshot.ts";

/** Bounds of what is believed to be a stack: strings in argv and the environment, and entries of the vector. */
const STRINGS = 1 << 16;
const ENTRIES = 64;
const AT_NULL = 0n;

/** Reads guest memory out of the pages that an image has. */
export class GuestReader {
  private readonly areas: readonly AreaSnapshot[];
  private readonly littleEndian: boolean;

  constructor(areas: readonly AreaSnapshot[], littleEndian: boolean) {
    this.areas = areas;
    this.littleEndian = littleEndian;
  }

  /** The rest of the page that `address` is in; undefined where the image has no such page. */
  private rest(address: number): Uint8Array | undefined {
    const area = this.areas.find(({ start, end }) => start <= address && address < end);
    if (area === undefined) return undefined;
    const page = address - (address % PAGE_SIZE);
    const { addresses } = area.pages;
    let [low, high] = [0, addresses.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (addresses[middle] < page) low = middle + 1;
      else high = middle;
    }
    return addresses[low] === page ? area.pages.read(low).subarray(address - page) : undefined;
  }

  /** An aligned word of 4 or 8 bytes. */
  word(address: number, size: 4 | 8): bigint | undefined {
    if (address % size !== 0) return undefined;
    const bytes = this.rest(address);
    if (bytes === undefined) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, size);
    return size === 8
      ? view.getBigUint64(0, this.littleEndian)
      : BigInt(view.getUint32(0, this.littleEndian));
  }

  /** A short string of ASCII characters. */
  text(address: number): string | undefined {
    const bytes = this.rest(address)?.subarray(0, 32);
    const end = bytes?.indexOf(0) ?? -1;
    return bytes === undefined || end < 0 ? undefined : String.fromCharCode(...bytes.subarray(0, end));
  }
}

/** The vector above `stack`, where the program's stack began, without AT_NULL; empty when what is there does not look like one. */
export function auxvOnStack(
  guest: GuestReader,
  stack: number,
  size: 4 | 8,
): ProcessSnapshot["memory"]["auxv"] {
  const argc = guest.word(stack, size);
  if (argc === undefined || argc > STRINGS) return [];
  let at = stack + (Number(argc) + 1) * size;
  if (guest.word(at, size) !== 0n) return [];
  for (let count = 0; ; count++) {
    at += size;
    const pointer = guest.word(at, size);
    if (pointer === undefined || count > STRINGS) return [];
    if (pointer === 0n) break;
  }
  const auxv: ProcessSnapshot["memory"]["auxv"] = [];
  for (at += size; auxv.length < ENTRIES; at += 2 * size) {
    const type = guest.word(at, size);
    const value = guest.word(at + size, size);
    if (type === undefined || value === undefined || type > 0xffffn) return [];
    if (type === AT_NULL) return auxv;
    auxv.push({ type: Number(type), value });
  }
  return [];
}

const AT_PLATFORM = 15;
const AT_DCACHEBSIZE = 19;

/** What the program was told about its processor. */
export function processorOf(
  guest: GuestReader,
  auxv: ProcessSnapshot["memory"]["auxv"],
): { platform?: string; cacheBlock?: number } {
  const value = (type: number) => auxv.find((entry) => entry.type === type)?.value;
  const platform = value(AT_PLATFORM);
  const block = value(AT_DCACHEBSIZE);
  return {
    platform: platform === undefined ? undefined : guest.text(Number(platform)),
    cacheBlock: block === undefined ? undefined : Number(block),
  };
}
