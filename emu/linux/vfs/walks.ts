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

export class Walks {
  private readonly clock: HostClock;
  private readonly known = new Map<Folder | undefined, Map<string, Walk>>();
  private count = 0;

  constructor(clock: HostClock) {
    this.clock = clock;
  }

  /** The way along a path to the folder that its last component is in; undefined where there is none to keep. `base` where it is relative. */
  wayAlong(base: Location | undefined, path: string, last: string): Way | undefined {
    if (last === "" || last === "." || last === "..") return undefined;
    const text = path.slice(0, path.lastIndexOf(last));
    if (base === undefined) return text === "/" ? undefined : { from: undefined, text };
    return base.place?.name === "." ? { from: base.place.folder, text } : undefined;
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
