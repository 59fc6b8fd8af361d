/** Whose a file is in the guest's eyes. */
import type { Host, HostStat } from "../../host/host.ts";
import type { Credentials } from "../credentials.ts";

type Owned = Pick<HostStat, "uid" | "gid">;

/** Owner and group as the guest knows them: what belongs to the user of the host belongs to the guest's user. */
export const ownerOf = ({ user }: Host, credentials: Credentials, { uid, gid }: Owned): Owned => ({
  uid: uid === user?.uid ? credentials.uid : uid,
  gid: gid === user?.gid ? credentials.gid : gid,
});

/** Whether a process is in the group of a file. */
export function isMember(host: Host, credentials: Credentials, file: Owned): boolean {
  const { gid } = ownerOf(host, credentials, file);
  return credentials.fsgid === gid || credentials.groups.includes(gid);
}
