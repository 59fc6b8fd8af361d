/** Which parts of the host's files a guest sees, where, and whether it may change them. */
/** One grant. */
export interface MountConfig {
  /** Host path of a directory, or of a single file. */
  host: string;
  /** Absolute guest path where it appears. */
  guest: string;
  readOnly: boolean;
}

/** A guest path made absolute and free of ".", ".." and repeated slashes, without looking at any file. */
export function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

export const join = (directory: string, name: string): string =>
  directory === "/" ? `/${name}` : `${directory}/${name}`;

export const parentOf = (path: string): string => path.slice(0, path.lastIndexOf("/")) || "/";
export const baseOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** Whether `path` is `directory` or lies below it; both normalized. */
export const isWithin = (path: string, directory: string): boolean =>
  directory === "/" || path === directory || path.startsWith(`${directory}/`);

/** Whether a path lies in the trees that are shown as soon as there are processes. */
export const showsTasks = (path: string): boolean => isWithin(path, "/proc") || isWithin(path, "/sys");

/** What a path is once `from` has been renamed to `to`; all normalized. */
export const afterRename = (path: string, from: string, to: string): string =>
  isWithin(path, from) ? to + path.slice(from.length) : path;

/**
 * The grants of a plain `ppcr run`: the sysroot at "/" and at its own path, the program's file read-only, the current directory
 * read-write, and what the user adds, which wins over the others. All paths are absolute host paths.
 */
export function defaultMounts(options: {
  program?: string;
  cwd: string;
  sysroot?: string;
  extra?: readonly MountConfig[];
}): MountConfig[] {
  const mounts: MountConfig[] = [];
  const cwd = normalize(options.cwd);
  if (options.sysroot !== undefined) {
    const host = absolute(options.sysroot, cwd);
    // Programs of the sysroot are named by their host paths, and look for their libraries and data beside themselves.
    mounts.push({ host, guest: "/", readOnly: true }, { host, guest: normalize(host), readOnly: true });
  }
  const program = options.program === undefined ? cwd : normalize(options.program);
  // In the sysroot and below the current directory it is granted already: as a link, where it is one.
  const isGranted = [cwd, ...mounts.map(({ guest }) => guest).filter((guest) => guest !== "/")].some(
    (folder) => isWithin(program, folder),
  );
  if (!isGranted) mounts.push({ host: program, guest: program, readOnly: true });
  mounts.push({ host: cwd, guest: cwd, readOnly: false });
  return [...mounts, ...(options.extra ?? [])];
}

/**
 * Reads `HOST[:GUEST][:ro]`, where `\:` is a colon of a path and `\\` a backslash; `cwd` completes relative paths.
 * Undefined when there is no sense in it.
 */
export function parseMount(text: string, cwd: string): MountConfig | undefined {
  const parts = splitQuoted(text);
  let readOnly = false;
  if (parts.length > 1 && /^r[ow]$/.test(parts[parts.length - 1])) readOnly = parts.pop() === "ro";
  const [host, guest] = parts;
  if (parts.length > 2 || host === "" || (guest !== undefined && !guest.startsWith("/"))) return undefined;
  const from = absolute(host, cwd);
  return { host: from, guest: guest ?? normalize(from), readOnly };
}

const absolute = (path: string, cwd: string): string => (path.startsWith("/") ? path : `${cwd}/${path}`);

/** The parts of a text between colons; a backslash takes the meaning from a colon or backslash behind it. */
function splitQuoted(text: string): string[] {
  const parts = [""];
  for (const [token, quoted] of text.matchAll(/\\([:\\])|./gsu)) {
    if (token === ":") parts.push("");
    else parts[parts.length - 1] += quoted ?? token;
  }
  return parts;
}
