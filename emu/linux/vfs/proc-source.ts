/** What /proc shows, taken from the kernel's own objects. */
import { struct } from "../abi.ts";
import type { ProcessFiles } from "../contracts.ts";
import type { Process } from "../process.ts";
import { SIG_DFL, SIG_IGN, SIGRTMAX, signalBit } from "../signals/signal-numbers.ts";
import type { Descriptors } from "./descriptors.ts";
import { mountTable } from "./mount-table.ts";
import type { Namespace } from "./namespace.ts";
import type { OpenFile } from "./open-file.ts";
import type { ProcMachine, ProcProcess } from "./proc.ts";

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

function signalSets(process: Process): ProcProcess["signals"] {
  const sets = { pending: 0n, blocked: process.leader?.signals.mask ?? 0n, ignored: 0n, caught: 0n };
  for (const { signo } of process.signals.pending.entries) sets.pending |= signalBit(signo);
  for (let signo = 1; signo <= SIGRTMAX; signo++) {
    const { handler } = process.signals.action(signo);
    if (handler === SIG_IGN) sets.ignored |= signalBit(signo);
    else if (handler !== SIG_DFL) sets.caught |= signalBit(signo);
  }
  return sets;
}

function stateOf(process: Process): string {
  if (process.exitStatus !== null) return "Z";
  const states = [...process.threads].map((thread) => thread.state);
  if (states.includes("runnable")) return "R";
  return states.includes("stopped") ? "T" : "S";
}

function view(process: Process): ProcProcess {
  const { credentials, memory } = process;
  const files = process.files as ProcessFiles & {
    readonly descriptors: Descriptors;
    readonly directory: OpenFile;
    readonly system: { readonly namespace: Namespace };
  };
  return {
    pid: process.pid,
    ppid: process.ppid,
    pgid: process.pgid,
    sid: process.sid,
    comm: process.comm,
    exe: process.exe,
    directory: files.directory,
    umask: files.umask,
    personality: process.personality >>> 0,
    nice: process.attributes.nice,
    uids: [credentials.uid, credentials.euid, credentials.suid, credentials.fsuid],
    gids: [credentials.gid, credentials.egid, credentials.sgid, credentials.fsgid],
    groups: credentials.groups,
    state: stateOf(process),
    tids: [...process.threads].map((thread) => thread.tid),
    descriptors: files.descriptors,
    mounts: () => mountTable(files.system.namespace),
    areas: memory.areas,
    usage: ({ start, end }) => memory.usage(start, end),
    memory: process.layout,
    peek: (address, length) => memory.peek(address, length),
    auxv: () => auxvBytes(process),
    signals: signalSets(process),
    cpuTime: process.cpuTime,
    startTime: process.startTime,
    limits: process.limits,
  };
}

/** The machine as /proc shows it. Everything is read when it is asked for. */
export function procMachine({ kernel, cpuModel }: Process): ProcMachine {
  return {
    process: (pid) => {
      const process = kernel.processes.get(pid);
      return process === undefined ? undefined : view(process);
    },
    pids: () => [...kernel.processes.keys()],
    uptime: () => kernel.clock.monotonic(),
    get uts() {
      return kernel.uts;
    },
    get cpu() {
      const { name, pvr, platform } = cpuModel;
      const version = pvr >>> 16;
      return {
        name: name.toUpperCase(),
        clockMhz: CLOCK_MHZ,
        revision: `${(pvr >>> 8) & 0xff}.${pvr & 0xff} (pvr ${version.toString(16).padStart(4, "0")} ${(pvr & 0xffff).toString(16).padStart(4, "0")})`,
        timebase: TIMEBASE,
        platform: platform ?? "ppcr",
      };
    },
    memoryTotal: kernel.memorySize,
    random: (into) => kernel.random.fill(into),
  };
}
