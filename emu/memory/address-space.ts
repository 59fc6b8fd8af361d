/**
 * One guest address space in one WebAssembly memory: accesses that check what they touch, mappings, and pages whose
 * contents come when they are first wanted.
 *
 * Its parts are the storage (where bytes lie), the page table with its guards (what a page allows), the map of areas,
 * the objects that areas share, and the map of far memory. An access looks at a guard byte of its page: zero means go
 * ahead, anything else that the slow path must look (`checkLoad`, `checkStore`).
 *
 * A *page* is a page of the guest's addresses, a *frame* one of the one memory. Below 2^32 they are the same. Far pages
 * have frames in places that the far map gives them, piece by piece; a far page that has none is as after it was mapped.
 */
import { GuestFault } from "../cpu/fault.ts";
import { Registers } from "../cpu/registers.ts";
import { AreaMap, type Areas } from "./area-map.ts";
import { type ByteOrder, Storage } from "./byte-order.ts";
import { FAR_END, FAR_START } from "./far-map.ts";
import { FarMemory } from "./far-memory.ts";
import { addView, type FileViewer, fileChanged, removeView } from "./file-views.ts";
import { Inheritance } from "./inheritance.ts";
import { CORNER_SIZE, PAGE_SHIFT, PAGE_SIZE, REGISTERS_OFFSET } from "./layout.ts";
import { readFilePage } from "./mapped-file.ts";
import {
  ABSENT,
  CODE,
  DIRTY,
  FAR,
  FAR_GO,
  INHERITED,
  LENT,
  MAPPED,
  NO_LOADS,
  PageTable,
  PROTECTION,
  TOUCHED,
  allowsLoads,
  isOwn,
  isPresent,
} from "./page-table.ts";
import { type PageHolder, takeBack } from "./shared-object.ts";
import { clip, type MemoryPolicy, PROT_EXEC, PROT_WRITE, type Vma } from "./vma.ts";
import { Watched, type Watchpoint } from "./watched.ts";

export interface AddressSpaceOptions {
  byteOrder: ByteOrder;
  /** Bytes of the one memory, a multiple of 64 KiB, at most 4 GiB (the default). */
  size?: number;
  /** Whether there is far memory: addresses from 2^32 up to 2^47. */
  hasFar?: boolean;
  /** Whether what may be executed and nothing else can't be read either, as with Linux's radix page tables. */
  hasExecuteOnly?: boolean;
}

/** Told when a page marked by `markCode` is about to be written, unmapped or re-protected. */
export type CodeListener = (page: number) => void;

export class AddressSpace implements FileViewer {
  readonly memory: WebAssembly.Memory;
  readonly byteOrder: ByteOrder;
  /** Bytes of the one memory. */
  readonly size: number;
  /** End of near memory, which lies at its own addresses: the machine's corner begins here. */
  readonly nearLimit: number;
  /** End of what may be mapped. */
  limit: number;
  /** See `AddressSpaceOptions`. */
  hasExecuteOnly: boolean;
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

  readonly storage: Storage;
  private readonly pages: PageTable;
  private readonly mapped = new AreaMap();
  private readonly far: FarMemory;
  private readonly codeListeners = new Set<CodeListener>();
  private readonly watched = new Watched();
  private readonly inheritance: Inheritance;
  /** Pages touched for the first time, to be counted. */
  private faults = 0;
  /** How many pages of shared objects others have taken back so far. */
  private evicted = 0;

  constructor(options: AddressSpaceOptions) {
    const storage = new Storage(options.byteOrder, options.size ?? 2 ** 32);
    const { memory, byteOrder, size, view } = storage;
    this.storage = storage;
    this.memory = memory;
    this.byteOrder = byteOrder;
    this.size = size;
    this.nearLimit = size - CORNER_SIZE;
    this.limit = options.hasFar ? FAR_END : this.nearLimit;
    this.hasExecuteOnly = options.hasExecuteOnly ?? false;
    this.view = view;
    this.areas = this.mapped;
    this.registers = new Registers(memory.buffer, REGISTERS_OFFSET);
    this.pages = new PageTable(storage);
    this.far = new FarMemory(storage, this.pages, this.mapped, {
      end: () => this.limit,
      onUnmapped: (address) => this.onUnmapped(address),
      fill: (area) => this.fillPages(area),
      moved: () => this.watchPages(),
    });
    this.inheritance = new Inheritance({
      peek: (address, length) => this.peek(address, length),
      isInherited: (page) => (this.stateOf(page) & INHERITED) !== 0,
    });
    this.readGuard = this.pages.readGuard;
    this.writeGuard = this.pages.writeGuard;
  }

  // ---- accesses by the CPU: `ea` is an unsigned 32-bit effective address, or what `near` gave for a far one: less than zero ------

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

  /**
   * Slow path of a load of `n` bytes: makes every page of it present, or throws the GuestFault. `ea` may be any guest
   * address as well.
   */
  checkLoad(ea: number, n: number): void {
    this.check(ea, n, false);
  }

  /** Slow path of a store of `n` bytes: makes every page of it present and writable, or throws. */
  checkStore(ea: number, n: number): void {
    const first = this.check(ea, n, true);
    const end = (ea < 0 ? ea + FAR_START : ea) + n;
    // Only now that the whole access is known to succeed do its pages count as written.
    for (let page = first; page * PAGE_SIZE < end; page++) {
      const frame = this.far.frameOf(page);
      if ((this.writeGuard[frame] & ~FAR_GO) !== 0) this.dirtyFrame(frame);
    }
  }

  /** Whether an access to `n` bytes at `ea` may be. Returns the page that it begins in. */
  private check(ea: number, n: number, isStore: boolean, isForced = false): number {
    const { evicted } = this;
    const first = this.demandAll(ea, n, isStore, isForced);
    // What brings one page in may take another away, of which it shows the same.
    if (evicted !== this.evicted) this.demandAll(ea, n, isStore, isForced);
    if (this.watched.any) this.watched.check(this.addressOf(ea), n, isStore);
    return first;
  }

  private demandAll(ea: number, n: number, isStore: boolean, isForced: boolean): number {
    if (ea >= FAR_START) return this.demandFar(ea, n, isStore, isForced);
    const isFar = ea < 0;
    const at = isFar ? ea + FAR_START : ea;
    // What goes on beyond the end faults before it, for nothing is ever mapped there; so does what begins there, in a memory of less than 4 GiB.
    if (at >= this.size) throw new GuestFault("data-unmapped", BigInt(at), isStore);
    const end = Math.min(at + n, this.size);
    const guard = isStore ? this.writeGuard : this.readGuard;
    const go = isFar ? FAR_GO : 0;
    const first = at >>> PAGE_SHIFT;
    for (let frame = first; frame * PAGE_SIZE < end; frame++) {
      if (guard[frame] !== go) this.demand(frame, Math.max(at, frame * PAGE_SIZE), isStore, isFar, isForced);
    }
    return first;
  }

  /** The same where the personality has a far address. */
  private demandFar(ea: number, n: number, isStore: boolean, isForced: boolean): number {
    const first = Math.floor(ea / PAGE_SIZE);
    for (let page = first; page * PAGE_SIZE < ea + n; page++) {
      const at = Math.max(ea, page * PAGE_SIZE);
      const frame = this.far.nearPage(at, isStore) / PAGE_SIZE;
      this.demand(frame, frame * PAGE_SIZE + (at % PAGE_SIZE), isStore, true, isForced);
    }
    return first;
  }

  /** Makes a frame present for an access at `at`, an address of the one memory. A forced load may be of any page. */
  private demand(frame: number, at: number, isStore: boolean, isFar: boolean, isForced: boolean): void {
    let state = this.pages.get(frame);
    const address = isFar ? this.far.addressAt(at) : at;
    if ((state & MAPPED) === 0 || (state & FAR) !== (isFar ? FAR : 0)) {
      if (!this.onUnmapped(address)) throw new GuestFault("data-unmapped", BigInt(address), isStore);
      state = this.pages.get(frame);
    }
    if (isStore ? (state & PROT_WRITE) === 0 : !allowsLoads(state) && !isForced) {
      throw new GuestFault("data-protected", BigInt(address), isStore);
    }
    if (state & ABSENT && !this.populate(frame)) {
      throw new GuestFault("data-beyond-file", BigInt(address), isStore);
    }
  }

  /** How many pages have been touched for the first time since that was asked before. */
  takeFaults(): number {
    const { faults } = this;
    this.faults = 0;
    return faults;
  }

  private dirtyFrame(frame: number): void {
    // One of two pages of an access that are one page of an object: they can't both be here.
    const state = this.pages.get(frame);
    if (state & ABSENT) return;
    if ((state & TOUCHED) === 0) this.faults++;
    this.dropCode(frame);
    this.keepForHeirs(frame);
    this.pages.set(frame, this.pages.get(frame) | TOUCHED | DIRTY);
    const page = this.far.pageOf(frame);
    const area = this.areaOf(page);
    if (area.shared === undefined) return;
    const position = positionIn(area, page);
    area.shared.markDirty(position / PAGE_SIZE);
    if (area.shared.file !== undefined) fileChanged(area.shared.file, position, position + PAGE_SIZE);
  }

  private areaOf(page: number): Vma {
    return this.mapped.find(page * PAGE_SIZE)!;
  }

  // ---- far memory ------------------------------------------------------------------------------------------

  /** Where in the one memory an access by the CPU to a far address finds its bytes: see `FarMemory.near`. */
  near(high: number, low: number, isStore: boolean): number {
    return this.far.near(high, low, isStore);
  }

  /** Whether `ea` is from `near`. */
  isFar(ea: number): boolean {
    return ea < 0;
  }

  /** The guest address that `ea` stands for: another one only if it is from `near`. */
  addressOf(ea: number): number {
    return ea < 0 ? this.far.addressAt(ea + FAR_START) : ea;
  }

  /** Whether a range can be mapped without loss: far memory that has its place there can go elsewhere. */
  hasRoom(start: number, end: number): boolean {
    return this.far.hasRoom(start, end);
  }

  /** The state of a page; of a far one without a frame, that of nothing touched. */
  private stateOf(page: number): number {
    const frame = this.far.frameOf(page);
    return frame < 0 ? ABSENT : this.pages.get(frame);
  }

  /** Sets the data address breakpoint: doubleword address | write 2 | read 1; 0 clears it. */
  setBreakpoint(dabr: bigint): void {
    this.watched.breakpoint = (dabr & 3n) !== 0n ? dabr : 0n;
    this.watchPages();
  }

  /** Has accesses to these ranges throw WatchpointHit, before anything has happened, until it is called again. */
  setWatchpoints(watchpoints: readonly Watchpoint[]): void {
    this.watched.watchpoints = watchpoints;
    this.watchPages();
  }

  /**
   * Whose accesses follow: a system call's go on where the data address breakpoint matches, and tell `takeMatched`; a
   * debugger does not see them.
   */
  set forKernel(forKernel: boolean) {
    this.watched.forKernel = forKernel;
  }

  /** The first access of system calls that the data address breakpoint has matched; once. */
  takeMatched(): GuestFault | undefined {
    return this.watched.takeMatched();
  }

  private watchPages(): void {
    if (!this.watched.any && !this.pages.isWatched) return;
    const frames = [...this.watched.pages()]
      .map((page) => this.far.frameOf(page))
      .filter((frame) => frame >= 0);
    this.pages.watch(new Set(frames));
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
    let frame = page;
    if (page * PAGE_SIZE >= FAR_START) {
      try {
        frame = this.far.nearPage(page * PAGE_SIZE, false) / PAGE_SIZE;
      } catch (error) {
        if (!(error instanceof GuestFault)) throw error;
        throw new GuestFault(error.kind === "data-unmapped" ? "fetch-unmapped" : error.kind, nia);
      }
    }
    const state = this.pages.get(frame);
    const isOther = (state & FAR) !== 0 && frame === page;
    if ((state & MAPPED) === 0 || isOther) throw new GuestFault("fetch-unmapped", nia);
    if ((state & PROT_EXEC) === 0) throw new GuestFault("fetch-protected", nia);
    if (state & ABSENT && !this.populate(frame)) throw new GuestFault("fetch-beyond-file", nia);
    this.pages.set(frame, this.pages.get(frame) | CODE);
  }

  private dropCode(frame: number): void {
    const state = this.pages.get(frame);
    if ((state & CODE) === 0) return;
    this.pages.set(frame, state & ~CODE);
    const page = this.far.pageOf(frame);
    for (const listener of this.codeListeners) listener(page);
  }

  /** The instruction word at `ea` of a page that `markCode` accepted, in the current byte order. */
  fetch(ea: number): number {
    const at = ea < FAR_START ? ea : this.far.nearPage(ea, false) + (ea % PAGE_SIZE);
    return this.view.getInt32(this.host(at, 4), true);
  }

  /** All of its instruction words. */
  fetchPage(page: number): Int32Array {
    const ea = page * PAGE_SIZE;
    return this.storage.words(ea < FAR_START ? ea : this.far.nearPage(ea, false));
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

  /** Copies bytes out as a debugger does, also where the program itself may not read (Linux: FOLL_FORCE). */
  readForced(address: number, length: number): Uint8Array<ArrayBuffer> {
    if (length > 0) this.check(address, length, false, true);
    return this.peek(address, length);
  }

  /** Copies bytes in as a debugger does, also where the program itself may not write what is its own. */
  force(address: number, from: Uint8Array): void {
    this.check(address, from.length, false, true);
    const last = Math.floor((address + from.length - 1) / PAGE_SIZE);
    for (let page = Math.floor(address / PAGE_SIZE); page <= last; page++) {
      const at = Math.max(address, page * PAGE_SIZE);
      if (this.areaOf(page).shared !== undefined) this.checkStore(at, 1);
      else this.dirtyFrame(this.far.frameOf(page));
    }
    this.poke(address, from);
  }

  private poke(address: number, from: Uint8Array): void {
    if (address < FAR_START) {
      this.storage.poke(address, from);
      return;
    }
    this.far.eachPart(address, from.length, (at, offset, length) => {
      this.storage.poke(at, length === from.length ? from : from.subarray(offset, offset + length));
    });
  }

  /**
   * The bytes as they lie, without checks: what has yet to be read from files and shared objects reads as zero.
   * `into`, where given, has the length.
   */
  peek(address: number, length: number, into = new Uint8Array(length)): Uint8Array<ArrayBuffer> {
    if (address < FAR_START) this.storage.peek(address, into);
    else {
      this.far.eachPart(address, length, (at, offset, part) => {
        const bytes = part === length ? into : into.subarray(offset, offset + part);
        if (at < 0) bytes.fill(0);
        else this.storage.peek(at, bytes);
      });
    }
    if (!this.inheritance.isHeir) return into;
    for (let page = Math.floor(address / PAGE_SIZE); page * PAGE_SIZE < address + length; page++) {
      if ((this.stateOf(page) & INHERITED) === 0) continue;
      const from = Math.max(address, page * PAGE_SIZE);
      const bytes = this.inheritance.bytes(page).subarray(from - page * PAGE_SIZE);
      into.set(bytes.subarray(0, address + length - from), from - address);
    }
    return into;
  }

  /** Whether bytes lie here the last one first. */
  get isReversed(): boolean {
    return this.storage.flip !== 0;
  }
  /** Copies bytes to or from an array that has them in the order in which they lie here. The access has been checked. */
  moveStored(address: number, length: number, array: Uint8Array, index: number, isStore: boolean): void {
    this.far.eachPart(address, length, (at, offset, part) => {
      const place = this.isReversed ? index + length - offset - part : index + offset;
      this.storage.moveStored(at, part, array, place, isStore);
    });
  }

  /** The word at any guest address, signed, and the doubleword, unsigned; throw the GuestFault a load would get. */
  read32(address: number): number {
    if (address < FAR_START) return this.load32(address);
    return new DataView(this.read(address, 4).buffer).getInt32(0, this.byteOrder === "little");
  }
  read64(address: number): bigint {
    if (address < FAR_START) return this.load64(address);
    return new DataView(this.read(address, 8).buffer).getBigUint64(0, this.byteOrder === "little");
  }
  /** Stores a word or doubleword at any guest address. */
  write32(address: number, value: number): void {
    if (address < FAR_START) this.store32(address, value);
    else this.writeFar(address, 4, (view, isLittle) => view.setInt32(0, value, isLittle));
  }
  /** The same of a halfword and a byte. */
  write16(address: number, value: number): void {
    if (address < FAR_START) this.store16(address, value);
    else this.writeFar(address, 2, (view, isLittle) => view.setInt16(0, value, isLittle));
  }
  write8(address: number, value: number): void {
    if (address < FAR_START) this.store8(address, value);
    else this.write(address, Uint8Array.of(value));
  }
  /** The same of a doubleword's halves: BigInts cost V8 a call each. */
  writeHalves(address: number, high: number, low: number): void {
    if (address < FAR_START) {
      if (this.writeGuard[address >>> PAGE_SHIFT] !== 0 || (address & 0xfff) > 0xff8)
        this.checkStore(address, 8);
      const at = this.host(address, 8);
      this.view.setInt32(at, low, true);
      this.view.setInt32(at + 4, high, true);
    } else this.write64(address, (BigInt(high) << 32n) | BigInt(low >>> 0));
  }
  write64(address: number, value: bigint): void {
    if (address < FAR_START) this.store64(address, value);
    else
      this.writeFar(address, 8, (view, isLittle) =>
        view.setBigUint64(0, BigInt.asUintN(64, value), isLittle),
      );
  }

  /** Writes so many bytes beyond near memory, which are put into a view in the guest's order. */
  private writeFar(address: number, size: number, put: (view: DataView, isLittle: boolean) => void): void {
    const bytes = new Uint8Array(size);
    put(new DataView(bytes.buffer), this.byteOrder === "little");
    this.write(address, bytes);
  }

  // ---- mappings ----------------------------------------------------------------------------------------

  /** Maps an area in place of whatever was there. Its pages read as zeros or as the file. */
  map(area: Vma): void {
    this.checkRange(area.start, area.end);
    if (!this.isMappable(area.start, area.end)) {
      throw new RangeError(
        `nothing can be mapped at 0x${area.start.toString(16)}..0x${area.end.toString(16)}`,
      );
    }
    this.unmap(area.start, area.end);
    this.mapped.insert(area);
    this.far.makeRoom(area.start, area.end);
    this.fillPages(area);
  }

  /** Unmaps a range; holes in it are no error. */
  unmap(start: number, end: number): void {
    this.checkRange(start, end);
    for (const area of this.mapped.overlapping(start, end)) {
      const gone = clip(area, start, end);
      if (gone.shared !== undefined) this.putAside(gone);
      this.clear(gone);
      for (const [first, last] of this.far.runs(gone.start, gone.end)) this.pages.fill(first, last, 0);
    }
    this.mapped.remove(start, end);
    this.far.dropPieces(start, end);
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
      for (const [first, last] of this.far.runs(area.start, area.end)) {
        for (let frame = first; frame < last; frame++) {
          this.dropCode(frame);
          this.pages.set(frame, (this.pages.get(frame) & ~(PROTECTION | NO_LOADS)) | this.allowed(prot));
        }
      }
    }
    return at === end;
  }

  /** Sets and clears flags of what is mapped in a range. */
  mark(start: number, end: number, { set = 0, clear = 0 }: { set?: number; clear?: number }): void {
    this.checkRange(start, end);
    for (const area of this.mapped.remove(start, end)) {
      this.mapped.insert({ ...area, flags: ((area.flags ?? 0) & ~clear) | set });
    }
  }

  /** Has what is mapped in a range follow a policy, or none of its own. */
  bind(start: number, end: number, policy: MemoryPolicy | undefined): void {
    this.checkRange(start, end);
    for (const { policy: _, ...area } of this.mapped.remove(start, end))
      this.mapped.insert({ ...area, ...(policy === undefined ? {} : { policy }) });
  }

  /** Extends an area that grows down to begin at `start`; the room is free. */
  growDown(area: Vma, start: number): void {
    this.checkRange(start, area.start);
    this.mapped.remove(area.start, area.end);
    this.mapped.insert({ ...area, start });
    this.far.makeRoom(start, area.start);
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
    if (area.shared === undefined) {
      for (const address of this.touched(start, start + kept)) {
        const target = to + (address - start);
        const frame = this.far.frameFor(target / PAGE_SIZE);
        if (frame < 0) throw new GuestFault("out-of-memory", BigInt(target), true);
        this.fetchInherited(this.far.frameOf(address / PAGE_SIZE));
        this.storage.copy(this.far.frameOf(address / PAGE_SIZE) * PAGE_SIZE, frame * PAGE_SIZE, PAGE_SIZE);
        this.own(frame);
      }
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

  /** Whether there are addresses to map in all of a range: none in the machine's corner, and none beyond the end. */
  isMappable(start: number, end: number): boolean {
    return end <= this.limit && (end <= this.nearLimit || start >= FAR_START);
  }

  /** Sets the pages of an area to what they are before their first use. */
  private fillPages({ start, end, prot, file, shared }: Vma): void {
    const absent = file !== undefined || shared !== undefined ? ABSENT : 0;
    const far = start < FAR_START ? 0 : FAR;
    for (const [first, last] of this.far.runs(start, end))
      this.pages.fill(first, last, MAPPED | far | absent | this.allowed(prot));
  }

  /** What the state of a page says of its protection. */
  private allowed(prot: number): number {
    return this.hasExecuteOnly && (prot & PROTECTION) === PROT_EXEC ? prot | NO_LOADS : prot;
  }

  /** Zeroes the pages of an area that hold anything, and forgets their code. */
  private clear(area: Vma): void {
    for (const [first, end] of this.far.runs(area.start, area.end)) {
      for (let frame = first; frame < end; frame++) this.clearFrame(frame, area);
    }
  }

  private clearFrame(frame: number, area: Vma): void {
    const state = this.pages.get(frame);
    if (state & CODE) this.dropCode(frame);
    if (state & LENT) this.keepForHeirs(frame);
    const isAnonymous = area.file === undefined && area.shared === undefined;
    if (state & INHERITED) this.inheritance.settle(this.far.pageOf(frame));
    if (area.file !== undefined && isPresent(state)) {
      const page = this.far.pageOf(frame);
      removeView(area.file, this, positionIn(area, page) / PAGE_SIZE, page);
    }
    // The storage of pages that are absent or not mapped holds zeros.
    const holds = isAnonymous ? TOUCHED : MAPPED;
    if ((state & (ABSENT | holds)) === holds) this.storage.clearPage(frame);
  }

  // ---- contents on demand, and shared pages --------------------------------------------------------------

  /** Brings an absent page's bytes in; false when it lies beyond the end of its file. */
  private populate(frame: number): boolean {
    if (this.fetchInherited(frame)) {
      this.faults++;
      return true;
    }
    const page = this.far.pageOf(frame);
    const area = this.areaOf(page);
    const position = positionIn(area, page);
    const index = position / PAGE_SIZE;
    const { file, shared } = area;
    const bytes = file !== undefined ? readFilePage(file, position) : shared!.give(index, this.holder(page));
    if (bytes === undefined) return false;
    if (file !== undefined) addView(file, this, index, page);
    this.storage.poke(frame * PAGE_SIZE, bytes);
    const written = shared?.isDirty(index) ? DIRTY | TOUCHED : 0;
    // A page of an object that comes back from another mapping has been counted.
    if (written === 0) this.faults++;
    this.pages.set(frame, (this.pages.get(frame) & ~ABSENT) | written);
    return true;
  }

  /** This space as the one that holds a shared object's page at its own `page`. */
  private holder(page: number): PageHolder {
    return { peek: () => this.peek(page * PAGE_SIZE, PAGE_SIZE), evict: () => this.evict(page) };
  }

  private evict(page: number): Uint8Array {
    const bytes = this.peek(page * PAGE_SIZE, PAGE_SIZE);
    // The next write must be seen again, wherever the page is then: it may have been written back meanwhile.
    this.makeAbsent(this.far.frameOf(page), DIRTY);
    this.evicted++;
    return bytes;
  }

  /** Makes a present page one whose bytes are not here, without some bits of its state. */
  private makeAbsent(frame: number, without: number): void {
    this.dropCode(frame);
    this.storage.clearPage(frame);
    this.pages.set(frame, (this.pages.get(frame) & ~without) | ABSENT);
  }

  /** Takes the pages this area holds of its shared object out of it, back into the object. */
  private putAside(area: Vma): void {
    for (const [first, end] of this.far.runs(area.start, area.end)) {
      for (let frame = first; frame < end; frame++) {
        if (this.pages.get(frame) & ABSENT) continue;
        takeBack(area.shared!.page(positionIn(area, this.far.pageOf(frame)) / PAGE_SIZE));
      }
    }
  }

  /** Pages that show their file, whose bytes there have changed: reads them again when they are next touched. */
  forgetPages(pages: readonly number[]): void {
    for (const page of pages) {
      const frame = this.far.frameOf(page);
      if (this.pages.get(frame) & TOUCHED) continue;
      const area = this.areaOf(page);
      removeView(area.file!, this, positionIn(area, page) / PAGE_SIZE, page);
      this.makeAbsent(frame, 0);
    }
  }

  /** Pages of private mappings that are beyond the end of their file now: touching them faults. */
  cutPages(pages: readonly number[]): void {
    for (const page of pages) {
      const frame = this.far.frameOf(page);
      const area = this.areaOf(page);
      this.clearFrame(frame, area);
      this.pages.set(frame, MAPPED | ABSENT | (this.pages.get(frame) & FAR) | this.allowed(area.prot));
    }
  }

  // ---- forks ---------------------------------------------------------------------------------------------

  /**
   * Makes `child`, an address space with nothing in it, a copy of this one. No page is copied yet: the child fetches
   * a page when it first touches it, and before this space changes one it saves it for those that may want it.
   */
  fork(child: AddressSpace): void {
    const isAlike =
      child.size === this.size && child.byteOrder === this.byteOrder && child.limit === this.limit;
    if (child.areas.count > 0 || !isAlike) {
      throw new RangeError("an address space is forked into an empty one of its kind");
    }
    child.inheritance.beginFrom(this.inheritance);
    child.mapped.copy(this.mapped);
    child.far.copy(this.far);
    for (const area of this.mapped) {
      child.fillPages(area);
      if (area.shared !== undefined) continue;
      for (const [first, end] of this.far.runs(area.start, area.end)) {
        this.pages.lend(child.pages, first, end);
        if (area.file === undefined) continue;
        for (const frame of child.pages.having(INHERITED, first, end)) {
          const page = child.far.pageOf(frame);
          addView(area.file, child, positionIn(area, page) / PAGE_SIZE, page);
        }
      }
    }
  }

  /** Takes a page from the parent, if that is where it is to be had from. */
  private fetchInherited(frame: number): boolean {
    const state = this.pages.get(frame);
    if ((state & INHERITED) === 0) return false;
    const page = this.far.pageOf(frame);
    this.storage.poke(frame * PAGE_SIZE, this.inheritance.bytes(page));
    this.inheritance.settle(page);
    this.pages.set(frame, state & ~(INHERITED | ABSENT));
    return true;
  }

  /** Called before a page changes or goes: saves it for the address spaces that were forked from this one. */
  private keepForHeirs(frame: number): void {
    const state = this.pages.get(frame);
    if ((state & LENT) === 0) return;
    this.inheritance.keep(this.far.pageOf(frame));
    this.pages.set(frame, state & ~LENT);
  }

  /** How many pages with contents have been cleared so far: at least as many as the host has memory for. */
  get clearedPages(): number {
    return this.storage.clearedPages;
  }

  /** Makes the space as a new one is, but for the machine's corner; what was forked from it keeps what it has yet to take. */
  reset(): void {
    this.unmap(0, this.limit);
    this.inheritance.end();
    this.codeListeners.clear();
    this.setBreakpoint(0n);
    this.setWatchpoints([]);
    this.forKernel = false;
    this.takeMatched();
    this.onUnmapped = () => false;
    this.far.clear();
  }

  /** Zeroes the machine's corner, but for the guard tables. */
  clearCorner(): void {
    this.storage.clearCorner();
  }

  // ---- what a checkpoint asks ------------------------------------------------------------------------------

  /** Whether the page at `address` holds contents of its own (written, or restored from an image). */
  isTouched(address: number): boolean {
    return isOwn(this.stateOf(address / PAGE_SIZE));
  }

  /** The addresses of the pages in a range that hold contents of their own. */
  touched(start: number, end: number): number[] {
    const found: number[] = [];
    for (const [first, last] of this.far.runs(start, end)) {
      for (let frame = first; frame < last; frame++) {
        if (isOwn(this.pages.get(frame))) found.push(this.far.pageOf(frame) * PAGE_SIZE);
      }
    }
    return found;
  }

  /** How many pages of the range are present, and how many of them have contents of their own. */
  usage(start: number, end: number): { present: number; written: number } {
    let [present, written] = [0, 0];
    for (const area of this.mapped.overlapping(start, end)) {
      const isAnonymous = area.file === undefined && area.shared === undefined;
      const { start: from, end: to } = clip(area, start, end);
      for (const [first, last] of this.far.runs(from, to)) {
        for (let frame = first; frame < last; frame++) {
          const state = this.pages.get(frame);
          if (!isPresent(state)) continue;
          if (state & TOUCHED) written++;
          if (state & TOUCHED || !isAnonymous) present++;
        }
      }
    }
    return { present, written };
  }

  /** Whether the page at `address` was written since `clearDirty`. */
  isDirty(address: number): boolean {
    return (this.stateOf(address / PAGE_SIZE) & DIRTY) !== 0;
  }

  /** Starts a new dirty-page interval: every page counts as unwritten from here. */
  clearDirty(): void {
    for (const { start, end } of this.mapped) {
      for (const [first, last] of this.far.runs(start, end)) {
        for (const frame of this.pages.having(DIRTY, first, last)) {
          this.pages.set(frame, this.pages.get(frame) & ~DIRTY);
        }
      }
    }
  }

  /**
   * Puts a page's contents in place whatever its protection, as a restart does. `bytes` is one page. Throws RangeError
   * where nothing is mapped, or there is no room for it.
   */
  restorePage(address: number, bytes: Uint8Array): void {
    if (this.mapped.find(address) === undefined)
      throw new RangeError(`page 0x${address.toString(16)} is not mapped`);
    const frame = this.far.frameFor(address / PAGE_SIZE);
    if (frame < 0) throw new RangeError(`no room for page 0x${address.toString(16)}`);
    this.dropCode(frame);
    this.keepForHeirs(frame);
    this.storage.poke(frame * PAGE_SIZE, bytes);
    this.own(frame);
  }

  /** The same for a page that has just been mapped, with contents that are made when somebody first wants them. */
  restorePageLater(address: number, make: () => Uint8Array): void {
    const page = address / PAGE_SIZE;
    const frame = this.far.frameFor(page);
    this.own(frame);
    this.inheritance.leave(page, make);
    this.pages.set(frame, this.pages.get(frame) | ABSENT | INHERITED);
  }

  /** Counts a page as one with contents of its own, which are in place. */
  private own(frame: number): void {
    const page = this.far.pageOf(frame);
    if (this.pages.get(frame) & INHERITED) this.inheritance.settle(page);
    const area = this.areaOf(page);
    if (area.file !== undefined) addView(area.file, this, positionIn(area, page) / PAGE_SIZE, page);
    this.pages.set(frame, (this.pages.get(frame) & ~(ABSENT | INHERITED)) | TOUCHED | DIRTY);
  }
}

/** Byte offset in an area's file or shared object of a page that lies in it. */
const positionIn = (area: Vma, page: number): number => area.offset + (page * PAGE_SIZE - area.start);
