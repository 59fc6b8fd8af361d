/** What /proc shows, taken from the kernel's own objects. */
import { GuestFault } from "../../cpu/fault.ts";
import { isRadix } from "../../cpu/models.ts";
import { decodeName } from "../../host/names.ts";
import { PAGE_SIZE } from "../../memory/layout.ts";
import { struct } from "../abi.ts";
import { allCpus } from "../cpu-sets.ts";
import { type Process, shortName } from "../process.ts";
import { filtersOf, modeOf } from "../call-filters.ts";
import { Socket } from "../net/socket.ts";
import { StreamSocket } from "../net/stream-socket.ts";
import { SIG_DFL, SIG_IGN, SIGRTMAX, signalBit } from "../signals/signal-numbers.ts";
import type { Thread } from "../thread.ts";
import type { Descriptors } from "./descriptors.ts";
import type { Identities } from "./identities.ts";
import type { LockTable } from "./locks.ts";
import { mountTable } from "./mount-table.ts";
import type { Namespace } from "./namespace.ts";
import type { OpenFile } from "./open-file.ts";
import type { Owners } from "./owners.ts";
import type { ProcMachine, ProcProcess } from "./proc-view.ts";
import type { Ptys } from "./pty.ts";
import type { MemoryAccess } from "./synthetic.ts";

const AUXV_ENTRY = struct({ a_type: "ulong", a_un: "ulong" });
const CLOCK_MHZ = 1000;
const TIMEBASE = 512_000_000;

function auxvBytes(process: Process): Uint8Array {
  const { abi } = process;
  const entries = process.layout.auxv.map(({ type, value }) =>
    AUXV_ENTRY.encode(abi, { a_type: type, a_un: value }),
  );
  const size = AUXV_ENTRY.size(abi);
  const bytes = new Uint8Array(entries.length * size);
  for (const [index, entry] of entries.entries()) bytes.set(entry, index * size);
  return bytes;
}

/** Which signals are among those that are pending. */
function signalSet({ entries }: Process["signals"]["pending"]): bigint {
  let set = 0n;
  for (const { signo } of entries) set |= signalBit(signo);
  return set;
}

function signalSets(process: Process): ProcProcess["signals"] {
  const { leader } = process;
  const sets = {
    pending: signalSet(process.signals.pending),
    pendingOfLeader: leader === undefined ? 0n : signalSet(leader.signals.pending),
    blocked: leader?.signals.mask ?? 0n,
    ignored: 0n,
    caught: 0n,
  };
  for (let signo = 1; signo <= SIGRTMAX; signo++) {
    const { handler } = process.signals.action(signo);
    if (handler === SIG_IGN) sets.ignored |= signalBit(signo);
    else if (handler !== SIG_DFL) sets.caught |= signalBit(signo);
  }
  return sets;
}

function terminalOf(sid: number, ptys: Ptys): ProcProcess["terminal"] {
  const pty = ptys.controlling(sid);
  return { device: Number(pty?.stat().rdev ?? 0n), foreground: pty?.foreground ?? -1 };
}

const STATE_LETTERS: Readonly<Record<Thread["state"], string>> = {
  runnable: "R",
  waiting: "S",
  stopped: "T",
  gone: "Z",
};

const letterOf = ({ state, trace }: Thread): string =>
  state === "stopped" && trace?.stop ? "t" : STATE_LETTERS[state];

/** That of its first thread, which may have ended before the others. */
function stateOf({ pid, leader }: Process): string {
  return leader?.tid === pid ? letterOf(leader) : STATE_LETTERS.gone;
}

/** A page at a time, as far as what is there may be read. It is written as by a debugger, whatever the program itself may do. */
function accessTo({ memory }: Process): MemoryAccess {
  const pieces = function* (address: number, length: number) {
    for (let at = address; at < address + length; ) {
      const next = Math.min(at - (at % PAGE_SIZE) + PAGE_SIZE, address + length);
      yield [at, next] as const;
      at = next;
    }
  };
  const upTo = (address: number, length: number, use: (at: number, next: number) => void): number => {
    let done = address;
    try {
      for (const [at, next] of pieces(address, length)) {
        if (memory.areas.find(at) === undefined) break;
        use(at, next);
        done = next;
      }
    } catch (error) {
      if (!(error instanceof GuestFault)) throw error;
    }
    return done - address;
  };
  return {
    read(address, length) {
      const bytes = new Uint8Array(length);
      const count = upTo(address, length, (at, next) =>
        bytes.set(memory.readForced(at, next - at), at - address),
      );
      return bytes.subarray(0, count);
    },
    write: (address, bytes) =>
      upTo(address, bytes.length, (at, next) =>
        memory.force(at, bytes.subarray(at - address, next - address)),
      ),
  };
}

type FilesOf = (task: Process | Thread) => ShownFiles;

/** The files of a process or thread, as far as they are shown. */
interface ShownFiles {
  readonly descriptors: Descriptors;
  readonly directory: OpenFile;
  readonly umask: number;
  readonly system: {
    readonly namespace: Namespace;
    readonly ptys: Ptys;
    readonly locks: LockTable;
    readonly identities: Identities;
    readonly owners: Owners;
  };
}

/** The sockets that somebody has open, and those that wait to be accepted by one of them. */
export function socketsOf(
  { processes }: Pick<Process["kernel"], "processes">,
  filesOf: FilesOf,
): readonly Socket[] {
  const tasks = [...processes.values()].flatMap((process) => [process, ...process.threads]);
  const tables = new Set(tasks.map((task) => filesOf(task).descriptors));
  const found = new Set<Socket>();
  for (const table of tables)
    for (const [, { file }] of table.list()) {
      if (!(file instanceof Socket)) continue;
      found.add(file);
      if (file instanceof StreamSocket) for (const each of file.waiting) found.add(each);
    }
  return [...found];
}

const shown = ({ descriptors, directory, umask }: ShownFiles) => ({ descriptors, directory, umask });

/** The call that a thread makes or waits in: it stands at its `sc`, behind which Linux has it. */
function callOf(thread: Thread): ReturnType<ProcProcess["threads"][number]["call"]> {
  const { state, blocked, registers, process } = thread;
  const waits = state === "waiting" && blocked !== null;
  if (!waits && process.kernel.caller !== thread) return undefined;
  const word = (n: number) => BigInt.asUintN(process.abi.is64 ? 64 : 32, registers.gpr(n));
  return {
    number: Number(BigInt.asIntN(32, word(0))),
    words: [3, 4, 5, 6, 7, 8].map(word),
    stack: word(1),
    next: BigInt(registers.nia) + 4n,
  };
}

function view(process: Process, filesOf: FilesOf): ProcProcess {
  const files = filesOf(process);
  const { memory, kernel } = process;
  kernel.settleTime();
  return {
    pid: process.pid,
    ppid: process.ppid,
    pgid: process.pgid,
    sid: process.sid,
    terminal: terminalOf(process.sid, files.system.ptys),
    comm: process.comm,
    exe: process.exe,
    ...shown(files),
    personality: process.personality >>> 0,
    scheduling: process.scheduling,
    credentials: process.credentials,
    state: stateOf(process),
    tracer: process.leader?.trace?.tracer.pid ?? 0,
    exitStatus: process.exitStatus ?? 0,
    exitSignal: process.exitSignal,
    threads: [...process.threads].map((thread) => ({
      tid: thread.tid,
      comm: thread.comm,
      state: letterOf(thread),
      tracer: thread.trace?.tracer.pid ?? 0,
      cpuTime: thread.cpuTime,
      credentials: thread.credentials,
      noNewPrivs: thread.noNewPrivs,
      confinement: { mode: modeOf(thread.confinement), filters: [...filtersOf(thread.confinement)].length },
      pending: signalSet(thread.signals.pending),
      blocked: thread.signals.mask,
      cpus: thread.cpus,
      scheduling: thread.scheduling,
      startTime: thread.startTime,
      call: () => callOf(thread),
      files: shown(filesOf(thread)),
    })),
    children: [...process.children].map(({ pid }) => pid),
    oomScoreAdj: process.attributes.oomScoreAdj ?? 0,
    setOomScoreAdj: (value) => {
      process.attributes.oomScoreAdj = value;
    },
    rename: (tid, name) => {
      const thread = [...process.threads].find((each) => each.tid === tid);
      const end = name.findIndex((byte) => byte === 0 || byte === 10);
      if (thread !== undefined) thread.comm = shortName(decodeName(end < 0 ? name : name.subarray(0, end)));
    },
    access: accessTo(process),
    locks: files.system.locks,
    identities: files.system.identities,
    sockets: {
      list: () => socketsOf(kernel, filesOf),
      ownerOf: (socket) => files.system.owners.of(socket.stat()).uid,
      littleEndian: process.abi.littleEndian,
    },
    mounts: () => mountTable(files.system.namespace),
    timers: () => process.timers.freeze().posixTimers,
    limit: memory.limit,
    littleEndian: process.abi.littleEndian,
    now: kernel.clock.monotonic(),
    areas: memory.areas,
    segment: (object) => kernel.ipc.segments.behind(object)?.perm,
    usage: ({ start, end }) => memory.usage(start, end),
    memory: process.layout,
    peek: (address, length) => memory.peek(address, length),
    auxv: () => auxvBytes(process),
    signals: signalSets(process),
    cpus: process.leader?.cpus ?? allCpus(kernel.cpus),
    cpuTime: process.cpuTime,
    childCpuTime: process.childCpuTime,
    counted: process.usage,
    startTime: process.startTime,
    limits: process.limits,
  };
}

/** PPC_FEATURE_64 of AT_HWCAP. */
const PPC_64 = 0x4000_0000;

/** The machine as /proc shows it to a process. Everything is read when it is asked for. */
export function procMachine(process: Process, filesOf: FilesOf): ProcMachine {
  const { kernel } = process;
  return {
    process: (pid) => {
      const found = kernel.processes.get(pid);
      return found === undefined ? undefined : view(found, filesOf);
    },
    pids: () => [...kernel.processes.keys()],
    times: () => {
      const uptime = kernel.settleTime();
      let busy = 0n;
      for (const { cpuTime, childCpuTime } of kernel.processes.values()) busy += cpuTime + childCpuTime;
      return { uptime, busy };
    },
    uptime: () => kernel.clock.monotonic(),
    realtime: () => kernel.clock.realtime(),
    ipc: kernel.ipc,
    get lastPid() {
      return Math.max(...kernel.processes.keys());
    },
    get uts() {
      return kernel.uts;
    },
    get longs() {
      return process.abi.is64 ? 64 : 32;
    },
    get cpu() {
      const { name, pvr, platform, hwcap } = process.cpuModel;
      const version = pvr >>> 16;
      return {
        name: name.toUpperCase(),
        clockMhz: CLOCK_MHZ,
        revision: `${(pvr >>> 8) & 0xff}.${pvr & 0xff} (pvr ${version.toString(16).padStart(4, "0")} ${(pvr & 0xffff).toString(16).padStart(4, "0")})`,
        timebase: TIMEBASE,
        platform: platform ?? "ppcr",
        // 32-bit kernels say nothing of it.
        mmu: (hwcap & PPC_64) === 0 ? "" : `MMU\t\t: ${isRadix(process.cpuModel) ? "Radix" : "Hash"}\n`,
      };
    },
    memoryTotal: kernel.memorySize,
    cpus: kernel.cpus,
    random: (into) => kernel.random.fill(into),
    ptys: () => filesOf(process).system.ptys.count,
  };
}
