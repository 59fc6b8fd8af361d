/**
 * The working directory of this process as the shortest way into the folder that a guest uses most. Past /proc/self/fd Linux takes two or
 * three times as long to find a name, and four times to tell where a folder is. Who embeds a machine has a use for it, too: it is lent
 * to the machine while nobody else runs, and given back in between.
 */
import { LINKS_AFTER_A_LONG_PATH } from "../../tuning.ts";
import { fs } from "./builtins.ts";

const { O_DIRECTORY, O_RDONLY } = fs.constants;
/** Linux's O_PATH. */
const O_PATH = 0o10000000;
const PATH_MAX = 4096;

/**
 * How names are asked for: a character for each byte. To make a Buffer of a name takes Node as long as to look for it, and a mere string in place of
 * these options a fifth of that.
 */
export const BYTES = { encoding: "latin1" } as const;

/** Path of a file that is held, as Linux has it. */
export const heldPath = (handle: number): string => `/proc/self/fd/${handle}`;

/** Whether it may be changed at present. */
let isLent = false;
/** The folder that it is, by its handle; undefined where it is none of those that are held. */
let near: number | undefined;
/** The folder that was used last. */
let recent: number | undefined;
/** The working directory that this process has otherwise, while it is not there. */
let home: number | undefined;
/** How many paths of folders are still to be read as links, since one that was asked for was longer than a path may be. */
let asLinks = 0;
/** Names in it that are in use: it must stay what it is. */
let uses = 0;

/** Lends the working directory until `giveBack`. */
export function lend(): void {
  isLent = true;
}

/** This process is where it was again. */
export function giveBack(): void {
  isLent = false;
  near = recent = undefined;
  if (home === undefined) return;
  const handle = home;
  home = undefined;
  try {
    process.chdir(heldPath(handle));
  } catch {
    // The guest may have forbidden itself and us to enter what was the working directory.
    process.chdir("/");
  }
  fs.closeSync(handle);
}

/** Whether the working directory is the folder of a handle. It becomes that where the folder is used twice in a row. */
export function isNear(handle: number): boolean {
  const isTwice = handle === recent;
  recent = handle;
  if (handle === near) return true;
  if (!isLent || uses > 0 || !isTwice) return false;
  try {
    home ??= fs.openSync(".", O_RDONLY | O_PATH | O_DIRECTORY);
    process.chdir(heldPath(handle));
    near = handle;
    return true;
  } catch {
    // A folder that may not be searched: whoever looks for a name in it hears of that. Or a worker, which may not do this.
    recent = undefined;
    return false;
  }
}

/** Runs `use` with a path of the entry `name` of the folder of a handle. */
export function withName<T>(handle: number, name: string, use: (path: string) => T): T {
  if (!isNear(handle)) return use(`${heldPath(handle)}/${name}`);
  uses++;
  try {
    return use(`./${name}`);
  } finally {
    uses--;
  }
}

/** The absolute path of the folder of a handle, a character for each byte. Throws where it has none, and for one that is longer than Linux tells. */
export function pathOf(handle: number): string {
  if (asLinks > 0 || !isNear(handle)) {
    const path = fs.readlinkSync(heldPath(handle), BYTES);
    if (asLinks > 0) asLinks--;
    return path;
  }
  // One system call, getcwd(2): no other function of Node's asks for the present working directory. C libraries put longer paths together, by
  // listing all the folders above: that is not asked for again soon.
  const path = fs.realpathSync.native(".", BYTES);
  if (path.length < PATH_MAX) return path;
  asLinks = LINKS_AFTER_A_LONG_PATH;
  throw new RangeError("a long path");
}

/** A handle is closed: its number will be another file's. */
export function forget(handle: number): void {
  if (handle === near) near = undefined;
  if (handle === recent) recent = undefined;
}
