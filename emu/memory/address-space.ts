/**
 * One guest address space in one WebAssembly memory.
 *
 * Big-endian guests are stored reversed: the N-byte datum at guest address A lies at host offset size - A - N,
 * least significant byte first, so that a big-endian access of any size and alignment is one plain little-endian
 * access. Little-endian guests are stored straight. Two byte tables, one for loads and one for stores, have a
 * byte a page: zero means go ahead, anything else that the slow path must look (`checkLoad`, `checkStore`).
 */
import { GuestFault } from "../cpu/fault.ts";
import { Registers } from "../cpu/registers.ts";
import {
  CORNER_SIZE,
  GUARD_TABLE_SIZE,
  PAGE_SHIFT,
  PAGE_SIZE,
  READ_GUARD_OFFSET,
  REGISTERS_OFFSET,
  WRITE_GUARD_OFFSET,
} from "./layout.ts";
import {
  continues,
  type MappedFile,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
  type SharedPage,
  type Vma,
} from "./vma.ts";

export type ByteOrder = "big" | "little";

/** State of a page: PROT_* in the low three bits, and these. */
const MAPPED = 0x08;
/** Its bytes are not here yet: to be read from the file or fetched from another mapping. */
const ABSENT = 0x10;
/** Written by the guest or the personality since it was mapped. */
const TOUCHED = 0x20;
/** Written since `clearDirty`. */
const DIRTY = 0x40;
/** The CPU holds decoded or translated instructions of it. */
const CODE = 0x80;

const WASM_PAGE = 65536;

export interface AddressSpaceOptions {
  byteOrder: ByteOrder;
  /** Bytes of guest address space, a multiple of 64 KiB, at most 4 GiB (the default). */
  size?: number;
}

export class AddressSpace {
  readonly memory: WebAssembly.Memory;
  readonly byteOrder: ByteOrder;
  /** Guest addresses are below this, and mappings below `limit`. */
  readonly size: number;
  /** End of what may be mapped: the machine's corner begins here. */
  readonly limit: number;
  /** Host offset of the machine's corner. */
  readonly corner: number;
  /** The running thread's registers, in the corner. */
  readonly registers: Registers;
  readonly readGuard: Uint8Array;
  readonly writeGuard: Uint8Array;
  readonly view: DataView;
  /** Called when a page marked by `markCode` is about to be written, unmapped or re-protected. */
  onCodeChange: (page: number) => void = () => {};

  private readonly bytes: Uint8Array;
  private readonly pages: Uint8Array;
  private areas: Vma[] = [];
  /** host = ((ea ^ flip) - (flip & (n - 1)) + base) >>> 0 */
  private readonly flip: number;
  private readonly base: number;
  private breakpoint = 0n;

  constructor(options: AddressSpaceOptions) {
    const size = options.size ?? 2 ** 32;
    if (!(size % WASM_PAGE === 0 && size >= 2 * CORNER_SIZE && size <= 2 ** 32)) {
      throw new RangeError(`guest address space of ${size} bytes: want a multiple of 64 KiB, 8 MiB to 4 GiB`);
    }
    this.byteOrder = options.byteOrder;
    this.size = size;
    this.limit = size - CORNER_SIZE;
    this.memory = reserve(size / WASM_PAGE);
    const buffer = this.memory.buffer;
    const big = options.byteOrder === "big";
    this.flip = big ? -1 : 0;
    this.base = big ? size | 0 : 0;
    this.corner = big ? 0 : this.limit;
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.registers = new Registers(buffer, this.corner + REGISTERS_OFFSET);
    this.readGuard = new Uint8Array(buffer, this.corner + READ_GUARD_OFFSET, GUARD_TABLE_SIZE).fill(1);
    this.writeGuard = new Uint8Array(buffer, this.corner + WRITE_GUARD_OFFSET, GUARD_TABLE_SIZE).fill(1);
    this.pages = new Uint8Array(size / PAGE_SIZE);
  }

  // ---- accesses by the CPU: `ea` is an unsigned 32-bit effective address -------------------------------

  /** Host offset of the `n`-byte datum at guest address `ea`. */
  host(ea: number, n: number): number {
    return ((ea ^ this.flip) - (this.flip & (n - 1)) + this.base) >>> 0;
  }
  load8(ea: number): number {
    if (this.readGuard[ea >>> PAGE_SHIFT] !== 0) this.checkLoad(ea, 1);
    return this.view.getUint8(this.host(ea, 1));
  }
  load16(ea: number): number {
    if (this.readGuard[ea >>> PAGE_SHIFT] !== 0 || (ea & 0xfff) > 0xffe) this.checkLoad(ea, 2);
    return this.view.getUint16(this.host(ea, 2), true);
  }
  /** The word at `ea` as a signed 32-bit number. */
  load32(ea: number): number {
    if (this.readGuard[ea >>> PAGE_SHIFT] !== 0 || (ea & 0xfff) > 0xffc) this.checkLoad(ea, 4);
    return this.view.getInt32(this.host(ea, 4), true);
  }
  /** The doubleword at `ea`, unsigned. */
  load64(ea: number): bigint {
    if (this.readGuard[ea >>> PAGE_SHIFT] !== 0 || (ea & 0xfff) > 0xff8) this.checkLoad(ea, 8);
    return this.view.getBigUint64(this.host(ea, 8), true);
  }
  store8(ea: number, value: number): void {
    if (this.writeGuard[ea >>> PAGE_SHIFT] !== 0) this.checkStore(ea, 1);
    this.view.setUint8(this.host(ea, 1), value);
  }
  store16(ea: number, value: number): void {
    if (this.writeGuard[ea >>> PAGE_SHIFT] !== 0 || (ea & 0xfff) > 0xffe) this.checkStore(ea, 2);
    this.view.setUint16(this.host(ea, 2), value, true);
  }
  store32(ea: number, value: number): void {
    if (this.writeGuard[ea >>> PAGE_SHIFT] !== 0 || (ea & 0xfff) > 0xffc) this.checkStore(ea, 4);
    this.view.setInt32(this.host(ea, 4), value, true);
  }
  store64(ea: number, value: bigint): void {
    if (this.writeGuard[ea >>> PAGE_SHIFT] !== 0 || (ea & 0xfff) > 0xff8) this.checkStore(ea, 8);
    this.view.setBigUint64(this.host(ea, 8), value, true);
  }

  /** Slow path of a load of `n` bytes: makes every page of it present, or throws the GuestFault. */
  checkLoad(ea: number, n: number): void {
    const end = ea + n;
    if (end > this.size) throw new GuestFault("data-unmapped", BigInt(this.size));
    for (let page = ea >>> PAGE_SHIFT; page * PAGE_SIZE < end; page++) {
      if (this.readGuard[page] === 0) continue;
      const at = Math.max(ea, page * PAGE_SIZE);
      this.demandPage(page, at, false);
    }
    if (this.breakpoint !== 0n) this.checkBreakpoint(ea, n, 1n);
  }

  /** Slow path of a store of `n` bytes: makes every page of it present and writable, or throws. */
  checkStore(ea: number, n: number): void {
    const end = ea + n;
    if (end > this.size) throw new GuestFault("data-unmapped", BigInt(this.size), true);
    const first = ea >>> PAGE_SHIFT;
    for (let page = first; page * PAGE_SIZE < end; page++) {
      if (this.writeGuard[page] !== 0) this.demandPage(page, Math.max(ea, page * PAGE_SIZE), true);
    }
    if (this.breakpoint !== 0n) this.checkBreakpoint(ea, n, 2n);
    // Only now that the whole access is known to succeed do its pages count as written.
    for (let page = first; page * PAGE_SIZE < end; page++) {
      if (this.writeGuard[page] !== 0) this.dirtyPage(page);
    }
  }

  private demandPage(page: number, at: number, isStore: boolean): void {
    let state = this.pages[page];
    if ((state & MAPPED) === 0) {
      if (!this.growStack(page)) throw new GuestFault("data-unmapped", BigInt(at), isStore);
      state = this.pages[page];
    }
    if (isStore ? (state & PROT_WRITE) === 0 : (state & 7) === 0) {
      throw new GuestFault("data-protected", BigInt(at), isStore);
    }
    if (state & ABSENT && !this.populate(page)) throw new GuestFault("data-beyond-file", BigInt(at), isStore);
  }

  private dirtyPage(page: number): void {
    const state = this.pages[page];
    if (state & CODE) {
      this.pages[page] &= ~CODE;
      this.onCodeChange(page);
    }
    this.pages[page] |= TOUCHED | DIRTY;
    const area = this.find(page * PAGE_SIZE);
    if (area?.shared) {
      this.sharedPage(area, page).dirty = true;
      const position = area.offset + (page * PAGE_SIZE - area.start);
      if (area.shared.file !== undefined) this.forget(area.shared.file, position, position + PAGE_SIZE);
    }
    this.refreshGuard(page);
  }

  /**
   * Reads unwritten pages of private mappings of `file` again when they are next touched, since the bytes from
   * `from` to before `to` have changed: until its first write a private page shows its file.
   */
  forget(file: MappedFile, from: number, to: number): void {
    for (const area of this.areas) {
      if (area.file !== file) continue;
      const base = area.start - area.offset;
      const first = Math.max(area.start, Math.floor(from / PAGE_SIZE) * PAGE_SIZE + base);
      for (let at = first; at < Math.min(area.end, to + base); at += PAGE_SIZE) {
        const page = at / PAGE_SIZE;
        if (this.pages[page] & (TOUCHED | ABSENT)) continue;
        this.dropCode(page);
        this.pages[page] |= ABSENT;
        this.refreshGuard(page);
      }
    }
  }

  private checkBreakpoint(ea: number, n: number, kind: bigint): void {
    const granule = Number(BigInt.asUintN(64, this.breakpoint) & ~7n);
    if ((this.breakpoint & kind) !== 0n && ea < granule + 8 && ea + n > granule) {
      throw new GuestFault("breakpoint", BigInt(ea), kind === 2n);
    }
  }

  /** Sets the data address breakpoint: doubleword address | write 2 | read 1; 0 clears it. */
  setBreakpoint(dabr: bigint): void {
    const old = this.breakpoint;
    this.breakpoint = (dabr & 3n) !== 0n ? dabr : 0n;
    for (const value of [old, this.breakpoint]) {
      if (value !== 0n && value < BigInt(this.size)) this.refreshGuard(Number(value >> BigInt(PAGE_SHIFT)));
    }
  }

  // ---- instructions ---------------------------------------------------------------------------------

  /** Makes `page` present and marks it as holding decoded instructions, or throws the fetch fault for `nia`. */
  markCode(page: number, nia: bigint): void {
    if (page >= this.pages.length || (this.pages[page] & MAPPED) === 0) {
      throw new GuestFault("fetch-unmapped", nia);
    }
    if ((this.pages[page] & PROT_EXEC) === 0) throw new GuestFault("fetch-protected", nia);
    if (this.pages[page] & ABSENT && !this.populate(page)) throw new GuestFault("fetch-beyond-file", nia);
    this.pages[page] |= CODE;
    this.refreshGuard(page);
  }

  /** The instruction word at `ea` of a page that `markCode` accepted, in the current byte order. */
  fetch(ea: number): number {
    return this.view.getInt32(this.host(ea, 4), true);
  }

  // ---- accesses by the personality and by images: bytes in guest order ---------------------------------

  /** Copies `length` bytes out; throws the GuestFault a load would get. */
  read(address: number, length: number): Uint8Array<ArrayBuffer> {
    if (length > 0) this.checkLoad(address, length);
    return this.peek(address, length);
  }

  /** Copies bytes in; throws the GuestFault a store would get, before anything is written. */
  write(address: number, from: Uint8Array): void {
    if (from.length === 0) return;
    this.checkStore(address, from.length);
    this.poke(address, from);
  }

  /** The bytes as they lie, without checks: absent pages read as zero. `into`, where given, has the length. */
  peek(address: number, length: number, into = new Uint8Array(length)): Uint8Array<ArrayBuffer> {
    const at = this.hostRange(address, length);
    into.set(this.bytes.subarray(at, at + length));
    return this.flip ? into.reverse() : into;
  }

  private poke(address: number, from: Uint8Array): void {
    const at = this.hostRange(address, from.length);
    this.bytes.set(from, at);
    if (this.flip) this.bytes.subarray(at, at + from.length).reverse();
  }

  private hostRange(address: number, length: number): number {
    return this.flip ? this.size - address - length : address;
  }

  /** The bytes up to a NUL, at most `limit` of them; undefined when there is no NUL within. */
  readCString(address: number, limit: number): Uint8Array | undefined {
    const found: number[] = [];
    for (let i = 0; i < limit; i++) {
      if (address + i >= this.size) throw new GuestFault("data-unmapped", BigInt(address + i));
      const byte = this.load8(address + i);
      if (byte === 0) return Uint8Array.from(found);
      found.push(byte);
    }
    return undefined;
  }

  // ---- mappings ----------------------------------------------------------------------------------------

  /** All areas, ascending. */
  get vmas(): readonly Vma[] {
    return this.areas;
  }

  /** The first area that ends above `address`. */
  above(address: number): Vma | undefined {
    return this.areas[this.indexAbove(address)];
  }

  /** The area that `address` lies in. */
  find(address: number): Vma | undefined {
    const area = this.above(address);
    return area !== undefined && area.start <= address ? area : undefined;
  }

  /** Index of the first area that ends above `address`. */
  private indexAbove(address: number): number {
    let low = 0;
    let high = this.areas.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.areas[middle].end > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Index of the first area that starts at `address` or above. */
  private indexFrom(address: number): number {
    const at = this.indexAbove(address);
    const area = this.areas[at];
    return area !== undefined && area.start < address ? at + 1 : at;
  }

  /** The areas that have a part in the range, ascending. */
  overlapping(start: number, end: number): readonly Vma[] {
    return this.areas.slice(this.indexAbove(start), this.indexFrom(end));
  }

  /** Maps an area in place of whatever was there. Its pages read as zeros or as the file. */
  map(area: Vma): void {
    this.checkRange(area.start, area.end);
    this.unmap(area.start, area.end);
    this.insert({ ...area });
    const absent = area.file !== undefined || area.shared !== undefined ? ABSENT : 0;
    this.pages.fill(MAPPED | absent | area.prot, area.start / PAGE_SIZE, area.end / PAGE_SIZE);
    this.refreshGuards(area.start, area.end);
  }

  /** Unmaps a range; holes in it are no error. */
  unmap(start: number, end: number): void {
    this.checkRange(start, end);
    const gone = this.split(start, end);
    for (const area of gone) this.release(area);
    this.areas.splice(this.indexAbove(start), gone.length);
  }

  /** Changes protection. Returns false, changing what comes before it, at the first hole (Linux: ENOMEM). */
  protect(start: number, end: number, prot: number): boolean {
    this.checkRange(start, end);
    let at = start;
    for (const area of this.split(start, end)) {
      if (area.start !== at) break;
      at = area.end;
      area.prot = prot;
      for (let page = area.start / PAGE_SIZE; page < area.end / PAGE_SIZE; page++) {
        this.dropCode(page);
        this.pages[page] = (this.pages[page] & ~7) | prot;
      }
      this.refreshGuards(area.start, area.end);
    }
    this.merge(start, end);
    return at === end;
  }

  /**
   * Moves the pages of one area to another place of at least their size (mremap). The destination is mapped
   * over; what the destination has beyond the source reads as zeros or as the file.
   */
  move(start: number, end: number, to: number, toEnd: number): void {
    const [area] = this.split(start, end);
    const target: Vma = { ...area, start: to, end: toEnd };
    const kept = Math.min(end - start, toEnd - to);
    this.map(target);
    for (let offset = 0; offset < kept; offset += PAGE_SIZE) {
      const from = (start + offset) / PAGE_SIZE;
      const page = (to + offset) / PAGE_SIZE;
      const state = this.pages[from];
      if (area.shared !== undefined || state & ABSENT || !(state & TOUCHED)) continue;
      this.poke(page * PAGE_SIZE, this.peek(from * PAGE_SIZE, PAGE_SIZE));
      this.pages[page] = (state & ~CODE) | DIRTY;
      this.refreshGuard(page);
    }
    this.unmap(start, end);
  }

  /** Drops contents so that pages read as zeros or as the file again (madvise MADV_DONTNEED). */
  discard(start: number, end: number): void {
    for (const area of this.split(start, end)) {
      if (area.shared !== undefined) continue;
      this.clear(area);
      const absent = area.file !== undefined ? ABSENT : 0;
      this.pages.fill(MAPPED | absent | area.prot, area.start / PAGE_SIZE, area.end / PAGE_SIZE);
      this.refreshGuards(area.start, area.end);
    }
    this.merge(start, end);
  }

  /**
   * Lowest or highest free place of `length` bytes within [low, high), page aligned; undefined if there is
   * none. Linux searches top down.
   */
  findFree(length: number, low: number, high: number): number | undefined {
    let top = Math.min(high, this.limit);
    for (let i = this.indexFrom(top) - 1; i >= -1; i--) {
      const area = this.areas[i];
      const bottom = Math.max(low, area?.end ?? 0);
      if (top - bottom >= length) return top - length;
      if (area !== undefined) top = Math.min(top, area.start);
    }
    return undefined;
  }

  /** Whether nothing is mapped in the range. */
  isFree(start: number, end: number): boolean {
    const area = this.areas[this.indexAbove(start)];
    return area === undefined || area.start >= end;
  }

  private checkRange(start: number, end: number): void {
    if (start % PAGE_SIZE || end % PAGE_SIZE || start < 0 || start > end || end > this.limit) {
      throw new RangeError(`bad mapping range 0x${start.toString(16)}..0x${end.toString(16)}`);
    }
  }

  private insert(area: Vma): void {
    this.areas.splice(this.indexAbove(area.start), 0, area);
    this.merge(area.start, area.end);
  }

  /** Joins the areas that touch [start, end] with equal neighbours. */
  private merge(start: number, end: number): void {
    let at = Math.max(1, this.indexAbove(start));
    while (at < this.areas.length && this.areas[at].start <= end) {
      const below = this.areas[at - 1];
      if (continues(below, this.areas[at])) {
        below.end = this.areas[at].end;
        this.areas.splice(at, 1);
      } else at++;
    }
  }

  /** Cuts areas at `start` and `end` and returns those between. */
  private split(start: number, end: number): readonly Vma[] {
    this.cut(start);
    this.cut(end);
    return this.overlapping(start, end);
  }

  private cut(at: number): void {
    const index = this.indexAbove(at);
    const area = this.areas[index];
    if (area === undefined || area.start >= at) return;
    const upper: Vma = { ...area, start: at, offset: area.offset + (at - area.start) };
    area.end = at;
    this.areas.splice(index + 1, 0, upper);
  }

  private release(area: Vma): void {
    if (area.shared !== undefined) this.putAside(area);
    this.clear(area);
    this.pages.fill(0, area.start / PAGE_SIZE, area.end / PAGE_SIZE);
    this.refreshGuards(area.start, area.end);
  }

  /** Zeroes the pages of an area that hold anything, and forgets their code. */
  private clear({ start, end, file, shared }: Vma): void {
    const fromFile = file !== undefined || shared !== undefined;
    for (let page = start / PAGE_SIZE; page < end / PAGE_SIZE; page++) {
      this.dropCode(page);
      const state = this.pages[page];
      const populated = fromFile && (state & ABSENT) === 0;
      if (!populated && (state & TOUCHED) === 0) continue;
      const at = this.hostRange(page * PAGE_SIZE, PAGE_SIZE);
      this.bytes.fill(0, at, at + PAGE_SIZE);
    }
  }

  private dropCode(page: number): void {
    if ((this.pages[page] & CODE) === 0) return;
    this.pages[page] &= ~CODE;
    this.onCodeChange(page);
  }

  /** How often a guard has gone from zero to something: whatever relies on a zero it has seen is wrong since. */
  guardsRaised = 0;

  private refreshGuard(page: number): void {
    const before = this.readGuard[page] | (this.writeGuard[page] << 1);
    const state = this.pages[page];
    const watched = this.breakpoint !== 0n && this.breakpoint >> BigInt(PAGE_SHIFT) === BigInt(page);
    const present = (state & (MAPPED | ABSENT)) === MAPPED && !watched;
    this.readGuard[page] = present && (state & 7) !== 0 ? 0 : 1;
    const free = present && (state & (PROT_WRITE | DIRTY | CODE)) === (PROT_WRITE | DIRTY);
    this.writeGuard[page] = free ? 0 : 1;
    if (((this.readGuard[page] | (this.writeGuard[page] << 1)) & ~before) !== 0) this.guardsRaised++;
  }

  private refreshGuards(start: number, end: number): void {
    for (let page = start / PAGE_SIZE; page < end / PAGE_SIZE; page++) this.refreshGuard(page);
  }

  /** Extends a grows-down area to cover `page`, within `stackLimit` bytes. */
  private growStack(page: number): boolean {
    const address = page * PAGE_SIZE;
    const index = this.indexAbove(address);
    const area = this.areas[index];
    if (!area?.growsDown || area.end - address > this.stackLimit) return false;
    const below = this.areas[index - 1];
    // Linux keeps a gap of 256 pages below a stack.
    if (below !== undefined && address - below.end < 256 * PAGE_SIZE && (below.prot & 7) !== 0) return false;
    const start = area.start;
    area.start = address;
    this.pages.fill(MAPPED | area.prot, page, start / PAGE_SIZE);
    this.refreshGuards(address, start);
    return true;
  }

  /** RLIMIT_STACK of the process, in bytes. */
  stackLimit = 8 * 1024 * 1024;

  // ---- contents on demand, and shared pages --------------------------------------------------------------

  /** Brings an absent page's bytes in; false when it lies beyond the end of its file. */
  private populate(page: number): boolean {
    const area = this.find(page * PAGE_SIZE)!;
    const position = area.offset + (page * PAGE_SIZE - area.start);
    if (area.shared !== undefined) {
      const bytes = this.takeShared(area, page, position);
      if (bytes === undefined) return false;
      this.poke(page * PAGE_SIZE, bytes);
    } else {
      const bytes = readFilePage(area.file!, position);
      if (bytes === undefined) return false;
      this.poke(page * PAGE_SIZE, bytes);
    }
    this.pages[page] &= ~ABSENT;
    if (area.shared !== undefined && this.sharedPage(area, page).dirty) this.pages[page] |= DIRTY | TOUCHED;
    this.refreshGuard(page);
    return true;
  }

  private sharedPage(area: Vma, page: number): SharedPage {
    const index = (area.offset + (page * PAGE_SIZE - area.start)) / PAGE_SIZE;
    const pages = area.shared!.pages;
    let entry = pages.get(index);
    if (entry === undefined) pages.set(index, (entry = { dirty: false }));
    return entry;
  }

  private takeShared(area: Vma, page: number, position: number): Uint8Array | undefined {
    const entry = this.sharedPage(area, page);
    const file = area.shared!.file;
    if (file !== undefined && position >= file.size()) return undefined;
    let bytes = entry.bytes;
    if (entry.holder !== undefined) bytes = entry.holder.evict();
    bytes ??= file === undefined ? new Uint8Array(PAGE_SIZE) : readFilePage(file, position);
    entry.bytes = undefined;
    entry.holder = { space: this, page, evict: () => this.evict(page) };
    return bytes;
  }

  private evict(page: number): Uint8Array {
    const bytes = this.peek(page * PAGE_SIZE, PAGE_SIZE);
    this.dropCode(page);
    // The next write must be seen again, wherever the page is then: it may have been written back meanwhile.
    this.pages[page] = (this.pages[page] & ~DIRTY) | ABSENT;
    this.refreshGuard(page);
    return bytes;
  }

  /** Takes the pages this area holds of its shared object out of it, back into the object. */
  private putAside(area: Vma): void {
    for (let page = area.start / PAGE_SIZE; page < area.end / PAGE_SIZE; page++) {
      if (this.pages[page] & ABSENT) continue;
      const entry = this.sharedPage(area, page);
      entry.bytes = this.evict(page);
      entry.holder = undefined;
    }
  }

  // ---- what a checkpoint asks ------------------------------------------------------------------------------

  /** Whether the page at `address` holds contents of its own (written, or restored from an image). */
  isTouched(address: number): boolean {
    return (this.pages[address / PAGE_SIZE] & (TOUCHED | ABSENT)) === TOUCHED;
  }
  /** Whether the page at `address` was written since `clearDirty`. */
  isDirty(address: number): boolean {
    return (this.pages[address / PAGE_SIZE] & DIRTY) !== 0;
  }
  /** Starts a new dirty-page interval: every page counts as unwritten from here. */
  clearDirty(): void {
    for (const area of this.areas) {
      for (let page = area.start / PAGE_SIZE; page < area.end / PAGE_SIZE; page++) this.pages[page] &= ~DIRTY;
      this.refreshGuards(area.start, area.end);
    }
  }
  /** Puts a page's contents in place whatever its protection, as a restart does. `bytes` is one page. */
  restorePage(address: number, bytes: Uint8Array): void {
    const page = address / PAGE_SIZE;
    if ((this.pages[page] & MAPPED) === 0)
      throw new RangeError(`page 0x${address.toString(16)} is not mapped`);
    this.dropCode(page);
    this.poke(address, bytes);
    this.pages[page] = (this.pages[page] & ~ABSENT) | TOUCHED | DIRTY;
    this.refreshGuard(page);
  }
}

/** A memory of so many WebAssembly pages. Engines reserve address space for it, of which little is ever used. */
function reserve(pages: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (error) {
    throw new RangeError(
      `cannot reserve the guest's address space (${(error as Error).message}): V8 wants some 10 GiB of it; raise 'ulimit -v' or the container's limit`,
    );
  }
}

/** One page of a file, zero beyond its end; undefined when the whole page lies beyond. */
function readFilePage(
  file: { size(): number; read(at: number, into: Uint8Array): number },
  position: number,
) {
  if (position >= file.size()) return undefined;
  const bytes = new Uint8Array(PAGE_SIZE);
  file.read(position, bytes);
  return bytes;
}

/** Protection as "rwx" letters, `-` where absent. */
export const protectionLetters = (prot: number): string =>
  (prot & PROT_READ ? "r" : "-") + (prot & PROT_WRITE ? "w" : "-") + (prot & PROT_EXEC ? "x" : "-");
