/**
 * `npm run campaign -- --programs`: programs of Debian's ppc64el packages do real work in both engines, and must print what
 * the host's own print. Packages are fetched by apt-get into a cache of ours; nothing is installed.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { inTemporaryDirectory } from "../support/guests.ts";
import { root } from "../support/ppcr.ts";

const cache = join(root, "node_modules", ".cache", "ppcr-debian");
const sysroot = join(cache, "sysroot");
const scripts = join(dirname(fileURLToPath(import.meta.url)), "programs");
const { PPCR_CAMPAIGN_ONLY = "" } = process.env;

const PACKAGES = [
  ...[
    "bash",
    "dash",
    "coreutils",
    "make",
    "grep",
    "sed",
    "gawk",
    "mawk",
    "findutils",
    "tar",
    "gzip",
    "xz-utils",
  ],
  ...[
    "bzip2",
    "zstd",
    "perl",
    "python3",
    "lua5.4",
    "sqlite3",
    "openssl",
    "binutils",
    "gcc",
    "libc6-dev",
    "git",
  ],
  ...["diffutils", "patch", "m4", "procps", "util-linux", "tcl8.6", "file"],
];
/** What maintainers' scripts would have linked. */
const LINKS = [
  ["usr/bin/awk", "mawk"],
  ["usr/bin/cc", "gcc"],
] as const;

function must(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): void {
  const { status, stderr, error } = spawnSync(command, args, { env, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? stderr}`);
}

/** Fetches and unpacks the packages, once. */
function prepare(): void {
  if (existsSync(join(sysroot, "bin", "bash"))) return;
  for (const folder of ["lists/partial", "archives/partial", "etc"]) {
    mkdirSync(join(cache, folder), { recursive: true });
  }
  writeFileSync(join(cache, "status"), "");
  const settings = {
    "Dir::State::lists": join(cache, "lists"),
    "Dir::State::status": join(cache, "status"),
    "Dir::Cache": cache,
    "Dir::Cache::archives": join(cache, "archives"),
    "APT::Architecture": "ppc64el",
    "APT::Sandbox::User": "root",
    "APT::Install-Recommends": "false",
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";`);
  writeFileSync(join(cache, "apt.conf"), `${lines.join("\n")}\nAPT::Architectures { "ppc64el"; };\n`);
  const env = { ...process.env, APT_CONFIG: join(cache, "apt.conf") };
  // One list that can't be had does not matter as long as the packages can.
  spawnSync("apt-get", ["update"], { env });
  must("apt-get", ["install", "-y", "--download-only", ...PACKAGES], env);
  mkdirSync(sysroot, { recursive: true });
  const archives = join(cache, "archives");
  for (const name of readdirSync(archives).filter((each) => each.endsWith(".deb"))) {
    must("dpkg-deb", ["-x", join(archives, name), sysroot]);
  }
  for (const [path, target] of LINKS) {
    if (!existsSync(join(sysroot, path))) symlinkSync(target, join(sysroot, path));
  }
}

const ENVIRONMENT = { PATH: "/usr/bin:/bin", HOME: "/tmp", LC_ALL: "C.UTF-8" };

function run(command: string, args: readonly string[], cwd: string): { output: string; status: number } {
  const { stdout, status } = spawnSync(command, args, { cwd, env: ENVIRONMENT, encoding: "latin1" });
  return { output: stdout, status: status ?? -1 };
}

const wanted = (script: string) => PPCR_CAMPAIGN_ONLY.split(",").some((only) => script.includes(only));

for (const script of readdirSync(scripts).filter(wanted)) {
  it(`${script} prints what it prints natively`, { timeout: 3600_000 }, async () => {
    prepare();
    const path = join(scripts, script);
    const native = await inTemporaryDirectory(async (cwd) => run("bash", [path], cwd));
    for (const engine of ["interp", "jit"]) {
      const ours = await inTemporaryDirectory(async (cwd) => {
        const ppcr = join(root, "dist", "bin", "ppcr.cjs");
        const options = ["run", "--engine", engine, "-L", sysroot, "--dir", `${scripts}:${scripts}:ro`];
        const variables = Object.entries(ENVIRONMENT).flatMap(([name, value]) => ["-E", `${name}=${value}`]);
        const program = [join(sysroot, "bin", "bash"), path];
        return run(process.execPath, [ppcr, ...options, ...variables, "--", ...program], cwd);
      });
      const natively = `# ${engine}\n${native.output}# ${native.status}`;
      expect(`# ${engine}\n${ours.output}# ${ours.status}`).toBe(natively);
      process.stdout.write(
        `${script} ${engine}: ${readFileSync(path, "utf8").split("\n").length} lines agree\n`,
      );
    }
  });
}
