/**
 * Far memory: the pages of guest addresses from 2^32 on, whose frames lie in the places of the far map.
 *
 * The CPU goes on with an address in the one memory in place of a far one (`near`), less 2^32: below zero, where no address of a
 * program is, and the same to all that takes 32 bits of it. The guards of far frames forbid every access at first sight, and a second
 * look tells which have such an address: a program that uses the place's address as its own gets the fault of what is not mapped.
 */
import { GuestFault } from "../cpu/fault.ts";
import type { AreaMap } from "./area-map.ts";
import type { Storage } from "./byte-order.ts";
import { FAR_START, FarMap, PIECE_SIZE } from "./far-map.ts";
import { CORNER_SIZE, PAGE_SHIFT, PAGE_SIZE } from "./layout.ts";
import { ABSENT, MAPPED, type PageTable, TOUCHED } from "./page-table.ts";
import { clip, type Vma } from "./vma.ts";

/** No access by the CPU is longer. */
const LONGEST_ACCESS = 256;

/** What far memory asks of the address space. */
export interface FarSpace {
  /** Where far addresses end. */
  end(): number;
  /** See `AddressSpace.onUnmapped`. */
  onUnmapped(address: number): boolean;
  /** Sets the pages of (part of) an area to what they are before their first use. */
  fill(area: Vma): void;
  /** Pages have got other frames. */
  moved(): void;
}

export class FarMemory {
  private readonly map: FarMap;
  private readonly storage: Storage;
  private readonly pages: PageTable;
  private readonly areas: AreaMap;
  private readonly space: FarSpace;

  constructor(storage: Storage, pages: PageTable, areas: AreaMap, space: FarSpace) {
    this.storage = storage;
    this.pages = pages;
    this.areas = areas;
    this.space = space;
    this.map = new FarMap(storage.memory.buffer, storage.size - CORNER_SIZE, areas);
  }

  /** Has the same places as the far memory of another space of the same size. */
  copy(other: FarMemory): void {
    this.map.copy(other.map);
  }

  clear(): void {
    this.map.clear();
  }

  /**
   * Where in the one memory an access by the CPU to a far address finds its bytes, up to LONGEST_ACCESS of them, less 2^32: the
   * handler goes on with this in place of its effective address. Throws the GuestFault where nothing is mapped.
   */
  near(high: number, low: number, isStore: boolean): number {
    const address = (high >>> 0) * FAR_START + (low >>> 0);
    const within = low & (PIECE_SIZE - 1);
    let place = address >= this.space.end() ? -1 : this.map.addressOf((high << 16) | (low >>> 16));
    if (place < 0) {
      this.claimFor((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0), isStore);
      place = this.map.addressOf((high << 16) | (low >>> 16));
    }
    if (within > PIECE_SIZE - LONGEST_ACCESS) place = this.withNext((high << 16) | (low >>> 16), place);
    return place + within - FAR_START;
  }

  /** Where in the one memory the page of a far address is. Throws the GuestFault where nothing is mapped. */
  nearPage(address: number, isStore: boolean): number {
    const piece = Math.floor(address / PIECE_SIZE);
    if (address >= this.space.end() || this.map.addressOf(piece) < 0) this.claimFor(BigInt(address), isStore);
    const page = Math.floor(address / PAGE_SIZE) * PAGE_SIZE;
    return this.map.addressOf(piece) + (page % PIECE_SIZE);
  }

  /** The first access to a piece: gives it a place. */
  private claimFor(address: bigint, isStore: boolean): void {
    if (address >= BigInt(this.space.end())) throw new GuestFault("data-unmapped", address, isStore);
    const piece = Number(address / BigInt(PIECE_SIZE));
    const start = piece * PIECE_SIZE;
    if (this.areas.isFree(start, start + PIECE_SIZE) && !this.space.onUnmapped(Number(address))) {
      throw new GuestFault("data-unmapped", address, isStore);
    }
    if (!this.claim(piece)) throw new GuestFault("out-of-memory", address, isStore);
  }

  private claim(piece: number): boolean {
    if (!this.map.claim(piece)) return false;
    for (const area of this.areas.overlapping(piece * PIECE_SIZE, (piece + 1) * PIECE_SIZE)) {
      this.space.fill(clip(area, piece * PIECE_SIZE, (piece + 1) * PIECE_SIZE));
    }
    this.space.moved();
    return true;
  }

  /** Sees to it that the piece at `place` lies beside the next one; returns where it is then. */
  private withNext(piece: number, place: number): number {
    let next = this.map.addressOf(piece + 1);
    if (next < 0 && this.claim(piece + 1)) next = this.map.addressOf(piece + 1);
    if (next === place + PIECE_SIZE) return place;
    const moves = next < 0 ? undefined : this.map.adjoin(piece);
    if (moves === undefined) throw new GuestFault("out-of-memory", BigInt(piece * PIECE_SIZE));
    for (const { piece, place } of moves) this.movePiece(piece, place);
    return this.map.addressOf(piece);
  }

  private movePiece(piece: number, place: number): void {
    const [from, to] = [this.map.addressOf(piece), place * PIECE_SIZE];
    for (let offset = 0; offset < PIECE_SIZE; offset += PAGE_SIZE) {
      const frame = (from + offset) / PAGE_SIZE;
      const state = this.pages.get(frame);
      if ((state & (MAPPED | ABSENT)) === MAPPED && (state & TOUCHED || this.isFilled(this.pageOf(frame)))) {
        this.storage.copy(from + offset, to + offset, PAGE_SIZE);
        this.storage.clearPage(frame);
      }
      this.pages.set((to + offset) / PAGE_SIZE, state);
      this.pages.set(frame, 0);
    }
    this.map.put(piece, place);
    this.space.moved();
  }

  /** Whether the contents of a page come from somewhere before anybody writes it. */
  private isFilled(page: number): boolean {
    const { file, shared } = this.areas.find(page * PAGE_SIZE)!;
    return file !== undefined || shared !== undefined;
  }

  /** Makes the far memory whose place is in a range go elsewhere: near memory is about to be there. */
  makeRoom(start: number, end: number): void {
    for (const piece of this.map.inRange(start, end)) {
      const place = this.map.findPlace();
      if (place < 0) throw new RangeError("no room for far memory");
      this.movePiece(piece, place);
    }
  }

  /** Whether a range can be mapped without loss: far memory that has its place there can go elsewhere. */
  hasRoom(start: number, end: number): boolean {
    return start >= FAR_START || this.map.canClear(start, end);
  }

  /** Gives up the places of pieces in which nothing is mapped any more. */
  dropPieces(start: number, end: number): void {
    if (end <= FAR_START) return;
    // The piece behind the range may be there only for accesses that cross into it.
    for (const piece of this.map.within(Math.floor(start / PIECE_SIZE), Math.ceil(end / PIECE_SIZE) + 1)) {
      if (!this.areas.isFree(piece * PIECE_SIZE, (piece + 1) * PIECE_SIZE)) continue;
      const frame = this.map.addressOf(piece) / PAGE_SIZE;
      this.pages.fill(frame, frame + PIECE_SIZE / PAGE_SIZE, 0);
      this.map.drop(piece);
    }
  }

  /** The frame of a page; -1 for a far one that has none. */
  frameOf(page: number): number {
    const address = page * PAGE_SIZE;
    if (address < FAR_START) return page;
    const place = this.map.addressOf(Math.floor(address / PIECE_SIZE));
    return place < 0 ? -1 : (place + (address % PIECE_SIZE)) / PAGE_SIZE;
  }

  /** The frame of a page that is mapped, which gets a place if it has none; -1 where there is no room for it. */
  frameFor(page: number): number {
    const frame = this.frameOf(page);
    const isClaimed = frame < 0 && this.claim(Math.floor((page * PAGE_SIZE) / PIECE_SIZE));
    return isClaimed ? this.frameOf(page) : frame;
  }

  /** The page whose frame this is. */
  pageOf(frame: number): number {
    const piece = this.map.pieceAt(frame * PAGE_SIZE);
    return piece === 0 ? frame : (piece * PIECE_SIZE + ((frame * PAGE_SIZE) % PIECE_SIZE)) / PAGE_SIZE;
  }

  /** The guest address of a byte in a frame. */
  addressAt(at: number): number {
    return this.pageOf(at >>> PAGE_SHIFT) * PAGE_SIZE + (at & (PAGE_SIZE - 1));
  }

  /** The frames that a range has, in runs from the first to before the last. */
  runs(start: number, end: number): (readonly [first: number, end: number])[] {
    if (end <= FAR_START) return [[start / PAGE_SIZE, end / PAGE_SIZE]];
    return this.map.within(Math.floor(start / PIECE_SIZE), Math.ceil(end / PIECE_SIZE)).map((piece) => {
      const shift = this.map.addressOf(piece) - piece * PIECE_SIZE;
      const from = Math.max(start, piece * PIECE_SIZE);
      const to = Math.min(end, (piece + 1) * PIECE_SIZE);
      return [(from + shift) / PAGE_SIZE, (to + shift) / PAGE_SIZE];
    });
  }

  /** Bytes by address of the one memory, piece by piece; -1 where a far piece has no place. */
  eachPart(address: number, length: number, use: (at: number, offset: number, length: number) => void): void {
    if (address < FAR_START) {
      use(address, 0, length);
      return;
    }
    for (let offset = 0; offset < length; ) {
      const piece = Math.floor((address + offset) / PIECE_SIZE);
      const part = Math.min(length - offset, (piece + 1) * PIECE_SIZE - (address + offset));
      const place = this.map.addressOf(piece);
      use(place < 0 ? -1 : place + ((address + offset) % PIECE_SIZE), offset, part);
      offset += part;
    }
  }
}
