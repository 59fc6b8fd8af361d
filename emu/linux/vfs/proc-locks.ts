/** /proc/locks and the locks in /proc/PID/fdinfo, as lock_get_status of Linux's fs/locks.c writes them. */
import { fileKey } from "./folder.ts";
import type { Identities } from "./identities.ts";
import { type FileLock, holderOf, LAST_BYTE, type LockTable } from "./locks.ts";
import type { ProcMachine, ProcProcess } from "./proc-view.ts";

const KINDS: Readonly<Record<FileLock["kind"], string>> = {
  posix: "POSIX  ADVISORY ",
  ofd: "OFDLCK ADVISORY ",
  flock: "FLOCK  ADVISORY ",
};

/** One lock; `key` names its file, which programs know by its number among `identities`. A lock of a description has the pid -1, that of flock(2) `holder`. */
function lockLine(
  identities: Identities,
  number: number,
  { key, lock }: { key: string; lock: FileLock },
  holder: number,
): string {
  const { kind, exclusive, start, last } = lock;
  const pid = holderOf(lock) ?? (kind === "ofd" ? -1 : holder);
  const end = last === LAST_BYTE ? "EOF" : last;
  return `${number}: ${KINDS[kind]} ${exclusive ? "WRITE" : "READ"} ${pid} ${identities.written(key, ":")} ${start} ${end}\n`;
}

const allOf = (table?: LockTable): { key: string; lock: FileLock }[] =>
  (table?.all() ?? []).flatMap(({ key, locks }) => locks.map((lock) => ({ key, lock })));

const isHolder = ({ descriptors }: ProcProcess, { owner }: FileLock): boolean =>
  descriptors.list().some(([, { file }]) => file === owner);

/** /proc/locks. */
export function locksText(machine: ProcMachine): string {
  const processes = machine.pids().flatMap((pid) => machine.process(pid) ?? []);
  return allOf(processes.at(0)?.locks)
    .map((each, index) => {
      const holder = processes.find((process) => isHolder(process, each.lock))?.pid ?? 0;
      return lockLine(processes[0].identities, index + 1, each, holder);
    })
    .join("");
}

/** What fdinfo says of the locks that a process holds by a descriptor. */
export function heldText({ pid, descriptors, locks, identities }: ProcProcess, fd: number): string {
  const file = descriptors.get(fd);
  const here = fileKey(file.stat());
  return allOf(locks)
    .filter(({ key, lock: { owner } }) => key === here && (owner === file || owner === descriptors))
    .map((each, index) => `lock:\t${lockLine(identities, index + 1, each, pid)}`)
    .join("");
}
