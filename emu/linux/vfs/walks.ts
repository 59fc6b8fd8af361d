/**
 * Ways that walks along paths have gone. A program that looks at many files of a folder goes the same way each time, and the host is asked at
 * every step; where the folder has the name yet that it had at the end of the way, all the steps would be made again as they were.
 */
import type { HostClock } from "../../host/host.ts";
import { MOST_WALKS, WALK_TRUSTED } from "../../tuning.ts";
import type { Folder } from "./folder.ts";
import { HeldLocation, type Location } from "./location.ts";
import type { Permissions } from "./permissions.ts";

/** The way to a folder, without a symlink or `..` in it. */
interface Walk {
  /** The directories on the way and where it led, with the statuses that they had. */
  readonly steps: readonly Location[];
  readonly folder: Folder;
  readonly time: bigint;
}

/** What names a way: the folder it begins at (undefined: the root), and the text up to the last component. */
export interface Way {
  readonly from: Folder | undefined;
  readonly text: string;
}

/** What walks want to know of a path before they go. */
export interface PathParts {
  readonly isAbsolute: boolean;
  /** Its last component, whatever slashes come after it. */
  readonly last: string;
  /** All before that. */
  readonly before: string;
  /** It names a directory. */
  readonly trailing: boolean;
}

/** Of the paths looked at lately: programs look at the same ones again. */
const parts = new Map<string, PathParts>();
const MOST_PARTS = 256;

/** Takes a path apart. */
export function partsOf(path: string): PathParts {
  const known = parts.get(path);
  if (known !== undefined) return known;
  let end = path.length;
  while (end > 0 && path[end - 1] === "/") end--;
  const start = path.lastIndexOf("/", end - 1) + 1;
  const last = path.slice(start, end);
  const trailing = end < path.length || last === "." || last === "..";
  const found = { isAbsolute: path.startsWith("/"), last, before: path.slice(0, start), trailing };
  if (parts.size >= MOST_PARTS) parts.clear();
  parts.set(path, found);
  return found;
}

export class Walks {
  private readonly clock: HostClock;
  private readonly known = new Map<Folder | undefined, Map<string, Walk>>();
  private count = 0;

  constructor(clock: HostClock) {
    this.clock = clock;
  }

  /** The way along a path to the folder that its last component is in; undefined where there is none to keep. `base` where it is relative. */
  wayAlong(base: Location | undefined, { last, before }: PathParts): Way | undefined {
    if (last === "" || last === "." || last === "..") return undefined;
    if (base === undefined) return before === "/" ? undefined : { from: undefined, text: before };
    return base.place?.name === "." ? { from: base.place.folder, text: before } : undefined;
  }

  /** Where a way leads, if it is known and has not changed. Throws EACCES where `permissions` forbid it. */
  end({ from, text }: Way, permissions: Permissions | undefined): HeldLocation | undefined {
    const walk = this.known.get(from)?.get(text);
    if (walk === undefined) return undefined;
    const { steps, folder, time } = walk;
    const last = steps[steps.length - 1];
    const isOld = this.clock.monotonic() - time > WALK_TRUSTED;
    if (isOld || !folder.isStill(last.path)) return undefined;
    for (const step of steps) permissions?.checkSearch(step);
    return new HeldLocation(folder, last);
  }

  /** A walk has gone this way. Where it is gone again, it is made sure that the name of its end says so. */
  gone({ from, text }: Way, steps: readonly Location[], folder: Folder): void {
    if (this.known.get(from)?.get(text)?.folder === folder) folder.confirm();
    else if (++this.count > MOST_WALKS) this.forget();
    if (!this.known.has(from)) this.known.set(from, new Map());
    this.known.get(from)!.set(text, { steps: [...steps], folder, time: this.clock.monotonic() });
  }

  /** Forgets them all: whom a folder lets through may have changed. */
  forget(): void {
    this.known.clear();
    this.count = 0;
  }
}
