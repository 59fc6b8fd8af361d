/** Source packages of Debian, fetched with apt's own tools; the machine's lists and sources stay as they are. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Unpacks a source package into a new folder; only `members` of it (tar patterns) when given. Lists and archives are kept in
 * `cache`. Throws where it can't be had.
 */
export function unpackSource(
  cache: string,
  name: string,
  target: string,
  members: readonly string[] = [],
): void {
  const archives = join(cache, "sources", name);
  if (!existsSync(archives)) {
    const fetched = `${archives}.new`;
    rmSync(fetched, { recursive: true, force: true });
    mkdirSync(fetched, { recursive: true });
    const options = aptOptions(cache);
    execFileSync("apt-get", [...options, "source", "--download-only", name], { cwd: fetched, stdio: "pipe" });
    renameSync(fetched, archives);
  }
  const archive = readdirSync(archives).find((file) => /\.orig\.tar\.\w+$/.test(file));
  if (archive === undefined) throw new Error(`no source archive among ${readdirSync(archives).join(" ")}`);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const patterns = members.length > 0 ? ["--wildcards", ...members] : [];
  execFileSync("tar", ["xf", join(archives, archive), "--strip-components=1", "-C", target, ...patterns]);
}

/** Where packages of a machine are said to come from. */
const SOURCES = "/etc/apt/sources.list.d";

/** Options that have apt read source packages' lists, which few machines have, from where the machine's own packages come. */
function aptOptions(cache: string): string[] {
  const lists = join(cache, "lists");
  const optionsFor = (sources: string) => [
    ...["-o", "Dir::Etc::SourceList=/dev/null", "-o", `Dir::Etc::SourceParts=${sources}`],
    ...["-o", `Dir::State::Lists=${lists}`],
  ];
  const sources = join(cache, "apt-sources");
  if (!existsSync(sources)) {
    const made = `${sources}.new`;
    for (const folder of [made, join(lists, "partial")]) mkdirSync(folder, { recursive: true });
    for (const file of readdirSync(SOURCES).filter((each) => each.endsWith(".sources"))) {
      const own = readFileSync(join(SOURCES, file), "utf8");
      writeFileSync(join(made, file), own.replaceAll(/^Types:.*$/gm, "Types: deb-src"));
    }
    execFileSync("apt-get", [...optionsFor(made), "update"], { stdio: "pipe" });
    renameSync(made, sources);
  }
  return optionsFor(sources);
}
