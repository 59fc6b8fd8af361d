/** Sets a fresh clone up: packages from npm, the compiled command, and for tests the tools from Debian. */
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findTool, missingTools, packageOf, packages } from "./tools.mjs";

/** The checkout. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/**
 * Runs a program in the checkout and ends this process when it fails. Its output is shown, or kept back and shown
 * only on failure when `quiet`.
 * @param {string} program @param {string[]} args @param {{ quiet?: boolean }} [options]
 */
export function run(program, args, { quiet = false } = {}) {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    cwd: root,
    stdio: quiet ? "pipe" : "inherit",
    encoding: "utf8",
    shell: process.platform === "win32" && program === "npm",
  });
  if (status === 0) return;
  if (quiet) process.stderr.write(`${stdout ?? ""}${stderr ?? ""}`);
  console.error(
    `${program} ${args.join(" ")} failed${error ? `: ${error.message}` : ` with status ${status}`}`,
  );
  process.exit(status ?? 1);
}

/** Stops here on a Node that is too old, in words. */
function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`ppcr needs Node 20.19 or later; this is ${process.versions.node}`);
  process.exit(1);
}

/** Installs the npm packages if they are not there or older than the lock file, and compiles ppcr. */
export function setUp() {
  checkNode();
  const installed = statSync(join(root, "node_modules", ".package-lock.json"), { throwIfNoEntry: false });
  if (installed === undefined || installed.mtimeMs < statSync(join(root, "package-lock.json")).mtimeMs) {
    // npm ci empties what the link leads to, which is another checkout's.
    if (lstatSync(join(root, "node_modules"), { throwIfNoEntry: false })?.isSymbolicLink()) {
      console.error(
        "node_modules is a link to packages that are older than package-lock.json: run npm ci where they are",
      );
      process.exit(1);
    }
    console.error("Setting up: npm ci (once; this also compiles ppcr)");
    run("npm", ["ci", "--no-audit", "--no-fund"], { quiet: true });
  } else {
    run("npm", ["run", "--silent", "build"]);
  }
}

/** Installs missing Debian packages where that is possible, else says which tests will be left out and why. */
export function setUpTools() {
  const missing = missingTools();
  if (missing.length === 0) return;
  const isRoot = process.getuid?.() === 0;
  if (isRoot && findTool("apt-get") !== undefined && existsSync("/etc/debian_version")) {
    console.error(`Installing Debian packages for ${missing.join(", ")}`);
    process.env.DEBIAN_FRONTEND = "noninteractive";
    run("apt-get", ["update", "-qq"], { quiet: true });
    run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...packages], { quiet: true });
    return;
  }
  const wanted = [...new Set(missing.map((name) => packageOf[name]))];
  console.error(`Not found: ${missing.join(", ")}.`);
  console.error(`Tests that compare with them are left out. On Debian: apt-get install ${wanted.join(" ")}`);
}
