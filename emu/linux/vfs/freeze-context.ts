/** What the classes of open files need to say what they are in a snapshot. */
import type { FileReference, PipeSnapshot } from "../../snapshot.ts";
import type { FileStat } from "./file-status.ts";
import type { Mount, Whereabouts } from "./folder.ts";
import type { OpenFile } from "./open-file.ts";

/** What has no contents, or a symlink. */
export interface HeldNode {
  readonly key: string;
  stat(): FileStat;
  /** The text of a symlink. */
  readonly target?: string;
}

/** A file of the host that something has open or mapped; anything but a regular one is open with O_PATH. */
export interface HeldFile extends HeldNode {
  readonly mount: Mount | undefined;
  where(): Whereabouts;
  /** A handle that a regular file can be read by. Throws HostError where it can't. */
  readableHandle(): number;
}

/** A pipe, of which both ends say the same. */
export interface Frozen {
  snapshot(): PipeSnapshot;
}

/** A freeze that is under way. */
export interface FreezeContext {
  /** Index of a description; -1 for one that hasn't been seen. */
  indexOf(file: OpenFile): number;
  /** Index of a description, which goes in at first sight. */
  add(file: OpenFile): number;
  /** Index of a pipe, likewise. */
  pipe(pipe: Frozen): number;
  /** Something that no thaw could bring back. */
  obstacle(what: string): void;
  /**
   * How a thaw is to find a file again: by its name, or among those that travel. `include`: it is to travel though it
   * has a name.
   */
  reference(file: HeldFile, isMapped: boolean, include: boolean): FileReference;
  /** Index among those that travel of a folder or a node that has lost its name, `path`. */
  travelNode(node: HeldNode, path: string): number;
  /** Whether files go along with their contents though they have names. */
  readonly includesFiles: boolean;
}
