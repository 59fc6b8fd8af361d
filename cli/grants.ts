/** What of the host's files the guest gets, and what the user should know of it. */
import { existsSync, realpathSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { decodeName } from "../emu/host/names.ts";
import { isTerminal } from "../emu/host/node/descriptor.ts";
import { toHost } from "../emu/host/node/files.ts";
import {
  type Abi,
  defaultMounts,
  isWithin,
  type MountConfig,
  type NetGrants,
  type ProgramFacts,
} from "../emu/machine.ts";
import { isFirstTime } from "./control.ts";
import { describeSystemError, Failure, say } from "./failure.ts";
import { homeFolder } from "./surroundings.ts";

export interface GrantFlags {
  sysroot?: string;
  dir: MountConfig[];
  net?: NetGrants;
}

/** Where Debian and its like put the C libraries of their cross compilers. */
const CROSS_LIBRARIES: Record<Abi, string> = {
  ppc32: "/usr/powerpc-linux-gnu",
  ppc64: "/usr/powerpc64-linux-gnu",
  ppc64le: "/usr/powerpc64le-linux-gnu",
};

/**
 * The grants of a run in the folder `cwd`; of `program`, a host path, where there is one. A program that wants a dynamic linker gets
 * the cross compilers' C library where no sysroot is given. Throws Failure for a folder that isn't there.
 */
export function grants(
  { sysroot, dir, net }: GrantFlags,
  { cwd, program }: { cwd: string; program?: string },
): (facts: ProgramFacts) => MountConfig[] {
  for (const { host } of dir) checkThere("--dir", host);
  if (sysroot) checkThere("sysroot", sysroot);
  return ({ abi, isDynamic }) => {
    const found = CROSS_LIBRARIES[abi];
    const libraries = sysroot || (isDynamic && existsSync(found) ? found : undefined);
    const extra = [...behindLink(program, cwd), ...(net?.outside ? resolver() : []), ...dir];
    return defaultMounts({ cwd, program, sysroot: libraries, extra });
  };
}

/** The files by which names of other hosts are found, as the host has them. */
const resolver = (): MountConfig[] =>
  ["/etc/resolv.conf", "/etc/hosts"]
    .filter((path) => existsSync(path))
    .map((path) => ({ host: path, guest: path, readOnly: true }));

/** A program in the working directory that is a symbolic link to somewhere else is granted there as well. */
function behindLink(program: string | undefined, cwd: string): MountConfig[] {
  if (program === undefined || !isWithin(program, cwd)) return [];
  const real = realPath(program);
  return isWithin(real, cwd) ? [] : [{ host: real, guest: real, readOnly: true }];
}

/** The path of a program as the guest sees it: where no folder that it gets leads there, it lies where links end. */
export function programPath(program: string, { sysroot, cwd }: { sysroot?: string; cwd: string }): string {
  const path = resolve(cwd, program);
  const folders = sysroot ? [cwd, resolve(cwd, sysroot)] : [cwd];
  return folders.some((folder) => isWithin(path, folder)) ? path : realPath(path);
}

/** Where links end; the path itself where nothing is there, which is told when it is loaded. */
function realPath(path: string): string {
  try {
    return decodeName(realpathSync.native(toHost(path), { encoding: "buffer" }));
  } catch {
    return path;
  }
}

function checkThere(option: string, path: string): void {
  try {
    statSync(toHost(path));
  } catch (error) {
    throw new Failure(`${option} ${path}: ${describeSystemError(error)}`);
  }
}

/**
 * Says so where the guest gets more than one would think: all of the host or of the user's files, because the command was given in
 * their folder, or root's power over them. Of root people are told once, at a terminal: whoever works in a container knows.
 */
export function warnOfGrants({ dir }: GrantFlags, cwd: string): void {
  const askedFor = dir.some(({ host }) => isSameFolder(host, cwd));
  const home = homeFolder();
  const isHome = home !== undefined && isSameFolder(home, cwd);
  const what = cwd === "/" ? "the root folder" : isHome ? "your home folder" : undefined;
  if (what !== undefined && !askedFor) {
    say(
      `warning: the program may read and change everything in ${cwd}, ${what}, since it is the working directory`,
    );
  }
  if (process.geteuid?.() === 0 && isTerminal(2) && isFirstTime("warned-of-root")) {
    say("warning: running as root, whose rights the program has in the folders that it is given");
  }
}

function isSameFolder(one: string, other: string): boolean {
  const found = [one, other].map((path) => statSync(toHost(path), { throwIfNoEntry: false }));
  return found[0] !== undefined && found[0].ino === found[1]?.ino && found[0].dev === found[1].dev;
}
