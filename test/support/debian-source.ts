/** Source packages of Debian, fetched into the cache with apt's own tools. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./ppcr.ts";

const cache = join(root, "node_modules", ".cache", "ppcr-sources");

/** The folder of an unpacked source package; only `members` of it (tar patterns) when given. Throws when it can't be had. */
export function debianSource(name: string, members: readonly string[] = []): string {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  const download = join(cache, `${name}.download`);
  rmSync(download, { recursive: true, force: true });
  mkdirSync(join(download, "lists", "partial"), { recursive: true });
  mkdirSync(join(download, "sources"));
  mkdirSync(join(download, "unpacked"));
  for (const file of readdirSync("/etc/apt/sources.list.d").filter((each) => each.endsWith(".sources"))) {
    const text = readFileSync(join("/etc/apt/sources.list.d", file), "utf8");
    writeFileSync(join(download, "sources", file), text.replaceAll(/^Types: deb$/gm, "Types: deb-src"));
  }
  const options = [
    `Dir::State::Lists=${download}/lists`,
    "Dir::Etc::SourceList=/dev/null",
    `Dir::Etc::SourceParts=${download}/sources`,
  ].flatMap((option) => ["-o", option]);
  run("apt-get", [...options, "-qq", "update"], download);
  run("apt-get", [...options, "-qq", "source", "--download-only", name], download);
  const archive = readdirSync(download).find((file) => /\.orig\.tar\.\w+$/.test(file));
  if (archive === undefined) throw new Error(`the source package ${name} has no archive of its own`);
  const patterns = members.length > 0 ? ["--wildcards", ...members] : [];
  run("tar", ["xf", archive, "-C", "unpacked", "--strip-components=1", ...patterns], download);
  renameSync(join(download, "unpacked"), folder);
  rmSync(download, { recursive: true });
  return folder;
}

function run(program: string, args: readonly string[], cwd: string): void {
  const { status, error, stderr } = spawnSync(program, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} failed: ${error?.message ?? stderr}`);
}
