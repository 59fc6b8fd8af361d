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
