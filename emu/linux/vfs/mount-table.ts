/** The mount table as /proc/PID/mounts and mountinfo tell it: what was granted, and the trees of ppcr's own making. */
import { HostError } from "../../host/host.ts";
import { major, minor } from "./devices.ts";
import { SYNTHETIC_DEV } from "./file-status.ts";
import type { Namespace } from "./namespace.ts";

/** A line of the table. */
export interface MountEntry {
  /** Guest path. */
  readonly guest: string;
  readonly readOnly: boolean;
  readonly type: "ppcr" | "proc" | "sysfs" | "tmpfs";
  /** st_dev of what is in it. */
  readonly dev: bigint;
}

/** What is mounted where no grant covers it. */
const OWN = [
  ["/", "tmpfs"],
  ["/proc", "proc"],
  ["/sys", "sysfs"],
  ["/dev", "tmpfs"],
] as const;

/** What is mounted, the root first and covered ones before those that cover them. */
export function mountTable(namespace: Namespace): MountEntry[] {
  const granted = namespace.mounts.flatMap((mount): MountEntry[] => {
    const { folder, name, guest, readOnly } = mount;
    try {
      const { dev } = namespace.at({ folder, name }, (path) => namespace.host.files.lstat(path));
      return [{ guest, readOnly, type: namespace.own.isOne(mount) ? "tmpfs" : "ppcr", dev }];
    } catch (error) {
      // It has gone from the host.
      if (error instanceof HostError) return [];
      throw error;
    }
  });
  const own = OWN.filter(([guest]) => !granted.some((entry) => entry.guest === guest));
  const table = [
    ...own.map(([guest, type]): MountEntry => ({ guest, readOnly: true, type, dev: SYNTHETIC_DEV })),
    ...granted,
  ];
  return table.sort((a, b) => (a.guest < b.guest ? -1 : a.guest > b.guest ? 1 : 0));
}

/** A path as the kernel writes it there: white space and backslashes in octal. */
const escapePath = (path: string): string =>
  path.replace(/[ \t\n\\]/g, (letter) => `\\${letter.charCodeAt(0).toString(8).padStart(3, "0")}`);

const access = ({ readOnly }: MountEntry): string => (readOnly ? "ro" : "rw");

/** /proc/PID/mounts, in the form of fstab(5). */
export function mountsText(table: readonly MountEntry[]): string {
  return table
    .map((entry) => `${entry.type} ${escapePath(entry.guest)} ${entry.type} ${access(entry)} 0 0\n`)
    .join("");
}

/** /proc/PID/mountstats: of no file system here there is more to say. */
export const mountstatsText = (table: readonly MountEntry[]): string =>
  table
    .map(({ type, guest }) => `device ${type} mounted on ${escapePath(guest)} with fstype ${type}\n`)
    .join("");

/** Mount ids; that of the root comes first, and everything is mounted on it. */
const FIRST_ID = 1;

/** Whether a file system begins at a path. */
export const isMountRoot = ({ mounts }: Namespace, path: string): boolean =>
  OWN.some(([guest]) => guest === path) || mounts.some(({ guest }) => guest === path);

/** The id of the mount that a path is in, as mountinfo has it. */
export function mountIdOf(table: readonly MountEntry[], path: string): number {
  const holds = ({ guest }: MountEntry) => guest === "/" || path === guest || path.startsWith(`${guest}/`);
  return FIRST_ID + table.findLastIndex(holds);
}

/** /proc/PID/mountinfo. */
export function mountinfoText(table: readonly MountEntry[]): string {
  return table
    .map((entry, index) => {
      const parent = index === 0 ? 0 : FIRST_ID;
      const device = `${major(entry.dev)}:${minor(entry.dev)}`;
      const where = `${FIRST_ID + index} ${parent} ${device} / ${escapePath(entry.guest)}`;
      return `${where} ${access(entry)} - ${entry.type} ${entry.type} ${access(entry)}\n`;
    })
    .join("");
}
