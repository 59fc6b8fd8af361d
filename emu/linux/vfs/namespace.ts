/**
 * The guest's name space. Paths are walked here, one component at a time and in guest terms: symlinks are read from
 * the host but their targets mean guest paths, and ".." stops at the guest's root, so no path leads out of
 * what was granted. Each step is made from a directory that is held (`Folder`), never through a path of several.
 */
import { type Host, type HostEntry, HostError, type HostStat } from "../../host/host.ts";
import { encodeName } from "../../host/names.ts";
import type { UnlinkedFileSnapshot } from "../../snapshot.ts";
import { MAX_SYMLINKS, NAME_MAX, PATH_MAX } from "./constants.ts";
import { type Folder, Folders, type Mount, resolveMount } from "./folder.ts";
import {
  exists,
  HeldLocation,
  type HostPlace,
  isDirectory,
  type Location,
  type Shown,
  type Viewer,
} from "./location.ts";
import { isWithin, join, type MountConfig, parentOf } from "./mounts.ts";
import type { OpenFile } from "./open-file.ts";
import { PrivateFolders } from "./private-folders.ts";
import { partsOf, Walks } from "./walks.ts";
import { fail, type Synthetic, type SyntheticDirectory } from "./synthetic.ts";

export interface ResolveOptions {
  /** Follow a symlink in the last component. */
  follow: boolean;
  /** Where relative paths start; the root when absent. */
  base?: Location;
  /** openat2(2): no symlink anywhere, no magic link, no other mount, nothing above `base`, or `base` taken for the root. */
  noSymlinks?: boolean;
  sameMount?: boolean;
  noMagicLinks?: boolean;
  beneath?: boolean;
  inRoot?: boolean;
}

function checkLength(name: string): void {
  if (name.length > NAME_MAX / 3 && encodeName(name).length > NAME_MAX) fail("ENAMETOOLONG", name);
}

/** Whether a walk may go on elsewhere from here. */
const isLink = ({ stat, synthetic }: Location): boolean =>
  stat?.kind === "symlink" || synthetic?.type === "link";

const isMagic = ({ synthetic }: Location): boolean =>
  synthetic?.type === "link" && synthetic.isMagic === true;

/** What to the guest is the mount that a location lies in: a grant, /proc, /dev or the rest. */
const mountOf = ({ place, path }: Location): unknown =>
  place?.folder.mount ?? ["/proc", "/dev"].find((tree) => isWithin(path, tree));

export class Namespace {
  readonly host: Host;
  /** Folders of the guest's own, where there are no others. */
  readonly own: PrivateFolders;
  private readonly byPath = new Map<string, Mount>();
  /** Guest directories above grants that may be on no host. */
  private readonly ancestors = new Map<string, Set<string>>();
  private readonly folders = new Folders();
  private readonly walks: Walks;
  /** A status of the host as the guest sees it. */
  private readonly shown: Shown;
  /** By canonical path: files that are there where no grant has them. */
  private readonly fallbacks: ReadonlyMap<string, Synthetic>;

  /** Looks every grant up; throws HostError for one that isn't there. Later grants win over earlier ones. */
  constructor(
    host: Host,
    mounts: readonly MountConfig[],
    options: { shown?: Shown; fallbacks?: ReadonlyMap<string, Synthetic> } = {},
  ) {
    this.host = host;
    this.walks = new Walks(host.clock);
    this.shown = options.shown ?? ((stat) => stat);
    for (const config of mounts) {
      const mount = resolveMount(host, config);
      this.byPath.set(mount.guest, mount);
    }
    this.own = new PrivateFolders(host, mounts);
    // In a folder that may be written the guest makes its own.
    const known = options.fallbacks ?? [];
    this.fallbacks = new Map([...known].filter(([path]) => this.mountOf(path)?.readOnly !== false));
    this.addAncestor("/");
    for (const guest of [...this.byPath.keys(), ...this.own.paths, ...this.fallbacks.keys()])
      this.addAncestor(guest);
  }

  /** The grants, and the folders of the guest's own that have been used. */
  get mounts(): readonly Mount[] {
    return [...this.byPath.values(), ...this.own.made];
  }

  /**
   * What is mounted at a canonical path, through which a walk goes to `next`. A folder of the guest's own that is only
   * on the way to a grant is not made for that.
   */
  private mountedAt(path: string, next: string | undefined): Mount | undefined {
    const mount = this.byPath.get(path);
    if (mount !== undefined || !this.own.has(path)) return mount;
    const passes = next !== undefined && this.ancestors.get(path)?.has(next) === true;
    return passes ? undefined : this.own.get(path);
  }

  /** Whether `name` in a directory leads on to a grant, for which another directory may be walked through than for other names. */
  private isPassed(at: Location, name: string): boolean {
    return this.ancestors.get(at.path)?.has(name) === true;
  }

  private addAncestor(path: string): void {
    if (path === "/") {
      if (!this.ancestors.has("/")) this.ancestors.set("/", new Set());
      return;
    }
    const parent = parentOf(path);
    this.addAncestor(parent);
    if (!this.ancestors.has(parent)) this.ancestors.set(parent, new Set());
    this.ancestors.get(parent)!.add(path.slice(path.lastIndexOf("/") + 1));
  }

  /** Runs `use` with a host path of a place that stays inside its grant. */
  at<T>(place: HostPlace, use: (path: string) => T): T {
    return place.folder.within(place.name, use);
  }

  /** Whom folders let through has changed, or where they are. */
  forgetWalks(): void {
    this.walks.forget();
  }

  /** Closes what walks have left open. */
  close(): void {
    this.walks.forget();
    this.folders.clear();
    for (const { folder } of this.byPath.values()) folder.host.close();
    this.own.close();
  }

  /** The directory at a location on the host. */
  folderAt(at: Location): Folder {
    const place = at.place!;
    if (place.name === ".") return place.folder;
    return this.folders.get(place.folder.mount, at.stat!, () =>
      this.at(place, (path) => this.host.files.folder(path)),
    );
  }

  /** The granted folder that a canonical path lies in. */
  private mountOf(path: string): Mount | undefined {
    const holding = this.mounts.filter(({ guest, name }) => name === "." && isWithin(path, guest));
    return holding.sort((a, b) => b.guest.length - a.guest.length)[0];
  }

  /**
   * A folder without a name, in place of one that was removed from a path and had this mode and these times; undefined where that is in no
   * grant.
   */
  removedFolder(
    path: string,
    { mode, atime, mtime }: Partial<UnlinkedFileSnapshot> = {},
  ): Folder | undefined {
    const mount = this.mountOf(path);
    if (mount === undefined) return undefined;
    const { files } = this.host;
    const folder = this.folders.add(mount, files.unnamedFolder((mode ?? 0o755) & 0o1777));
    if (atime !== undefined && mtime !== undefined) {
      folder.within(".", (real) => files.utimes(real, atime, mtime));
    }
    folder.wasAt = path;
    return folder;
  }

  /** The location of a folder, which has the path `was` unless it has been renamed. */
  locationOf(folder: Folder, was: string): Location {
    return new HeldLocation(folder, { was });
  }

  private look(place: HostPlace): HostStat | undefined {
    try {
      const stat = this.at(place, this.host.files.look);
      return stat === undefined ? undefined : this.shown(stat);
    } catch (error) {
      if (error instanceof HostError && (error.code === "ENOENT" || error.code === "ENOTDIR"))
        return undefined;
      throw error;
    }
  }

  /** The root of the tree, and what `synthetic` trees stand in it. */
  private root(synthetic: SyntheticDirectory): Location {
    const mount = this.byPath.get("/");
    if (mount !== undefined) return this.mountRoot(mount);
    return { path: "/", synthetic: this.passage("/", synthetic), mustBeDirectory: false };
  }

  private mountRoot(mount: Mount): Location {
    if (mount.name === ".") return new HeldLocation(mount.folder, { path: mount.guest });
    const place = { folder: mount.folder, name: mount.name };
    return { path: mount.guest, place, stat: this.look(place), mustBeDirectory: false };
  }

  /** A directory that is there because it leads to grants, with what `own` has as well. */
  private passage(path: string, own: SyntheticDirectory | undefined): SyntheticDirectory {
    const below = this.ancestors.get(path) ?? new Set<string>();
    return {
      type: "directory",
      names: () => [...new Set([...below, ...(own?.names() ?? [])])],
      lookup: (name) => own?.lookup(name),
    };
  }

  /** The entry `name` of a directory: a grant, a synthetic file, a host file, or a way to a grant (that of `next`). */
  private child(parent: Location, name: string, root: SyntheticDirectory, next?: string): Location {
    const path = join(parent.path, name);
    // Where nothing is mounted below a directory of a host, its entries are that host's.
    if (parent.place !== undefined && !this.ancestors.has(parent.path)) {
      const place = { folder: this.folderAt(parent), name };
      return { path, place, stat: this.look(place), mustBeDirectory: false };
    }
    const mount = this.mountedAt(path, next);
    if (mount !== undefined) return this.mountRoot(mount);
    const leadsOn = this.ancestors.has(path);
    const tree = parent.synthetic?.type === "directory" ? parent.synthetic : undefined;
    const synthetic = tree?.lookup(name) ?? (parent.path === "/" ? root.lookup(name) : undefined);
    if (synthetic !== undefined) {
      const merged = leadsOn && synthetic.type === "directory" ? this.passage(path, synthetic) : synthetic;
      return { path, synthetic: merged, mustBeDirectory: false };
    }
    if (parent.place !== undefined) {
      const place = { folder: this.folderAt(parent), name };
      const stat = this.look(place);
      const isHost = leadsOn ? stat?.kind === "directory" : stat !== undefined || !this.fallbacks.has(path);
      if (isHost) return { path, place, stat, mustBeDirectory: false };
    }
    const own = leadsOn ? this.passage(path, undefined) : this.fallbacks.get(path);
    return { path, synthetic: own, mustBeDirectory: false };
  }

  /** Names in a directory, merged of the host's, the grants' and the synthetic ones; without "." and "..". */
  list(at: Location, root: SyntheticDirectory): string[] {
    const names = new Set<string>();
    if (at.place !== undefined && exists(at)) {
      const inside = this.folderAt(at);
      for (const name of inside.within(".", (path) => this.host.files.readdir(path))) names.add(name);
    }
    if (at.synthetic?.type === "directory") for (const name of at.synthetic.names()) names.add(name);
    for (const name of this.ancestors.get(at.path) ?? []) names.add(name);
    if (at.path === "/") for (const name of root.names()) names.add(name);
    return [...names];
  }

  /** All that a directory has in it, by their names, where that is the host's alone. */
  hostEntries(at: Location): readonly HostEntry[] | undefined {
    if (at.place === undefined || at.synthetic !== undefined || this.ancestors.has(at.path)) return undefined;
    if (!exists(at)) return [];
    return this.folderAt(at).entries(this.host.clock.realtime()).map(this.shown);
  }

  /** Status of the entry `name` of a directory, for listings. */
  entry(at: Location, name: string, root: SyntheticDirectory): Location {
    return this.child(at, name, root);
  }

  /**
   * Walks `path`. The last component may be missing: then `stat` and `synthetic` are undefined, and `place` says
   * where the file could be created, if anywhere. Throws ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EACCES.
   */
  resolve(path: string, options: ResolveOptions, viewer: Viewer): Location {
    return this.lookFor(path, options, viewer) ?? fail("ENOENT", path);
  }

  /** As `resolve`, and undefined where a folder on the way isn't there. */
  lookFor(path: string, options: ResolveOptions, { root, permissions }: Viewer): Location | undefined {
    if (path === "") fail("ENOENT", "empty path");
    if (path.length >= PATH_MAX) fail("ENAMETOOLONG", "path too long");
    this.folders.trim();
    let links = 0;
    const { beneath, inRoot } = options;
    const parts = partsOf(path);
    const { isAbsolute, last: ending, trailing } = parts;
    // The root is asked for when nothing else does.
    const given = isAbsolute ? (inRoot ? options.base : undefined) : (options.base ?? this.root(root));
    const isConfined = beneath || inRoot;
    if (beneath && isAbsolute) fail("EXDEV", "absolute path");
    const isPlain = !isConfined && !options.noSymlinks && !options.sameMount && !options.noMagicLinks;
    let way = isPlain ? this.walks.wayAlong(given, parts) : undefined;
    const known = way === undefined ? undefined : this.walks.end(way, permissions);
    const end = known === undefined || this.isPassed(known, ending) ? undefined : known;
    let looked: Location | undefined;
    if (end !== undefined) {
      this.folders.use(end.place.folder);
      way = undefined;
      // Of nearly every path only the last name is looked up.
      if (!trailing) {
        checkLength(ending);
        looked = this.child(end, ending, root);
        if (!options.follow || !isLink(looked)) return looked;
      }
    }
    const base: Location = end ?? given ?? this.root(root);
    // Throws where the base has left its grant.
    void base.path;
    let stack = [base];
    let rest = end !== undefined ? [ending] : path.split("/").filter((part) => part !== "" && part !== ".");
    while (rest.length > 0) {
      const name = rest.shift()!;
      const current = stack[stack.length - 1];
      this.checkSearch(current);
      permissions?.checkSearch(current);
      if (name === "..") {
        way = undefined;
        if (stack.length > 1) {
          stack.pop();
          const { path: back, place } = stack[stack.length - 1];
          if (place === undefined && this.own.has(back)) {
            stack[stack.length - 1] = this.mountRoot(this.own.get(back));
          }
        } else if (beneath) fail("EXDEV", "path leads above its start");
        else if (!inRoot) stack = [this.above(current, root)];
        if (options.sameMount && mountOf(stack[stack.length - 1]) !== mountOf(current))
          fail("EXDEV", current.path);
        continue;
      }
      checkLength(name);
      const next = looked ?? this.child(current, name, root, rest[0]);
      looked = undefined;
      const last = rest.length === 0;
      if (last && way !== undefined && current.place !== undefined && !this.isPassed(current, name)) {
        this.walks.gone(way, stack, this.folderAt(current));
        way = undefined;
      }
      const follows = !last || options.follow || trailing;
      const target = follows ? this.linkTarget(next) : undefined;
      if (target === undefined) {
        if (options.sameMount && mountOf(next) !== mountOf(current)) fail("EXDEV", next.path);
        stack.push(next);
        if (!last && !exists(next)) return undefined;
        continue;
      }
      way = undefined;
      if (options.noSymlinks || ++links > MAX_SYMLINKS) fail("ELOOP", next.path);
      if (typeof target !== "string" || isMagic(next)) {
        if (options.noMagicLinks) fail("ELOOP", next.path);
        if (isConfined || options.sameMount) fail("EXDEV", next.path);
      }
      if (typeof target !== "string") {
        const object = target;
        if (last && object.base === undefined) {
          return { path: next.path, object, mustBeDirectory: trailing };
        }
        // On through a directory that a descriptor stands for.
        if (object.base === undefined) fail("ENOTDIR", next.path);
        stack = [object.base()];
        continue;
      }
      if (target === "") fail("ENOENT", next.path);
      if (beneath && target.startsWith("/")) fail("EXDEV", "absolute symlink");
      if (target.startsWith("/")) {
        stack = [inRoot ? base : this.root(root)];
        if (options.sameMount && mountOf(stack[0]) !== mountOf(current)) fail("EXDEV", next.path);
      }
      rest = [...target.split("/").filter((part) => part !== "" && part !== "."), ...rest];
      if (rest.length > PATH_MAX) fail("ENAMETOOLONG", "path too long");
    }
    const found = stack[stack.length - 1];
    if (trailing && exists(found) && !isDirectory(found)) fail("ENOTDIR", found.path);
    // "." is looked up as well.
    if (ending === "." && isDirectory(found)) permissions?.checkSearch(found);
    if (found.mustBeDirectory === trailing) return found;
    const { path: real, place, stat, synthetic, object } = found;
    return { path: real, place, stat, synthetic, object, mustBeDirectory: trailing };
  }

  /** The directory that holds the one at a location, in guest terms. */
  private above(at: Location, root: SyntheticDirectory): Location {
    if (at.path === "/") return at;
    const folder = at.place?.name === "." ? at.place.folder : undefined;
    if (folder === undefined || folder.key === folder.mount.folder.key) {
      return this.walkCanonical(parentOf(at.path), root);
    }
    if (folder.wasAt !== undefined) return this.walkCanonical(parentOf(folder.wasAt), root);
    const up = this.folders.add(folder.mount, folder.host.parent());
    return this.locationOf(up, parentOf(at.path));
  }

  /** The location of a canonical path, all of which must be there. */
  walkCanonical(path: string, root: SyntheticDirectory): Location {
    let at = this.root(root);
    const names = path.split("/").filter((name) => name !== "");
    for (const [index, name] of names.entries()) {
      at = this.child(at, name, root, names[index + 1]);
      if (!exists(at) || this.linkTarget(at) !== undefined) fail("ENOENT", path);
    }
    return at;
  }

  private checkSearch(at: Location): void {
    if (!exists(at)) fail("ENOENT", at.path);
    if (!isDirectory(at)) fail("ENOTDIR", at.path);
  }

  /** The target of a symlink, or the object behind a magic one; undefined for anything else. */
  private linkTarget(at: Location): string | OpenFile | undefined {
    if (at.synthetic?.type === "link") return at.synthetic.object?.() ?? at.synthetic.target();
    if (at.stat?.kind !== "symlink") return undefined;
    return this.at(at.place!, (path) => this.host.files.readlink(path));
  }

  /** The text of a symlink, for readlink(2). Throws EINVAL for anything else. */
  readlink(at: Location): string {
    if (at.synthetic?.type === "link") return at.synthetic.target();
    if (at.stat?.kind !== "symlink") fail("EINVAL", `${at.path} is not a symbolic link`);
    return this.at(at.place!, (path) => this.host.files.readlink(path));
  }

  /** The place where an entry may be created, changed or removed. Throws EROFS or EACCES. */
  writable(at: Location): HostPlace {
    if (at.place === undefined) {
      if (!exists(at) && isWithin(at.path, "/proc")) fail("ENOENT", at.path);
      const synthetic = at.synthetic !== undefined || isWithin(at.path, "/proc") || isWithin(at.path, "/dev");
      fail(synthetic ? "EACCES" : "EROFS", `${at.path} is not in a directory that was granted`);
    }
    if (at.place.folder.mount.readOnly) fail("EROFS", `${at.path} was granted read-only`);
    return at.place;
  }

  /** As `writable`, for an entry that is to be made. */
  vacant(at: Location, { permissions }: Viewer): HostPlace {
    const place = this.writable(at);
    permissions?.checkFolder(() => place.folder.host.stat(), at.path);
    return place;
  }

  /** Whether something is mounted at a location, or further on. */
  isMountPoint({ path }: Location): boolean {
    return this.byPath.has(path) || this.own.has(path) || this.ancestors.has(path);
  }

  /** As `writable`, for an entry that goes away or is replaced: grants themselves stay. Throws EBUSY. */
  removable(at: Location, { permissions }: Viewer): HostPlace {
    if (this.isMountPoint(at)) fail("EBUSY", `${at.path} is a mount point`);
    const place = this.writable(at);
    permissions?.checkRemoval(() => place.folder.host.stat(), at.stat, at.path);
    return place;
  }
}
