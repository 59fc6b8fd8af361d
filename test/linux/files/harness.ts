/** System calls on files, made directly against a process with a small memory. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { CpuModel } from "../../../emu/cpu/cpu.ts";
import { GuestFault } from "../../../emu/cpu/fault.ts";
import { type Host, HostError, type HostStream } from "../../../emu/host/host.ts";
import { encodeName } from "../../../emu/host/names.ts";
import { nodeHost } from "../../../emu/host/node/index.ts";
import { ABIS } from "../../../emu/linux/abi.ts";
import type { FreezeTables } from "../../../emu/linux/contracts.ts";
import { type Credentials, ordinaryUser } from "../../../emu/linux/credentials.ts";
import { errnoName, SysError } from "../../../emu/linux/errno.ts";
import type { Kernel } from "../../../emu/linux/kernel.ts";
import { Mm } from "../../../emu/linux/mm.ts";
import { Process } from "../../../emu/linux/process.ts";
import { Scheduler } from "../../../emu/linux/scheduler.ts";
import { SyscallContext } from "../../../emu/linux/syscall.ts";
import { syscallRows } from "../../../emu/linux/syscalls/syscall-table.ts";
import { Thread } from "../../../emu/linux/thread.ts";
import { FileSystem } from "../../../emu/linux/vfs/file-system.ts";
import { freezeOwnFiles } from "../../../emu/linux/vfs/freeze-files.ts";
import type { MountConfig } from "../../../emu/linux/vfs/mounts.ts";
import { attachFiles, type TaskFiles } from "../../../emu/linux/vfs/process-files.ts";
import { thawFiles } from "../../../emu/linux/vfs/thaw-files.ts";
import { BEGUN, Blocked, type WaitFor } from "../../../emu/linux/wait-queue.ts";
import { AddressSpace } from "../../../emu/memory/address-space.ts";
import type { Abi, MachineSnapshot } from "../../../emu/snapshot.ts";

const rows = new Map(syscallRows().map((row) => [row.name, row]));

/** Where strings of arguments go, and where a test may read and write. */
export const BUFFER = 0x20000;
const STRINGS = 0x10000;

export interface Guest {
  readonly process: Process;
  readonly files: TaskFiles;
  readonly system: FileSystem;
  readonly memory: AddressSpace;
  /** Result of a call, or "ENOENT" and the like, or "blocked". Strings become pointers to them. */
  call(name: string, ...args: (number | bigint | string)[]): number | string;
  /** Makes the call that was blocked last once more, as the kernel does when it is woken. */
  again(name: string, ...args: (number | bigint | string)[]): number | string;
  /** What the call that was blocked last ends with when a signal comes; undefined for EINTR. */
  interrupt(): number | undefined | void;
  /** Text of guest memory. */
  text(address: number, length: number): string;
  put(address: number, text: string): void;
}

/** A process in a machine of its own. */
export function makeGuest(options: {
  mounts: readonly MountConfig[];
  cwd: string;
  abi?: Abi;
  streams?: ReadonlyMap<number, HostStream>;
  snapshot?: MachineSnapshot;
  /** Whose program it is, to itself and to the host. */
  credentials?: Credentials;
  host?: Partial<Host>;
}): Guest {
  const abi = ABIS[options.abi ?? "ppc64"];
  const node = nodeHost({ descriptors: [], workingDirectory: true });
  // However slow this machine is, no call is overdue.
  const clock = { ...node.clock, monotonic: () => 0n };
  const host = { ...node, clock, umask: 0o22, streams: options.streams ?? new Map(), ...options.host };
  const system = new FileSystem({ host, mounts: options.mounts, cwd: options.cwd });
  if (options.snapshot !== undefined) thawFiles(system, options.snapshot);
  const processes = new Map<number, Process>();
  const kernel = {
    host,
    abi,
    cpuModel: { name: "power8", pvr: 0x4d0200 },
    cpus: 1,
    memorySize: 2 ** 32,
    // No call has worked for long.
    get began() {
      return host.clock.monotonic();
    },
    clock: { isVirtual: false, monotonic: () => 5_000_000_000n, realtime: () => 1_700_000_000_000_000_000n },
    random: { fill: (into: Uint8Array) => into.fill(7), state: [] },
    uts: { sysname: "Linux", nodename: "ppcr", release: "6.1.0", version: "#1", machine: abi.machine },
    processes,
    thread: () => undefined,
    scheduler: new Scheduler(() => 0n),
    noteWake() {},
    settleTime() {},
    endProcess() {},
  } as unknown as Kernel;
  const memory = new AddressSpace({ byteOrder: abi.littleEndian ? "little" : "big", size: 16 * 1024 * 1024 });
  memory.map({ start: STRINGS, end: BUFFER + 0x200000, prot: 3, offset: 0 });
  const process = new Process(kernel, 42, {
    credentials: options.credentials ?? { ...ordinaryUser(1, 1), groups: [] },
    limits: Array.from({ length: 16 }, () => ({ soft: 2n ** 64n - 1n, hard: 2n ** 64n - 1n })),
    mm: new Mm({
      abi,
      cpuModel: { name: "power8", pvr: 0x4d0200 } as CpuModel,
      memory,
      interpreter: undefined as never,
      layout: { auxv: [], argStart: 0, argEnd: 0, envStart: 0, envEnd: 0 } as never,
    }),
  });
  process.limits[7] = { soft: 64n, hard: 64n };
  process.exe = "/prog";
  process.comm = "prog";
  processes.set(42, process);
  const files = attachFiles(system, process);
  process.files = files;
  const thread = new Thread(process, 42);
  process.threads.add(thread);
  process.mm.loaded = thread;

  let waiting: Thread["blocked"] = null;
  let wait: WaitFor | undefined;
  /** What the kernel keeps for the call that is made again; other calls may come between here. */
  const blocked = (call: Blocked): string => {
    const { deadline = null, state = BEGUN } = call.wait;
    waiting = { phase: "woken", place: 0, deadline, state };
    wait = call.wait;
    return "blocked";
  };
  const guest: Guest = {
    process,
    files,
    system,
    memory,
    call(name, ...args) {
      let at = STRINGS;
      args.forEach((arg, n) => {
        let value = arg;
        if (typeof arg === "string") {
          const bytes = encodeName(`${arg}\0`);
          memory.write(at, bytes);
          value = at;
          at += bytes.length;
        }
        thread.registers.setGpr(3 + n, BigInt.asUintN(64, BigInt(value)));
      });
      for (let n = args.length; n < 6; n++) thread.registers.setGpr(3 + n, 0n);
      host.onRun?.(true);
      try {
        const outcome = rows.get(name)!.handler(new SyscallContext(kernel, thread, 0));
        if (outcome instanceof SysError) return errnoName(outcome.errno);
        return outcome instanceof Blocked ? blocked(outcome) : Number(outcome as number | bigint);
      } catch (error) {
        if (error instanceof SysError) return errnoName(error.errno);
        if (error instanceof HostError) return error.code;
        if (error instanceof GuestFault) return "EFAULT";
        if (error instanceof Blocked) return blocked(error);
        throw error;
      } finally {
        host.onRun?.(false);
      }
    },
    again(name, ...args) {
      thread.blocked = waiting;
      waiting = null;
      try {
        return guest.call(name, ...args);
      } finally {
        thread.blocked = null;
      }
    },
    interrupt() {
      const result = wait?.interrupted?.();
      wait?.abandoned?.();
      return result;
    },
    text: (address, length) => Buffer.from(memory.peek(address, length)).toString("latin1"),
    put: (address, text) => memory.write(address, Buffer.from(text, "latin1")),
  };
  return guest;
}

/** The tables of a snapshot in which nothing is yet. */
export const emptyTables = (): FreezeTables => ({
  sharedObject: () => 0,
  openFiles: [],
  pipes: [],
  locks: [],
  unlinkedFiles: [],
  identities: [],
  knownFiles: [],
  obstacles: [],
  includeFiles: false,
});

/** The parts of a snapshot that concern files; what is plain data is cloned, so that nothing else goes over. */
export function freezeFiles(guest: Guest): MachineSnapshot {
  const tables = emptyTables();
  const files = guest.files.freeze(tables, 42);
  const { openFiles, pipes, locks, unlinkedFiles, knownFiles, obstacles } = tables;
  const processes = [{ pid: 42, ...files, threads: [] }];
  const plain = structuredClone({ abi: "ppc64", openFiles, pipes, locks, knownFiles, obstacles, processes });
  const own = freezeOwnFiles(guest.system, tables);
  return { ...plain, unlinkedFiles, ...own, sharedObjects: [] } as unknown as MachineSnapshot;
}

/** A folder that is removed by `clean`, with `granted/` and `outside/` in it. */
export function makeFolders(): { root: string; granted: string; outside: string; clean(): void } {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "ppcr-files-")));
  const [granted, outside] = [`${root}/granted`, `${root}/outside`];
  fs.mkdirSync(granted);
  fs.mkdirSync(outside);
  fs.writeFileSync(`${outside}/secret`, "secret");
  return { root, granted, outside, clean: () => fs.rmSync(root, { recursive: true, force: true }) };
}
