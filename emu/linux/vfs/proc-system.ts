/** What /proc shows of the machine as a whole: /proc/sys and the files beside the processes (Linux: fs/proc/). */
import { hexadecimal } from "../../hexadecimal.ts";
import { MSGMAX, MSGMNB, MSGMNI } from "../ipc/message-queues.ts";
import { SHMALL, SHMMAX, SHMMNI } from "../ipc/segments.ts";
import { SEMMNI, SEMMNS, SEMMSL, SEMOPM } from "../ipc/semaphores.ts";
import { LAST_CAPABILITY } from "../credentials.ts";
import { locksText } from "./proc-locks.ts";
import { CLOCK_TICK } from "./proc-process.ts";
import { sysvipcTree } from "./proc-sysvipc.ts";
import type { ProcMachine } from "./proc-view.ts";
import { MOST_PTYS } from "./pty.ts";
import {
  directoryOf,
  lazily,
  type Synthetic,
  type SyntheticDirectory,
  textFile,
  united,
} from "./synthetic.ts";
import { fixedSettings } from "./sysctls.ts";

function uuid(machine: ProcMachine): string {
  const bytes = new Uint8Array(16);
  machine.random(bytes);
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return hexadecimal(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5\n");
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

const eachCpu = ({ cpus }: ProcMachine, text: (n: number) => string): string =>
  Array.from({ length: cpus }, (_, n) => text(n)).join("");

/** Of seccomp(2). */
const SECCOMP_ACTIONS = "kill_process kill_thread trap errno trace log allow";

function sysTree(machine: ProcMachine): SyntheticDirectory {
  const { uts } = machine;
  const long = (value: bigint): bigint => BigInt.asUintN(machine.longs, value);
  return directoryOf({
    kernel: directoryOf({
      ostype: textFile(() => `${uts.sysname}\n`),
      osrelease: textFile(() => `${uts.release}\n`),
      version: textFile(() => `${uts.version}\n`),
      hostname: textFile(() => `${uts.nodename}\n`),
      domainname: textFile("(none)\n"),
      pid_max: textFile("4194304\n"),
      "threads-max": textFile("4096\n"),
      randomize_va_space: textFile("0\n"),
      sched_child_runs_first: textFile("0\n"),
      perf_event_paranoid: textFile("4\n"),
      panic: textFile("0\n"),
      printk: textFile("4\t4\t1\t7\n"),
      yama: directoryOf({ ptrace_scope: textFile("0\n") }),
      seccomp: directoryOf({
        actions_avail: textFile(`${SECCOMP_ACTIONS}\n`),
        actions_logged: textFile("\n"),
      }),
      shmmax: textFile(`${long(SHMMAX)}\n`),
      shmall: textFile(`${long(SHMALL)}\n`),
      shmmni: textFile(`${SHMMNI}\n`),
      msgmax: textFile(`${MSGMAX}\n`),
      msgmnb: textFile(`${MSGMNB}\n`),
      msgmni: textFile(`${MSGMNI}\n`),
      sem: textFile(`${SEMMSL}\t${SEMMNS}\t${SEMOPM}\t${SEMMNI}\n`),
      ngroups_max: textFile("65536\n"),
      cap_last_cap: textFile(`${LAST_CAPABILITY}\n`),
      pty: directoryOf({
        max: textFile(`${MOST_PTYS}\n`),
        nr: textFile(() => `${machine.ptys()}\n`),
        reserve: textFile("0\n"),
      }),
      ns_last_pid: textFile(() => `${machine.lastPid}\n`),
      core_pattern: textFile("core\n"),
      core_uses_pid: textFile("0\n"),
      tainted: textFile("0\n"),
      random: directoryOf({
        uuid: textFile(() => uuid(machine)),
        boot_id: textFile("00000000-0000-4000-8000-000000000000\n"),
        entropy_avail: textFile("256\n"),
        poolsize: textFile("256\n"),
      }),
    }),
    vm: directoryOf({
      overcommit_memory: textFile("0\n"),
      overcommit_ratio: textFile("50\n"),
      swappiness: textFile("60\n"),
      nr_hugepages: textFile("0\n"),
      max_map_count: textFile("65530\n"),
      mmap_min_addr: textFile("65536\n"),
    }),
    fs: directoryOf({
      "file-max": textFile("1048576\n"),
      "file-nr": textFile(() => `${openFiles(machine)}\t0\t1048576\n`),
      "inode-nr": textFile("0\t0\n"),
      "lease-break-time": textFile("45\n"),
      protected_symlinks: textFile("0\n"),
      protected_hardlinks: textFile("0\n"),
      suid_dumpable: textFile("0\n"),
      mqueue: directoryOf({
        msg_max: textFile("10\n"),
        msgsize_max: textFile("8192\n"),
        queues_max: textFile("256\n"),
      }),
      epoll: directoryOf({ max_user_watches: textFile("1048576\n") }),
      inotify: directoryOf({
        max_queued_events: textFile("16384\n"),
        max_user_instances: textFile("128\n"),
        max_user_watches: textFile("65536\n"),
      }),
      nr_open: textFile("1048576\n"),
      "pipe-max-size": textFile("1048576\n"),
    }),
  });
}

/** Memory that there is, that is mapped, and what is left of it, in KiB. */
export function memoryFigures(machine: ProcMachine): { total: number; used: number; free: number } {
  const total = Math.floor(machine.memoryTotal / 1024);
  const used = Math.floor(
    machine.pids().reduce((sum, pid) => sum + machine.process(pid)!.areas.bytes, 0) / 1024,
  );
  return { total, used, free: Math.max(0, total - used) };
}

function meminfoText(machine: ProcMachine): string {
  const { total, used, free } = memoryFigures(machine);
  const rows: [string, number][] = [
    ["MemTotal", total],
    ["MemFree", free],
    ["MemAvailable", free],
    ["Buffers", 0],
    ["Cached", 0],
    ["SwapCached", 0],
    ["Active", used],
    ["Inactive", 0],
    ["Active(anon)", used],
    ["Inactive(anon)", 0],
    ["Active(file)", 0],
    ["Inactive(file)", 0],
    ["Unevictable", 0],
    ["Mlocked", 0],
    ["SwapTotal", 0],
    ["SwapFree", 0],
    ["Dirty", 0],
    ["Writeback", 0],
    ["AnonPages", used],
    ["Mapped", 0],
    ["Shmem", 0],
    ["KReclaimable", 0],
    ["Slab", 0],
    ["SReclaimable", 0],
    ["SUnreclaim", 0],
    ["KernelStack", 0],
    ["PageTables", 0],
    ["CommitLimit", total],
    ["Committed_AS", used],
    ["VmallocTotal", 0],
    ["VmallocUsed", 0],
    ["VmallocChunk", 0],
    ["HugePages_Total", 0],
    ["HugePages_Free", 0],
    ["Hugepagesize", 16384],
  ];
  return rows
    .map(([name, value]) => {
      const unit = name.startsWith("HugePages_") ? "" : " kB";
      return `${`${name}:`.padEnd(16)}${String(value).padStart(8)}${unit}\n`;
    })
    .join("");
}

function seconds(nanoseconds: bigint): string {
  const hundredths = nanoseconds / CLOCK_TICK;
  return `${hundredths / 100n}.${String(hundredths % 100n).padStart(2, "0")}`;
}

const threadCount = (machine: ProcMachine): number =>
  machine.pids().reduce((sum, pid) => sum + Math.max(1, machine.process(pid)!.threads.length), 0);

/** Tasks in one of these states. */
const inState = (machine: ProcMachine, state: string): number =>
  machine
    .pids()
    .flatMap((pid) => machine.process(pid)!.threads)
    .filter((thread) => thread.state === state).length;

/** /proc/stat. Interrupts and context switches are not counted. */
function statText(machine: ProcMachine): string {
  const { uptime, busy: used } = machine.times();
  const [busy, all] = [used / CLOCK_TICK, uptime / CLOCK_TICK];
  const times = `${busy} 0 0 ${all > busy ? all - busy : 0n} 0 0 0 0 0 0`;
  const boot = (machine.realtime() - machine.uptime()) / 1_000_000_000n;
  return (
    `cpu  ${times}\n${eachCpu(machine, (n) => `cpu${n} ${n === 0 ? times : "0 0 0 0 0 0 0 0 0 0"}\n`)}intr 0\nctxt 0\nbtime ${boot}\nprocesses ${machine.pids().length}\n` +
    `procs_running ${inState(machine, "R")}\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n`
  );
}

/** /proc/vmstat: counters that tools expect; pages are counted, the kernel's work is not. */
function vmstatText(machine: ProcMachine): string {
  const used = machine.pids().reduce((sum, pid) => sum + machine.process(pid)!.areas.bytes, 0);
  const free = Math.max(0, Math.floor((machine.memoryTotal - used) / 4096));
  const names = [
    "nr_dirty",
    "nr_writeback",
    "pgpgin",
    "pgpgout",
    "pswpin",
    "pswpout",
    "pgfault",
    "pgmajfault",
  ];
  return `nr_free_pages ${free}\n${names.map((name) => `${name} 0\n`).join("")}`;
}

/** /proc/tty/drivers, by which ps(1) knows terminals by their numbers. */
const TTY_DRIVERS =
  "/dev/tty             /dev/tty        5       0 system:/dev/tty\n" +
  "/dev/ptmx            /dev/ptmx       5       2 system\n" +
  `pty_slave            /dev/pts      136 0-${MOST_PTYS - 1} pty:slave\n` +
  `pty_master           /dev/ptm      128 0-${MOST_PTYS - 1} pty:master\n`;

/** File systems that the kernel knows, in the order in which sysfs(2) counts them. */
export const FILE_SYSTEMS: readonly string[] = [
  "proc",
  "sysfs",
  "tmpfs",
  "devpts",
  "pipefs",
  "sockfs",
  "ppcr",
];

const DEVICES = "Character devices:\n  1 mem\n  5 /dev/tty\n136 pts\n\nBlock devices:\n";

/** /proc/pressure: nobody ever waits for a processor, for memory or for a disk as it counts that. */
const PRESSURE = ["some", "full"].map((who) => `${who} avg10=0.00 avg60=0.00 avg300=0.00 total=0\n`).join("");

const SOFT_INTERRUPTS = "HI TIMER NET_TX NET_RX BLOCK IRQ_POLL TASKLET SCHED HRTIMER RCU".split(" ");

/** /proc/softirqs: there are none. */
const softirqsText = (machine: ProcMachine): string =>
  `                    ${eachCpu(machine, (n) => `CPU${n}`.padEnd(11))}\n` +
  SOFT_INTERRUPTS.map(
    (name) => `${`${name}:`.padStart(12)}${eachCpu(machine, () => "0".padStart(11))}\n`,
  ).join("");

/** The files of /proc beside the processes. */
export function systemFiles(machine: ProcMachine): Record<string, Synthetic> {
  const { cpu, uts } = machine;
  return {
    cpuinfo: textFile(
      () =>
        `${eachCpu(
          machine,
          (n) =>
            `processor\t: ${n}\ncpu\t\t: ${cpu.name}\nclock\t\t: ${cpu.clockMhz}.000000MHz\n` +
            `revision\t: ${cpu.revision}\n\n`,
        )}timebase\t: ${cpu.timebase}\nplatform\t: ${cpu.platform}\n${cpu.mmu}`,
    ),
    meminfo: textFile(() => meminfoText(machine)),
    uptime: textFile(() => {
      const { uptime: all, busy } = machine.times();
      return `${seconds(all)} ${seconds(all > busy ? all - busy : 0n)}\n`;
    }),
    loadavg: textFile(
      () => `0.00 0.00 0.00 ${inState(machine, "R")}/${threadCount(machine)} ${machine.lastPid}\n`,
    ),
    version: textFile(() => `${uts.sysname} version ${uts.release} ${uts.version}\n`),
    locks: textFile(() => locksText(machine)),
    stat: textFile(() => statText(machine)),
    vmstat: textFile(() => vmstatText(machine)),
    filesystems: textFile(() => FILE_SYSTEMS.map((name) => `nodev\t${name}\n`).join("")),
    devices: textFile(DEVICES),
    swaps: textFile("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"),
    partitions: textFile("major minor  #blocks  name\n\n"),
    diskstats: textFile(""),
    modules: textFile(""),
    cmdline: textFile("\n"),
    sysvipc: lazily(() => sysvipcTree(machine)),
    sys: lazily(() => united(sysTree(machine), fixedSettings())),
    interrupts: textFile(() => `           ${eachCpu(machine, (n) => `CPU${n}       `)}\n`),
    pressure: directoryOf({
      cpu: textFile(PRESSURE, 0o644),
      io: textFile(PRESSURE, 0o644),
      memory: textFile(PRESSURE, 0o644),
    }),
    cgroups: textFile("#subsys_name\thierarchy\tnum_cgroups\tenabled\n"),
    softirqs: textFile(() => softirqsText(machine)),
    schedstat: textFile(() => `version 15\ntimestamp ${machine.uptime() / CLOCK_TICK}\n`),
    buddyinfo: textFile(""),
    consoles: textFile(""),
    misc: textFile(""),
    execdomains: textFile("0-0\tLinux           \t[kernel]\n"),
    tty: directoryOf({ drivers: textFile(TTY_DRIVERS), ldiscs: textFile("n_tty       0\nn_null     27\n") }),
  };
}
