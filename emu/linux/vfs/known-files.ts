/**
 * What tells files again that a snapshot refers to by name: size and time of those that are open, size and contents of those that
 * are mapped. A thaw holds all of them against what is there now, and names everything that differs at once.
 */
import { hexadecimal } from "../../hexadecimal.ts";
import { type Host, HostError } from "../../host/host.ts";
import type { KnownFileSnapshot, MachineSnapshot } from "../../snapshot.ts";
import { buildId } from "../elf/build-id.ts";
import { O_ACCMODE, O_RDONLY } from "./constants.ts";
import type { FileSystem } from "./file-system.ts";
import { fileKey } from "./folder.ts";
import type { Viewer } from "./location.ts";
import { readFully } from "./mapped-files.ts";

/** Largest file whose contents are digested; of larger ones size and time must do. */
const DIGEST_MOST = 256 * 1024 * 1024;
const PIECE = 1024 * 1024;

/** What to do about files that are not what they were. */
export type OnChanged = "fail" | "warn" | "ignore";

/** Files that keep a snapshot from going on here: `problem` is what is said about each. */
export class FilesDiffer extends HostError {
  readonly files: readonly { path: string; problem: string; missing: boolean }[];
  constructor(files: FilesDiffer["files"]) {
    const list = files.map(({ path, problem }) => `\n  ${path} ${problem}`).join("");
    super(
      "ESTALE",
      `${files.length === 1 ? "a file is" : `${files.length} files are`} not as it was frozen:${list}`,
    );
    this.files = files;
  }
}

/** By identity, size and time of a file: what was found out about its contents. */
const digests = new Map<string, string>();

/** What tells the contents of a file: its build id, or else its SHA-256. */
export function contentOf(
  host: Host,
  handle: number,
  { key, size, mtime }: { key: string; size: bigint; mtime: bigint },
): string {
  const id = `${key} ${size} ${mtime}`;
  const known = digests.get(id);
  if (known !== undefined) return known;
  const read = (at: number, length: number) => {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, readFully(host, handle, bytes, at));
  };
  const content = buildId(read) ?? (size <= DIGEST_MOST ? digestOf(host, handle, Number(size)) : "");
  digests.set(id, content);
  return content;
}

function digestOf(host: Host, handle: number, size: number): string {
  const hash = host.sha256();
  const piece = new Uint8Array(Math.min(PIECE, size));
  for (let at = 0; at < size; ) {
    const count = readFully(host, handle, piece, at);
    if (count === 0) break;
    hash.update(piece.subarray(0, count));
    at += count;
  }
  return hexadecimal(hash.digest());
}

/** The paths of a snapshot that must lead to regular files. */
function pathsOf({ openFiles, processes, sharedObjects }: MachineSnapshot): Set<string> {
  const paths = new Set<string>();
  for (const { kind, path, unlinked, deleted } of openFiles) {
    if (kind === "file" && unlinked < 0 && !deleted) paths.add(path);
  }
  const mapped = [
    ...processes.flatMap(({ memory }) => memory?.areas ?? []).map(({ file }) => file),
    ...sharedObjects.map(({ file }) => file),
  ];
  for (const file of mapped) if (file !== null && file.unlinked === undefined) paths.add(file.path);
  return paths;
}

const MISSING: Readonly<Record<string, string>> = {
  ENOENT: "is missing, or in no folder that the guest was given",
  ENOTDIR: "is missing: what should be a folder on the way is none",
  EACCES: "may not be read",
};

/** Throws FilesDiffer for files of a snapshot that are missing or are not what they were, as far as `policy` minds. */
export function checkFiles(
  system: FileSystem,
  snapshot: MachineSnapshot,
  viewer: Viewer,
  policy: OnChanged,
): void {
  const known = new Map(snapshot.knownFiles?.map((file) => [file.path, file]));
  const written = new Set(
    snapshot.openFiles
      .filter(({ kind, flags }) => kind === "file" && (flags & O_ACCMODE) !== O_RDONLY)
      .map(({ path }) => path),
  );
  const found: { path: string; problem: string; missing: boolean }[] = [];
  for (const path of pathsOf(snapshot)) {
    if (!path.startsWith("/")) continue;
    try {
      const problem = difference(system, viewer, path, known.get(path));
      // Whoever thaws an image twice meets what its program did the first time.
      const own = written.has(path) ? " (the program itself has it open for writing)" : "";
      if (problem !== undefined) found.push({ path, problem: `${problem}${own}`, missing: false });
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      const problem = MISSING[error.code] ?? `can't be had: ${error.code}`;
      found.push({ path, problem, missing: true });
    }
  }
  const missing = found.filter((file) => file.missing);
  if (missing.length > 0 || (found.length > 0 && policy === "fail")) {
    throw new FilesDiffer(policy === "fail" ? found : missing);
  }
  if (policy === "warn") for (const { path, problem } of found) system.host.warn(`${path} ${problem}`);
}

function difference(
  system: FileSystem,
  viewer: Viewer,
  path: string,
  known: KnownFileSnapshot | undefined,
): string | undefined {
  const at = system.resolve(path, { follow: false }, viewer);
  const stat = system.stat(at);
  if (at.place === undefined || known === undefined) return undefined;
  if (stat.kind !== "file") return `is a ${stat.kind} now`;
  if (stat.size !== known.size) return `has ${stat.size} bytes where it had ${known.size}`;
  if (stat.mtime === known.mtime) return undefined;
  const seconds = Number(stat.mtime - known.mtime) / 1e9;
  const when = seconds > 0 ? `was changed ${seconds} s later` : `is ${-seconds} s older`;
  if (known.content === "") return when;
  const handle = system.namespace.at(at.place, (real) =>
    system.host.files.open(real, { read: true, write: false, noFollow: true }, 0),
  );
  try {
    const { size, mtime } = stat;
    return contentOf(system.host, handle, { key: fileKey(stat), size, mtime }) === known.content
      ? undefined
      : `${when}, and holds something else`;
  } finally {
    system.host.files.close(handle);
  }
}
