/** System calls about the machine as a whole, and those that only a privileged process may make. */
import { struct } from "../abi.ts";
import { NANOSECONDS } from "../clock.ts";
import { EFAULT, EINVAL, ENOENT, ENOSYS, EPERM, SysError } from "../errno.ts";
import type { SyscallContext, SyscallHandler, SyscallRow } from "../syscall.ts";
import { AT_FDCWD } from "../vfs/constants.ts";
import { FILE_SYSTEMS } from "../vfs/proc-system.ts";
import { accessible, checkFlags, lookArg, movedBefore, pauseIfOverdue } from "./files-common.ts";

const UTS_FIELDS = ["sysname", "nodename", "release", "version", "machine"] as const;
/** __NEW_UTS_LEN + 1; __OLD_UTS_LEN + 1, without domainname. */
const UTS_LENGTH = 65;
const OLD_UTS_LENGTH = 9;

const SYSINFO_FIELDS = {
  uptime: "long",
  loads: ["ulong", 3],
  totalram: "ulong",
  freeram: "ulong",
  sharedram: "ulong",
  bufferram: "ulong",
  totalswap: "ulong",
  freeswap: "ulong",
  procs: "u16",
  pad: "u16",
  totalhigh: "ulong",
  freehigh: "ulong",
  mem_unit: "u32",
} as const;
const SYSINFO_64 = struct(SYSINFO_FIELDS);
/** The 32-bit struct is padded to 64 bytes. */
const SYSINFO_32 = struct({ ...SYSINFO_FIELDS, rest: ["bytes", 8] });

const GRND_NONBLOCK = 1;
const GRND_RANDOM = 2;
const GRND_INSECURE = 4;
/** Bytes of random numbers made at a time, and in one call. */
const RANDOM_CHUNK = 65536;
const RANDOM_MOST = 0x7fff_f000;

const MEMBARRIER_QUERY = 0;
const MEMBARRIER_REGISTER_GLOBAL_EXPEDITED = 4;
const MEMBARRIER_REGISTER_PRIVATE_EXPEDITED = 0x10;
const MEMBARRIER_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE = 0x40;
const MEMBARRIER_REGISTRATIONS =
  MEMBARRIER_REGISTER_GLOBAL_EXPEDITED |
  MEMBARRIER_REGISTER_PRIVATE_EXPEDITED |
  MEMBARRIER_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE;
/** The barriers that a process must register for, each with its registration. */
const MEMBARRIER_PRIVATE: ReadonlyMap<number, number> = new Map([
  [8, MEMBARRIER_REGISTER_PRIVATE_EXPEDITED],
  [0x20, MEMBARRIER_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE],
]);
/**
 * GLOBAL, GLOBAL_EXPEDITED, PRIVATE_EXPEDITED, PRIVATE_EXPEDITED_SYNC_CORE and their registrations: one thread runs at a time, and
 * code that was written over is never executed as it was, so all hold. The barriers of restartable sequences go with rseq(2).
 */
const MEMBARRIER_COMMANDS = 0x7f;

/** What `utsname` has made last, and of what. */
let recent: { uts: unknown; length: number; domain: boolean; is64: boolean; bytes: Uint8Array } | undefined;

/** struct utsname, which nothing changes while the machine runs. */
function knownUtsname(ctx: SyscallContext, length: number, domain: boolean): Uint8Array {
  const { uts } = ctx.kernel;
  const { is64 } = ctx.abi;
  const isSame = recent?.uts === uts && recent.is64 === is64;
  if (!isSame || recent!.length !== length || recent!.domain !== domain)
    recent = { uts, length, domain, is64, bytes: utsname(ctx, length, domain) };
  return recent!.bytes;
}

/** Strings of struct utsname, each in a field of `length` bytes, NUL included. */
function utsname(ctx: SyscallContext, length: number, domain: boolean): Uint8Array {
  const { uts } = ctx.kernel;
  // The machine's name is that of the kernel, which is a 64-bit one as soon as there is a 64-bit program.
  const machine = ctx.abi.is64 && uts.machine === "ppc" ? ctx.abi.machine : uts.machine;
  const values: string[] = UTS_FIELDS.map((field) => ({ ...uts, machine })[field]);
  if (domain) values.push("(none)");
  const bytes = new Uint8Array(values.length * length);
  values.forEach((value, i) => {
    bytes.set(new TextEncoder().encode(value).subarray(0, length - 1), i * length);
  });
  return bytes;
}

const unameOf =
  (length: number, domain: boolean): SyscallHandler =>
  (ctx) => {
    ctx.memory.write(ctx.args.address(0), knownUtsname(ctx, length, domain));
    return 0;
  };

const sysinfo: SyscallHandler = (ctx) => {
  const { kernel, abi, args } = ctx;
  let used = 0;
  let procs = 0;
  for (const { memory, threads } of kernel.processes.values()) {
    used += memory.areas.bytes;
    procs += threads.size;
  }
  const total = kernel.memorySize;
  const unit = abi.is64 ? 1 : 4096;
  const values = {
    uptime: kernel.clock.monotonic() / NANOSECONDS,
    // The largest value of a 32-bit unsigned long is one short of 4 GiB, so memory is counted in pages there.
    totalram: Math.floor(total / unit),
    freeram: Math.floor(Math.max(total - used, 0) / unit),
    procs,
    mem_unit: unit,
  };
  if (abi.is64) ctx.put(SYSINFO_64, args.address(0), values);
  else ctx.put(SYSINFO_32, args.address(0), values);
  return 0;
};

const getrandom: SyscallHandler = (ctx) => {
  const { kernel, memory, args } = ctx;
  const flags = args.uint(2);
  if (flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) throw new SysError(EINVAL);
  if ((flags & (GRND_INSECURE | GRND_RANDOM)) === (GRND_INSECURE | GRND_RANDOM)) throw new SysError(EINVAL);
  const wanted = Math.min(args.size(1), RANDOM_MOST);
  const start = args.address(0);
  if (wanted === 0) return 0;
  if (start + wanted > memory.limit) throw new SysError(EFAULT);
  const length = accessible(memory, start, wanted, true);
  for (let done = movedBefore(ctx); done < length; done += RANDOM_CHUNK) {
    pauseIfOverdue(ctx, done);
    const bytes = new Uint8Array(Math.min(RANDOM_CHUNK, length - done));
    kernel.random.fill(bytes);
    memory.write(start + done, bytes);
  }
  return length;
};

const membarrier: SyscallHandler = ({ args, process }) => {
  if (args.uint(1) !== 0) throw new SysError(EINVAL);
  const command = args.int(0);
  if (command === MEMBARRIER_QUERY) return MEMBARRIER_COMMANDS;
  const single = command > 0 && (command & (command - 1)) === 0;
  if (!single || command & ~MEMBARRIER_COMMANDS) throw new SysError(EINVAL);
  const { attributes } = process;
  const registered = attributes.membarriers ?? 0;
  if (command & MEMBARRIER_REGISTRATIONS) attributes.membarriers = registered | command;
  const needed = MEMBARRIER_PRIVATE.get(command);
  if (needed !== undefined && !(registered & needed)) throw new SysError(EPERM);
  return 0;
};

/** glibc asks for restartable sequences at start-up and does without. */
const absent: SyscallHandler = () => {
  throw new SysError(ENOSYS);
};

const notPermitted: SyscallHandler = () => {
  throw new SysError(EPERM);
};

/** As `notPermitted`, where Linux looks at the flags in argument 1 first. */
const notWithFlags =
  (known: number): SyscallHandler =>
  ({ args }) => {
    checkFlags(args.int(1), known);
    throw new SysError(EPERM);
  };
const UMOUNT_FLAGS = 0xf;

/** mount(2): Linux looks at its strings and for the folder before it says who may do that. */
const mount: SyscallHandler = (ctx) => {
  const { args } = ctx;
  for (const n of [2, 0]) if (args.address(n) !== 0) ctx.cString(args.address(n), PATH_MAX, EINVAL);
  if (args.address(4) !== 0) ctx.memory.checkLoad(args.address(4), 1);
  if (lookArg(ctx, AT_FDCWD, 1, { follow: true }) === undefined) throw new SysError(ENOENT);
  throw new SysError(EPERM);
};
const PATH_MAX = 4096;
/** umount2(2), and umount(2), which has no flags. */
const umount =
  (flags: number | undefined): SyscallHandler =>
  (ctx) => {
    if (flags !== undefined) checkFlags(ctx.args.int(1), flags);
    if (lookArg(ctx, AT_FDCWD, 0, { follow: true }) === undefined) throw new SysError(ENOENT);
    throw new SysError(EPERM);
  };
const SWAP_FLAGS = 0x7ffff;

/** What needs a privilege over the machine itself; nobody has it, root included. */
const PRIVILEGED: readonly [name: string, args: string][] = [
  ["syslog", "int ptr int"],
  ["sethostname", "str int"],
  ["setdomainname", "str int"],
  ["reboot", "hex hex hex ptr"],
  ["pivot_root", "str str"],
  ["swapoff", "str"],
  ["acct", "str"],
  ["quotactl", "uint str uint ptr"],
  ["init_module", "ptr ulong str"],
  ["finit_module", "fd str hex"],
  ["delete_module", "str hex"],
  ["kexec_load", "ulong ulong ptr hex"],
  ["vhangup", ""],
  ["bpf", "int ptr uint"],
];

/** sysfs(2): the number of a file system's kind, its name, how many there are. */
const sysfs: SyscallHandler = (ctx) => {
  const { args, memory } = ctx;
  switch (args.int(0)) {
    case 1: {
      const index = FILE_SYSTEMS.indexOf(ctx.path(1));
      if (index < 0) throw new SysError(EINVAL);
      return index;
    }
    case 2: {
      const name = FILE_SYSTEMS.at(args.uint(1));
      if (name === undefined) throw new SysError(EINVAL);
      memory.write(args.address(2), new TextEncoder().encode(`${name}\0`));
      return 0;
    }
    case 3:
      return FILE_SYSTEMS.length;
    default:
      throw new SysError(EINVAL);
  }
};

export const MISC_SYSCALLS: readonly SyscallRow[] = [
  { name: "uname", args: "ptr", brief: true, handler: unameOf(UTS_LENGTH, true) },
  { name: "olduname", args: "ptr", handler: unameOf(UTS_LENGTH, false) },
  { name: "oldolduname", args: "ptr", handler: unameOf(OLD_UTS_LENGTH, false) },
  { name: "sysinfo", args: "ptr", handler: sysinfo },
  { name: "getrandom", args: "ptr ulong hex", handler: getrandom },
  { name: "membarrier", args: "int hex int", handler: membarrier },
  { name: "sysfs", args: "int ulong ptr", handler: sysfs },
  { name: "rseq", args: "ptr uint hex hex", handler: absent },
  { name: "mount", args: "str str str hex ptr", handler: mount },
  { name: "umount", args: "str", handler: umount(undefined) },
  { name: "umount2", args: "str hex", handler: umount(UMOUNT_FLAGS) },
  { name: "swapon", args: "str hex", handler: notWithFlags(SWAP_FLAGS) },
  ...PRIVILEGED.map(([name, args]) => ({ name, args, handler: notPermitted })),
];
