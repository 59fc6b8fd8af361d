/** Views of an image: a plain object for programs, and text for people. */
import { cpuLayout, shapeName } from "./arch-ppc.ts";
import { environmentNames } from "./environment-names.ts";
import type { AreaImage, ByteRec, Image, Rec, TaskImage, TrailerRecord } from "./image.ts";
import { FieldError, hexadecimal, textOf } from "./record-fields.ts";
import type { Fields, Layout, Values } from "./record-layout.ts";
import * as R from "./records.ts";
import { END_TYPE } from "./trailer.ts";
import { PAGE_RECORDS, PAGE_RUN, trailerType } from "./trailer-records.ts";

/** Version of the objects that `imageJson` makes; raised when a field changes its meaning or goes away. */
export const SCHEMA_VERSION = 1;

const place = (record: { offset?: number; parent: number }) => ({
  offset: record.offset,
  parent: record.parent,
});

const fields = <F extends Fields>(layout: Layout<F>, record: Rec<Values<F>>) => ({
  ...place(record),
  ...layout.json(record.values),
});

const dummy = (record: ByteRec | undefined) =>
  record === undefined ? null : { ...place(record), bytes: hexadecimal(record.bytes) };

const name = (record: ByteRec) => ({ ...place(record), path: textOf(record.bytes) });

/** Pages that an area has in the image. */
const pageCount = (area: AreaImage): number => area.runs.reduce((sum, run) => sum + run.addresses.length, 0);

function areaJson(area: AreaImage) {
  return {
    ...fields(R.VMA, area.vma),
    fname: area.name === undefined ? null : name(area.name),
    pages: area.runs.map((run) => ({
      offset: run.header.offset,
      nr_pages: run.addresses.length,
      addresses: run.addresses.map((address) => `0x${address.toString(16)}`),
    })),
  };
}

function taskJson(image: Image, task: TaskImage) {
  return {
    task: fields(R.TASK, task.task),
    comm: textOf(task.comm.bytes),
    environment: environmentNames(task, image.pageSize),
    mm: fields(R.MM, task.mm),
    vmas: task.areas.map(areaJson),
    mm_context: dummy(task.mmContext),
    files: fields(R.FILES, task.files),
    fds: task.descriptors.map(({ entry, file }) => ({
      ...fields(R.FD_ENT, entry),
      fd_data: file === undefined ? null : { ...fields(R.FD_DATA, file.data), fname: name(file.name) },
    })),
    thread: dummy(task.thread),
    cpu: fields(cpuLayout(image.shape), task.cpu),
  };
}

/** What a trailer record holds; `undefined` where its type is not known or it does not decode. */
function trailerValues(image: Image, record: TrailerRecord): Record<string, unknown> | undefined {
  const row = trailerType(record.header.type);
  if (row === undefined) return undefined;
  const { payload } = record;
  // The pages after the list in a record of pages are not shown.
  const paged = row.layout.type in PAGE_RECORDS;
  const shown = paged ? pagesPrefix(image, record) : payload.size;
  try {
    return row.layout.json(
      row.layout.decode(payload.read(0, shown), image.format, record.header.version).values,
    );
  } catch (error) {
    if (error instanceof FieldError) return undefined;
    throw error;
  }
}

function pagesPrefix(image: Image, { payload }: TrailerRecord): number {
  if (payload.size < 8) return payload.size;
  const start = payload.read(0, 8);
  const count = new DataView(start.buffer, start.byteOffset, 8).getUint32(4, image.format.littleEndian);
  return Math.min(payload.size, 8 + 8 * Math.min(count, PAGE_RUN));
}

const trailerName = (type: number): string =>
  type === END_TYPE ? "END" : (trailerType(type)?.layout.type ?? `type ${type}`);

/** All fields of an image as plain data; 64-bit numbers are hexadecimal strings. Page contents are left out. */
export function imageJson(image: Image): Record<string, unknown> {
  return {
    schema_version: SCHEMA_VERSION,
    byte_order: image.format.littleEndian ? "little" : "big",
    shape: { long_size: image.shape.longSize, fp_width: image.shape.fpWidth },
    page_size: image.pageSize,
    head: fields(R.HEAD, image.head),
    head_arch: dummy(image.headArch),
    tree: fields(R.TREE, image.tree),
    pids: image.pids.map((pid) => R.PIDS.json(pid.values)),
    tasks: image.tasks.map((task) => taskJson(image, task)),
    tail: fields(R.TAIL, image.tail),
    trailer:
      image.trailer === undefined
        ? null
        : {
            version: image.trailer.head.version,
            records: image.trailer.records.map((record) => ({
              name: trailerName(record.header.type),
              offset: record.offset,
              ...record.header,
              values: trailerValues(image, record) ?? null,
            })),
          },
    trailing_bytes: image.rest.size,
  };
}

const hex = (value: bigint | number, digits = 0): string => value.toString(16).padStart(digits, "0");

const flagText = (flags: bigint): string =>
  flags & R.FLAG_TRAILER ? "cannot be restarted without ppcr's trailer" : "readable by linux-cr v13";

/** Seconds since the epoch as a date and time, where calendars reach that far. */
function timeText(seconds: bigint): string {
  if (seconds > 8_640_000_000_000n) return `${seconds} seconds after 1970`;
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone: "UTC",
    dateStyle: "short",
    timeStyle: "medium",
  });
  return `${format.format(Number(seconds) * 1000)} UTC`;
}

function headText(image: Image): string[] {
  const { major, minor, patch, rev, time, flags, release, version, machine } = image.head.values;
  const order = image.format.littleEndian ? "little-endian" : "big-endian";
  return [
    `linux-cr v13 image (revision ${rev}, kernel ${major}.${minor}.${patch}), ${order}, shape ${shapeName(image.shape)}, pages of ${image.pageSize}`,
    `written  ${timeText(time)}`,
    `machine  ${textOf(machine)}  ${textOf(release)}  ${textOf(version)}`,
    `flags    0x${hex(flags)}: ${flagText(flags)}`,
  ];
}

/** The registers, four a line. */
function registerText(image: Image, task: TaskImage): string[] {
  const v = task.cpu.values;
  const digits = 2 * image.shape.longSize;
  const named: [string, bigint][] = [
    ...v.gpr.map((value, n): [string, bigint] => [`r${n}`, value]),
    ["nip", v.nip],
    ["lr", v.link],
    ["ctr", v.ctr],
    ["msr", v.msr],
    ["cr", v.ccr],
    ["xer", v.xer],
    ["trap", v.trap],
    ["dabr", v.dabr],
  ];
  const lines: string[] = [];
  for (let at = 0; at < named.length; at += 4) {
    const cells = named.slice(at, at + 4);
    lines.push(`  ${cells.map(([label, value]) => `${label.padStart(4)} ${hex(value, digits)}`).join("  ")}`);
  }
  const used = v.fpr
    .map((value, n) => ({ value, n }))
    .filter(({ value }) => value !== 0n)
    .map(({ value, n }) => {
      const label = image.shape.fpWidth === 1 ? `f${n}` : `vs${n >> 1}.${n & 1}`;
      return `${label.padStart(6)} ${hex(value, 16)}`;
    });
  for (let at = 0; at < used.length; at += 4) lines.push(`  ${used.slice(at, at + 4).join("  ")}`);
  lines.push(`  fpscr ${hex(v.fpscr, 8)}  fpexc_mode 0x${hex(v.fpexc_mode)}`);
  return lines;
}

function areaText(area: AreaImage): string {
  const { vm_start, vm_end, vm_flags } = area.vma.values;
  const bit = (flag: bigint, letter: string) => (vm_flags & flag ? letter : "-");
  const prot = `${bit(R.VM.READ, "r")}${bit(R.VM.WRITE, "w")}${bit(R.VM.EXEC, "x")}p`;
  const count = pageCount(area);
  const grows = vm_flags & R.VM.GROWSDOWN ? "  grows down" : "";
  const file =
    area.name === undefined ? "" : `  ${textOf(area.name.bytes)}+0x${hex(area.vma.values.vm_pgoff << 12n)}`;
  return `  ${hex(vm_start, 8)}-${hex(vm_end, 8)} ${prot} ${String(count).padStart(7)} page${count === 1 ? " " : "s"}${file}${grows}`;
}

function descriptorText(image: Image): (task: TaskImage) => string[] {
  const paths = new Map<number, string>();
  for (const { descriptors } of image.tasks) {
    for (const { entry, file } of descriptors) {
      if (file === undefined) continue;
      const { fd_type, f_flags, f_pos } = file.data.values;
      const kind = fd_type === R.FD_DIR ? "directory" : "file";
      paths.set(
        entry.values.objref,
        `${kind} ${textOf(file.name.bytes)}  flags 0${f_flags.toString(8)}  at ${f_pos}`,
      );
    }
  }
  return ({ descriptors }) =>
    descriptors.map(({ entry }) => {
      const { fd, objref, close_on_exec } = entry.values;
      return `  ${String(fd).padStart(4)}  #${objref} ${paths.get(objref)}${close_on_exec ? "  close-on-exec" : ""}`;
    });
}

/** Fields of trailer records that are read in hexadecimal; people read other numbers in decimal. */
const IN_HEX = ["msr"];

function valueText(key: string, value: unknown): string {
  const isNumber = typeof value === "string" && /^0x[0-9a-f]+$/.test(value);
  return `${key} ${isNumber && !IN_HEX.includes(key) ? BigInt(value) : value}`;
}

/** Program, working directory and the names of the variables of a task, as far as the image has them. */
function surroundingsText(image: Image, task: TaskImage, pid: number): string[] {
  const process = image.trailer?.records
    .map((record) =>
      trailerName(record.header.type) === "PROCESS" ? trailerValues(image, record) : undefined,
    )
    .find((values) => values?.pid === pid);
  const names = environmentNames(task, image.pageSize);
  return [
    ...(process === undefined ? [] : [` program     ${process.exe}`, ` directory   ${process.cwd}`]),
    ...(names.length === 0 ? [] : [` environment ${names.join(" ")}`]),
  ];
}

function trailerText(image: Image): string[] {
  if (image.trailer === undefined) return ["no trailer: a plain v13 image"];
  const lines = image.trailer.records.map((record) => {
    const { type, length } = record.header;
    const values = trailerValues(image, record);
    const shown = Object.entries(values ?? {})
      .filter(([, value]) => typeof value !== "object" && value !== "")
      .slice(0, 5)
      .map(([key, value]) => valueText(key, value));
    return `  ${trailerName(type).padEnd(12)} ${String(length).padStart(8)} bytes  ${shown.join(", ")}`.trimEnd();
  });
  return [`trailer (version ${image.trailer.head.version}), closed by a SHA-256 digest`, ...lines];
}

/** An image as text for people. */
export function imageText(image: Image): string {
  const describe = descriptorText(image);
  const lines = headText(image);
  image.tasks.forEach((task, index) => {
    const { vpid, vppid } = image.pids[index].values;
    const pages = task.areas.reduce((sum, area) => sum + pageCount(area), 0);
    lines.push(
      "",
      `task ${vpid} "${textOf(task.comm.bytes)}" (parent ${vppid}), ${task.areas.length} mappings, ${pages} pages, ${task.descriptors.length} descriptors`,
      ...surroundingsText(image, task, vpid),
      " registers",
      ...registerText(image, task),
      " memory",
      ...task.areas.map(areaText),
      ...(task.descriptors.length === 0 ? [] : [" descriptors", ...describe(task)]),
    );
  });
  lines.push("", ...trailerText(image));
  if (image.rest.size > 0) lines.push(`${image.rest.size} bytes follow the image`);
  return `${lines.map(printable).join("\n")}\n`;
}

/** A line without what a terminal would obey: names in an image are anybody's. */
const printable = (line: string): string =>
  line.replace(/\p{Cc}/gu, (character) => `\\x${hex(character.charCodeAt(0), 2)}`);
