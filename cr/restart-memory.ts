/** The memory of a restarted process: v13's mappings, and what the trailer adds to them. */
import { type AreaSnapshot, PAGE_SIZE, type ProcessSnapshot } from "../emu/snapshot.ts";
import { auxvOnStack, GuestReader } from "./auxiliary-vector.ts";
import { PROT_TO_VM } from "./checkpoint.ts";
import { errorAt, inconsistent } from "./errors.ts";
import type { AreaImage, Image, TaskImage } from "./image.ts";
import { areaPages, NO_PAGES } from "./pages.ts";
import { textOf } from "./record-fields.ts";
import * as R from "./records.ts";
import type { ProcessTopics, Topics } from "./trailer-read.ts";
import type * as X from "./trailer-records.ts";

/** Where guest memory ends at most. */
const GUEST_END = 2 ** 47;
const BEYOND = `lies beyond 0x${GUEST_END.toString(16)}, where guest memory ends here`;

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

function areasOf(
  image: Image,
  task: TaskImage,
  topics: Topics,
  topic: X.AreasValues | undefined,
): AreaSnapshot[] {
  const { start_brk, brk, start_stack } = task.mm.values;
  const areas = task.areas.map((area) => areaOf(area, image.pageSize));
  if (topic === undefined) {
    for (const area of areas) {
      if (area.file !== null) continue;
      if (area.start < brk && area.end > start_brk) area.name = "[heap]";
      else if (area.growsDown && area.start <= start_stack && area.end > start_stack) area.name = "[stack]";
    }
    return areas;
  }
  const byStart = new Map(areas.map((area) => [area.start, area]));
  for (const entry of topic.areas) {
    if (entry.named) {
      const area = byStart.get(entry.start);
      if (area === undefined)
        throw inconsistent(`there is no mapping at ${hex(entry.start)} to be named "${entry.name}"`);
      area.name = entry.name;
      if (entry.flags !== 0) area.flags = entry.flags;
      if (entry.policy !== null) area.policy = entry.policy;
      const unlinked = unlinkedOf(topics, entry.unlinked, `the mapping at ${hex(entry.start)}`);
      if (area.file !== null) area.file = { ...area.file, ...unlinked };
    } else {
      areas.push(ownArea(entry, topics));
    }
  }
  areas.sort((a, b) => a.start - b.start);
  areas.forEach((area, index) => {
    if (index > 0 && area.start < areas[index - 1].end) {
      throw errorAt("overlap", "AREAS", {}, `the mapping at ${hex(area.start)} overlaps the one before it`);
    }
  });
  return areas;
}

function areaOf({ vma, name, runs }: AreaImage, pageSize: number): AreaSnapshot {
  const { vm_start, vm_end, vm_flags, vm_pgoff } = vma.values;
  if (vm_end > GUEST_END) {
    throw errorAt("unsupported", "VMA", vma, `the mapping ${hex(vm_start)}-${hex(vm_end)} ${BEYOND}`);
  }
  if (vm_pgoff >= 1n << 40n)
    throw errorAt("value", "VMA", vma, `the page offset ${hex(vm_pgoff)} is out of range`);
  const prot = PROT_TO_VM.reduce((bits, [bit, flag]) => (vm_flags & flag ? bits | bit : bits), 0);
  const flags = Number(vm_flags & R.ASKED_IN_V13);
  return {
    start: Number(vm_start),
    end: Number(vm_end),
    prot,
    growsDown: (vm_flags & R.VM.GROWSDOWN) !== 0n,
    file: name === undefined ? null : { path: textOf(name.bytes), offset: Number(vm_pgoff) * pageSize },
    sharedObject: null,
    name: "",
    ...(flags === 0 ? {} : { flags }),
    pages: areaPages(runs, pageSize),
  };
}

/** The file among those in the image that something is of. Throws ImageError where there is none of that number. */
export function unlinkedOf(topics: Topics, unlinked: number | null, what: string): { unlinked?: number } {
  if (unlinked === null) return {};
  if (topics.unlinked[unlinked] === undefined) {
    throw inconsistent(`${what} is of unlinked file ${unlinked}, which does not exist`);
  }
  return { unlinked };
}

/** A mapping that only the trailer has. */
function ownArea(entry: X.AreasValues["areas"][number], topics: Topics): AreaSnapshot {
  const { start, end, shared, file } = entry;
  const range = `${hex(start)}-${hex(end)}`;
  if (start < 0 || start >= end || start % PAGE_SIZE !== 0 || end % PAGE_SIZE !== 0) {
    throw errorAt("value", "AREAS", {}, `${range} is not a page-aligned range`);
  }
  if (end > GUEST_END) throw errorAt("unsupported", "AREAS", {}, `the mapping ${range} ${BEYOND}`);
  if (shared !== null && topics.shared[shared.index] === undefined) {
    throw inconsistent(`the mapping ${range} is of shared object ${shared.index}, which does not exist`);
  }
  for (const part of [shared, file]) {
    if (part !== null && (part.offset < 0 || part.offset % PAGE_SIZE !== 0)) {
      throw errorAt("value", "AREAS", {}, `the mapping ${range} has the offset ${part.offset}`);
    }
  }
  return {
    start,
    end,
    prot: entry.prot,
    growsDown: entry.growsDown,
    file,
    sharedObject: shared,
    name: entry.name,
    ...(entry.flags === 0 ? {} : { flags: entry.flags }),
    ...(entry.policy === null ? {} : { policy: entry.policy }),
    pages: NO_PAGES,
  };
}

/** A process's memory. `wordSize`: bytes of a pointer in the program. Throws ImageError. */
export function memoryOf(
  image: Image,
  task: TaskImage | undefined,
  topics: Topics,
  own: ProcessTopics,
  wordSize: 4 | 8,
): ProcessSnapshot["memory"] {
  const said = own.process?.auxv;
  if (task === undefined) return { ...own.process!.memory!, auxv: said ?? [], areas: [] };
  const v = task.mm.values;
  const address = (value: bigint): number => {
    if (value > GUEST_END) throw errorAt("unsupported", "MM", task.mm, `the address ${hex(value)} ${BEYOND}`);
    return Number(value);
  };
  const areas = areasOf(image, task, topics, own.areas);
  const startStack = address(v.start_stack);
  return {
    startCode: address(v.start_code),
    endCode: address(v.end_code),
    startData: address(v.start_data),
    endData: address(v.end_data),
    startBrk: address(v.start_brk),
    brk: address(v.brk),
    startStack,
    argStart: address(v.arg_start),
    argEnd: address(v.arg_end),
    envStart: address(v.env_start),
    envEnd: address(v.env_end),
    auxv: said ?? auxvOnStack(new GuestReader(areas, image.format.littleEndian), startStack, wordSize),
    areas,
  };
}
