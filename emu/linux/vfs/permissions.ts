/**
 * What a process may do with files, by their owner, group and mode (Linux: inode_permission and may_delete of fs/namei.c, fs/attr.c). These rules
 * are asked before the host is. Of other users' files the host knows better what the user may do that ppcr runs as, which is the guest's; but it
 * can't say what another one may, and to root it denies nothing (`Owners.mustBeAsked`).
 */
import { HostError } from "../../host/host.ts";
import {
  asReal,
  CAP_CHOWN,
  CAP_DAC_OVERRIDE,
  CAP_DAC_READ_SEARCH,
  CAP_FOWNER,
  type Credentials,
  isCapable,
} from "../credentials.ts";
import type { FileStat } from "./file-status.ts";
import type { Owners } from "./owners.ts";

export const MAY_EXEC = 1;
export const MAY_WRITE = 2;
export const MAY_READ = 4;

const S_ISVTX = 0o1000;

/** Whether somebody has a privilege that makes the mode of a file not matter (Linux: generic_permission). What nobody may execute is no program. */
function overrides({ effective }: Credentials, { kind, mode }: FileStat, wanted: number): boolean {
  if (effective === 0n) return false;
  const isDirectory = kind === "directory";
  const reads = isDirectory ? (wanted & MAY_WRITE) === 0 : wanted === MAY_READ;
  if (reads && isCapable({ effective }, CAP_DAC_READ_SEARCH)) return true;
  if (!isDirectory && wanted & MAY_EXEC && (mode & 0o111) === 0) return false;
  return isCapable({ effective }, CAP_DAC_OVERRIDE);
}

export class Permissions {
  private readonly owners: Owners;
  /** Whose they are: somebody who may become somebody else, or different threads in turn. */
  private readonly holder: { readonly credentials: Credentials };

  constructor(owners: Owners, holder: { readonly credentials: Credentials }) {
    this.owners = owners;
    this.holder = holder;
  }

  private get credentials(): Credentials {
    return this.holder.credentials;
  }

  /** Whether it is for the host to say what a user may do with a file. */
  private isHosts(file: FileStat, uid: number): boolean {
    return file.owner === undefined && !this.owners.mustBeAsked(uid);
  }

  /** Whether the process is in the group of a file. */
  isMember(file: FileStat): boolean {
    const { fsgid, groups } = this.credentials;
    const { gid } = this.owners.of(file);
    return fsgid === gid || groups.includes(gid);
  }

  /** Throws EACCES where a mode forbids this. */
  check(file: FileStat, wanted: number, path: string): void {
    if (!this.allows(file, wanted, this.credentials)) throw new HostError("EACCES", path);
  }

  /** As `check`, for the user and group that a process really is: access(2). */
  checkReal(file: FileStat, wanted: number, path: string): void {
    if (!this.allows(file, wanted, asReal(this.credentials))) throw new HostError("EACCES", path);
  }

  private allows(file: FileStat, wanted: number, credentials: Credentials): boolean {
    if (overrides(credentials, file, wanted)) return true;
    const { fsuid, fsgid, groups } = credentials;
    const owner = this.owners.of(file);
    if (owner.uid !== fsuid && this.isHosts(file, fsuid)) return true;
    const isInGroup = owner.gid === fsgid || groups.includes(owner.gid);
    const shift = owner.uid === fsuid ? 6 : isInGroup ? 3 : 0;
    return ((file.mode >> shift) & wanted) === wanted;
  }

  /** Whether no mode of a directory forbids anything. */
  private get isFree(): boolean {
    return isCapable(this.credentials, CAP_DAC_OVERRIDE);
  }

  /** Whether a file is the process's own, or the host decides whether it is. */
  owns(file: FileStat): boolean {
    const { fsuid } = this.credentials;
    if (isCapable(this.credentials, CAP_FOWNER)) return true;
    return this.owners.of(file).uid === fsuid || this.isHosts(file, fsuid);
  }

  /** Throws EPERM for a file of somebody else. */
  checkOwner(file: FileStat, path: string): void {
    if (!this.owns(file)) throw new HostError("EPERM", path);
  }

  /** Throws EACCES where a directory may not be searched; those that are on no host are not looked at. */
  checkSearch(folder: { readonly stat?: FileStat; readonly path: string }): void {
    if (folder.stat === undefined) return;
    this.check(folder.stat, MAY_EXEC, folder.path);
  }

  /** Throws EACCES where nothing may be made in a folder. */
  checkFolder(folder: () => FileStat, path: string): void {
    if (!this.isFree) this.check(folder(), MAY_WRITE | MAY_EXEC, path);
  }

  /** Throws EACCES where nothing may be removed from a folder, EPERM where this may not: in a sticky one it is its owner's to do. */
  checkRemoval(folder: () => FileStat, file: FileStat | undefined, path: string): void {
    if (this.isFree && isCapable(this.credentials, CAP_FOWNER)) return;
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
    const { fsuid, fsgid, groups } = this.credentials;
    if (isCapable(this.credentials, CAP_CHOWN) || this.isHosts(file, fsuid)) return;
    const { uid, gid } = this.owners.of(file);
    const isOwners = uid === fsuid && (wanted.uid ?? uid) === uid;
    if (!isOwners || ![gid, fsgid, ...groups].includes(wanted.gid ?? gid)) throw new HostError("EPERM", path);
  }
}
