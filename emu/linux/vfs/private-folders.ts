/**
 * Folders that every Linux has and programs take for granted, where nobody granted them: /tmp and its like are
 * the guest's own. On the host they lie in a folder that is made at the first use, that only its user can enter,
 * and that goes when the machine is closed; all that is in them travels in snapshots.
 */
import { type Host, HostError } from "../../host/host.ts";
import type { PrivateFileSnapshot, UnlinkedFileSnapshot } from "../../snapshot.ts";
import { fileKey, type Mount, resolveMount } from "./folder.ts";
import { isWithin, join, type MountConfig } from "./mounts.ts";
import { fail } from "./synthetic.ts";
import { freezeTravelling, type Lend, writeTravelling } from "./travelling.ts";

/** Guest paths, and their names on the host. */
const FOLDERS: readonly (readonly [guest: string, name: string])[] = [
  ["/tmp", "tmp"],
  ["/var/tmp", "var-tmp"],
  ["/dev/shm", "shm"],
];
const MODE = 0o1777;
/** Files in a snapshot at most. */
const MOST = 65536;

/** Whether a grant has a folder already: one that may be written, or the host's own one to be read. */
const brings = ({ host, guest, readOnly }: MountConfig, path: string): boolean =>
  guest === path || (isWithin(path, guest) && (!readOnly || host === guest));

export class PrivateFolders {
  private readonly host: Host;
  /** By guest path; undefined until it is first used. */
  private readonly mounts = new Map<string, Mount | undefined>();
  /** The folder on the host that holds them. */
  private top: string | undefined;

  constructor(host: Host, granted: readonly MountConfig[]) {
    this.host = host;
    for (const [guest] of FOLDERS) {
      if (!granted.some((config) => brings(config, guest))) this.mounts.set(guest, undefined);
    }
  }

  /** Guest paths. */
  get paths(): string[] {
    return [...this.mounts.keys()];
  }
  has(path: string): boolean {
    return this.mounts.has(path);
  }
  /** Those that have been used. */
  get made(): Mount[] {
    return [...this.mounts.values()].filter((mount) => mount !== undefined);
  }
  isOne(mount: Mount): boolean {
    return this.mounts.get(mount.guest) === mount;
  }

  /** The folder at a guest path, made now if it has not been used yet. */
  get(guest: string): Mount {
    const made = this.mounts.get(guest);
    if (made !== undefined) return made;
    const { files } = this.host;
    this.top ??= files.temporaryFolder();
    const path = join(this.top, FOLDERS.find((folder) => folder[0] === guest)![1]);
    files.mkdir(path, MODE);
    const mount = resolveMount(this.host, { host: path, guest, readOnly: false });
    this.mounts.set(guest, mount);
    return mount;
  }

  /** Removes them and what they hold from the host. */
  close(): void {
    for (const { folder } of this.made) folder.host.close();
    for (const guest of this.mounts.keys()) this.mounts.set(guest, undefined);
    if (this.top !== undefined) this.host.files.removeTree(this.top);
    this.top = undefined;
  }

  // ---- snapshots ---------------------------------------------------------------------------------------------

  /** All that is in them; the contents of files go into `contents`. */
  freeze(contents: UnlinkedFileSnapshot[]): PrivateFileSnapshot[] {
    const found: PrivateFileSnapshot[] = [];
    const known = new Map<string, string>();
    for (const { folder, guest } of this.made) {
      folder.within(".", (top) => this.gather(top.replace(/\/\.$/, ""), guest, { found, known, contents }));
    }
    return found;
  }

  private gather(
    folder: string,
    guest: string,
    into: {
      found: PrivateFileSnapshot[];
      known: Map<string, string>;
      contents: UnlinkedFileSnapshot[];
    },
  ): void {
    const { files } = this.host;
    for (const name of files.readdir(folder).sort()) {
      const [path, inGuest] = [join(folder, name), join(guest, name)];
      const stat = files.lstat(path);
      const { kind, mode } = stat;
      const target = kind === "symlink" ? files.readlink(path) : into.known.get(fileKey(stat));
      if (kind === "symlink") {
        into.found.push({ path: inGuest, kind, mode, target: target! });
      } else if (kind === "directory") {
        into.found.push({ path: inGuest, kind, mode });
        this.gather(path, inGuest, into);
      } else if (target !== undefined) {
        into.found.push({ path: inGuest, kind: "link", mode, target });
      } else if (kind === "file") {
        into.known.set(fileKey(stat), inGuest);
        const content = into.contents.push(freezeTravelling(this.host, this.lender(path), inGuest, 0)) - 1;
        into.found.push({ path: inGuest, kind, mode, content });
      }
    }
  }

  /** Opens a file for as long as it is read: there may be many. */
  private lender(path: string): Lend {
    const { files } = this.host;
    return (use) => {
      const handle = files.open(path, { read: true, write: false, noFollow: true }, 0);
      try {
        return use(handle);
      } finally {
        files.close(handle);
      }
    };
  }

  /** Makes it all again. Throws a HostError for what makes no sense. */
  thaw(entries: readonly PrivateFileSnapshot[], contents: readonly UnlinkedFileSnapshot[]): void {
    if (entries.length > MOST) fail("EINVAL", `${entries.length} files of the program's own`);
    for (const entry of entries) this.place(entry, contents);
    // The modes of folders last, which may forbid what was done in them.
    for (const { path, kind, mode } of [...entries].reverse()) {
      if (kind === "directory") this.at(path, (real) => this.host.files.chmod(real, mode & 0o1777));
    }
  }

  private place(
    { path, kind, mode, target, content }: PrivateFileSnapshot,
    contents: readonly UnlinkedFileSnapshot[],
  ): void {
    const { files } = this.host;
    this.at(path, (real) => {
      if (kind === "directory") files.mkdir(real, 0o700);
      else if (kind === "symlink") files.symlink(target ?? "", real);
      else if (kind === "link") this.at(target ?? "", (other) => files.link(other, real));
      else {
        const held = contents[content ?? -1] ?? fail("EINVAL", `the contents of ${path} are missing`);
        const flags = { read: true, write: true, create: true, exclusive: true, noFollow: true };
        const handle = files.open(real, flags, mode & 0o1777);
        try {
          writeTravelling(this.host, handle, held);
        } finally {
          files.close(handle);
        }
      }
    });
  }

  /**
   * Runs `use` with the host path of a guest path in one of the folders. Every folder on the way must be one: no
   * path of an image leads through a symbolic link.
   */
  private at(path: string, use: (real: string) => void): void {
    const guest = this.paths.find((folder) => path !== folder && isWithin(path, folder));
    const parts = guest === undefined ? [] : path.slice(guest.length + 1).split("/");
    if (guest === undefined || parts.some((part) => part === "" || part === "." || part === "..")) {
      throw new HostError("EINVAL", `${path} is in no folder that is the program's own here`);
    }
    const name = parts.pop()!;
    this.get(guest).folder.within(".", (top) => {
      let folder = top.replace(/\/\.$/, "");
      for (const part of parts) {
        folder = join(folder, part);
        if (this.host.files.lstat(folder).kind !== "directory") fail("ENOTDIR", path);
      }
      use(join(folder, name));
    });
  }
}
