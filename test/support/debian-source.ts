/** Source packages of Debian, unpacked once and kept. */
import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { unpackSource } from "../../bench/debian-source.ts";
import { root } from "./ppcr.ts";

const cache = join(root, "node_modules", ".cache", "ppcr-sources");

/** The folder of an unpacked source package; only `members` of it (tar patterns) when given. Throws when it can't be had. */
export function debianSource(name: string, members: readonly string[] = []): string {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  unpackSource(cache, name, `${folder}.new`, members);
  renameSync(`${folder}.new`, folder);
  return folder;
}
