/** Whose a file is in the guest's eyes. */
import type { Host } from "../../host/host.ts";
import type { Credentials } from "../credentials.ts";
import type { FileStat } from "./file-status.ts";

interface Ids {
  uid: number;
  gid: number;
}
type Owned = Pick<FileStat, "uid" | "gid" | "owner">;

/**
 * Owners and groups as the guest knows them: what belongs to the user of the host belongs to the guest's user. Where ppcr runs as root,
 * who has a right to everybody's files, that is all that a guest was given which isn't root itself.
 */
export class Owners {
  private readonly host: Host;
  /** Who the machine's first program was. */
  private user: Ids | undefined;

  constructor(host: Host) {
    this.host = host;
  }

  /** Takes note of one of the first processes. A user that has become another one was root, and of root's group. */
  first({ uid, euid, suid, gid }: Credentials): void {
    if (this.user?.uid === 0) return;
    if (uid !== 0 && [euid, suid].includes(0)) this.user = { uid: 0, gid: 0 };
    else if (uid === 0 || this.user === undefined) this.user = { uid, gid };
  }

  /** Who the first program was, where that doesn't follow from who the processes are now. */
  freeze(now: Iterable<Credentials>): Ids | undefined {
    const found = new Owners(this.host);
    for (const each of now) found.first(each);
    const isFound = found.user?.uid === this.user?.uid && found.user?.gid === this.user?.gid;
    return isFound ? undefined : this.user;
  }

  /** Begins with a user that a snapshot has kept. */
  thaw(user: Ids | undefined): void {
    this.user = user;
  }

  private get isRootOutside(): boolean {
    return this.host.user?.uid === 0;
  }

  /** Owner and group of a file. */
  of({ uid, gid, owner }: Owned): Ids {
    const { user, host } = this;
    if (owner === "machine" || user === undefined) return { uid, gid };
    const isAll = owner === "user" || (this.isRootOutside && user.uid !== 0);
    return {
      uid: isAll || uid === host.user?.uid ? user.uid : uid,
      gid: isAll || gid === host.user?.gid ? user.gid : gid,
    };
  }

  /** The ids that a file must get outside to have these; those that it has already it keeps. */
  outside(file: Owned, wanted: Partial<Ids>): Ids {
    const known = this.of(file);
    const toHost = (id: "uid" | "gid"): number => {
      const value = wanted[id] ?? known[id];
      if (value === known[id]) return file[id];
      return value === this.user?.[id] ? (this.host.user?.[id] ?? value) : value;
    };
    return { uid: toHost("uid"), gid: toHost("gid") };
  }

  /**
   * Whether the host can't say what a user may do: it lets root do everything, and knows only the user that ppcr runs as.
   */
  mustBeAsked(uid: number): boolean {
    return this.host.user !== undefined && (this.isRootOutside || uid !== this.user?.uid);
  }

  /** Whom what a process makes has to be given to, since to the host it is somebody else's; undefined where that is right, or can't be. */
  heir({ fsuid: uid, fsgid: gid }: Credentials): Ids | undefined {
    return this.isRootOutside && this.user?.uid === 0 && uid !== 0 ? { uid, gid } : undefined;
  }
}
