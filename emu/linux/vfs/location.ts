/** What a walk along a path arrives at. */
import type { HostStat } from "../../host/host.ts";
import type { Folder } from "./folder.ts";
import type { OpenFile } from "./open-file.ts";
import type { Permissions } from "./permissions.ts";
import type { Synthetic, SyntheticDirectory } from "./synthetic.ts";

/** Who opens: what its /proc and /dev hold. */
export interface Viewer {
  readonly root: SyntheticDirectory;
  /** What it may do; absent where nobody asks. */
  readonly permissions?: Permissions;
}

/** A place on the host: the entry `name` of a directory; "." is the directory itself. */
export interface HostPlace {
  readonly folder: Folder;
  readonly name: string;
}

/** What a path names. */
export interface Location {
  /** Canonical guest path. */
  readonly path: string;
  /** Where it is on the host, or would be if it were created. */
  readonly place?: HostPlace;
  /** Host status; undefined when there is no such file. Symlinks only when the last one isn't followed. */
  readonly stat?: HostStat;
  readonly synthetic?: Synthetic;
  /** The description that a magic link of /proc/PID/fd stands for. */
  readonly object?: OpenFile;
  /** The path ended in a slash: it must name a directory. */
  readonly mustBeDirectory: boolean;
}

/** A directory that is held, so that it is known to be there: the host is asked for its status when somebody wants it. */
export class HeldLocation implements Location {
  private known: string | undefined;
  readonly place: HostPlace;
  readonly mustBeDirectory = false;
  private readonly was: string;
  private status: HostStat | undefined;

  /** Without a path it is where the folder is, which was `was` once. */
  constructor(folder: Folder, { path, was, stat }: { path?: string; was?: string; stat?: HostStat }) {
    this.known = path;
    this.was = was ?? "";
    this.status = stat;
    this.place = { folder, name: "." };
  }
  /** Throws ENOENT when it has left its grant. */
  get path(): string {
    return (this.known ??= this.place.folder.pathInside(this.was));
  }
  get stat(): HostStat {
    return (this.status ??= this.place.folder.host.stat());
  }
}

/** Whether there is something at a location. */
export const exists = (at: Location): boolean =>
  at instanceof HeldLocation ||
  at.stat !== undefined ||
  at.synthetic !== undefined ||
  at.object !== undefined;

export function isDirectory(at: Location): boolean {
  if (at instanceof HeldLocation) return true;
  return at.stat !== undefined ? at.stat.kind === "directory" : at.synthetic?.type === "directory";
}

/** What the guest sees where the host says this of a file. */
export type Shown = <S extends Pick<HostStat, "kind" | "dev" | "ino">>(status: S) => S;

/** Finds what stands at canonical paths of hosts. */
export interface Statuses {
  /** As it is now and the guest sees it; undefined where there is nothing. */
  statusAt(path: string): HostStat | undefined;
}
