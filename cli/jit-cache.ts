/** Where the command keeps translated code, and `ppcr cache show` and `ppcr cache clear`, which look after it. */
import { realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { toHost } from "../emu/host/node/files.ts";
import { clearTranslations, listTranslations } from "../emu/host/node/kept-code.ts";
import { defaultMounts, isWithin } from "../emu/machine.ts";
import { Failure, print } from "./failure.ts";
import type { GrantFlags } from "./grants.ts";
import { absolute, homeFolder } from "./surroundings.ts";

/** The folder that `--jit-cache` names; undefined for none. */
function cacheFolder(wanted: string | undefined): string | undefined {
  if (wanted === "off") return undefined;
  if (wanted !== undefined && wanted !== "") return absolute(wanted);
  // The XDG base directory specification has relative paths ignored.
  const base = process.env.XDG_CACHE_HOME;
  if (base?.startsWith("/")) return join(base, "ppcr");
  const home = homeFolder();
  return home?.startsWith("/") && home !== "/" ? join(home, ".cache", "ppcr") : undefined;
}

/**
 * The folder for a run in `cwd` with these grants. Whoever can write there has ppcr run any code: where the guest could, nothing is kept.
 * Throws Failure where that very folder was asked for.
 */
export function cacheBeyondGuest(
  wanted: string | undefined,
  { dir }: GrantFlags,
  cwd: string,
): string | undefined {
  const folder = cacheFolder(wanted);
  if (folder === undefined) return undefined;
  const real = realPath(folder);
  const granted = defaultMounts({ cwd, extra: dir }).find(
    ({ host, readOnly }) => !readOnly && isWithin(real, realPath(host)),
  );
  if (granted === undefined) return folder;
  if (wanted !== undefined && wanted !== "") {
    throw new Failure(
      `--jit-cache ${wanted}: lies in ${granted.host}, where the program may write; name a folder out of its reach, or 'off'`,
    );
  }
  return undefined;
}

/** A path without symbolic links, as far as it is there. */
function realPath(path: string): string {
  try {
    return realpathSync.native(toHost(path));
  } catch {
    return path === dirname(path) ? path : join(realPath(dirname(path)), basename(path));
  }
}

const MIB = 2 ** 20;

/** Prints what is kept. */
export function showCache(wanted: string | undefined, json: boolean): void {
  const folder = cacheFolder(wanted);
  const kept = folder === undefined ? [] : listTranslations(folder);
  const bytes = kept.reduce((sum, each) => sum + each.bytes, 0);
  if (json) {
    const programs = kept.map(({ program, bytes, used, isCurrent }) => ({
      program,
      bytes,
      used: used.toISOString(),
      current: isCurrent,
    }));
    print(`${JSON.stringify({ schema_version: 1, folder: folder ?? null, bytes, programs }, null, 2)}\n`);
    return;
  }
  const lines = kept.map(
    ({ program, bytes, used, isCurrent }) =>
      `${(bytes / MIB).toFixed(1).padStart(8)} MiB  ${used.toISOString().slice(0, 16)}  ${program}${isCurrent ? "" : "  (of another version)"}\n`,
  );
  print(`${lines.join("")}${(bytes / MIB).toFixed(1).padStart(8)} MiB in ${folder ?? "no folder"}\n`);
}

/** Removes all of it. */
export function clearCache(wanted: string | undefined): void {
  const folder = cacheFolder(wanted);
  const bytes = folder === undefined ? 0 : clearTranslations(folder);
  print(`removed ${(bytes / MIB).toFixed(1)} MiB from ${folder ?? "no folder"}\n`);
}
