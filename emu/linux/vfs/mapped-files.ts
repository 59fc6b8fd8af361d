/**
 * Files in guest memory. There is one shared object for each file, so that all MAP_SHARED mappings see each other,
 * and read(2) and write(2) see them too: what memory holds is written out before a read, and what a write changes
 * is put into the pages that memory holds.
 */
import { type Host, HostError } from "../../host/host.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import { fileChanged, fileTruncated } from "../../memory/file-views.ts";
import { PAGE_SIZE } from "../../memory/layout.ts";
import type { MappedFile } from "../../memory/mapped-file.ts";
import { SharedObject, takeBack } from "../../memory/shared-object.ts";
import { PROT_WRITE } from "../../memory/vma.ts";
import type { FileStat } from "./file-status.ts";
import { type Mount, type Whereabouts, whereIs } from "./folder.ts";

/** Handles of mapped files kept before those without a mapping are looked for. */
const SWEEP_AT = 64;

/** A host handle that a description and a mapping may share; the last to let go closes it. */
export class SharedHandle {
  readonly handle: number;
  private readonly host: Host;
  private references = 1;

  constructor(host: Host, handle: number) {
    this.host = host;
    this.handle = handle;
  }
  hold(): this {
    this.references++;
    return this;
  }
  release(): void {
    if (--this.references === 0) this.host.files.close(this.handle);
  }
}

/** What is known of a file that is to be mapped. */
export interface Mappable {
  readonly key: string;
  readonly path: string;
  readonly mount: Mount | undefined;
  readonly canWrite: boolean;
}

/** The file of a mapping: lives on when the descriptor it was mapped from is closed. */
export class HostMappedFile implements MappedFile {
  readonly key: string;
  private known: string;
  mount: Mount | undefined;
  private readonly host: Host;
  private reading: SharedHandle;
  private writing: SharedHandle | undefined;

  /** Writes out what shared mappings hold of some pages, from `first` to before `end`, so that what is read next is what they show. */
  private readonly flush: (first: number, end: number) => void;

  constructor(host: Host, what: Mappable, handle: SharedHandle, flush: (first: number, end: number) => void) {
    this.host = host;
    this.key = what.key;
    this.known = what.path;
    this.mount = what.mount;
    this.reading = handle.hold();
    this.flush = flush;
  }

  readableHandle(): number {
    return this.reading.handle;
  }
  /** It has got a name in a grant, by which `handle` was opened to be read and written. */
  isNamed(mount: Mount, path: string, handle: SharedHandle): void {
    this.mount = mount;
    this.known = path;
    this.reading.release();
    this.reading = handle.hold();
    if (this.writing === undefined) return;
    this.writing.release();
    this.writing = handle.hold();
  }
  stat(): FileStat {
    return this.host.files.fstat(this.reading.handle);
  }
  /** The name it has at present, or had last. */
  where(): Whereabouts {
    return whereIs(this.host, this.reading.handle, this.mount, this.known);
  }
  /** As /proc/PID/maps shows it. */
  get path(): string {
    const { path, deleted } = this.where();
    return deleted ? `${path} (deleted)` : path;
  }

  /** Whether a writable descriptor of it has been mapped. */
  get writable(): boolean {
    return this.writing !== undefined;
  }

  /** From now on what shared mappings change can be written back. */
  makeWritable(handle: SharedHandle): void {
    this.writing ??= handle.hold();
  }

  size(): number {
    return Number(this.host.files.fstat(this.reading.handle).size);
  }

  read(position: number, into: Uint8Array): number {
    this.flush(Math.floor(position / PAGE_SIZE), Math.ceil((position + into.length) / PAGE_SIZE));
    return readFully(this.host, this.reading.handle, into, position);
  }

  write(position: number, from: Uint8Array): void {
    if (this.writing === undefined) throw new HostError("EBADF", `${this.path} is not open for writing`);
    writeFully(this.host, this.writing.handle, from, position);
  }

  close(): void {
    this.reading.release();
    this.writing?.release();
  }
}

/** Reads until `into` is full or the file ends. */
export function readFully(host: Host, handle: number, into: Uint8Array, position: number): number {
  let done = 0;
  while (done < into.length) {
    // To make a view of an array takes V8 a tenth of a read.
    const rest = done === 0 ? into : into.subarray(done);
    const count = host.files.read(handle, rest, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** Writes all of `from`; returns what was written when an error comes after the first byte. */
export function writeFully(host: Host, handle: number, from: Uint8Array, position: number | null): number {
  let done = 0;
  while (done < from.length) {
    try {
      const rest = done === 0 ? from : from.subarray(done);
      done += host.files.write(handle, rest, position === null ? null : position + done);
    } catch (error) {
      if (done === 0) throw error;
      break;
    }
  }
  return done;
}

export class MappedFiles {
  private readonly host: Host;
  private readonly files = new Map<string, HostMappedFile>();
  private readonly objects = new Map<string, SharedObject>();
  private sweepAt = SWEEP_AT;
  /** The guest's address spaces; who knows the processes sets it. */
  spaces: () => readonly AddressSpace[] = () => [];

  constructor(host: Host) {
    this.host = host;
  }

  /** The mapping of a file, of which `handle` is a readable handle, and a writable one where it can be written. */
  file(what: Mappable, handle: SharedHandle): HostMappedFile {
    const { key } = what;
    let file = this.files.get(key);
    if (file === undefined) {
      this.sweep();
      file = new HostMappedFile(this.host, what, handle, (first, end) => this.flush(key, first, end));
      this.files.set(key, file);
    }
    if (what.canWrite) file.makeWritable(handle);
    return file;
  }

  /** The mapping of a file that has been mapped. */
  known(key: string): HostMappedFile | undefined {
    return this.files.get(key);
  }

  /** Whether a shared mapping of a file can be written to. */
  isMappedWritable(key: string): boolean {
    const object = this.objects.get(key);
    return this.spaces().some(({ areas }) =>
      [...areas].some(
        ({ shared, prot }) => shared !== undefined && shared === object && (prot & PROT_WRITE) !== 0,
      ),
    );
  }

  /** The one shared object of a mapped file. */
  shared(file: MappedFile): SharedObject {
    if (!(file instanceof HostMappedFile)) return new SharedObject(file.isZeros ? undefined : file);
    let object = this.objects.get(file.key);
    if (object === undefined) {
      object = new SharedObject(file);
      this.objects.set(file.key, object);
    }
    return object;
  }

  /** Closes what no mapping refers to any more. */
  private sweep(): void {
    if (this.files.size < this.sweepAt) return;
    const live = new Set<MappedFile | SharedObject>();
    for (const { areas } of this.spaces()) {
      for (const { file, shared } of areas) {
        if (file !== undefined) live.add(file);
        if (shared !== undefined) live.add(shared);
      }
    }
    for (const [key, file] of this.files) {
      const object = this.objects.get(key);
      if (live.has(file) || (object !== undefined && live.has(object))) continue;
      if (object !== undefined) this.flushObject(object);
      file.close();
      this.files.delete(key);
      this.objects.delete(key);
    }
    this.sweepAt = Math.max(SWEEP_AT, 2 * this.files.size);
  }

  /** The machine has ended: closes all of them. */
  close(): void {
    this.flushAll();
    for (const file of this.files.values()) file.close();
    this.files.clear();
    this.objects.clear();
  }

  /** Writes the dirty pages of a file's mappings, or of the pages from `first` to before `end`, to the file. */
  flush(key: string, first = 0, end = Number.POSITIVE_INFINITY): void {
    const object = this.objects.get(key);
    if (object !== undefined) this.flushObject(object, first, end);
  }

  /** As `flush`, for an object at hand (msync, munmap, exit). */
  flushObject(object: SharedObject, first = 0, end = Number.POSITIVE_INFINITY): void {
    const { file } = object;
    if (file === undefined) return;
    const written = object.takeDirty(first, end);
    if (written.length === 0) return;
    const size = file.size();
    for (const index of written) {
      const position = index * PAGE_SIZE;
      const bytes = takeBack(object.page(index));
      if (bytes !== undefined && position < size) {
        file.write(position, bytes.subarray(0, Math.min(PAGE_SIZE, size - position)));
      }
    }
  }

  /** All of them, as at the end of a process. */
  flushAll(): void {
    for (const object of this.objects.values()) this.flushObject(object);
  }

  /** Puts bytes that were written to a file into the pages that memory holds of it. */
  update(key: string, position: number, from: Uint8Array): void {
    const file = this.files.get(key);
    if (file !== undefined) fileChanged(file, position, position + from.length);
    const object = this.objects.get(key);
    if (object === undefined) return;
    for (let at = 0; at < from.length; ) {
      const index = Math.floor((position + at) / PAGE_SIZE);
      const offset = position + at - index * PAGE_SIZE;
      const count = Math.min(PAGE_SIZE - offset, from.length - at);
      const page = object.pages.get(index);
      if (page !== undefined) takeBack(page)?.set(from.subarray(at, at + count), offset);
      at += count;
    }
  }

  /** Forgets the contents of pages beyond a new end, and zeroes the rest of the last one. */
  truncate(key: string, length: number): void {
    const file = this.files.get(key);
    if (file !== undefined) fileTruncated(file, length);
    this.objects.get(key)?.truncate(length);
  }
}
