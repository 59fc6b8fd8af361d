/**
 * Where far memory lies: guest addresses of 2^32 and above, of which the one memory has none of its own.
 *
 * Far memory is divided into pieces of 64 KiB. A piece gets a *place* when it is first touched: 64 KiB of the one memory
 * where nothing is mapped at the time. Neighbours lie next to each other where they can, and when an access crosses
 * from a piece to the next they must. Places may change: who knows one must ask again.
 */
import { FAR_SLOT_SIZE, FAR_SLOTS, FAR_TABLE_OFFSET } from "./layout.ts";

export const PIECE_SIZE = 0x1_0000;
/** Far addresses begin here. */
export const FAR_START = 2 ** 32;
/** And end here (Linux: 128 TiB), but for the last piece, so that every piece has a next one. */
export const FAR_END = 2 ** 47 - PIECE_SIZE;

/** Where new runs of pieces begin, and how many places they leave free behind them to grow into, if they can. */
const FIRST_PLACE = 0x4000;
const ROOM = [64, 8, 0];
/** No place below this: where null pointers lead. */
const LOWEST_PLACE = 0x10;

/** What may not become a place: the areas of near memory. */
export interface Obstacles {
  above(address: number): { readonly start: number; readonly end: number } | undefined;
}

export class FarMap {
  /** Places (the first byte divided by the size of a piece) by piece (the same of its guest address). */
  private readonly places = new Map<number, number>();
  /** The piece at each place, or 0. */
  private readonly owners: Uint32Array;
  private readonly obstacles: Obstacles;
  /** A table over `places` that translated code can read: see `slotOf`. Words: the piece, 0, the place's address, 0. */
  private readonly table: Int32Array;
  private cursor = FIRST_PLACE;
  /** How many of ROOM there was no place left for, since one was given back: to look through all places again each time took most of the time. */
  private crowded = 0;

  constructor(buffer: ArrayBuffer, end: number, obstacles: Obstacles) {
    this.table = new Int32Array(buffer, FAR_TABLE_OFFSET, FAR_SLOTS * (FAR_SLOT_SIZE / 4));
    this.owners = new Uint32Array(end / PIECE_SIZE);
    this.obstacles = obstacles;
    this.cursor = Math.min(FIRST_PLACE, this.owners.length >>> 1);
  }

  /** Number of pieces that have a place. */
  get count(): number {
    return this.places.size;
  }

  /** Address of the place of a piece; -1 where it has none. */
  addressOf(piece: number): number {
    const slot = slotOf(piece);
    if (this.table[slot] === piece) return this.table[slot + 2] >>> 0;
    const place = this.places.get(piece);
    if (place === undefined) return -1;
    this.table[slot] = piece;
    this.table[slot + 2] = place * PIECE_SIZE;
    return place * PIECE_SIZE;
  }

  /** The piece whose place an address of the one memory lies in; 0 for none. */
  pieceAt(address: number): number {
    return this.places.size === 0 ? 0 : (this.owners[Math.floor(address / PIECE_SIZE)] ?? 0);
  }

  /** The pieces from `first` to before `end` that have a place, ascending. */
  within(first: number, end: number): number[] {
    const found: number[] = [];
    if (end - first < this.places.size) {
      for (let piece = first; piece < end; piece++) if (this.places.has(piece)) found.push(piece);
      return found;
    }
    for (const piece of this.places.keys()) if (piece >= first && piece < end) found.push(piece);
    return found.sort((a, b) => a - b);
  }

  /** Gives a piece that has none a place, beside a neighbour's if it can; false where there is no room at all. */
  claim(piece: number): boolean {
    const [before, after] = [this.places.get(piece - 1), this.places.get(piece + 1)];
    if (before !== undefined && this.isFree(before + 1)) this.put(piece, before + 1);
    else if (after !== undefined && this.isFree(after - 1)) this.put(piece, after - 1);
    else {
      const place = this.findRun(1);
      if (place < 0) return false;
      this.put(piece, place);
    }
    return true;
  }

  /**
   * The moves after which a piece that has a place and the next one lie side by side; undefined where there is no room for
   * that. All pieces that lie beside them come along, with room to grow, so that it does not happen again soon.
   */
  adjoin(piece: number): { piece: number; place: number }[] | undefined {
    let [first, end] = [piece, piece + 1];
    const follows = (a: number): boolean => this.places.get(a + 1) === this.places.get(a)! + 1;
    while (this.places.has(first - 1) && follows(first - 1)) first--;
    if (this.places.has(end)) {
      while (this.places.has(end + 1) && follows(end)) end++;
    }
    end++;
    const place = this.findRun(end - first);
    if (place < 0) return undefined;
    return Array.from({ length: end - first }, (_, i) => ({ piece: first + i, place: place + i }));
  }

  /** Whether the places in a range of the one memory can be had elsewhere. */
  canClear(start: number, end: number): boolean {
    const wanted = this.inRange(start, end).length;
    if (wanted === 0) return true;
    let free = 0;
    for (let place = LOWEST_PLACE; place < this.owners.length && free < wanted; place++) {
      if ((place + 1) * PIECE_SIZE > start && place * PIECE_SIZE < end) continue;
      if (this.isFree(place)) free++;
    }
    return free >= wanted;
  }

  /** The pieces whose places lie in a range of the one memory. */
  inRange(start: number, end: number): number[] {
    if (this.places.size === 0) return [];
    const last = Math.min(Math.ceil(end / PIECE_SIZE), this.owners.length);
    const found: number[] = [];
    for (let place = Math.floor(start / PIECE_SIZE); place < last; place++) {
      if (this.owners[place] !== 0) found.push(this.owners[place]);
    }
    return found;
  }

  /** A free place; -1 where there is none. */
  findPlace(): number {
    return this.findRun(1);
  }

  /** Gives a piece this place, instead of the one it may have had. */
  put(piece: number, place: number): void {
    this.drop(piece);
    this.places.set(piece, place);
    this.owners[place] = piece;
  }

  /** Takes a piece's place away. */
  drop(piece: number): void {
    const place = this.places.get(piece);
    if (place === undefined) return;
    this.places.delete(piece);
    this.crowded = 0;
    if (this.owners[place] === piece) this.owners[place] = 0;
    const slot = slotOf(piece);
    if (this.table[slot] === piece) this.table[slot] = 0;
  }

  /** Has the same pieces at the same places as another map, of as large a memory. */
  copy(other: FarMap): void {
    this.clear();
    for (const [piece, place] of other.places) this.put(piece, place);
    this.cursor = other.cursor;
  }

  clear(): void {
    for (const piece of [...this.places.keys()]) this.drop(piece);
    this.crowded = 0;
    this.cursor = Math.min(FIRST_PLACE, this.owners.length >>> 1);
  }

  private isFree(place: number): boolean {
    if (place < LOWEST_PLACE || place >= this.owners.length || this.owners[place] !== 0) return false;
    const area = this.obstacles.above(place * PIECE_SIZE);
    return area === undefined || area.start >= (place + 1) * PIECE_SIZE;
  }

  /** The first of `n` free places in a row, if possible with more behind them; -1 where there are none. */
  private findRun(n: number): number {
    for (let level = this.crowded; level < ROOM.length; level++) {
      const room = ROOM[level];
      const length = n + Math.max(room, room > 0 ? n : 0);
      for (const from of [this.cursor, LOWEST_PLACE]) {
        const place = this.firstRun(length, from);
        if (place < 0) continue;
        this.cursor = place + length;
        return place;
      }
      // Where there is none for one piece there is none for several. Without any room near memory may have given way.
      if (n === 1 && room > 0) this.crowded = level + 1;
    }
    return -1;
  }

  private firstRun(length: number, from: number): number {
    const last = this.owners.length;
    for (let start = from; start + length <= last; ) {
      const area = this.obstacles.above(start * PIECE_SIZE);
      const free = area === undefined ? last : Math.min(last, Math.floor(area.start / PIECE_SIZE));
      let place = start;
      while (place < free && place - start < length && this.owners[place] === 0) place++;
      if (place - start === length) return start;
      start =
        place < free
          ? place + 1
          : Math.max(place, Math.ceil((area?.end ?? Number.POSITIVE_INFINITY) / PIECE_SIZE));
    }
    return -1;
  }
}

/** Index of a piece's entry in the table. */
const slotOf = (piece: number): number => ((piece ^ (piece >>> 12)) & (FAR_SLOTS - 1)) * (FAR_SLOT_SIZE / 4);
