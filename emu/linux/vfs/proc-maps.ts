/** /proc/PID/maps and smaps, as show_map and show_smap of Linux's fs/proc/task_mmu.c write them. */
import type { Areas } from "../../memory/area-map.ts";
import { PAGE_SIZE } from "../../memory/layout.ts";
import type { SharedObject } from "../../memory/shared-object.ts";
import {
  isData,
  isLocked,
  isReadOnly,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
  protectionLetters,
  VM_DONTCOPY,
  VM_DONTDUMP,
  VM_WIPEONFORK,
  type Vma,
} from "../../memory/vma.ts";
import type { Identities } from "./identities.ts";

/** What is shown of a process. */
export interface MappedProcess {
  /** By which numbers files are known. */
  readonly identities: Identities;
  /** Key and id of the System V segment that a shared mapping shows. */
  segment(object: SharedObject): { key: number; id: number } | undefined;
  readonly areas: Areas;
  /** How many pages of an area are present, and how many of them have been written. */
  usage(area: Vma): { present: number; written: number };
}

const hex = (address: number): string => address.toString(16).padStart(8, "0");

/** A name as the kernel escapes it. */
const mapName = (name: string): string => name.replaceAll("\n", "\\012");

/**
 * Device, inode and name of what an area shows: of files as stat(2) tells them; shared memory is a file of the kernel's own,
 * named after what it was asked for by.
 */
function shownBy(
  { name, file, shared }: Vma,
  { identities, segment }: MappedProcess,
): [device: string, name: string] {
  const behind = file ?? shared?.file;
  if (behind !== undefined) {
    const numbers = behind.key === undefined ? "00:01 1" : identities.written(behind.key, " ");
    return [numbers, name ?? mapName(behind.path)];
  }
  if (shared === undefined) return ["00:00 0", name ?? ""];
  const of = segment(shared);
  if (of === undefined) return ["00:01 1", "/dev/zero (deleted)"];
  const key = (of.key >>> 0).toString(16).padStart(8, "0");
  return [`00:01 ${of.id}`, `/SYSV${key} (deleted)`];
}

function mapLine(area: Vma, process: MappedProcess): string {
  const letters = protectionLetters(area.prot) + (area.shared === undefined ? "p" : "s");
  const isFile = (area.file ?? area.shared) !== undefined;
  const [device, name] = shownBy(area, process);
  const line = `${hex(area.start)}-${hex(area.end)} ${letters} ${hex(isFile ? area.offset : 0)} ${device}`;
  return name === "" ? `${line} \n` : `${line.padEnd(73)}${name}\n`;
}

/** /proc/PID/maps. */
export const mapsText = (process: MappedProcess): string =>
  [...process.areas].map((area) => mapLine(area, process)).join("");

/** VmFlags: what the area allows, what mprotect may allow, and how it came about. */
function flagsOf(area: Vma): string {
  const { prot, shared, growsDown, flags: asked = 0 } = area;
  const flags: [string, boolean][] = [
    ["rd", (prot & PROT_READ) !== 0],
    ["wr", (prot & PROT_WRITE) !== 0],
    ["ex", (prot & PROT_EXEC) !== 0],
    ["sh", shared !== undefined],
    ["mr", true],
    ["mw", !isReadOnly(area)],
    ["me", true],
    ["ms", shared !== undefined],
    ["gd", growsDown === true],
    ["lo", isLocked(area)],
    ["dc", (asked & VM_DONTCOPY) !== 0],
    ["ac", isData(area)],
    ["wf", (asked & VM_WIPEONFORK) !== 0],
    ["dd", (asked & VM_DONTDUMP) !== 0],
  ];
  return flags.map(([flag, isSet]) => (isSet ? `${flag} ` : "")).join("");
}

/** Pages of an area, or of several. */
interface Usage {
  present: number;
  written: number;
  anonymous: number;
  locked: number;
}

/** The numbers of smaps in pages, in their order; those of several areas add up. */
function ofPages({ present, written, anonymous, locked }: Usage) {
  return [
    ["Rss", present],
    ["Pss", present],
    ["Pss_Dirty", written],
    ["Shared_Clean", 0],
    ["Shared_Dirty", 0],
    ["Private_Clean", present - written],
    ["Private_Dirty", written],
    ["Referenced", present],
    ["Anonymous", anonymous],
    ["LazyFree", 0],
    ["AnonHugePages", 0],
    ["ShmemPmdMapped", 0],
    ["FilePmdMapped", 0],
    ["Shared_Hugetlb", 0],
    ["Private_Hugetlb", 0],
    ["Swap", 0],
    ["SwapPss", 0],
    ["Locked", locked],
  ] as const;
}

const inKib = ([name, pages]: readonly [string, number]): string =>
  `${`${name}:`.padEnd(16)}${String((pages * PAGE_SIZE) / 1024).padStart(8)} kB\n`;

const pagesOf = (process: MappedProcess, area: Vma): Usage => {
  const { present, written } = process.usage(area);
  const locked = isLocked(area) ? present : 0;
  return { present, written, anonymous: area.shared === undefined ? written : 0, locked };
};

/** /proc/PID/smaps. A page of shared memory is present in one mapping at a time, so nothing counts as shared. */
export function smapsText(process: MappedProcess): string {
  return [...process.areas]
    .map((area) => {
      const sizes = [
        ["Size", (area.end - area.start) / PAGE_SIZE],
        ["KernelPageSize", 1],
        ["MMUPageSize", 1],
      ] as const;
      const lines = [...sizes, ...ofPages(pagesOf(process, area))].map(inKib).join("");
      return `${mapLine(area, process)}${lines}THPeligible:    0\nVmFlags: ${flagsOf(area)}\n`;
    })
    .join("");
}

/** /proc/PID/smaps_rollup: the sum of all areas. */
export function smapsRollupText(process: MappedProcess): string {
  const sum: Usage = { present: 0, written: 0, anonymous: 0, locked: 0 };
  let [start, end] = [0, 0];
  for (const area of process.areas) {
    const { present, written, anonymous, locked } = pagesOf(process, area);
    sum.present += present;
    sum.written += written;
    sum.anonymous += anonymous;
    sum.locked += locked;
    if (end === 0) start = area.start;
    end = area.end;
  }
  const line = `${hex(start)}-${hex(end)} ---p 00000000 00:00 0`.padEnd(73);
  return `${line}[rollup]\n${ofPages(sum).map(inKib).join("")}`;
}
