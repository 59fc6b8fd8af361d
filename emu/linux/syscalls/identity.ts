/**
 * System calls about users and groups (Linux: kernel/sys.c, kernel/groups.c, kernel/capability.c). They are those of a thread;
 * what the program may do on the host is decided by the grants alone.
 */
import { struct } from "../abi.ts";
import {
  afterSetfsuid,
  afterSetuid,
  ALL_CAPABILITIES,
  CAP_SETGID,
  CAP_SETPCAP,
  CAP_SETUID,
  type Credentials,
  isCapable,
  ordinaryUser,
} from "../credentials.ts";
import { EINVAL, EPERM, INIT, noProcess, SysError } from "../errno.ts";
import { pointer, type SyscallContext, type SyscallHandler, type SyscallRow } from "../syscall.ts";
import type { Thread } from "../thread.ts";

/** Id argument that means "leave as it is". */
const KEEP = 0xffff_ffff;
const NGROUPS_MAX = 65536;

const CAP_VERSION_1 = 0x1998_0330;
const CAP_VERSION_2 = 0x2007_1026;
const CAP_VERSION_3 = 0x2008_0522;

const CAP_HEADER = struct({ version: "u32", pid: "i32" });
const CAP_DATA = struct({ effective: "u32", permitted: "u32", inheritable: "u32" });

/** The four ids of users or of groups. */
interface Ids {
  real: number;
  effective: number;
  saved: number;
  fs: number;
}

interface Family {
  get(credentials: Credentials): Ids;
  with(credentials: Credentials, ids: Ids): Credentials;
  /** What one needs who wants ids that are not its own. */
  readonly capability: bigint;
  /** What a change does to capabilities: one of all ids, and one of the file system's alone. */
  after(old: Credentials, next: Credentials): Credentials;
  afterFs(old: Credentials, next: Credentials): Credentials;
}

const USERS: Family = {
  get: ({ uid, euid, suid, fsuid }) => ({ real: uid, effective: euid, saved: suid, fs: fsuid }),
  with: (credentials, { real, effective, saved, fs }) => ({
    ...credentials,
    ...{ uid: real, euid: effective, suid: saved, fsuid: fs },
  }),
  capability: CAP_SETUID,
  after: afterSetuid,
  afterFs: afterSetfsuid,
};
const GROUPS: Family = {
  get: ({ gid, egid, sgid, fsgid }) => ({ real: gid, effective: egid, saved: sgid, fs: fsgid }),
  with: (credentials, { real, effective, saved, fs }) => ({
    ...credentials,
    ...{ gid: real, egid: effective, sgid: saved, fsgid: fs },
  }),
  capability: CAP_SETGID,
  after: (_old, next) => next,
  afterFs: (_old, next) => next,
};

/** Gives a thread ids. */
function change(thread: Thread, family: Family, ids: Ids): void {
  const { credentials } = thread;
  thread.become(family.after(credentials, family.with(credentials, ids)));
}

/** setuid(2), setgid(2). */
const setId =
  (family: Family): SyscallHandler =>
  ({ thread, args }) => {
    const { credentials } = thread;
    const id = args.uint(0);
    const ids = family.get(credentials);
    if (id === KEEP) throw new SysError(EINVAL);
    if (isCapable(credentials, family.capability))
      change(thread, family, { real: id, effective: id, saved: id, fs: id });
    else if (id === ids.real || id === ids.saved) change(thread, family, { ...ids, effective: id, fs: id });
    else throw new SysError(EPERM);
    return 0;
  };

/** setreuid(2), setregid(2). */
const setRealEffective =
  (family: Family): SyscallHandler =>
  ({ thread, args }) => {
    const { credentials } = thread;
    const [real, effective] = [args.uint(0), args.uint(1)];
    const ids = family.get(credentials);
    const privileged = isCapable(credentials, family.capability);
    if (real !== KEEP && !privileged && real !== ids.real && real !== ids.effective)
      throw new SysError(EPERM);
    const own = [ids.real, ids.effective, ids.saved];
    if (effective !== KEEP && !privileged && !own.includes(effective)) throw new SysError(EPERM);
    const next = { ...ids };
    if (real !== KEEP) next.real = real;
    if (effective !== KEEP) next.effective = effective;
    if (real !== KEEP || (effective !== KEEP && effective !== ids.real)) next.saved = next.effective;
    next.fs = next.effective;
    change(thread, family, next);
    return 0;
  };

/** setresuid(2), setresgid(2). */
const setAll =
  (family: Family): SyscallHandler =>
  ({ thread, args }) => {
    const { credentials } = thread;
    const ids = family.get(credentials);
    const own = [ids.real, ids.effective, ids.saved];
    const wanted = [args.uint(0), args.uint(1), args.uint(2)];
    const allowed = wanted.every((id) => id === KEEP || own.includes(id));
    if (!allowed && !isCapable(credentials, family.capability)) throw new SysError(EPERM);
    const [real, effective, saved] = wanted.map((id, i) => (id === KEEP ? own[i] : id));
    change(thread, family, { real, effective, saved, fs: effective });
    return 0;
  };

const getAll =
  (family: Family): SyscallHandler =>
  (ctx) => {
    const { real, effective, saved } = family.get(ctx.thread.credentials);
    [real, effective, saved].forEach((id, n) => {
      ctx.put32(ctx.args.address(n), id);
    });
    return 0;
  };

/** setfsuid(2), setfsgid(2): the old id is the result, changed or not. */
const setFs =
  (family: Family): SyscallHandler =>
  ({ thread, args }) => {
    const { credentials } = thread;
    const id = args.uint(0);
    const ids = family.get(credentials);
    const own = [ids.real, ids.effective, ids.saved, ids.fs];
    if (id !== KEEP && (own.includes(id) || isCapable(credentials, family.capability)))
      thread.become(family.afterFs(credentials, family.with(credentials, { ...ids, fs: id })));
    return ids.fs;
  };

const getgroups: SyscallHandler = (ctx) => {
  const { groups } = ctx.thread.credentials;
  const size = ctx.args.int(0);
  if (size < 0) throw new SysError(EINVAL);
  if (size === 0) return groups.length;
  if (size < groups.length) throw new SysError(EINVAL);
  const list = ctx.args.address(1);
  groups.forEach((group, i) => {
    ctx.put32(list + 4 * i, group);
  });
  return groups.length;
};

const setgroups: SyscallHandler = ({ thread, args, memory }) => {
  const { credentials } = thread;
  if (!isCapable(credentials, CAP_SETGID)) throw new SysError(EPERM);
  const size = args.uint(0);
  if (size > NGROUPS_MAX) throw new SysError(EINVAL);
  const list = size === 0 ? 0 : args.address(1);
  const groups = Array.from({ length: size }, (_, i) => memory.read32(list + 4 * i) >>> 0);
  thread.become({ ...credentials, groups: groups.sort((a, b) => a - b) });
  return 0;
};

// ---- capabilities ----------------------------------------------------------------------------------------------

/** Words of the user's data for a header's version; 0 when the version is unknown, which is told in the header. */
function capabilityWords(ctx: SyscallContext, header: number): number {
  const { version } = ctx.get(CAP_HEADER, header);
  if (version === CAP_VERSION_1) return 1;
  if (version === CAP_VERSION_2 || version === CAP_VERSION_3) return 2;
  ctx.put32(header, CAP_VERSION_3);
  return 0;
}

/** A set's part that stands in a word of the user's data. */
const wordOf = (set: bigint, word: number): number => Number(BigInt.asUintN(32, set >> BigInt(32 * word)));

const capget: SyscallHandler = (ctx) => {
  const header = ctx.args.address(0);
  const words = capabilityWords(ctx, header);
  const data = ctx.args.word(1);
  // A null pointer only asks for the version.
  if (data === 0n) return 0;
  if (words === 0) throw new SysError(EINVAL);
  const { pid } = ctx.get(CAP_HEADER, header);
  if (pid < 0) throw new SysError(EINVAL);
  const target = pid === 0 ? ctx.thread : (ctx.kernel.thread(pid) ?? ctx.kernel.processes.get(pid));
  // The first process of the system is outside, and root.
  if (target === undefined && pid !== INIT) throw noProcess(pid);
  const { effective, permitted, inheritable } = target?.credentials ?? ordinaryUser(0, 0);
  for (let word = 0; word < words; word++) {
    ctx.put(CAP_DATA, pointer(data) + word * CAP_DATA.size(ctx.abi), {
      effective: wordOf(effective, word),
      permitted: wordOf(permitted, word),
      inheritable: wordOf(inheritable, word),
    });
  }
  return 0;
};

/** capset(2): nobody gets what it does not have, and what it passes on has bounds (Linux: cap_capset). */
const capset: SyscallHandler = (ctx) => {
  const { thread, args, abi } = ctx;
  const header = args.address(0);
  const words = capabilityWords(ctx, header);
  if (words === 0) throw new SysError(EINVAL);
  const { pid } = ctx.get(CAP_HEADER, header);
  if (pid !== 0 && pid !== thread.tid) throw new SysError(EPERM);
  const wanted = { effective: 0n, permitted: 0n, inheritable: 0n };
  for (let word = 0; word < words; word++) {
    const values = ctx.get(CAP_DATA, args.address(1) + word * CAP_DATA.size(abi));
    for (const set of ["effective", "permitted", "inheritable"] as const)
      wanted[set] |= (BigInt(values[set]) << BigInt(32 * word)) & ALL_CAPABILITIES;
  }
  const { credentials } = thread;
  const { effective, permitted, inheritable } = wanted;
  const isWithin = (set: bigint, most: bigint) => (set & ~most) === 0n;
  const passable = isCapable(credentials, CAP_SETPCAP) ? ALL_CAPABILITIES : credentials.permitted;
  const isAllowed =
    isWithin(inheritable, credentials.inheritable | (credentials.bounding & passable)) &&
    isWithin(permitted, credentials.permitted) &&
    isWithin(effective, permitted);
  if (!isAllowed) throw new SysError(EPERM);
  const ambient = credentials.ambient & permitted & inheritable;
  thread.become({ ...credentials, ...wanted, ambient });
  return 0;
};

const own =
  (key: "uid" | "euid" | "gid" | "egid"): SyscallHandler =>
  ({ thread }) =>
    thread.credentials[key];

export const IDENTITY_SYSCALLS: readonly SyscallRow[] = [
  { name: "getuid", args: "", brief: true, handler: own("uid") },
  { name: "geteuid", args: "", brief: true, handler: own("euid") },
  { name: "getgid", args: "", brief: true, handler: own("gid") },
  { name: "getegid", args: "", brief: true, handler: own("egid") },
  { name: "setuid", args: "uint", handler: setId(USERS) },
  { name: "setgid", args: "uint", handler: setId(GROUPS) },
  { name: "setreuid", args: "int int", handler: setRealEffective(USERS) },
  { name: "setregid", args: "int int", handler: setRealEffective(GROUPS) },
  { name: "setresuid", args: "int int int", handler: setAll(USERS) },
  { name: "setresgid", args: "int int int", handler: setAll(GROUPS) },
  { name: "getresuid", args: "ptr ptr ptr", brief: true, handler: getAll(USERS) },
  { name: "getresgid", args: "ptr ptr ptr", brief: true, handler: getAll(GROUPS) },
  { name: "setfsuid", args: "int", handler: setFs(USERS) },
  { name: "setfsgid", args: "int", handler: setFs(GROUPS) },
  { name: "getgroups", args: "int ptr", handler: getgroups },
  { name: "setgroups", args: "int ptr", handler: setgroups },
  { name: "capget", args: "ptr ptr", handler: capget },
  { name: "capset", args: "ptr ptr", handler: capset },
];
