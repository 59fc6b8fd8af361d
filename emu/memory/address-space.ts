/**
 * One guest address space in one WebAssembly memory: accesses that check what they touch, mappings, and pages whose
 * contents come when they are first wanted.
 *
 * Its parts are the storage (where bytes lie), the page table with its guards (what a page allows), the map of areas,
 * and the objects that areas share. An access looks at a guard byte of its page: zero means go ahead, anything else
 * that the slow path must look (`checkLoad`, `checkStore`).
 */
import { GuestFault } from "../cpu/fault.ts";
import { Registers } from "../cpu/registers.ts";
import { AreaMap, type Areas } from "./area-map.ts";
import { type ByteOrder, Storage } from "./byte-order.ts";
import { addView, type FileViewer, fileChanged, removeView } from "./file-views.ts";
import { CORNER_SIZE, PAGE_SHIFT, PAGE_SIZE, REGISTERS_OFFSET } from "./layout.ts";
import { readFilePage } from "./mapped-file.ts";
import {
  ABSENT,
  CODE,
  DIRTY,
  INHERITED,
  LENT,
  MAPPED,
  PageTable,
  PROTECTION,
  TOUCHED,
} from "./page-table.ts";
import { type PageHolder, takeBack } from "./shared-object.ts";
import { clip, PROT_EXEC, PROT_WRITE, type Vma } from "./vma.ts";
import { Watched, type Watchpoint } from "./watched.ts";

export interface AddressSpaceOptions {
  byteOrder: ByteOrder;
  /** Bytes of guest address space, a multiple of 64 KiB, at most 4 GiB (the default). */
  size?: number;
}

/** Told when a page marked by `markCode` is about to be written, unmapped or re-protected. */
export type CodeListener = (page: number) => void;

/** What a forked address space has yet to take from its parent. */
interface Inheritance {
  readonly parent: AddressSpace;
  /** Pages as they were at the fork that the parent has changed since, in guest order. */
  readonly saved: Map<number, Uint8Array>;
}

export class AddressSpace implements FileViewer {
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
  /** What is mapped where. */
  readonly areas: Areas;
  /**
   * Asked when an access meets an address that is not mapped. It may map its page (a stack that grows) and return
   * true; else the access faults.
   */
  onUnmapped: (address: number) => boolean = () => false;

  private readonly storage: Storage;
  private readonly pages: PageTable;
  private readonly mapped = new AreaMap();
  private readonly codeListeners = new Set<CodeListener>();
  private readonly watched = new Watched();
  private inheritance: Inheritance | undefined;
  /** The address spaces forked from this one that may still have something to take. */
  private readonly heirs = new Set<AddressSpace>();

  constructor(options: AddressSpaceOptions) {
    const storage = new Storage(options.byteOrder, options.size ?? 2 ** 32);
    const { memory, byteOrder, size, corner, view } = storage;
    this.storage = storage;
    this.memory = memory;
    this.byteOrder = byteOrder;
    this.size = size;
    this.limit = size - CORNER_SIZE;
    this.corner = corner;
    this.view = view;
    this.areas = this.mapped;
    this.registers = new Registers(memory.buffer, corner + REGISTERS_OFFSET);
    this.pages = new PageTable(memory.buffer, corner, size / PAGE_SIZE);
    this.readGuard = this.pages.readGuard;
    this.writeGuard = this.pages.writeGuard;
  }

  // ---- accesses by the CPU: `ea` is an unsigned 32-bit effective address -------------------------------

  /** Host offset of the `n`-byte datum at guest address `ea`. */
  host(ea: number, n: number): number {
    return this.storage.host(ea, n);
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
    this.watched.check(ea, n, false);
  }

  /** Slow path of a store of `n` bytes: makes every page of it present and writable, or throws. */
  checkStore(ea: number, n: number): void {
    const end = ea + n;
    if (end > this.size) throw new GuestFault("data-unmapped", BigInt(this.size), true);
    const first = ea >>> PAGE_SHIFT;
    for (let page = first; page * PAGE_SIZE < end; page++) {
      if (this.writeGuard[page] !== 0) this.demandPage(page, Math.max(ea, page * PAGE_SIZE), true);
    }
    this.watched.check(ea, n, true);
    // Only now that the whole access is known to succeed do its pages count as written.
    for (let page = first; page * PAGE_SIZE < end; page++) {
      if (this.writeGuard[page] !== 0) this.dirtyPage(page);
    }
  }

  private demandPage(page: number, at: number, isStore: boolean): void {
    let state = this.pages.get(page);
    if ((state & MAPPED) === 0) {
      if (!this.onUnmapped(at)) throw new GuestFault("data-unmapped", BigInt(at), isStore);
      state = this.pages.get(page);
    }
    if (isStore ? (state & PROT_WRITE) === 0 : (state & PROTECTION) === 0) {
      throw new GuestFault("data-protected", BigInt(at), isStore);
    }
    if (state & ABSENT && !this.populate(page)) throw new GuestFault("data-beyond-file", BigInt(at), isStore);
  }

  private dirtyPage(page: number): void {
    this.dropCode(page);
    this.keepForHeirs(page);
    this.pages.set(page, this.pages.get(page) | TOUCHED | DIRTY);
    const area = this.areaOf(page);
    if (area.shared === undefined) return;
    const position = positionIn(area, page);
    area.shared.markDirty(position / PAGE_SIZE);
    if (area.shared.file !== undefined) fileChanged(area.shared.file, position, position + PAGE_SIZE);
  }

  private areaOf(page: number): Vma {
    return this.mapped.find(page * PAGE_SIZE)!;
  }

  /** Sets the data address breakpoint: doubleword address | write 2 | read 1; 0 clears it. */
  setBreakpoint(dabr: bigint): void {
    this.watched.breakpoint = (dabr & 3n) !== 0n ? dabr : 0n;
    this.pages.watch(this.watched.pages());
  }

  /** Has accesses to these ranges throw WatchpointHit, before anything has happened, until it is called again. */
  setWatchpoints(watchpoints: readonly Watchpoint[]): void {
    this.watched.watchpoints = watchpoints;
    this.pages.watch(this.watched.pages());
  }

  // ---- instructions ---------------------------------------------------------------------------------

  /** Changes whenever a guard may have gone from zero to something: who relies on a zero must look again then. */
  get guardsRaised(): number {
    return this.pages.raised;
  }

  /** From now on `listener` is told of changes to pages that hold code. */
  addCodeListener(listener: CodeListener): void {
    this.codeListeners.add(listener);
  }

  removeCodeListener(listener: CodeListener): void {
    this.codeListeners.delete(listener);
  }

  /** Makes `page` present and marks it as holding decoded instructions, or throws the fetch fault for `nia`. */
  markCode(page: number, nia: bigint): void {
    const state = this.pages.get(page);
    if ((state & MAPPED) === 0) throw new GuestFault("fetch-unmapped", nia);
    if ((state & PROT_EXEC) === 0) throw new GuestFault("fetch-protected", nia);
    if (state & ABSENT && !this.populate(page)) throw new GuestFault("fetch-beyond-file", nia);
    this.pages.set(page, this.pages.get(page) | CODE);
  }

  private dropCode(page: number): void {
    const state = this.pages.get(page);
    if ((state & CODE) === 0) return;
    this.pages.set(page, state & ~CODE);
    for (const listener of this.codeListeners) listener(page);
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
    this.storage.poke(address, from);
  }

  /**
   * The bytes as they lie, without checks: what has yet to be read from files and shared objects reads as zero.
   * `into`, where given, has the length.
   */
  peek(address: number, length: number, into = new Uint8Array(length)): Uint8Array<ArrayBuffer> {
    this.storage.peek(address, into);
    if (this.inheritance === undefined) return into;
    const [first, end] = [Math.floor(address / PAGE_SIZE), Math.ceil((address + length) / PAGE_SIZE)];
    for (const page of this.pages.having(INHERITED, first, end)) {
      const from = Math.max(address, page * PAGE_SIZE);
      const bytes = this.inherited(page).subarray(from - page * PAGE_SIZE);
      into.set(bytes.subarray(0, address + length - from), from - address);
    }
    return into;
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

  /** Maps an area in place of whatever was there. Its pages read as zeros or as the file. */
  map(area: Vma): void {
    this.checkRange(area.start, area.end);
    this.unmap(area.start, area.end);
    this.mapped.insert(area);
    this.fillPages(area);
  }

  /** Unmaps a range; holes in it are no error. */
  unmap(start: number, end: number): void {
    this.checkRange(start, end);
    for (const area of this.mapped.overlapping(start, end)) {
      const gone = clip(area, start, end);
      if (gone.shared !== undefined) this.putAside(gone);
      this.clear(gone);
      this.pages.fill(gone.start / PAGE_SIZE, gone.end / PAGE_SIZE, 0);
    }
    this.mapped.remove(start, end);
  }

  /** Changes protection. Returns false, changing what comes before it, at the first hole (Linux: ENOMEM). */
  protect(start: number, end: number, prot: number): boolean {
    this.checkRange(start, end);
    let at = start;
    for (const area of this.mapped.overlapping(start, end)) {
      if (area.start > at) break;
      at = Math.min(area.end, end);
    }
    for (const area of this.mapped.remove(start, at)) {
      this.mapped.insert({ ...area, prot });
      for (let page = area.start / PAGE_SIZE; page < area.end / PAGE_SIZE; page++) {
        this.dropCode(page);
        this.pages.set(page, (this.pages.get(page) & ~PROTECTION) | prot);
      }
    }
    return at === end;
  }

  /** Extends an area that grows down to begin at `start`; the room is free. */
  growDown(area: Vma, start: number): void {
    this.checkRange(start, area.start);
    this.mapped.remove(area.start, area.end);
    this.mapped.insert({ ...area, start });
    this.fillPages({ ...area, start, end: area.start });
  }

  /**
   * Moves the pages of one area to another place of at least their size (mremap). The destination is mapped
   * over; what the destination has beyond the source reads as zeros or as the file.
   */
  move(start: number, end: number, to: number, toEnd: number): void {
    const area = clip(this.mapped.find(start)!, start, end);
    const kept = Math.min(end - start, toEnd - to);
    this.map({ ...area, start: to, end: toEnd });
    // Pages of a shared object come back to where they are touched.
    for (let offset = 0; area.shared === undefined && offset < kept; offset += PAGE_SIZE) {
      if (!this.isTouched(start + offset)) continue;
      this.fetchInherited((start + offset) / PAGE_SIZE);
      this.storage.copy(start + offset, to + offset, PAGE_SIZE);
      this.own((to + offset) / PAGE_SIZE);
    }
    this.unmap(start, end);
  }

  /** Drops contents so that pages read as zeros or as the file again (madvise MADV_DONTNEED). */
  discard(start: number, end: number): void {
    for (const area of this.mapped.overlapping(start, end)) {
      if (area.shared !== undefined) continue;
      const part = clip(area, start, end);
      this.clear(part);
      this.fillPages(part);
    }
  }

  private checkRange(start: number, end: number): void {
    if (start % PAGE_SIZE || end % PAGE_SIZE || start < 0 || start > end || end > this.limit) {
      throw new RangeError(`bad mapping range 0x${start.toString(16)}..0x${end.toString(16)}`);
    }
  }

  /** Sets the pages of an area to what they are before their first use. */
  private fillPages({ start, end, prot, file, shared }: Vma): void {
    const absent = file !== undefined || shared !== undefined ? ABSENT : 0;
    this.pages.fill(start / PAGE_SIZE, end / PAGE_SIZE, MAPPED | absent | prot);
  }

  /** Zeroes the pages of an area that hold anything, and forgets their code. */
  private clear(area: Vma): void {
    for (let page = area.start / PAGE_SIZE; page < area.end / PAGE_SIZE; page++) this.clearPage(page, area);
  }

  private clearPage(page: number, area: Vma): void {
    const state = this.pages.get(page);
    if (state & CODE) this.dropCode(page);
    if (state & LENT) this.keepForHeirs(page);
    const isAnonymous = area.file === undefined && area.shared === undefined;
    if (state & INHERITED) this.inheritance!.saved.delete(page);
    if (area.file !== undefined && isPresent(state)) {
      removeView(area.file, this, positionIn(area, page) / PAGE_SIZE, page);
    }
    // The storage of pages that are absent or not mapped holds zeros.
    const holds = isAnonymous ? TOUCHED : MAPPED;
    if ((state & (ABSENT | holds)) === holds) this.storage.clearPage(page);
  }

  // ---- contents on demand, and shared pages --------------------------------------------------------------

  /** Brings an absent page's bytes in; false when it lies beyond the end of its file. */
  private populate(page: number): boolean {
    if (this.fetchInherited(page)) return true;
    const area = this.areaOf(page);
    const position = positionIn(area, page);
    const index = position / PAGE_SIZE;
    const { file, shared } = area;
    const bytes = file !== undefined ? readFilePage(file, position) : shared!.give(index, this.holder(page));
    if (bytes === undefined) return false;
    if (file !== undefined) addView(file, this, index, page);
    this.storage.poke(page * PAGE_SIZE, bytes);
    const written = shared?.isDirty(index) ? DIRTY | TOUCHED : 0;
    this.pages.set(page, (this.pages.get(page) & ~ABSENT) | written);
    return true;
  }

  /** This space as the one that holds a shared object's page at its own `page`. */
  private holder(page: number): PageHolder {
    return {
      peek: () => this.peek(page * PAGE_SIZE, PAGE_SIZE),
      evict: () => this.evict(page),
    };
  }

  private evict(page: number): Uint8Array {
    const bytes = this.peek(page * PAGE_SIZE, PAGE_SIZE);
    // The next write must be seen again, wherever the page is then: it may have been written back meanwhile.
    this.makeAbsent(page, DIRTY);
    return bytes;
  }

  /** Makes a present page one whose bytes are not here, without some bits of its state. */
  private makeAbsent(page: number, without: number): void {
    this.dropCode(page);
    this.storage.clearPage(page);
    this.pages.set(page, (this.pages.get(page) & ~without) | ABSENT);
  }

  /** Takes the pages this area holds of its shared object out of it, back into the object. */
  private putAside(area: Vma): void {
    for (let page = area.start / PAGE_SIZE; page < area.end / PAGE_SIZE; page++) {
      if (this.pages.get(page) & ABSENT) continue;
      takeBack(area.shared!.page(positionIn(area, page) / PAGE_SIZE));
    }
  }

  /** Pages that show their file, whose bytes there have changed: reads them again when they are next touched. */
  forgetPages(pages: readonly number[]): void {
    for (const page of pages) {
      if (this.pages.get(page) & TOUCHED) continue;
      const area = this.areaOf(page);
      removeView(area.file!, this, positionIn(area, page) / PAGE_SIZE, page);
      this.makeAbsent(page, 0);
    }
  }

  /** Pages of private mappings that are beyond the end of their file now: touching them faults. */
  cutPages(pages: readonly number[]): void {
    for (const page of pages) {
      const area = this.areaOf(page);
      this.clearPage(page, area);
      this.pages.set(page, MAPPED | ABSENT | area.prot);
    }
  }

  // ---- forks ---------------------------------------------------------------------------------------------

  /**
   * Makes `child`, an address space with nothing in it, a copy of this one. No page is copied yet: the child fetches
   * a page when it first touches it, and before this space changes one it saves it for those that may want it.
   */
  fork(child: AddressSpace): void {
    if (child.areas.count > 0 || child.size !== this.size || child.byteOrder !== this.byteOrder) {
      throw new RangeError("an address space is forked into an empty one of its kind");
    }
    child.inheritance = { parent: this, saved: new Map() };
    this.heirs.add(child);
    child.mapped.copy(this.mapped);
    for (const area of this.mapped) {
      child.fillPages(area);
      if (area.shared !== undefined) continue;
      const [first, end] = [area.start / PAGE_SIZE, area.end / PAGE_SIZE];
      this.pages.lend(child.pages, first, end);
      if (area.file === undefined) continue;
      for (const page of child.pages.having(INHERITED, first, end)) {
        addView(area.file, child, positionIn(area, page) / PAGE_SIZE, page);
      }
    }
  }

  /** The bytes of a page that is to be had from the parent. */
  private inherited(page: number): Uint8Array {
    const { parent, saved } = this.inheritance!;
    return saved.get(page) ?? parent.peek(page * PAGE_SIZE, PAGE_SIZE);
  }

  /** Takes a page from the parent, if that is where it is to be had from. */
  private fetchInherited(page: number): boolean {
    const state = this.pages.get(page);
    if ((state & INHERITED) === 0) return false;
    this.storage.poke(page * PAGE_SIZE, this.inherited(page));
    this.inheritance!.saved.delete(page);
    this.pages.set(page, state & ~(INHERITED | ABSENT));
    return true;
  }

  /** Called before a page changes or goes: saves it for the address spaces that were forked from this one. */
  private keepForHeirs(page: number): void {
    const state = this.pages.get(page);
    if ((state & LENT) === 0) return;
    let bytes: Uint8Array | undefined;
    for (const heir of this.heirs) {
      const { saved } = heir.inheritance!;
      if ((heir.pages.get(page) & INHERITED) === 0 || saved.has(page)) continue;
      saved.set(page, (bytes ??= this.peek(page * PAGE_SIZE, PAGE_SIZE)));
    }
    this.pages.set(page, state & ~LENT);
  }

  /** How many pages with contents have been cleared so far: at least as many as the host has memory for. */
  get clearedPages(): number {
    return this.storage.clearedPages;
  }

  /** Makes the space as a new one is; what was forked from it keeps what it has yet to take. */
  reset(): void {
    this.unmap(0, this.limit);
    this.inheritance?.parent.heirs.delete(this);
    this.inheritance = undefined;
    this.heirs.clear();
    this.codeListeners.clear();
    this.setBreakpoint(0n);
    this.setWatchpoints([]);
    this.onUnmapped = () => false;
    this.storage.clearCorner();
  }

  // ---- what a checkpoint asks ------------------------------------------------------------------------------

  /** Whether the page at `address` holds contents of its own (written, or restored from an image). */
  isTouched(address: number): boolean {
    const state = this.pages.get(address / PAGE_SIZE);
    return (state & TOUCHED) !== 0 && isPresent(state);
  }

  /** How many pages of the range are present, and how many of them have contents of their own. */
  usage(start: number, end: number): { present: number; written: number } {
    let [present, written] = [0, 0];
    for (const area of this.mapped.overlapping(start, end)) {
      const isAnonymous = area.file === undefined && area.shared === undefined;
      const { start: from, end: to } = clip(area, start, end);
      for (let page = from / PAGE_SIZE; page < to / PAGE_SIZE; page++) {
        const state = this.pages.get(page);
        if (!isPresent(state)) continue;
        if (state & TOUCHED) written++;
        if (state & TOUCHED || !isAnonymous) present++;
      }
    }
    return { present, written };
  }

  /** Whether the page at `address` was written since `clearDirty`. */
  isDirty(address: number): boolean {
    return (this.pages.get(address / PAGE_SIZE) & DIRTY) !== 0;
  }

  /** Starts a new dirty-page interval: every page counts as unwritten from here. */
  clearDirty(): void {
    for (const { start, end } of this.mapped) {
      for (const page of this.pages.having(DIRTY, start / PAGE_SIZE, end / PAGE_SIZE)) {
        this.pages.set(page, this.pages.get(page) & ~DIRTY);
      }
    }
  }

  /** Puts a page's contents in place whatever its protection, as a restart does. `bytes` is one page. */
  restorePage(address: number, bytes: Uint8Array): void {
    const page = address / PAGE_SIZE;
    if ((this.pages.get(page) & MAPPED) === 0)
      throw new RangeError(`page 0x${address.toString(16)} is not mapped`);
    this.dropCode(page);
    this.keepForHeirs(page);
    this.storage.poke(address, bytes);
    this.own(page);
  }

  /** Counts a page as one with contents of its own, which are in place. */
  private own(page: number): void {
    if (this.pages.get(page) & INHERITED) this.inheritance!.saved.delete(page);
    const area = this.areaOf(page);
    if (area.file !== undefined) addView(area.file, this, positionIn(area, page) / PAGE_SIZE, page);
    this.pages.set(page, (this.pages.get(page) & ~(ABSENT | INHERITED)) | TOUCHED | DIRTY);
  }
}

/** Whether a page has contents, be they still its parent's. */
const isPresent = (state: number): boolean => (state & ABSENT) === 0 || (state & INHERITED) !== 0;

/** Byte offset in an area's file or shared object of a page that lies in it. */
const positionIn = (area: Vma, page: number): number => area.offset + (page * PAGE_SIZE - area.start);
