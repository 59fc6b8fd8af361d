/** Address spaces as a snapshot has them, and back. Page contents are fetched only when somebody wants them. */
import { HostError } from "../host/host.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { PAGE_SIZE } from "../memory/layout.ts";
import { SharedObject, type SharedPage } from "../memory/shared-object.ts";
import { VM_KEPT } from "../memory/vma.ts";
import type {
  AreaSnapshot,
  FileReference,
  MemorySnapshot,
  PageSource,
  SharedObjectSnapshot,
} from "../snapshot.ts";
import type { FreezeTables, ProcessFiles } from "./contracts.ts";
import { thawPolicy } from "./memory-policy.ts";
import type { Process } from "./process.ts";
import { DATA_NAME } from "./vdso/vdso-places.ts";

/** Most areas a snapshot may ask for, a little above what mmap allows. */
const MOST_AREAS = 70_000;

const sourceOf = (addresses: number[], read: (address: number) => Uint8Array): PageSource => ({
  addresses,
  read: (index) => read(addresses[index]),
});

/** Everything about the memory of a process. */
export function freezeMemory({ memory, layout, files }: Process, tables: FreezeTables): MemorySnapshot {
  const page = new Uint8Array(PAGE_SIZE);
  const areas = [...memory.areas].map(
    ({ start, end, prot, file, shared, offset, growsDown, name, flags, policy }): AreaSnapshot => {
      const isKept = shared === undefined && name !== DATA_NAME;
      const addresses = isKept ? memory.touched(start, end) : [];
      return {
        start,
        end,
        prot,
        growsDown: growsDown ?? false,
        file: file === undefined ? null : { ...files.freezeMapped(file, tables), offset },
        sharedObject: shared === undefined ? null : { index: tables.sharedObject(shared), offset },
        name: name ?? "",
        ...(flags ? { flags } : {}),
        ...(policy ? { policy: { ...policy } } : {}),
        pages: sourceOf(addresses, (at) => memory.peek(at, PAGE_SIZE, page)),
      };
    },
  );
  return { ...layout, auxv: layout.auxv.map((entry) => ({ ...entry })), areas };
}

/** A shared object; of one with a file, only what the file has not got yet. */
export function freezeShared(
  object: SharedObject,
  files: ProcessFiles,
  tables: FreezeTables,
): SharedObjectSnapshot {
  const { file, pages } = object;
  const present = [...pages]
    .filter(([index, page]) => hasBytes(page) && (file === undefined || object.isDirty(index)))
    .sort(([a], [b]) => a - b);
  const last = present.at(-1)?.[0] ?? -1;
  return {
    file: file === undefined ? null : files.freezeMapped(file, tables),
    ...(file?.writable === false ? { readOnly: true } : {}),
    size: file === undefined ? (last + 1) * PAGE_SIZE : file.size(),
    pages: sourceOf(
      present.map(([index]) => index * PAGE_SIZE),
      (offset) => bytesOf(pages.get(offset / PAGE_SIZE)!),
    ),
  };
}

const hasBytes = ({ holder, bytes }: SharedPage): boolean => holder !== undefined || bytes !== undefined;

const bytesOf = ({ holder, bytes }: SharedPage): Uint8Array => holder?.peek() ?? bytes!;

/** Makes a shared object again. Throws HostError when its file can't be had. */
export function thawShared(snapshot: SharedObjectSnapshot, files: ProcessFiles): SharedObject {
  const { file, readOnly, pages } = snapshot;
  const object = file === null ? new SharedObject() : files.sharedObject(files.mappedFile(file, !readOnly));
  pages.addresses.forEach((offset, index) => {
    if (offset % PAGE_SIZE !== 0 || offset < 0) throw new RangeError(`page at ${offset} of shared memory`);
    const page = object.pages.get(offset / PAGE_SIZE);
    // A page that the machine itself has in use already is at least as new.
    if (page !== undefined) return;
    object.pages.set(offset / PAGE_SIZE, { bytes: pages.read(index).slice() });
    object.markDirty(offset / PAGE_SIZE);
  });
  return object;
}

/** Maps the areas of a snapshot and fills them. Throws HostError for a missing file, RangeError for nonsense. */
export function thawMemory(
  memory: AddressSpace,
  { areas }: MemorySnapshot,
  files: ProcessFiles,
  objects: readonly SharedObject[],
): void {
  if (areas.length > MOST_AREAS) throw new RangeError(`${areas.length} memory areas are too many`);
  let end = 0;
  for (const area of areas) {
    const { start, prot, file, sharedObject, pages } = area;
    if (start < end)
      throw new RangeError(`memory area at 0x${start.toString(16)} overlaps or is out of order`);
    end = area.end;
    const offset = file?.offset ?? sharedObject?.offset ?? 0;
    if (!Number.isSafeInteger(offset) || offset < 0 || offset % PAGE_SIZE !== 0) {
      throw new RangeError(`memory area at 0x${start.toString(16)} has offset ${offset}`);
    }
    if (area.end > start) memory.map({ start, end, prot: prot & 7, ...contentsOf(area, files, objects) });
    if (pages.addresses.length > 0 && sharedObject !== null) {
      throw new RangeError(`pages of its own in shared area at 0x${start.toString(16)}`);
    }
    pages.addresses.forEach((address, index) => {
      if (address < start || address >= end || address % PAGE_SIZE !== 0) {
        throw new RangeError(`page 0x${address.toString(16)} is not in its area`);
      }
      memory.restorePage(address, pages.read(index));
    });
  }
}

function contentsOf(area: AreaSnapshot, files: ProcessFiles, objects: readonly SharedObject[]) {
  const { file, sharedObject } = area;
  const extra = {
    ...(area.growsDown ? { growsDown: true } : {}),
    ...(area.name === "" ? {} : { name: area.name }),
    ...(area.flags ? { flags: area.flags & VM_KEPT } : {}),
    ...(area.policy ? { policy: thawPolicy(area.policy) } : {}),
  };
  if (sharedObject !== null) {
    const shared = objects[sharedObject.index];
    if (shared === undefined) throw new RangeError(`no shared object ${sharedObject.index}`);
    return { ...extra, shared, offset: sharedObject.offset };
  }
  if (file === null) return { ...extra, offset: 0 };
  return { ...extra, file: mappedFile(files, file), offset: file.offset };
}

/** Opens a mapped file; what is missing is named by its whole path. */
function mappedFile(files: ProcessFiles, file: FileReference) {
  try {
    return files.mappedFile(file);
  } catch (error) {
    if (error instanceof HostError) throw new HostError(error.code, `mapped file ${file.path}`);
    throw error;
  }
}
