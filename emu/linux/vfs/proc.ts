/** The guest's /proc: what programs commonly read there, made from the machine's own state. */
import type { Areas } from "../../memory/area-map.ts";
import type { Vma } from "../../memory/vma.ts";
import type { Descriptors } from "./descriptors.ts";
import { type MountEntry, mountinfoText, mountsText } from "./mount-table.ts";
import type { OpenFile } from "./open-file.ts";
import { mapsText, smapsText } from "./proc-maps.ts";
import {
  directoryOf,
  linkTo,
  type Synthetic,
  type SyntheticDirectory,
  type SyntheticFile,
  textFile,
} from "./synthetic.ts";

/** What /proc shows of one process; the kernel gives it. */
export interface ProcProcess {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  readonly comm: string;
  /** Guest path of the program. */
  readonly exe: string;
  /** The working directory. */
  readonly directory: OpenFile;
  readonly umask: number;
  /** personality(2). */
  readonly personality: number;
  readonly nice: number;
  readonly uids: readonly [number, number, number, number];
  readonly gids: readonly [number, number, number, number];
  readonly groups: readonly number[];
  /** R, S, T, Z. */
  readonly state: string;
  readonly tids: readonly number[];
  readonly descriptors: Descriptors;
  mounts(): readonly MountEntry[];
  readonly areas: Areas;
  /** How many pages of an area are present, and how many of them have been written. */
  usage(area: Vma): { present: number; written: number };
  readonly memory: {
    startCode: number;
    endCode: number;
    startStack: number;
    startBrk: number;
    brk: number;
    startData: number;
    endData: number;
    argStart: number;
    argEnd: number;
    envStart: number;
    envEnd: number;
  };
  /** Bytes of guest memory that are there now; those that aren't read as zeros. */
  peek(address: number, length: number): Uint8Array;
  /** The auxiliary vector as it lies in memory. */
  auxv(): Uint8Array;
  /** Signal sets: bit n - 1 is signal n. */
  readonly signals: { pending: bigint; blocked: bigint; ignored: bigint; caught: bigint };
  /** CPU time in nanoseconds, and CLOCK_MONOTONIC when it began. */
  readonly cpuTime: bigint;
  readonly startTime: bigint;
  readonly limits: readonly { soft: bigint; hard: bigint }[];
}

/** What /proc shows of the machine. */
export interface ProcMachine {
  process(pid: number): ProcProcess | undefined;
  pids(): number[];
  /** Nanoseconds since start-up. */
  uptime(): bigint;
  readonly uts: { sysname: string; nodename: string; release: string; version: string };
  readonly cpu: { name: string; clockMhz: number; revision: string; timebase: number; platform: string };
  readonly memoryTotal: number;
  readonly cpus: number;
  random(into: Uint8Array): void;
}

const CLOCK_TICK = 10_000_000n;
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

/** /proc/PID/stat: 52 numbers, of which those that mean nothing here are 0. */
function statText(process: ProcProcess): string {
  const ticks = process.cpuTime / CLOCK_TICK;
  const size = process.areas.bytes;
  const { memory } = process;
  const fields = [
    process.pid,
    `(${process.comm})`,
    process.state,
    process.ppid,
    process.pgid,
    process.sid,
    ...[0, -1, 0x400000, 0, 0, 0, 0],
    ticks,
    ...[0, 0, 0, 20 + process.nice, process.nice],
    process.tids.length,
    0,
    process.startTime / CLOCK_TICK,
    size,
    pages(size),
    "18446744073709551615",
    memory.startCode,
    memory.endCode,
    memory.startStack,
    ...[0, 0],
    process.signals.pending & 0x7fff_ffffn,
    process.signals.blocked & 0x7fff_ffffn,
    process.signals.ignored & 0x7fff_ffffn,
    process.signals.caught & 0x7fff_ffffn,
    ...[0, 0, 0, 17, 0, 0, 0, 0, 0, 0],
    memory.startData,
    memory.endData,
    memory.startBrk,
    memory.argStart,
    memory.argEnd,
    memory.envStart,
    memory.envEnd,
    0,
  ];
  return `${fields.join(" ")}\n`;
}

const STATES: Readonly<Record<string, string>> = {
  R: "R (running)",
  S: "S (sleeping)",
  T: "T (stopped)",
  Z: "Z (zombie)",
};

function statusText(process: ProcProcess): string {
  const size = process.areas.bytes;
  const stack = process.areas.find(process.memory.startStack);
  const { signals } = process;
  const rows: [string, string | number][] = [
    ["Name", process.comm],
    ["Umask", process.umask.toString(8).padStart(4, "0")],
    ["State", STATES[process.state] ?? process.state],
    ["Tgid", process.pid],
    ["Ngid", 0],
    ["Pid", process.pid],
    ["PPid", process.ppid],
    ["TracerPid", 0],
    ["Uid", process.uids.join("\t")],
    ["Gid", process.gids.join("\t")],
    ["FDSize", Math.max(64, ...process.descriptors.list().map(([fd]) => fd + 1))],
    ["Groups", `${process.groups.join(" ")} `],
    ["VmPeak", `${kib(size)} kB`],
    ["VmSize", `${kib(size)} kB`],
    ["VmLck", `${kib(0)} kB`],
    ["VmHWM", `${kib(size)} kB`],
    ["VmRSS", `${kib(size)} kB`],
    ["VmData", `${kib(process.areas.dataBytes)} kB`],
    ["VmStk", `${kib(stack === undefined ? 0 : stack.end - stack.start)} kB`],
    ["VmExe", `${kib(process.memory.endCode - process.memory.startCode)} kB`],
    ["Threads", process.tids.length],
    ["SigQ", "0/1024"],
    ["SigPnd", mask(0n)],
    ["ShdPnd", mask(signals.pending)],
    ["SigBlk", mask(signals.blocked)],
    ["SigIgn", mask(signals.ignored)],
    ["SigCgt", mask(signals.caught)],
    ["CapInh", mask(0n)],
    ["CapPrm", mask(0n)],
    ["CapEff", mask(0n)],
    ["Seccomp", 0],
    ["Cpus_allowed", 1],
    ["Cpus_allowed_list", 0],
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
      return { type: "link", target: () => describe(file), object: () => file };
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
      return textFile(() => `pos:\t${file.position}\nflags:\t0${flags.toString(8)}\nmnt_id:\t1\n`, 0o400);
    },
  };
}

function processTree(machine: ProcMachine, process: ProcProcess, isThread = false): SyntheticDirectory {
  const { memory } = process;
  const entries: Record<string, Synthetic> = {
    exe: { ...linkTo(process.exe), isMagic: true },
    cwd: {
      type: "link",
      isMagic: true,
      target: () => describe(process.directory),
      object: () => process.directory,
    },
    root: { ...linkTo("/"), isMagic: true },
    cmdline: bytesFile(() => strings(process, memory.argStart, memory.argEnd)),
    environ: bytesFile(() => strings(process, memory.envStart, memory.envEnd), 0o400),
    auxv: bytesFile(() => process.auxv(), 0o400),
    comm: textFile(() => `${process.comm}\n`, 0o644),
    maps: textFile(() => mapsText(process)),
    smaps: textFile(() => smapsText(process)),
    stat: textFile(() => statText(process)),
    statm: textFile(() => {
      const size = pages(process.areas.bytes);
      return `${size} ${size} 0 ${pages(memory.endCode - memory.startCode)} 0 ${size} 0\n`;
    }),
    status: textFile(() => statusText(process)),
    limits: textFile(() => limitsText(process)),
    mounts: textFile(() => mountsText(process.mounts())),
    mountinfo: textFile(() => mountinfoText(process.mounts())),
    cgroup: textFile(() => "0::/\n"),
    oom_score: textFile(() => "0\n"),
    coredump_filter: textFile(() => "00000033\n", 0o644),
    personality: textFile(() => `${hex(process.personality)}\n`, 0o400),
    oom_score_adj: textFile(() => "0\n", 0o644),
    fd: descriptorLinks(process),
    fdinfo: descriptorInfo(process),
  };
  if (!isThread) {
    entries.task = {
      type: "directory",
      names: () => process.tids.map(String),
      lookup: (name) =>
        process.tids.some((tid) => String(tid) === name) ? processTree(machine, process, true) : undefined,
    };
  }
  return directoryOf(entries);
}

function uuid(machine: ProcMachine): string {
  const bytes = new Uint8Array(16);
  machine.random(bytes);
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const text = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return text.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5\n");
}

/** Descriptions that are open in the machine. */
const openFiles = (machine: ProcMachine): number =>
  new Set(
    machine.pids().flatMap((pid) =>
      machine
        .process(pid)!
        .descriptors.list()
        .map(([, { file }]) => file),
    ),
  ).size;

function sysTree(machine: ProcMachine): SyntheticDirectory {
  const { uts } = machine;
  return directoryOf({
    kernel: directoryOf({
      ostype: textFile(() => `${uts.sysname}\n`),
      osrelease: textFile(() => `${uts.release}\n`),
      version: textFile(() => `${uts.version}\n`),
      hostname: textFile(() => `${uts.nodename}\n`),
      domainname: textFile(() => "(none)\n"),
      pid_max: textFile(() => "32768\n"),
      "threads-max": textFile(() => "4096\n"),
      randomize_va_space: textFile(() => "0\n"),
      ngroups_max: textFile(() => "65536\n"),
      cap_last_cap: textFile(() => "40\n"),
      core_pattern: textFile(() => "core\n"),
      core_uses_pid: textFile(() => "0\n"),
      tainted: textFile(() => "0\n"),
      random: directoryOf({
        uuid: textFile(() => uuid(machine)),
        boot_id: textFile(() => "00000000-0000-4000-8000-000000000000\n"),
        entropy_avail: textFile(() => "256\n"),
        poolsize: textFile(() => "256\n"),
      }),
    }),
    vm: directoryOf({
      overcommit_memory: textFile(() => "0\n"),
      max_map_count: textFile(() => "65530\n"),
      mmap_min_addr: textFile(() => "65536\n"),
    }),
    fs: directoryOf({
      "file-max": textFile(() => "1048576\n"),
      "file-nr": textFile(() => `${openFiles(machine)}\t0\t1048576\n`),
      nr_open: textFile(() => "1048576\n"),
      "pipe-max-size": textFile(() => "1048576\n"),
    }),
  });
}

function meminfoText(machine: ProcMachine): string {
  const total = Math.floor(machine.memoryTotal / 1024);
  const used = Math.floor(
    machine.pids().reduce((sum, pid) => sum + machine.process(pid)!.areas.bytes, 0) / 1024,
  );
  const rows: [string, number][] = [
    ["MemTotal", total],
    ["MemFree", Math.max(0, total - used)],
    ["MemAvailable", Math.max(0, total - used)],
    ["Buffers", 0],
    ["Cached", 0],
    ["SwapCached", 0],
    ["SwapTotal", 0],
    ["SwapFree", 0],
  ];
  return rows.map(([name, value]) => `${`${name}:`.padEnd(16)}${String(value).padStart(8)} kB\n`).join("");
}

function seconds(nanoseconds: bigint): string {
  const hundredths = nanoseconds / CLOCK_TICK;
  return `${hundredths / 100n}.${String(hundredths % 100n).padStart(2, "0")}`;
}

const eachCpu = ({ cpus }: ProcMachine, text: (n: number) => string): string =>
  Array.from({ length: cpus }, (_, n) => text(n)).join("");

/** The tree at /proc as process `self` sees it. */
export function makeProc(machine: ProcMachine, self: { pid: number; tid: number }): SyntheticDirectory {
  const { cpu, uts } = machine;
  const fixed: Record<string, Synthetic> = {
    self: linkTo(String(self.pid)),
    "thread-self": linkTo(`${self.pid}/task/${self.tid}`),
    mounts: linkTo("self/mounts"),
    cpuinfo: textFile(
      () =>
        eachCpu(
          machine,
          (n) =>
            `processor\t: ${n}\ncpu\t\t: ${cpu.name}\nclock\t\t: ${cpu.clockMhz}.000000MHz\n` +
            `revision\t: ${cpu.revision}\n\n`,
        ) + `timebase\t: ${cpu.timebase}\nplatform\t: ${cpu.platform}\n`,
    ),
    meminfo: textFile(() => meminfoText(machine)),
    uptime: textFile(() => `${seconds(machine.uptime())} 0.00\n`),
    loadavg: textFile(() => `0.00 0.00 0.00 1/${machine.pids().length} ${Math.max(...machine.pids())}\n`),
    version: textFile(() => `${uts.sysname} version ${uts.release} ${uts.version}\n`),
    stat: textFile(
      () =>
        `cpu  0 0 0 0 0 0 0 0 0 0\n${eachCpu(machine, (n) => `cpu${n} 0 0 0 0 0 0 0 0 0 0\n`)}processes ${machine.pids().length}\n`,
    ),
    filesystems: textFile(() => "nodev\tproc\nnodev\ttmpfs\nnodev\tppcr\n"),
    cmdline: textFile(() => "\n"),
    sys: sysTree(machine),
  };
  return {
    type: "directory",
    names: () => [...Object.keys(fixed), ...machine.pids().map(String)],
    lookup: (name) => {
      if (Object.hasOwn(fixed, name)) return fixed[name];
      const pid = Number(name);
      const process = String(pid) === name ? machine.process(pid) : undefined;
      return process === undefined ? undefined : processTree(machine, process);
    },
  };
}
