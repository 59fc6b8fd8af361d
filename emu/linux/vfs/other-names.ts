/**
 * Another name of a file with several hard links, for one whose name is gone. Nothing leads from a file to its names: they
 * are looked for, in the folder it was in and then everywhere in the grants.
 */
import { HostError, type HostFolder } from "../../host/host.ts";
import type { FileStat } from "./file-status.ts";
import type { FileSystem } from "./file-system.ts";
import { fileKey, type Mount } from "./folder.ts";
import { join, parentOf } from "./mounts.ts";

/** Entries of folders that are looked at. */
const MOST = 100_000;
/** Folders in one another that are looked into: each is held meanwhile. */
const DEEPEST = 256;

/** A guest path that leads to the file now; undefined where none was found. `known` was one once. */
export function otherName(
  system: FileSystem,
  stat: FileStat,
  known: string,
  mount: Mount,
): string | undefined {
  const key = fileKey(stat);
  const isIt = (path: string) => {
    const found = system.statusAt(path);
    return found !== undefined && fileKey(found) === key;
  };
  const search = new Search(system, stat.dev, key);
  const folder = parentOf(known);
  for (const name of namesIn(system, folder)) if (isIt(join(folder, name))) return join(folder, name);
  const { mounts } = system.namespace;
  for (const each of new Set([mount, ...mounts])) {
    // What another grant stands in front of has a name for nobody.
    for (const path of search.names(each)) if (isIt(path)) return path;
  }
  return undefined;
}

function namesIn({ namespace, thawView: { root } }: FileSystem, path: string): string[] {
  try {
    return namespace.list(namespace.walkCanonical(path, root), root);
  } catch (error) {
    if (error instanceof HostError) return [];
    throw error;
  }
}

class Search {
  private readonly system: FileSystem;
  private readonly dev: bigint;
  private readonly key: string;
  private left = MOST;

  constructor(system: FileSystem, dev: bigint, key: string) {
    this.system = system;
    this.dev = dev;
    this.key = key;
  }

  /** Guest paths of the file in a grant. */
  names({ folder, name, guest }: Mount): Iterable<string> {
    if (name === ".") return this.below(folder.host, guest);
    return [guest];
  }

  private *below(folder: HostFolder, guest: string, depth = 0): Generator<string> {
    const { files } = this.system.host;
    for (const name of folder.within(".", files.readdir)) {
      if (--this.left < 0) return;
      const path = join(guest, name);
      try {
        const stat = folder.within(name, files.lstat);
        // Hard links don't lead from one file system to another.
        if (stat.dev !== this.dev) continue;
        if (fileKey(stat) === this.key) yield path;
        if (stat.kind !== "directory" || depth === DEEPEST) continue;
        const inner = folder.within(name, files.folder);
        try {
          yield* this.below(inner, path, depth + 1);
        } finally {
          inner.close();
        }
      } catch (error) {
        // Gone since the names were read, or not to be read.
        if (!(error instanceof HostError)) throw error;
      }
    }
  }
}
