/**
 * A translated function as it is kept: what guest code it was made of, by which it is known again, and the module. It says nothing of the process
 * it was made in, so that every process with the same code at the same place can have it, in this run and in later ones.
 */
import type { Linkable } from "./linker.ts";

export interface Piece extends Linkable {
  /** Where it may be entered, the place it was rooted at first, and the instructions that have to be left for each. */
  readonly entries: readonly number[];
  readonly needs: readonly number[];
  /** Its basic blocks, two numbers each: the address and how many words; the last `inlined` of them belong to functions that it has copies of. */
  readonly blocks: Int32Array;
  readonly inlined: number;
  /** The words of the blocks. */
  readonly words: Int32Array;
  /** Where it leads to but has no code of, for that had never been run. */
  readonly cold: readonly number[];
  /** How often it has been translated again, for an entry more or for what had become of the cold places. */
  readonly remade: number;
  /** The module's bytes. */
  readonly wire: Uint8Array<ArrayBuffer>;
  /** What the host's engine made of them when it had optimised them. */
  native: Uint8Array | undefined;
  /** Compiled, once somebody wanted it. */
  module: WebAssembly.Module | undefined;
}

/** Those of its blocks that are its own. */
export const ownBlocks = ({ blocks, inlined }: Pick<Piece, "blocks" | "inlined">): Int32Array =>
  blocks.subarray(0, blocks.length - 2 * inlined);

/** More of anything than this is damage. */
const MOST = 1 << 20;
const FIXED = 11;

/** The bytes by which pieces are kept. */
export function encodePieces(pieces: readonly Piece[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (const piece of pieces) {
    const { entries, needs, callees, looksUp, blocks, inlined, words, cold, remade, wire, native } = piece;
    const lengths = [entries.length, callees.length, blocks.length, words.length, cold.length];
    const head = [0, ...lengths, inlined, remade, Number(looksUp), wire.length, native?.length ?? 0];
    head[0] = head.length + entries.length + lengths.reduce((sum, length) => sum + length, 0);
    const numbers = Int32Array.from([
      ...head,
      ...entries,
      ...needs,
      ...callees,
      ...blocks,
      ...words,
      ...cold,
    ]);
    parts.push(new Uint8Array(numbers.buffer), wire, native ?? new Uint8Array(0));
    parts.push(new Uint8Array(-(wire.length + (native?.length ?? 0)) & 3));
  }
  return parts;
}

/** The pieces that are kept in some bytes; none where these are not what `encodePieces` gave. */
export function decodePieces(bytes: Uint8Array<ArrayBuffer>): Piece[] {
  const pieces: Piece[] = [];
  // Numbers are in the host's byte order: what is kept belongs to one machine.
  const numbers = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
  for (let at = 0; at < numbers.length; ) {
    if (at + FIXED > numbers.length) return [];
    const head = numbers.subarray(at, at + FIXED);
    const [all, entries, callees, blocks, words, cold, inlined, remade, looksUp, wire, native] = head;
    const counts = [entries, callees, blocks, words, cold];
    if (counts.some((count) => count < 0 || count > MOST) || (blocks & 1) !== 0) return [];
    if (inlined < 0 || 2 * inlined > blocks) return [];
    if (all !== FIXED + 2 * entries + callees + blocks + words + cold || wire < 0 || native < 0) return [];
    const code = 4 * (at + all);
    if (code + wire + native > bytes.length) return [];
    let next = at + FIXED;
    const take = (count: number) => numbers.subarray(next, (next += count));
    pieces.push({
      entries: [...take(entries)],
      needs: [...take(entries)],
      callees: [...take(callees)],
      blocks: take(blocks),
      inlined,
      words: take(words),
      cold: [...take(cold)],
      remade,
      looksUp: looksUp !== 0,
      wire: bytes.subarray(code, code + wire),
      native: native === 0 ? undefined : bytes.subarray(code + wire, code + wire + native),
      module: undefined,
    });
    at = (code + wire + native + 3) >>> 2;
  }
  return pieces;
}
