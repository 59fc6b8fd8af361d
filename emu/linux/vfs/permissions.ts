/**
 * What a process may do with files, by their owner, group and mode (Linux: inode_permission and may_delete of fs/namei.c, fs/attr.c). These rules
 * are asked before the host is. Of other users' files the host knows better what the user may do that ppcr runs as, which is the guest's; but it
 * can't say what another one may, and to root it denies nothing (`Owners.mustBeAsked`).
 */
import { HostError } from "../../host/host.ts";
import type { Credentials } from "../credentials.ts";
import type { FileStat } from "./file-status.ts";
import type { Owners } from "./owners.ts";

export const MAY_EXEC = 1;
export const MAY_WRITE = 2;
export const MAY_READ = 4;

const S_ISVTX = 0o1000;

export class Permissions {
  private readonly owners: Owners;
  private readonly credentials: Credentials;

  constructor(owners: Owners, credentials: Credentials) {
    this.owners = owners;
    this.credentials = credentials;
  }

  /** Whether it is for the host to say what a user may do with a file. */
  private isHosts(file: FileStat, uid: number): boolean {
    return uid === 0 || (file.owner === undefined && !this.owners.mustBeAsked(uid));
  }

  /** Whether the process is in the group of a file. */
  isMember(file: FileStat): boolean {
    const { fsgid, groups } = this.credentials;
    const { gid } = this.owners.of(file);
    return fsgid === gid || groups.includes(gid);
  }

  /** Throws EACCES where a mode forbids this. */
  check(file: FileStat, wanted: number, path: string): void {
    if (!this.allows(file, wanted, this.credentials.fsuid)) throw new HostError("EACCES", path);
  }

  /** As `check`, for the user and group that a process really is: access(2). */
  checkReal(file: FileStat, wanted: number, path: string): void {
    const { uid, gid } = this.credentials;
    if (!this.allows(file, wanted, uid, gid)) throw new HostError("EACCES", path);
  }

  private allows(file: FileStat, wanted: number, uid: number, gid = this.credentials.fsgid): boolean {
    const owner = this.owners.of(file);
    // Root executes what somebody may.
    if (uid === 0 && wanted & MAY_EXEC && file.kind !== "directory") return (file.mode & 0o111) !== 0;
    if (uid === 0 || (owner.uid !== uid && this.isHosts(file, uid))) return true;
    const isInGroup = owner.gid === gid || this.credentials.groups.includes(owner.gid);
    const shift = owner.uid === uid ? 6 : isInGroup ? 3 : 0;
    return ((file.mode >> shift) & wanted) === wanted;
  }

  /** Whether a file is the process's own, or the host decides whether it is. */
  owns(file: FileStat): boolean {
    const { fsuid } = this.credentials;
    return this.owners.of(file).uid === fsuid || this.isHosts(file, fsuid);
  }

  /** Throws EPERM for a file of somebody else. */
  checkOwner(file: FileStat, path: string): void {
    if (!this.owns(file)) throw new HostError("EPERM", path);
  }

  /** Throws EACCES where a directory may not be searched; root and those that are on no host are not looked at. */
  checkSearch(folder: { readonly stat?: FileStat; readonly path: string }): void {
    if (this.credentials.fsuid === 0 || folder.stat === undefined) return;
    this.check(folder.stat, MAY_EXEC, folder.path);
  }

  /** Throws EACCES where nothing may be made in a folder. */
  checkFolder(folder: () => FileStat, path: string): void {
    if (this.credentials.fsuid !== 0) this.check(folder(), MAY_WRITE | MAY_EXEC, path);
  }

  /** Throws EACCES where nothing may be removed from a folder, EPERM where this may not: in a sticky one it is its owner's to do. */
  checkRemoval(folder: () => FileStat, file: FileStat | undefined, path: string): void {
    if (this.credentials.fsuid === 0) return;
    const holder = folder();
    this.check(holder, MAY_WRITE | MAY_EXEC, path);
    const isKept = (holder.mode & S_ISVTX) !== 0 && !this.owns(holder);
    if (isKept && file !== undefined) this.checkOwner(file, path);
  }

  /** Has `give` called where what the process has made isn't its own to the host. */
  inherit(give: (uid: number, gid: number) => void): void {
    const heir = this.owners.heir(this.credentials);
    if (heir !== undefined) give(heir.uid, heir.gid);
  }

  /** Throws EPERM for a change of owner or group that takes a privilege. */
  checkNewOwner(file: FileStat, wanted: { uid?: number; gid?: number }, path: string): void {
    if (wanted.uid === undefined && wanted.gid === undefined) return;
    this.checkOwner(file, path);
    const { fsuid, fsgid, groups } = this.credentials;
    if (this.isHosts(file, fsuid)) return;
    const { uid, gid } = this.owners.of(file);
    const isOwners = (wanted.uid ?? uid) === uid;
    if (!isOwners || ![gid, fsgid, ...groups].includes(wanted.gid ?? gid)) throw new HostError("EPERM", path);
  }
}
