/** /proc/sysvipc: the System V objects of the machine, as Linux's ipc/{shm,msg,sem}.c write them. */
import { PAGE_SIZE } from "../../memory/layout.ts";
import type { IpcObject } from "../ipc/ipc-table.ts";
import type { IpcObjects } from "../ipc/ipc-objects.ts";
import type { ProcMachine } from "./proc-view.ts";
import { directoryOf, type SyntheticDirectory, textFile } from "./synthetic.ts";

/** A column: its heading, and how wide it is. Blanks stand between them. */
type Column = readonly [heading: string, width: number];
type Value = number | bigint;

const id = (heading: string): readonly Column[] => [
  ["key", 10],
  [heading, 10],
  ["perms", 5],
];
const OWNERS: readonly Column[] = [
  ["uid", 5],
  ["gid", 5],
  ["cuid", 5],
  ["cgid", 5],
];
const times = (...headings: readonly string[]): readonly Column[] => headings.map((heading) => [heading, 10]);

const columnsOf = (bytes: number) =>
  ({
    shm: [
      ...id("shmid"),
      ["size", bytes],
      ["cpid", 5],
      ["lpid", 5],
      ["nattch", 6],
      ...OWNERS,
      ...times("atime", "dtime", "ctime"),
      ["rss", bytes],
      ["swap", bytes],
    ],
    msg: [
      ...id("msqid"),
      ["cbytes", 11],
      ["qnum", 10],
      ["lspid", 5],
      ["lrpid", 5],
      ...OWNERS,
      ...times("stime", "rtime", "ctime"),
    ],
    sem: [...id("semid"), ["nsems", 10], ...OWNERS, ...times("otime", "ctime")],
  }) satisfies Record<string, readonly Column[]>;

/** Modes are in octal. */
const textOf = (heading: string, value: Value): string => value.toString(heading === "perms" ? 8 : 10);

/** All stands at the right of its column. */
function table(columns: readonly Column[], rows: readonly (readonly Value[])[]): string {
  const line = (cells: readonly string[]) =>
    `${columns.map(([, width], n) => cells[n].padStart(width)).join(" ")}\n`;
  const cellsOf = (values: readonly Value[]) => columns.map(([heading], n) => textOf(heading, values[n]));
  return [columns.map(([heading]) => heading), ...rows.map(cellsOf)].map(line).join("");
}

const owners = ({ perm: { uid, gid, cuid, cgid } }: IpcObject): number[] => [uid, gid, cuid, cgid];
const named = ({ perm }: IpcObject): number[] => [perm.key | 0, perm.id, perm.mode];

const segmentRows = ({ segments }: IpcObjects): Value[][] => {
  segments.sweep();
  return [...segments.values()].map((segment) => [
    ...named(segment),
    ...[segment.size, segment.creator, segment.operator, segments.attachments(segment)],
    ...owners(segment),
    ...[segment.attached, segment.detached, segment.changed],
    ...[[...segment.object.pages].length * PAGE_SIZE, 0],
  ]);
};
const queueRows = ({ messages }: IpcObjects): Value[][] =>
  [...messages.values()].map((queue) => [
    ...named(queue),
    ...[queue.bytes, queue.messages.length, queue.sender, queue.receiver],
    ...owners(queue),
    ...[queue.sent, queue.received, queue.changed],
  ]);
const setRows = ({ semaphores }: IpcObjects): Value[][] =>
  [...semaphores.values()].map((set) => [
    ...named(set),
    set.values.length,
    ...owners(set),
    ...[set.operated, set.changed],
  ]);

/** The folder; sizes are as wide as longs of the kernel are. */
export function sysvipcTree({ ipc, longs }: ProcMachine): SyntheticDirectory {
  const { shm, msg, sem } = columnsOf(longs === 64 ? 21 : 10);
  return directoryOf({
    msg: textFile(() => table(msg, queueRows(ipc))),
    sem: textFile(() => table(sem, setRows(ipc))),
    shm: textFile(() => table(shm, segmentRows(ipc))),
  });
}
