/** Who a thread is to the system, and what it may do (Linux: struct cred, security/commoncap.c). */
import type { CapabilitySnapshot, CredentialsSnapshot } from "../snapshot.ts";

type Ids = Omit<CredentialsSnapshot, "capabilities" | "groups"> & { readonly groups: readonly number[] };

/** Nobody changes them: threads share them, and get others. */
export type Credentials = Readonly<Ids> & Readonly<CapabilitySnapshot>;

/** CAP_LAST_CAP of Linux 6.1: CAP_CHECKPOINT_RESTORE. */
export const LAST_CAPABILITY = 40;

/** The set of one capability. */
export const capability = (number: number): bigint => 1n << BigInt(number);

export const CAP_CHOWN = capability(0);
export const CAP_DAC_OVERRIDE = capability(1);
export const CAP_DAC_READ_SEARCH = capability(2);
export const CAP_FOWNER = capability(3);
export const CAP_FSETID = capability(4);
export const CAP_KILL = capability(5);
export const CAP_SETGID = capability(6);
export const CAP_SETUID = capability(7);
export const CAP_SETPCAP = capability(8);
const CAP_LINUX_IMMUTABLE = capability(9);
export const CAP_NET_BIND_SERVICE = capability(10);
export const CAP_NET_ADMIN = capability(12);
export const CAP_NET_RAW = capability(13);
export const CAP_IPC_LOCK = capability(14);
export const CAP_IPC_OWNER = capability(15);
export const CAP_SYS_PTRACE = capability(19);
export const CAP_SYS_ADMIN = capability(21);
export const CAP_SYS_NICE = capability(23);
export const CAP_SYS_RESOURCE = capability(24);
export const CAP_MKNOD = capability(27);
export const CAP_LEASE = capability(28);
const CAP_MAC_OVERRIDE = capability(32);
export const CAP_CHECKPOINT_RESTORE = capability(40);

/** Every capability there is. */
export const ALL_CAPABILITIES = capability(LAST_CAPABILITY + 1) - 1n;

/** Those that go with the file system's user id (Linux: CAP_FS_SET). */
const FILE_CAPABILITIES =
  CAP_CHOWN |
  CAP_DAC_OVERRIDE |
  CAP_DAC_READ_SEARCH |
  CAP_FOWNER |
  CAP_FSETID |
  CAP_LINUX_IMMUTABLE |
  CAP_MKNOD |
  CAP_MAC_OVERRIDE;

/** SECBIT_*: each has a bit beside it that locks it. */
const SECBIT_NOROOT = 1;
const SECBIT_NO_SETUID_FIXUP = 4;
export const SECBIT_KEEP_CAPS = 0x10;
export const SECBIT_KEEP_CAPS_LOCKED = 0x20;
export const SECBIT_NO_CAP_AMBIENT_RAISE = 0x40;
export const ALL_SECBITS = 0x55;
export const ALL_SECBIT_LOCKS = 0xaa;

/** Whether somebody has one of these capabilities. */
export const isCapable = ({ effective }: Pick<Credentials, "effective">, wanted: bigint): boolean =>
  (effective & wanted) !== 0n;

const rootIs = (...ids: number[]): boolean => ids.includes(0);

/** What somebody may do who has always been who the ids say, and has changed nothing. */
function capabilitiesOf({ uid, euid, suid, fsuid }: Ids): CapabilitySnapshot {
  const permitted = rootIs(uid, euid, suid) ? ALL_CAPABILITIES : 0n;
  const effective = euid === 0 ? permitted : 0n;
  return {
    inheritable: 0n,
    permitted,
    effective: fsuid === 0 ? effective | (permitted & FILE_CAPABILITIES) : effective & ~FILE_CAPABILITIES,
    ambient: 0n,
    bounding: ALL_CAPABILITIES,
    securebits: 0,
  };
}

/** Somebody with one user id and one group; root has every capability. */
export function ordinaryUser(uid = 1000, gid = 1000): Credentials {
  const ids = { uid, euid: uid, suid: uid, fsuid: uid, gid, egid: gid, sgid: gid, fsgid: gid, groups: [gid] };
  return { ...ids, ...capabilitiesOf(ids) };
}

// ---- what changes of ids do to capabilities --------------------------------------------------------------------

/** Credentials whose user ids a call has changed, all but the file system's (Linux: cap_emulate_setxuid). */
export function afterSetuid(old: Credentials, next: Credentials): Credentials {
  if (next.securebits & SECBIT_NO_SETUID_FIXUP) return next;
  let { permitted, effective, ambient } = next;
  if (rootIs(old.uid, old.euid, old.suid) && !rootIs(next.uid, next.euid, next.suid)) {
    if (!(next.securebits & SECBIT_KEEP_CAPS)) permitted = effective = 0n;
    ambient = 0n;
  }
  if (old.euid === 0 && next.euid !== 0) effective = 0n;
  if (old.euid !== 0 && next.euid === 0) effective = permitted;
  return { ...next, permitted, effective, ambient };
}

/** The same of setfsuid(2) (Linux: cap_task_fix_setuid). */
export function afterSetfsuid(old: Credentials, next: Credentials): Credentials {
  if (next.securebits & SECBIT_NO_SETUID_FIXUP || (old.fsuid === 0) === (next.fsuid === 0)) return next;
  const { permitted, effective } = next;
  const files = permitted & FILE_CAPABILITIES;
  return { ...next, effective: next.fsuid === 0 ? effective | files : effective & ~FILE_CAPABILITIES };
}

/** As whom access(2) asks: with the real ids, and what these may do (Linux: access_override_creds). */
export function asReal(from: Credentials): Credentials {
  const { uid, gid, permitted, securebits } = from;
  const effective = securebits & SECBIT_NO_SETUID_FIXUP ? from.effective : uid === 0 ? permitted : 0n;
  return { ...from, fsuid: uid, fsgid: gid, effective };
}

/** Who a thread is after execve(2), and whether C libraries should be careful then (AT_SECURE). */
interface Executed {
  credentials: Credentials;
  isSecure: boolean;
}

/**
 * Who a thread is that executes a program without capabilities of its own: root gets all that the bounding set leaves, others what is ambient. Who
 * has `noNewPrivs`, or is otherwise `isWatched`, gets no more than it had (Linux: cap_bprm_creds_from_file).
 */
export function afterExec(
  old: Credentials,
  { noNewPrivs, isWatched }: { noNewPrivs: boolean; isWatched: () => boolean },
): Executed {
  const { uid, gid, securebits } = old;
  let { euid, egid, ambient } = old;
  let permitted = 0n;
  let isEffective = false;
  if (!(securebits & SECBIT_NOROOT)) {
    if (rootIs(euid, uid)) permitted = old.bounding | old.inheritable;
    isEffective = euid === 0;
  }
  const isSetId = euid !== uid || egid !== gid;
  const gains = (permitted & ~old.permitted) !== 0n;
  if ((isSetId || gains) && (noNewPrivs || isWatched())) {
    if (noNewPrivs || !isCapable(old, CAP_SETUID)) [euid, egid] = [uid, gid];
    permitted &= old.permitted;
  }
  if (isSetId) ambient = 0n;
  permitted |= ambient;
  const effective = isEffective ? permitted : ambient;
  const ids = { euid, suid: euid, fsuid: euid, egid, sgid: egid, fsgid: egid };
  const grows = (permitted & ~ambient) !== 0n;
  return {
    credentials: {
      ...{ ...old, ...ids, permitted, effective, ambient },
      securebits: securebits & ~SECBIT_KEEP_CAPS,
    },
    isSecure: isSetId || (uid !== 0 && (isEffective || grows)),
  };
}

// ---- snapshots -------------------------------------------------------------------------------------------------

/** As a snapshot has them: capabilities only where they don't follow from the ids. */
export function freezeCredentials(from: Credentials): CredentialsSnapshot {
  const { inheritable, permitted, effective, ambient, bounding, securebits, groups, ...rest } = from;
  const ids = { ...rest, groups: [...groups] };
  const capabilities = { inheritable, permitted, effective, ambient, bounding, securebits };
  const usual = capabilitiesOf(ids);
  const isUsual = (Object.keys(usual) as (keyof CapabilitySnapshot)[]).every(
    (key) => usual[key] === capabilities[key],
  );
  return isUsual ? ids : { ...ids, capabilities };
}

/** Throws RangeError for sets that Linux has nobody have. */
export function thawCredentials({ capabilities, ...ids }: CredentialsSnapshot): Credentials {
  const sets = capabilities ?? capabilitiesOf(ids);
  const { inheritable, permitted, effective, ambient, bounding, securebits } = sets;
  const all = inheritable | permitted | bounding;
  const isSound =
    (all & ~ALL_CAPABILITIES) === 0n &&
    (effective & ~permitted) === 0n &&
    (ambient & ~(permitted & inheritable)) === 0n &&
    (securebits & ~(ALL_SECBITS | ALL_SECBIT_LOCKS)) === 0;
  if (!isSound) throw new RangeError("capabilities that nobody can have");
  return { ...ids, groups: [...ids.groups], ...sets };
}

/** Whether two are the same, of whom snapshots say so once. */
export function areSame(one: Credentials, other: Credentials): boolean {
  if (one === other) return true;
  const { groups, ...rest } = one;
  return (
    (Object.keys(rest) as (keyof typeof rest)[]).every((key) => one[key] === other[key]) &&
    groups.length === other.groups.length &&
    groups.every((group, n) => group === other.groups[n])
  );
}
