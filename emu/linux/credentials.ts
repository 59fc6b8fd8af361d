/** Who a process is to the system (Linux: struct cred). */
import type { ProcessSnapshot } from "../snapshot.ts";

export type Credentials = ProcessSnapshot["credentials"];

/** Credentials of a user without privileges, in one group. */
export const ordinaryUser = (uid = 1000, gid = 1000): Credentials => ({
  uid,
  euid: uid,
  suid: uid,
  fsuid: uid,
  gid,
  egid: gid,
  sgid: gid,
  fsgid: gid,
  groups: [gid],
});

/** Whether a process is root: it has every capability then, and none otherwise. */
export const isPrivileged = ({ euid }: Credentials): boolean => euid === 0;

/** CAP_LAST_CAP of Linux 6.1: CAP_CHECKPOINT_RESTORE. */
export const LAST_CAPABILITY = 40;

/** Every capability there is: the bounding set, from which nobody can take anything. */
export const ALL_CAPABILITIES = (1n << BigInt(LAST_CAPABILITY + 1)) - 1n;

/** The permitted and the effective set of a process: all or none. */
export const capabilityMask = (credentials: Credentials): bigint =>
  isPrivileged(credentials) ? ALL_CAPABILITIES : 0n;
