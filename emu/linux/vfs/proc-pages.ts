/** /proc/PID/pagemap, numa_maps and map_files: the memory of a process by pages and files (Linux: fs/proc/task_mmu.c, base.c). */
import { PAGE_SIZE } from "../../memory/layout.ts";
import type { MemoryPolicy, Vma } from "../../memory/vma.ts";
import { MPOL_DEFAULT, modeOf } from "../memory-policy.ts";
import type { ProcProcess } from "./proc-view.ts";
import { fail, type MemoryAccess, type SyntheticDirectory } from "./synthetic.ts";

const hex = (address: number): string => address.toString(16);
const ENTRY = 8;
/** Bits of an entry of pagemap. */
const PRESENT = 1n << 63n;
const SHARED = 1n << 61n;

/** 64 bits a page, at eight times the page's number; which frame it is in, nobody is told. */
export const pagemapOf = ({ areas, usage, littleEndian, limit }: ProcProcess): MemoryAccess => ({
  read(position, length) {
    if (position % ENTRY !== 0 || length % ENTRY !== 0) fail("EINVAL", "no whole entries");
    const first = position / ENTRY;
    const count = Math.max(0, Math.min(length / ENTRY, Math.floor(limit / PAGE_SIZE) - first));
    const bytes = new Uint8Array(count * ENTRY);
    const view = new DataView(bytes.buffer);
    for (const area of areas.overlapping(first * PAGE_SIZE, (first + count) * PAGE_SIZE)) {
      const isFile = (area.file ?? area.shared) !== undefined;
      const end = Math.min(area.end / PAGE_SIZE, first + count);
      for (let page = Math.max(area.start / PAGE_SIZE, first); page < end; page++) {
        const [start, next] = [page * PAGE_SIZE, (page + 1) * PAGE_SIZE];
        const { present, written } = usage({ ...area, start, end: next });
        const isShared = area.shared !== undefined || (isFile && written === 0);
        const entry = present === 0 ? 0n : PRESENT | (isShared ? SHARED : 0n);
        view.setBigUint64((page - first) * ENTRY, entry, littleEndian);
      }
    }
    return bytes;
  },
  write: () => fail("EBADF", "pagemap is not written"),
});

const POLICIES = ["default", "prefer", "bind", "interleave", "local", "prefer (many)"];

function policyText(policy: MemoryPolicy | undefined): string {
  const mode = policy === undefined ? MPOL_DEFAULT : modeOf(policy);
  return `${POLICIES[mode]}${(policy?.nodes ?? 0n) === 0n ? "" : ":0"}`;
}

function numaLine(area: Vma, { usage }: ProcProcess): string {
  const behind = area.file ?? area.shared?.file;
  const name = area.name === "[heap]" ? " heap" : area.name === "[stack]" ? " stack" : "";
  const what = behind === undefined ? name : ` file=${behind.path.replace(/[\n\t= ]/g, octal)}`;
  const { present, written } = usage(area);
  const anonymous = area.shared === undefined ? written : 0;
  const counts =
    (anonymous > 0 ? ` anon=${anonymous}` : "") +
    (written > 0 ? ` dirty=${written}` : "") +
    (present === anonymous || present === written ? "" : ` mapped=${present}`);
  const pages = present === 0 ? "" : `${counts} active=0 N0=${present} kernelpagesize_kB=4`;
  return `${hex(area.start).padStart(8, "0")} ${policyText(area.policy)}${what}${pages}\n`;
}

const octal = (letter: string): string => `\\${letter.charCodeAt(0).toString(8).padStart(3, "0")}`;

/** /proc/PID/numa_maps. */
export const numaMapsText = (process: ProcProcess): string =>
  [...process.areas].map((area) => numaLine(area, process)).join("");

/** /proc/PID/map_files: a link for each mapping of a file, which says its name and leads nowhere else. */
export function mappedFiles({ areas }: ProcProcess): SyntheticDirectory {
  const shown = () =>
    new Map(
      [...areas].flatMap((area): [string, string][] => {
        const behind = area.file ?? area.shared?.file;
        return behind === undefined ? [] : [[`${hex(area.start)}-${hex(area.end)}`, behind.path]];
      }),
    );
  return {
    type: "directory",
    names: () => [...shown().keys()],
    lookup: (name) => {
      const path = shown().get(name);
      return path === undefined ? undefined : { type: "link", target: () => path, mode: 0o500, size: 64n };
    },
  };
}
