/** /proc/sysvipc: the System V objects that there are, a line each (Linux: ipc/shm.c, sem.c and msg.c). */
import { PAGE_SIZE } from "../../memory/layout.ts";
import type { IpcPermSnapshot } from "../../snapshot.ts";
import type { IpcObjects } from "../ipc/ipc-objects.ts";
import { directoryOf, type SyntheticDirectory, textFile } from "./synthetic.ts";

/** Numbers of these widths, a space between two of them. */
const columns = (cells: readonly (readonly [value: number | bigint, width: number])[]): string =>
  cells.map(([value, width]) => String(value).padStart(width)).join(" ");

const head = ({ key, id, mode }: IpcPermSnapshot): string =>
  `${columns([
    [key, 10],
    [id, 10],
  ])}  ${mode.toString(8).padStart(4)}`;

const owners = ({ uid, gid, cuid, cgid }: IpcPermSnapshot): string =>
  columns([uid, gid, cuid, cgid].map((id) => [id, 5]));

const times = (...all: bigint[]): string => columns(all.map((time) => [time, 10]));

function segments({ segments: table }: IpcObjects, longs: number): string {
  const wide = longs === 64 ? 21 : 10;
  const title = (name: string): string => name.padStart(wide);
  table.sweep();
  const rows = [...table.values()].map((segment) => {
    const { perm, size, creator, operator, attached, detached, changed, object } = segment;
    const resident = [...object.pages].length * PAGE_SIZE;
    const users = columns([
      [creator, 5],
      [operator, 5],
    ]);
    const count = String(table.attachments(segment)).padStart(5);
    return (
      `${head(perm)} ${String(size).padStart(wide)} ${users}  ${count} ${owners(perm)} ` +
      `${times(attached, detached, changed)} ${String(resident).padStart(wide)} ${"0".padStart(wide)}\n`
    );
  });
  return (
    `       key      shmid perms ${title("size")}  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime ` +
    `${title("rss")} ${title("swap")}\n${rows.join("")}`
  );
}

const semaphores = ({ semaphores: table }: IpcObjects): string =>
  "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n" +
  [...table.values()]
    .map(
      ({ perm, values, operated, changed }) =>
        `${head(perm)} ${String(values.length).padStart(10)} ${owners(perm)} ${times(operated, changed)}\n`,
    )
    .join("");

const messages = ({ messages: table }: IpcObjects): string =>
  "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      ctime\n" +
  [...table.values()]
    .map((queue) => {
      const counts = columns([
        [queue.bytes, 10],
        [queue.messages.length, 10],
        [queue.sender, 5],
        [queue.receiver, 5],
      ]);
      const when = times(queue.sent, queue.received, queue.changed);
      return `${head(queue.perm)}  ${counts} ${owners(queue.perm)} ${when}\n`;
    })
    .join("");

/** The tree, with numbers as wide as a kernel of so many bits has them. */
export const sysvipcTree = (ipc: IpcObjects, longs: number): SyntheticDirectory =>
  directoryOf({
    shm: textFile(() => segments(ipc, longs)),
    sem: textFile(() => semaphores(ipc)),
    msg: textFile(() => messages(ipc)),
  });
