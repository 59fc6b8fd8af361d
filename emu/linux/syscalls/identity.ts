/**
 * System calls about users and groups (Linux: kernel/sys.c, kernel/groups.c, kernel/capability.c). Ids change what
 * the program is told; what it may do on the host is decided by the grants alone.
 */
import { struct } from "../abi.ts";
import { EINVAL, EPERM, ESRCH, INIT, SysError } from "../errno.ts";
import { ALL_CAPABILITIES, type Credentials, capabilityMask, isPrivileged } from "../credentials.ts";
import type { Process } from "../process.ts";
import { pointer, type SyscallContext, type SyscallHandler, type SyscallRow } from "../syscall.ts";

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

type Family = {
  get(credentials: Credentials): Ids;
  set(credentials: Credentials, ids: Ids): void;
};

/** Gives a process ids. One that acts as somebody else from now on is nobody's to look into (Linux: commit_creds). */
function change({ credentials, prctl }: Process, family: Family, ids: Ids): void {
  const { effective, fs } = family.get(credentials);
  family.set(credentials, ids);
  if (ids.effective === effective && ids.fs === fs) return;
  prctl.dumpable = 0;
  prctl.pdeathsig = 0;
}

const USERS: Family = {
  get: ({ uid, euid, suid, fsuid }) => ({ real: uid, effective: euid, saved: suid, fs: fsuid }),
  set: (credentials, ids) =>
    Object.assign(credentials, { uid: ids.real, euid: ids.effective, suid: ids.saved, fsuid: ids.fs }),
};
const GROUPS: Family = {
  get: ({ gid, egid, sgid, fsgid }) => ({ real: gid, effective: egid, saved: sgid, fs: fsgid }),
  set: (credentials, ids) =>
    Object.assign(credentials, { gid: ids.real, egid: ids.effective, sgid: ids.saved, fsgid: ids.fs }),
};

/** setuid(2), setgid(2). */
const setId =
  (family: Family): SyscallHandler =>
  ({ process, args }) => {
    const { credentials } = process;
    const id = args.uint(0);
    const ids = family.get(credentials);
    if (id === KEEP) throw new SysError(EINVAL);
    if (isPrivileged(credentials)) change(process, family, { real: id, effective: id, saved: id, fs: id });
    else if (id === ids.real || id === ids.saved) change(process, family, { ...ids, effective: id, fs: id });
    else throw new SysError(EPERM);
    return 0;
  };

/** setreuid(2), setregid(2). */
const setRealEffective =
  (family: Family): SyscallHandler =>
  ({ process, args }) => {
    const { credentials } = process;
    const [real, effective] = [args.uint(0), args.uint(1)];
    const ids = family.get(credentials);
    const privileged = isPrivileged(credentials);
    if (real !== KEEP && !privileged && real !== ids.real && real !== ids.effective)
      throw new SysError(EPERM);
    const own = [ids.real, ids.effective, ids.saved];
    if (effective !== KEEP && !privileged && !own.includes(effective)) throw new SysError(EPERM);
    const next = { ...ids };
    if (real !== KEEP) next.real = real;
    if (effective !== KEEP) next.effective = effective;
    if (real !== KEEP || (effective !== KEEP && effective !== ids.real)) next.saved = next.effective;
    next.fs = next.effective;
    change(process, family, next);
    return 0;
  };

/** setresuid(2), setresgid(2). */
const setAll =
  (family: Family): SyscallHandler =>
  ({ process, args }) => {
    const { credentials } = process;
    const ids = family.get(credentials);
    const own = [ids.real, ids.effective, ids.saved];
    const wanted = [args.uint(0), args.uint(1), args.uint(2)];
    const allowed = wanted.every((id) => id === KEEP || own.includes(id));
    if (!allowed && !isPrivileged(credentials)) throw new SysError(EPERM);
    const [real, effective, saved] = wanted.map((id, i) => (id === KEEP ? own[i] : id));
    change(process, family, { real, effective, saved, fs: effective });
    return 0;
  };

const getAll =
  (family: Family): SyscallHandler =>
  (ctx) => {
    const { real, effective, saved } = family.get(ctx.process.credentials);
    [real, effective, saved].forEach((id, n) => {
      ctx.put32(ctx.args.address(n), id);
    });
    return 0;
  };

/** setfsuid(2), setfsgid(2): the old id is the result, changed or not. */
const setFs =
  (family: Family): SyscallHandler =>
  ({ process, args }) => {
    const { credentials } = process;
    const id = args.uint(0);
    const ids = family.get(credentials);
    const own = [ids.real, ids.effective, ids.saved, ids.fs];
    if (id !== KEEP && (own.includes(id) || isPrivileged(credentials)))
      change(process, family, { ...ids, fs: id });
    return ids.fs;
  };

const getgroups: SyscallHandler = (ctx) => {
  const { groups } = ctx.process.credentials;
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

const setgroups: SyscallHandler = ({ process: { credentials }, args, memory }) => {
  if (!isPrivileged(credentials)) throw new SysError(EPERM);
  const size = args.uint(0);
  if (size > NGROUPS_MAX) throw new SysError(EINVAL);
  const list = size === 0 ? 0 : args.address(1);
  credentials.groups = Array.from({ length: size }, (_, i) => memory.read32(list + 4 * i) >>> 0).sort(
    (a, b) => a - b,
  );
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

const capget: SyscallHandler = (ctx) => {
  const header = ctx.args.address(0);
  const words = capabilityWords(ctx, header);
  const data = ctx.args.word(1);
  // A null pointer only asks for the version.
  if (words === 0 && data === 0n) return 0;
  if (words === 0) throw new SysError(EINVAL);
  const { pid } = ctx.get(CAP_HEADER, header);
  if (pid < 0) throw new SysError(EINVAL);
  const target = pid === 0 ? ctx.process : (ctx.kernel.thread(pid)?.process ?? ctx.kernel.processes.get(pid));
  if (target === undefined && pid !== INIT) throw new SysError(ESRCH);
  if (data === 0n) return 0;
  const mask = target === undefined ? ALL_CAPABILITIES : capabilityMask(target.credentials);
  for (let word = 0; word < words; word++) {
    const bits = Number(BigInt.asUintN(32, mask >> BigInt(32 * word)));
    const at = pointer(data) + word * CAP_DATA.size(ctx.abi);
    ctx.put(CAP_DATA, at, { effective: bits, permitted: bits, inheritable: 0 });
  }
  return 0;
};

const capset: SyscallHandler = (ctx) => {
  const header = ctx.args.address(0);
  const words = capabilityWords(ctx, header);
  if (words === 0) throw new SysError(EINVAL);
  const { pid } = ctx.get(CAP_HEADER, header);
  if (pid !== 0 && pid !== ctx.thread.tid) throw new SysError(EPERM);
  const mask = capabilityMask(ctx.process.credentials);
  for (let word = 0; word < words; word++) {
    const wanted = ctx.get(CAP_DATA, ctx.args.address(1) + word * CAP_DATA.size(ctx.abi));
    const bits = Number(BigInt.asUintN(32, mask >> BigInt(32 * word)));
    // Nobody gets what it does not have.
    if ((wanted.effective & ~wanted.permitted) !== 0 || (wanted.permitted & ~bits) !== 0)
      throw new SysError(EPERM);
    if ((wanted.inheritable & ~bits) !== 0) throw new SysError(EPERM);
  }
  return 0;
};

const own =
  (key: "uid" | "euid" | "gid" | "egid"): SyscallHandler =>
  ({ process }) =>
    process.credentials[key];

export const IDENTITY_SYSCALLS: readonly SyscallRow[] = [
  { name: "getuid", args: "", handler: own("uid") },
  { name: "geteuid", args: "", handler: own("euid") },
  { name: "getgid", args: "", handler: own("gid") },
  { name: "getegid", args: "", handler: own("egid") },
  { name: "setuid", args: "uint", handler: setId(USERS) },
  { name: "setgid", args: "uint", handler: setId(GROUPS) },
  { name: "setreuid", args: "int int", handler: setRealEffective(USERS) },
  { name: "setregid", args: "int int", handler: setRealEffective(GROUPS) },
  { name: "setresuid", args: "int int int", handler: setAll(USERS) },
  { name: "setresgid", args: "int int int", handler: setAll(GROUPS) },
  { name: "getresuid", args: "ptr ptr ptr", handler: getAll(USERS) },
  { name: "getresgid", args: "ptr ptr ptr", handler: getAll(GROUPS) },
  { name: "setfsuid", args: "int", handler: setFs(USERS) },
  { name: "setfsgid", args: "int", handler: setFs(GROUPS) },
  { name: "getgroups", args: "int ptr", handler: getgroups },
  { name: "setgroups", args: "int ptr", handler: setgroups },
  { name: "capget", args: "ptr ptr", handler: capget },
  { name: "capset", args: "ptr ptr", handler: capset },
];
