/**
 * Reads an image: check, then hand out. Nothing is believed: every count is bounded before anything is allocated for it, every
 * range and name is checked, and an image is returned only when all of it has been read without an error.
 */
import { Cursor } from "./cursor.ts";
import { type Finding, ImageError } from "./errors.ts";
import type { Image, Rec, TaskImage } from "./image.ts";
import { longSizeOf, readHead } from "./read-head.ts";
import { type ReadState, readDummy, readTask } from "./read-task.ts";
import { readAfterTail } from "./read-trailer.ts";
import * as R from "./records.ts";
import type { ImageSource, Sha256 } from "./stream.ts";

const T = R.RECORD_TYPES;

/** How an image is to be read. */
export interface ReadOptions {
  /** To check the trailer's digest with; without it the digest is not checked. */
  sha256?: Sha256;
  /** Refuse what a kernel with the seed patch refuses: another version, missing or other dummies, the trailer's flag. */
  strict?: boolean;
}

/** An image and what was found in it. */
export interface CheckedImage {
  /** Undefined when there is an error. */
  image?: Image;
  /** In order of the image, errors and warnings. */
  findings: Finding[];
}

function readPids(cursor: Cursor, tree: Rec<R.TreeValues>): Rec<R.PidsValues>[] {
  const count = tree.values.tasks_nr;
  if (count < 1 || count > R.LIMITS.tasks) {
    throw cursor.fatal("count", "TREE", tree, `${count} tasks where 1 to ${R.LIMITS.tasks} are allowed`);
  }
  const size = R.PIDS.fixedSize(cursor.format);
  if (count * size > cursor.left) throw cursor.truncated("TREE", tree, count * size - cursor.left);
  const seen = new Set<number>();
  const pids: Rec<R.PidsValues>[] = [];
  for (let index = 0; index < count; index++) {
    const place = { offset: cursor.at, index: tree.index };
    const decoded = cursor.decode("TREE", place.offset, R.PIDS, cursor.take(size, "TREE"));
    const { vpid, vtgid } = decoded.values;
    if (vpid <= 0) cursor.note("error", "value", "TREE", place, `task ${index} has the process id ${vpid}`);
    if (seen.has(vpid)) cursor.note("error", "value", "TREE", place, `process id ${vpid} comes twice`);
    if (vtgid !== vpid)
      cursor.note(
        "warning",
        "value",
        "TREE",
        place,
        `task ${vpid} is in thread group ${vtgid}; v13 has no threads`,
      );
    seen.add(vpid);
    pids.push({ parent: 0, ...decoded, offset: place.offset });
  }
  return pids;
}

function readAll(cursor: Cursor, source: ImageSource, options: ReadOptions): Image {
  const strict = options.strict ?? false;
  const head = readHead(cursor, strict);
  const likelyLongSize = longSizeOf(head.values);
  const state: ReadState = { cursor, source, strict, likelyLongSize, files: new Set() };
  const headArch = readDummy(state, T.HEAD_ARCH, 0);
  const tree = cursor.record(T.TREE, R.TREE, headArch === undefined ? [T.HEAD_ARCH] : []);
  if (tree.parent !== 0)
    cursor.note("error", "record-parent", "TREE", tree, `parent is ${tree.parent}; it must be 0`);
  const pids = readPids(cursor, tree);
  const tasks: TaskImage[] = pids.map(({ values }) => readTask(state, values.vpid));
  const tail = cursor.record(T.TAIL, R.TAIL);
  if (tail.parent !== 0)
    cursor.note("error", "record-parent", "TAIL", tail, `parent is ${tail.parent}; it must be 0`);
  if (tail.values.magic !== R.TAIL_MAGIC) {
    cursor.note("error", "magic", "TAIL", tail, `the magic number is 0x${tail.values.magic.toString(16)}`);
  }
  return {
    format: cursor.format,
    shape: state.shape!,
    pageSize: state.pageSize ?? 4096,
    head,
    headArch,
    tree,
    pids,
    tasks,
    tail,
    ...readAfterTail(cursor, source, head.values, options.sha256),
  };
}

/** Reads an image as far as it can be read, and lists everything found wrong or odd. */
export function checkImage(source: ImageSource, options: ReadOptions = {}): CheckedImage {
  const cursor = new Cursor(source);
  try {
    const image = readAll(cursor, source, options);
    const failed = cursor.findings.some((finding) => finding.severity === "error");
    return failed ? { findings: cursor.findings } : { image, findings: cursor.findings };
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    return { findings: [...cursor.findings, ...error.findings] };
  }
}

/** Reads an image. Throws ImageError (the first error, with all findings) when anything is wrong with it. */
export function readImage(source: ImageSource, options: ReadOptions = {}): Image {
  const { image, findings } = checkImage(source, options);
  if (image !== undefined) return image;
  throw new ImageError(findings.find((finding) => finding.severity === "error")!, findings);
}
