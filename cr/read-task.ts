/** One task of an image: its memory, descriptors and registers, each value checked where it is read. */
import { cpuLayout, type Shape, shapeName, shapeOfCpu } from "./arch-ppc.ts";
import type { Cursor } from "./cursor.ts";
import type { AreaImage, ByteRec, DescriptorImage, PageRun, Rec, TaskImage } from "./image.ts";
import { textOf } from "./record-fields.ts";
import * as R from "./records.ts";
import { type ImageSource, pagesIn } from "./stream.ts";

const T = R.RECORD_TYPES;
const SMALL_PAGE = 4096;
const LARGE_PAGE = 65536;

/** What reading one task shares with the others. */
export interface ReadState {
  cursor: Cursor;
  /** Where page contents stay. */
  source: ImageSource;
  strict: boolean;
  shape?: Shape;
  /** Found at the first PGARR with pages, or at the first CPU record. */
  longSize?: 4 | 8;
  /** What HEAD lets one expect. */
  likelyLongSize: 4 | 8;
  pageSize?: number;
  /** Objrefs seen. */
  files: Set<number>;
}

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

/** Checks a parent. The kernel compares some (`severity` error) and ignores the others. */
function checkParent(
  cursor: Cursor,
  name: string,
  record: Rec<unknown> | ByteRec,
  wanted: number,
  severity: "error" | "warning",
): void {
  if (record.parent === wanted >>> 0) return;
  cursor.note(severity, "record-parent", name, record, `parent is ${record.parent} where ${wanted} belongs`);
}

/** Takes HEAD_ARCH, MM_CONTEXT or THREAD: with the seed's dummy value, with another, empty, or not there. */
export function readDummy(state: ReadState, type: R.RecordType, parent: number): ByteRec | undefined {
  const { cursor, strict } = state;
  if (!strict && !cursor.next(type)) return undefined;
  const record = cursor.bytes(type);
  const { bytes } = record;
  if (![0, 4, 8].includes(bytes.length)) {
    throw cursor.fatal(
      "record-length",
      type.name,
      record,
      `is ${bytes.length} bytes long where 4 (or 0, or 8) belong`,
    );
  }
  if (strict) {
    const view = new DataView(bytes.buffer);
    const right = bytes.length === 4 && view.getUint32(0, cursor.format.littleEndian) === R.UNIMPLEMENTED;
    if (!right)
      cursor.note(
        "error",
        "value",
        type.name,
        record,
        "is not the 4 bytes 0xdeadbeef that the seed patch demands",
      );
  }
  checkParent(cursor, type.name, record, parent, "warning");
  return record;
}

function readTaskRecord(cursor: Cursor): { task: Rec<R.TaskValues>; comm: ByteRec } {
  const task = cursor.record(T.TASK, R.TASK);
  checkParent(cursor, "TASK", task, 0, "error");
  const comm = cursor.bytes(T.STRING);
  checkParent(cursor, "STRING", comm, 0, "warning");
  const said = task.values.task_comm_len;
  const { length } = comm.bytes;
  if (said < 0 || said > R.RECORD_TYPES.STRING.size.most || length > said) {
    const message = `says a comm of ${said} bytes, and the STRING has ${length}`;
    cursor.note("error", "value", "TASK", task, message);
  } else if (said !== R.COMM_SIZE || length !== R.COMM_SIZE) {
    const message = `a comm of ${length} bytes where ${said} are said; the kernel's have ${R.COMM_SIZE}`;
    cursor.note("warning", "value", "TASK", task, message);
  }
  return { task, comm };
}

/** Takes an FNAME: an absolute path with its NUL at the end and no other. */
function readName(cursor: Cursor): ByteRec {
  const name = cursor.bytes(T.FNAME);
  const { bytes } = name;
  const nul = bytes.indexOf(0);
  if (nul !== bytes.length - 1) {
    cursor.note(
      "error",
      "value",
      "FNAME",
      name,
      nul < 0 ? "has no NUL at its end" : "has a NUL in the middle",
    );
  } else if (bytes[0] !== 0x2f) {
    cursor.note("error", "value", "FNAME", name, `"${textOf(bytes)}" is not an absolute path`);
  } else if (textOf(bytes).endsWith(" (deleted)")) {
    cursor.note("warning", "value", "FNAME", name, `"${textOf(bytes)}" was deleted before the checkpoint`);
  }
  checkParent(cursor, "FNAME", name, 0, "warning");
  return name;
}

function checkMm(cursor: Cursor, mm: Rec<R.MmValues>, pid: number): void {
  checkParent(cursor, "MM", mm, pid, "warning");
  const v = mm.values;
  const error = (message: string) => cursor.note("error", "value", "MM", mm, message);
  if (v.objref !== 0) cursor.note("warning", "value", "MM", mm, `objref is ${v.objref}; v13 always has 0`);
  if (v.start_code > v.end_code) error("start_code lies behind end_code");
  if (v.start_data > v.end_data) error("start_data lies behind end_data");
  if (v.start_brk > v.brk) error("start_brk lies behind brk");
  if (v.map_count > R.LIMITS.areas) {
    throw cursor.fatal(
      "count",
      "MM",
      mm,
      `${v.map_count} mappings where at most ${R.LIMITS.areas} are allowed`,
    );
  }
}

function checkVma(cursor: Cursor, vma: Rec<R.VmaValues>, previousEnd: bigint): void {
  const { vma_type: type, vm_start: start, vm_end: end, vm_flags: flags } = vma.values;
  checkParent(cursor, "VMA", vma, 0, "error");
  if (type !== R.VMA_ANON && type !== R.VMA_FILE) {
    throw cursor.fatal("value", "VMA", vma, `mapping type ${type}; v13 has 1 (anonymous) and 2 (file)`);
  }
  if (start >= end) {
    throw cursor.fatal("value", "VMA", vma, `${hex(start)}-${hex(end)} is not a range`);
  }
  if ((start | end) % BigInt(SMALL_PAGE) !== 0n) {
    cursor.note("error", "value", "VMA", vma, `${hex(start)}-${hex(end)} is not page aligned`);
  }
  if (start < previousEnd) {
    cursor.note(
      "error",
      "overlap",
      "VMA",
      vma,
      `${hex(start)}-${hex(end)} overlaps or precedes the mapping before it, which ends at ${hex(previousEnd)}`,
    );
  }
  if ((flags & R.VM_REFUSED) !== 0n) {
    cursor.note(
      "error",
      "value",
      "VMA",
      vma,
      `flags ${R.vmFlagNames(flags & R.VM_REFUSED)}: v13 has no such mappings`,
    );
  }
}

/**
 * Neither the width of a page's address nor the page size is in the image. Finds the pair with which the addresses lie in the
 * mapping and another PGARR follows the pages; else what HEAD lets one expect.
 */
function settleWidths(
  state: ReadState,
  vma: R.VmaValues,
  count: number,
): { longSize: 4 | 8; pageSize: number } {
  const { cursor } = state;
  const { littleEndian } = cursor.format;
  const likely = state.longSize ?? state.likelyLongSize;
  const longSizes: (4 | 8)[] = state.longSize !== undefined ? [likely] : likely === 8 ? [8, 4] : [4, 8];
  const pageSizes = state.pageSize !== undefined ? [state.pageSize] : [SMALL_PAGE, LARGE_PAGE];
  const address = (longSize: 4 | 8, index: number): bigint | undefined => {
    const at = cursor.at + index * longSize;
    if (at + longSize > cursor.source.size) return undefined;
    const bytes = cursor.source.read(at, longSize);
    const view = new DataView(bytes.buffer, bytes.byteOffset, longSize);
    return longSize === 8 ? view.getBigUint64(0, littleEndian) : BigInt(view.getUint32(0, littleEndian));
  };
  for (const longSize of longSizes) {
    for (const pageSize of longSize === 8 ? pageSizes : pageSizes.filter((size) => size === SMALL_PAGE)) {
      const fits = [0, count - 1].every((index) => {
        const value = address(longSize, index);
        return (
          value !== undefined &&
          value >= vma.vm_start &&
          value < vma.vm_end &&
          value % BigInt(pageSize) === 0n
        );
      });
      if (!fits) continue;
      const after = cursor.peek(cursor.at + count * (longSize + pageSize));
      if (after?.type === T.PGARR.id && after.len === T.PGARR.size.least) return { longSize, pageSize };
    }
  }
  return { longSize: likely, pageSize: state.pageSize ?? SMALL_PAGE };
}

/** Takes the raw addresses and contents after a PGARR. `above`: no address may be lower. */
function readRun(state: ReadState, vma: R.VmaValues, header: Rec<R.PgarrValues>, above: number): PageRun {
  const { cursor } = state;
  const span = vma.vm_end - vma.vm_start;
  const { nr_pages } = header.values;
  if (nr_pages > span / BigInt(SMALL_PAGE)) {
    throw cursor.fatal("count", "PGARR", header, `${nr_pages} pages in a mapping of ${span} bytes`);
  }
  const count = Number(nr_pages);
  const { longSize, pageSize } = settleWidths(state, vma, count);
  state.longSize = longSize;
  state.pageSize = pageSize;
  const bytes = count * (longSize + pageSize);
  if (bytes > cursor.left) throw cursor.truncated("PGARR", header, bytes - cursor.left);
  const raw = cursor.take(count * longSize, "PGARR");
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const { littleEndian } = cursor.format;
  const addresses: number[] = [];
  for (let index = 0; index < count; index++) {
    const stored =
      longSize === 8
        ? view.getBigUint64(8 * index, littleEndian)
        : BigInt(view.getUint32(4 * index, littleEndian));
    const value = Number(stored);
    const where = `page ${index} at ${hex(stored)}`;
    if (stored < vma.vm_start || stored >= vma.vm_end || stored % BigInt(pageSize) !== 0n) {
      throw cursor.fatal(
        "value",
        "PGARR",
        header,
        `${where} is not a page of the mapping ${hex(vma.vm_start)}-${hex(vma.vm_end)}`,
      );
    }
    if (value < above) throw cursor.fatal("overlap", "PGARR", header, `${where} comes twice or out of order`);
    addresses.push(value);
    above = value + pageSize;
  }
  const read = pagesIn(state.source, cursor.at, pageSize, count);
  cursor.at += count * pageSize;
  return { header, addresses, read };
}

function readArea(state: ReadState, previousEnd: bigint): AreaImage {
  const { cursor } = state;
  const vma = cursor.record(T.VMA, R.VMA);
  checkVma(cursor, vma, previousEnd);
  const name = vma.values.vma_type === R.VMA_FILE ? readName(cursor) : undefined;
  const runs: PageRun[] = [];
  for (let above = 0; ; ) {
    const header = cursor.record(T.PGARR, R.PGARR);
    checkParent(cursor, "PGARR", header, 0, "error");
    if (header.values.nr_pages === 0n) return { vma, name, runs, end: header };
    const run = readRun(state, vma.values, header, above);
    above = run.addresses.at(-1)! + state.pageSize!;
    runs.push(run);
  }
}

function readDescriptor(state: ReadState, previous: number): DescriptorImage {
  const { cursor, files } = state;
  const entry = cursor.record(T.FD_ENT, R.FD_ENT);
  checkParent(cursor, "FD_ENT", entry, 0, "error");
  const { objref, fd } = entry.values;
  if (objref === 0 || objref > 0x7fff_ffff) {
    throw cursor.fatal("value", "FD_ENT", entry, `objref ${objref | 0}; it must be 1 or more`);
  }
  if (fd < 0 || fd >= R.LIMITS.descriptors) {
    cursor.note("error", "value", "FD_ENT", entry, `descriptor ${fd} is out of range`);
  } else if (fd <= previous) {
    cursor.note("error", "overlap", "FD_ENT", entry, `descriptor ${fd} comes twice or out of order`);
  }
  if (files.has(objref)) return { entry };
  files.add(objref);
  const data = cursor.record(T.FD_DATA, R.FD_DATA);
  checkParent(cursor, "FD_DATA", data, objref, "error");
  const type = data.values.fd_type;
  if (type !== R.FD_FILE && type !== R.FD_DIR) {
    cursor.note("error", "value", "FD_DATA", data, `file type ${type}; v13 has 1 (file) and 2 (directory)`);
  }
  if (data.values.f_pos > 0x7fff_ffff_ffff_ffffn) {
    cursor.note("error", "value", "FD_DATA", data, "the file offset is negative");
  }
  return { entry, file: { data, name: readName(cursor) } };
}

function readFiles(
  state: ReadState,
  pid: number,
): { files: Rec<R.FilesValues>; descriptors: DescriptorImage[] } {
  const { cursor } = state;
  const files = cursor.record(T.FILES, R.FILES, [T.MM_CONTEXT]);
  checkParent(cursor, "FILES", files, pid, "warning");
  const { nfds, objref } = files.values;
  if (objref !== 0) cursor.note("warning", "value", "FILES", files, `objref is ${objref}; v13 always has 0`);
  if (nfds > R.LIMITS.descriptors) {
    throw cursor.fatal(
      "count",
      "FILES",
      files,
      `${nfds} descriptors where at most ${R.LIMITS.descriptors} are allowed`,
    );
  }
  const descriptors: DescriptorImage[] = [];
  for (let previous = -1; descriptors.length < nfds; ) {
    const descriptor = readDescriptor(state, previous);
    descriptors.push(descriptor);
    previous = descriptor.entry.values.fd;
  }
  return { files, descriptors };
}

function readCpu(state: ReadState, pid: number): TaskImage["cpu"] {
  const { cursor } = state;
  const header = cursor.peek();
  const found = header?.type === T.CPU.id ? shapeOfCpu(header.len) : undefined;
  if (header?.type === T.CPU.id && found === undefined) {
    throw cursor.fatal(
      "record-length",
      "CPU",
      cursor.at,
      `is ${header.len} bytes long where 448, 704, 624 or 880 belong`,
    );
  }
  if (found !== undefined) {
    const longSize = state.longSize ?? found.longSize;
    const other = state.shape ?? { ...found, longSize };
    if (found.longSize !== other.longSize || found.fpWidth !== other.fpWidth) {
      throw cursor.fatal(
        "record-length",
        "CPU",
        cursor.at,
        `has the shape of ${shapeName(found)} in an image of ${shapeName(other)}`,
      );
    }
    state.shape = found;
    state.longSize = found.longSize;
    cursor.format = { ...cursor.format, longSize: found.longSize };
  }
  const cpu = cursor.record(T.CPU, cpuLayout(found ?? { longSize: 4, fpWidth: 1 }), [T.THREAD]);
  checkParent(cursor, "CPU", cpu, pid, "warning");
  return cpu;
}

/** Takes all records of one task. */
export function readTask(state: ReadState, pid: number): TaskImage {
  const { cursor } = state;
  const { task, comm } = readTaskRecord(cursor);
  const mm = cursor.record(T.MM, R.MM);
  checkMm(cursor, mm, pid);
  const areas: AreaImage[] = [];
  for (let end = 0n; areas.length < mm.values.map_count; ) {
    const area = readArea(state, end);
    areas.push(area);
    end = area.vma.values.vm_end;
  }
  const mmContext = readDummy(state, T.MM_CONTEXT, 0);
  const { files, descriptors } = readFiles(state, pid);
  const thread = readDummy(state, T.THREAD, pid);
  const cpu = readCpu(state, pid);
  return { task, comm, mm, areas, mmContext, files, descriptors, thread, cpu };
}
