/** Where the command keeps translated code, and `ppcr cache show` and `ppcr cache clear`, which look after it. */
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { clearTranslations, listTranslations } from "../emu/host/node/kept-code.ts";
import { print } from "./failure.ts";

/** The folder that `--jit-cache` names; undefined for none. */
export function cacheFolder(wanted: string | undefined): string | undefined {
  if (wanted === "off") return undefined;
  if (wanted !== undefined && wanted !== "") return resolve(wanted);
  // The XDG base directory specification has relative paths ignored.
  const base = process.env.XDG_CACHE_HOME;
  if (base?.startsWith("/")) return join(base, "ppcr");
  const home = homedir();
  return home.startsWith("/") && home !== "/" ? join(home, ".cache", "ppcr") : undefined;
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
