/**
 * What Node says of a file, as the machine has it. Node 20 makes dates, an array and an object of it first, which takes it as long as Linux takes to
 * find the file. Node's functions have the bare numbers from its own C++ side, which programs may call as well: but not everywhere, and
 * it ends the process where it is called in a way it doesn't expect. So it is used where the text of Node's own functions shows that they make the very call
 * that is made here, and where its numbers are what they give; everywhere else these functions themselves are.
 */
import type { BigIntStats, PathLike } from "node:fs";
import type { HostStat } from "../host.ts";
import { fs } from "./builtins.ts";

const { constants } = fs;

function kindOf(mode: number): HostStat["kind"] {
  switch (mode & constants.S_IFMT) {
    case constants.S_IFREG:
      return "file";
    case constants.S_IFDIR:
      return "directory";
    case constants.S_IFLNK:
      return "symlink";
    case constants.S_IFIFO:
      return "fifo";
    case constants.S_IFSOCK:
      return "socket";
    case constants.S_IFBLK:
      return "block";
    default:
      return "char";
  }
}

const fromStats = (stat: BigIntStats): HostStat => ({
  kind: kindOf(Number(stat.mode)),
  dev: stat.dev,
  ino: stat.ino,
  mode: Number(stat.mode) & 0o7777,
  nlink: Number(stat.nlink),
  uid: Number(stat.uid),
  gid: Number(stat.gid),
  rdev: stat.rdev,
  size: stat.size,
  blocks: stat.blocks,
  atime: stat.atimeNs,
  mtime: stat.mtimeNs,
  ctime: stat.ctimeNs,
  btime: stat.birthtimeNs,
});

/** Numbers of a status, in libuv's order; the same array each time. */
type Numbers = BigInt64Array;
const COUNT = 18;
const SECOND = 1_000_000_000n;

/** Node's array, and the halves of its numbers as a little-endian host has them: to make a number of a BigInt takes V8 a call. */
let whole: Numbers | undefined;
let halves: Int32Array = new Int32Array(0);

function fromNumbers(numbers: Numbers): HostStat {
  if (numbers !== whole) {
    whole = numbers;
    halves = new Int32Array(numbers.buffer, numbers.byteOffset, 2 * COUNT);
  }
  const mode = halves[2];
  return {
    kind: kindOf(mode),
    dev: numbers[0],
    ino: numbers[7],
    mode: mode & 0o7777,
    nlink: halves[4] >>> 0,
    uid: halves[6] >>> 0,
    gid: halves[8] >>> 0,
    rdev: numbers[5],
    size: numbers[8],
    blocks: numbers[9],
    atime: numbers[10] * SECOND + numbers[11],
    mtime: numbers[12] * SECOND + numbers[13],
    ctime: numbers[14] * SECOND + numbers[15],
    btime: numbers[16] * SECOND + numbers[17],
  };
}

/** Node's C++ side, as far as it is used here. */
interface Inner {
  lstat(path: PathLike, bigint: true, request: undefined, throwIfNoEntry: boolean): Numbers | undefined;
  fstat(handle: number, bigint: true, request: undefined, mayBeMissing: false): Numbers | undefined;
}

const LSTAT =
  /binding\.lstat\(\s*(pathModule\.toNamespacedPath\(path\)|path),\s*options\.bigint,\s*undefined,\s*options\.throwIfNoEntry,?\s*\)/;
const FSTAT = /binding\.fstat\(\s*fd,\s*options\.bigint,\s*undefined,\s*false,?\s*\)/;

const BIGINT = { bigint: true } as const;
const BIGINT_IF_THERE = { bigint: true, throwIfNoEntry: false } as const;

/** Undefined where there is none to be used. */
function findInner(): Inner | undefined {
  if (process.platform === "win32") return undefined;
  if (!LSTAT.test(String(fs.lstatSync)) || !FSTAT.test(String(fs.fstatSync))) return undefined;
  // To get hold of it is discouraged, and may be refused.
  const engine = process as { noDeprecation?: boolean; binding?: (module: string) => unknown };
  const { noDeprecation } = engine;
  try {
    engine.noDeprecation = true;
    const inner = engine.binding!("fs") as Inner;
    const numbers = inner.lstat("/", true, undefined, false)!;
    if (!(numbers instanceof BigInt64Array) || numbers.length < COUNT) return undefined;
    const [one, other] = [fromNumbers(numbers), fromStats(fs.lstatSync("/", BIGINT))];
    return Object.keys(one).every((key) => one[key as keyof HostStat] === other[key as keyof HostStat])
      ? inner
      : undefined;
  } catch {
    return undefined;
  } finally {
    engine.noDeprecation = noDeprecation;
  }
}

/** Node's C++ side; null where it is not to be used, undefined before anybody asks. */
let side: Inner | null | undefined;
const innerSide = (): Inner | null => (side === undefined ? (side = findInner() ?? null) : side);

/** The status of what is at a path, not followed; undefined where nothing is. */
export function lookAt(path: PathLike): HostStat | undefined {
  const inner = innerSide();
  // Node's own functions complain of a NUL, where names end to C.
  if (inner !== null && !(typeof path === "string" && path.includes("\0"))) {
    const numbers = inner.lstat(path, true, undefined, false);
    return numbers === undefined ? undefined : fromNumbers(numbers);
  }
  const stat = fs.lstatSync(path, BIGINT_IF_THERE);
  return stat === undefined ? undefined : fromStats(stat);
}

/** As `lookAt`; throws where nothing is. */
export const statusAt = (path: PathLike): HostStat => lookAt(path) ?? fromStats(fs.lstatSync(path, BIGINT));

/** The status of what is open. */
export function statusOf(handle: number): HostStat {
  const numbers = innerSide()?.fstat(handle, true, undefined, false);
  return numbers === undefined ? fromStats(fs.fstatSync(handle, BIGINT)) : fromNumbers(numbers);
}
