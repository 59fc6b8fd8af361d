/** /proc/PID and /proc/PID/task/TID: what is shown of processes and threads (Linux: fs/proc/base.c, array.c). */
import { cpuList, cpuMask } from "../cpu-sets.ts";
import { isRealtime } from "../scheduling.ts";
import { O_ACCMODE, O_RDONLY } from "./constants.ts";
import { mountinfoText, mountsText, mountstatsText } from "./mount-table.ts";
import { NAMESPACE_NAMES, NamespaceFile } from "./namespace-file.ts";
import type { OpenFile } from "./open-file.ts";
import { heldText } from "./proc-locks.ts";
import { mapsText, smapsRollupText, smapsText } from "./proc-maps.ts";
import { netTree } from "./proc-net.ts";
import { mappedFiles, numaMapsText, pagemapOf } from "./proc-pages.ts";
import { schedstatText, schedText, syscallText, timersText } from "./proc-sched.ts";
import type { ProcProcess, ProcThread } from "./proc-view.ts";
import { MemoryFile } from "./special-files.ts";
import {
  directoryOf,
  fail,
  type MemoryAccess,
  type Synthetic,
  type SyntheticDirectory,
  type SyntheticFile,
  type SyntheticLink,
  textFile,
} from "./synthetic.ts";

/** Nanoseconds of a tick, in which /proc counts time (USER_HZ). */
export const CLOCK_TICK = 10_000_000n;
const hex = (value: number): string => value.toString(16).padStart(8, "0");
const mask = (set: bigint): string => set.toString(16).padStart(16, "0");
const kib = (bytes: number): string => `${Math.floor(bytes / 1024)}`.padStart(8);
const pages = (bytes: number): number => Math.floor(bytes / 4096);
/** Longest command line or environment shown. */
const MAX_STRINGS = 2 * 1024 * 1024;

const bytesFile = (contents: () => Uint8Array, mode = 0o444): SyntheticFile => ({
  type: "file",
  mode,
  contents,
});

function strings(process: ProcProcess, start: number, end: number): Uint8Array {
  return end > start ? process.peek(start, Math.min(end - start, MAX_STRINGS)) : new Uint8Array(0);
}

/** Pages that are there. */
function residentPages({ areas, usage }: ProcProcess): number {
  let count = 0;
  for (const area of areas) count += usage(area).present;
  return count;
}

/** /proc/PID/stat: 52 numbers, of which those that mean nothing here are 0. */
function statText(process: ProcProcess, thread: ProcThread | undefined): string {
  const ticks = (thread ?? process).cpuTime / CLOCK_TICK;
  const childTicks = process.childCpuTime / CLOCK_TICK;
  const size = process.areas.bytes;
  const { memory } = process;
  const { nice, policy, priority = 0 } = (thread ?? process).scheduling;
  const fields = [
    thread?.tid ?? process.pid,
    `(${(thread ?? process).comm})`,
    (thread ?? process).state,
    process.ppid,
    process.pgid,
    process.sid,
    process.terminal.device,
    process.terminal.foreground,
    ...[0x400000, process.counted.faults, process.counted.childFaults, 0, 0],
    ticks,
    0,
    childTicks,
    0,
    isRealtime(policy) ? -1 - priority : 20 + nice,
    nice,
    process.threads.length,
    0,
    (thread ?? process).startTime / CLOCK_TICK,
    size,
    residentPages(process),
    "18446744073709551615",
    memory.startCode,
    memory.endCode,
    memory.startStack,
    ...[0, 0],
    process.signals.pending & 0x7fff_ffffn,
    process.signals.blocked & 0x7fff_ffffn,
    process.signals.ignored & 0x7fff_ffffn,
    process.signals.caught & 0x7fff_ffffn,
    ...[0, 0, 0, process.exitSignal, 0, priority, policy, 0, 0, 0],
    memory.startData,
    memory.endData,
    memory.startBrk,
    memory.argStart,
    memory.argEnd,
    memory.envStart,
    memory.envEnd,
    process.exitStatus,
  ];
  return `${fields.join(" ")}\n`;
}

const STATES: Readonly<Record<string, string>> = {
  R: "R (running)",
  S: "S (sleeping)",
  T: "T (stopped)",
  t: "t (tracing stop)",
  Z: "Z (zombie)",
};

/** What calls have moved. What of that went to disks the host knows. */
const ioText = ({ counted: { readBytes, writtenBytes, reads, writes } }: ProcProcess): string =>
  `rchar: ${readBytes}\nwchar: ${writtenBytes}\nsyscr: ${reads}\nsyscw: ${writes}\n` +
  "read_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n";

function statusText(process: ProcProcess, thread: ProcThread | undefined): string {
  const { comm, state, cpus, credentials } = thread ?? process;
  const { uid, euid, suid, fsuid, gid, egid, sgid, fsgid, groups } = credentials;
  const shown = thread ?? process.threads.at(0);
  const resident = residentPages(process) * 4096;
  const size = process.areas.bytes;
  const stack = process.areas.find(process.memory.startStack);
  const { signals } = process;
  const rows: [string, string | number][] = [
    ["Name", comm.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")],
    ["Umask", process.umask.toString(8).padStart(4, "0")],
    ["State", STATES[state] ?? state],
    ["Tgid", process.pid],
    ["Ngid", 0],
    ["Pid", thread?.tid ?? process.pid],
    ["PPid", process.ppid],
    ["TracerPid", (thread ?? process).tracer],
    ["Uid", [uid, euid, suid, fsuid].join("\t")],
    ["Gid", [gid, egid, sgid, fsgid].join("\t")],
    ["FDSize", Math.max(64, ...process.descriptors.list().map(([fd]) => fd + 1))],
    ["Groups", `${groups.join(" ")} `],
    ["VmPeak", `${kib(size)} kB`],
    ["VmSize", `${kib(size)} kB`],
    ["VmLck", `${kib(process.areas.lockedBytes)} kB`],
    ["VmPin", `${kib(0)} kB`],
    ["VmHWM", `${kib(resident)} kB`],
    ["VmRSS", `${kib(resident)} kB`],
    ["VmData", `${kib(process.areas.dataBytes)} kB`],
    ["VmStk", `${kib(stack === undefined ? 0 : stack.end - stack.start)} kB`],
    ["VmExe", `${kib(process.memory.endCode - process.memory.startCode)} kB`],
    ["Threads", process.threads.length],
    ["SigQ", "0/1024"],
    ["SigPnd", mask(thread?.pending ?? process.signals.pendingOfLeader)],
    ["ShdPnd", mask(signals.pending)],
    ["SigBlk", mask((thread ?? signals).blocked)],
    ["SigIgn", mask(signals.ignored)],
    ["SigCgt", mask(signals.caught)],
    ["CapInh", mask(credentials.inheritable)],
    ["CapPrm", mask(credentials.permitted)],
    ["CapEff", mask(credentials.effective)],
    ["CapBnd", mask(credentials.bounding)],
    ["CapAmb", mask(credentials.ambient)],
    ["NoNewPrivs", shown?.noNewPrivs ? 1 : 0],
    ["Seccomp", shown?.confinement.mode ?? 0],
    ["Seccomp_filters", shown?.confinement.filters ?? 0],
    ["Cpus_allowed", cpuMask(cpus)],
    ["Cpus_allowed_list", cpuList(cpus)],
    ["Mems_allowed", 1],
    ["Mems_allowed_list", 0],
    ["voluntary_ctxt_switches", 0],
    ["nonvoluntary_ctxt_switches", 0],
  ];
  return rows.map(([name, value]) => `${name}:\t${value}\n`).join("");
}

/** Titles and units of /proc/PID/limits, in the order of RLIMIT_*. */
const LIMITS: readonly [string, string][] = [
  ["Max cpu time", "seconds"],
  ["Max file size", "bytes"],
  ["Max data size", "bytes"],
  ["Max stack size", "bytes"],
  ["Max core file size", "bytes"],
  ["Max resident set", "bytes"],
  ["Max processes", "processes"],
  ["Max open files", "files"],
  ["Max locked memory", "bytes"],
  ["Max address space", "bytes"],
  ["Max file locks", "locks"],
  ["Max pending signals", "signals"],
  ["Max msgqueue size", "bytes"],
  ["Max nice priority", ""],
  ["Max realtime priority", ""],
  ["Max realtime timeout", "us"],
];

function limitsText(process: ProcProcess): string {
  const show = (value: bigint) => (value >= 0xffff_ffff_ffff_ffffn ? "unlimited" : String(value)).padEnd(20);
  const head = `${"Limit".padEnd(25)} ${"Soft Limit".padEnd(20)} ${"Hard Limit".padEnd(20)} Units     \n`;
  const rows = LIMITS.map(([title, units], index) => {
    const limit = process.limits[index] ?? { soft: 0n, hard: 0n };
    return `${title.padEnd(25)} ${show(limit.soft)} ${show(limit.hard)} ${units.padEnd(10)}\n`;
  });
  return head + rows.join("");
}

function descriptorLinks(process: ProcProcess): SyntheticDirectory {
  return {
    type: "directory",
    names: () => process.descriptors.list().map(([fd]) => String(fd)),
    lookup: (name) => {
      const fd = Number(name);
      if (String(fd) !== name || !process.descriptors.has(fd)) return undefined;
      const file = process.descriptors.get(fd);
      // Linux: tid_fd_update_inode
      const mode = (file.canRead ? 0o500 : 0) | (file.canWrite ? 0o300 : 0);
      return { type: "link", target: () => describe(file), object: () => file, mode, size: 64n };
    },
  };
}

/** What a link of /proc/PID/fd says for a description without a path. */
function describe(file: OpenFile): string {
  const { path, deleted } = file.where();
  if (path !== "") return deleted ? `${path} (deleted)` : path;
  if (file.label !== undefined) return file.label;
  return `${file.kind.startsWith("pipe") || file.kind === "inherited" ? "pipe" : file.kind}:[${file.stat().ino}]`;
}

function descriptorInfo(process: ProcProcess): SyntheticDirectory {
  const links = descriptorLinks(process);
  return {
    type: "directory",
    names: links.names,
    lookup: (name) => {
      if (links.lookup(name) === undefined) return undefined;
      const { file, closeOnExec } = process.descriptors.entry(Number(name));
      const flags = file.flags | (closeOnExec ? 0o2000000 : 0);
      const text = () =>
        `pos:\t${file.position}\nflags:\t0${flags.toString(8)}\nmnt_id:\t1\nino:\t${process.identities.shown(file.stat()).ino}\n` +
        heldText(process, Number(name)) +
        file.details;
      return textFile(text, 0o400);
    },
  };
}

/** What processes may write: a number, in its bounds, as a decimal text. */
function numberFrom(bytes: Uint8Array, least: number, most: number): number {
  const text = new TextDecoder().decode(bytes).trim();
  if (!/^-?\d{1,10}$/.test(text)) fail("EINVAL", `${text} is no number`);
  const value = Number(text);
  if (value < least || value > most) fail("EINVAL", `${value} is out of bounds`);
  return value;
}

/** Links to namespaces, those of children to come among them. */
const namespaces = directoryOf(
  Object.fromEntries(
    [
      ...NAMESPACE_NAMES.map((name) => [name, name] as const),
      ["pid_for_children", "pid"] as const,
      ["time_for_children", "time"] as const,
    ].map(([entry, name]): [string, SyntheticLink] => {
      const file = new NamespaceFile(name);
      return [entry, { type: "link", isMagic: true, target: () => file.label, object: () => file }];
    }),
  ),
);

/** What no module of security says anything of: to read it is EINVAL, and so it is to write it (CONFIG_SECURITY without one). */
const unknown = (mode = 0o666): SyntheticFile => ({
  type: "file",
  mode,
  contents: () => fail("EINVAL"),
  ...(mode & 0o222 ? { store: () => fail("EINVAL") } : {}),
});
const ATTRIBUTES = directoryOf({
  ...Object.fromEntries(
    ["current", "exec", "fscreate", "keycreate", "sockcreate"].map((name) => [name, unknown()]),
  ),
  prev: unknown(0o444),
});

/** The only user namespace has every id where it is. */
const IDENTICAL = "         0          0 4294967295\n";

/** Files that say the same of every process. */
export const SAME_FILES: Readonly<Record<string, Synthetic>> = {
  attr: ATTRIBUTES,
  cgroup: textFile("0::/\n"),
  cpuset: textFile("/\n"),
  wchan: textFile("0"),
  loginuid: textFile("4294967295", 0o644),
  sessionid: textFile("4294967295"),
  uid_map: textFile(IDENTICAL),
  gid_map: textFile(IDENTICAL),
  projid_map: textFile(IDENTICAL, 0o644),
  timens_offsets: textFile("monotonic           0         0\nboottime            0         0\n", 0o644),
  autogroup: textFile("/autogroup-1 nice 0\n", 0o644),
  setgroups: textFile("allow\n", 0o644),
  oom_score: textFile("0\n"),
  coredump_filter: textFile("00000033\n", 0o644),
};

/** What all processes share, for there is one of each kind of name space. */
export const sharedFiles = ({ mounts, sockets }: ProcProcess): Record<string, Synthetic> => ({
  mounts: textFile(() => mountsText(mounts())),
  mountinfo: textFile(() => mountinfoText(mounts())),
  net: netTree(sockets),
});

/** /proc/PID, or /proc/PID/task/TID. */
export function processTree(process: ProcProcess, thread?: ProcThread): SyntheticDirectory {
  const { memory } = process;
  /** A link that leads nowhere once the process has ended. */
  const link = (target: () => string, object?: () => OpenFile): SyntheticLink => {
    const living = <T>(what: () => T) => (process.state === "Z" ? fail("ENOENT", "it has ended") : what());
    return {
      type: "link",
      isMagic: true,
      target: () => living(target),
      ...(object === undefined ? {} : { object: () => living(object) }),
    };
  };
  const entries: Record<string, Synthetic> = {
    exe: link(() => process.exe),
    cwd: link(
      () => describe(process.directory),
      () => process.directory,
    ),
    root: link(() => "/"),
    cmdline: bytesFile(() => strings(process, memory.argStart, memory.argEnd)),
    environ: bytesFile(() => strings(process, memory.envStart, memory.envEnd), 0o400),
    auxv: bytesFile(() => process.auxv(), 0o400),
    comm: {
      ...textFile(() => `${(thread ?? process).comm}\n`, 0o644),
      store: (bytes) => process.rename(thread?.tid ?? process.pid, bytes),
    },
    maps: textFile(() => mapsText(process)),
    smaps: textFile(() => smapsText(process)),
    smaps_rollup: textFile(() => smapsRollupText(process)),
    mem: {
      ...bytesFile(() => new Uint8Array(0), 0o600),
      open: (flags: number, path: string, again: () => MemoryAccess) => new MemoryFile(path, flags, again),
      access: process.access,
    },
    pagemap: {
      ...bytesFile(() => new Uint8Array(0), 0o400),
      open: (flags: number, path: string, again: () => MemoryAccess) =>
        (flags & O_ACCMODE) === O_RDONLY ? new MemoryFile(path, flags, again) : fail("EACCES", path),
      access: pagemapOf(process),
    },
    numa_maps: textFile(() => numaMapsText(process)),
    sched: textFile(() => schedText(process, thread), 0o644),
    schedstat: textFile(() => schedstatText(process, thread)),
    syscall: textFile(() => syscallText(process, thread), 0o400),
    stat: textFile(() => statText(process, thread)),
    statm: textFile(() => {
      const size = pages(process.areas.bytes);
      const resident = residentPages(process);
      const data = pages(process.areas.dataBytes);
      return `${size} ${resident} 0 ${pages(memory.endCode - memory.startCode)} 0 ${data} 0\n`;
    }),
    status: textFile(() => statusText(process, thread)),
    limits: textFile(() => limitsText(process)),
    ...sharedFiles(process),
    mountstats: textFile(() => mountstatsText(process.mounts()), 0o400),
    ns: namespaces,
    ...SAME_FILES,
    // The stack of the kernel is for the system's owner alone, who root of a machine is not.
    stack: { ...textFile(""), mode: 0o400, contents: () => fail("EACCES") },
    oom_score_adj: {
      ...textFile(() => `${process.oomScoreAdj}\n`, 0o644),
      store: (bytes) => process.setOomScoreAdj(numberFrom(bytes, -1000, 1000)),
    },
    timerslack_ns: textFile(() => `${process.scheduling.timerSlack}\n`, 0o666),
    personality: textFile(() => `${hex(process.personality)}\n`, 0o400),
    fd: descriptorLinks(process),
    fdinfo: descriptorInfo(process),
  };
  if (thread === undefined) {
    entries.clear_refs = {
      ...textFile(""),
      mode: 0o200,
      // Which pages have been referenced or written since is not told, nor what was most: nothing is to be cleared.
      store: (bytes) => void numberFrom(bytes, 1, 5),
    };
    entries.io = textFile(() => ioText(process), 0o400);
    entries.timers = textFile(() => timersText(process));
    entries.map_files = mappedFiles(process);
    entries.task = {
      type: "directory",
      names: () => process.threads.map(({ tid }) => String(tid)),
      lookup: (name) => {
        const found = process.threads.find(({ tid }) => String(tid) === name);
        return found === undefined ? undefined : processTree({ ...process, ...found.files }, found);
      },
    };
  } else {
    entries.children = textFile(() =>
      thread.tid === process.pid ? process.children.map((pid) => `${pid} `).join("") : "",
    );
  }
  return directoryOf(entries);
}
