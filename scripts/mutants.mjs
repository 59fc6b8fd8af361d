/**
 * `npm run mutants -- FOLDER|FILE… [--tests FOLDER,…] [--seed N] [--minutes N] [--only FILE:LINE]`: makes small wrong changes, one at a
 * time and drawn by the seed, in a copy of the checkout, runs the tests of what was changed, and lists the changes that no test noticed. Without
 * --tests those are the tests that lie as the source does: test/linux/signals for emu/linux/signals.
 */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { mutate, mutations } from "./mutations.mjs";
import { root } from "./setup.mjs";

const OPTIONS = ["--tests", "--seed", "--minutes", "--only"];
const words = process.argv.slice(2);
/** @param {string} name @param {string} otherwise */
const option = (name, otherwise) => (words.includes(name) ? words[words.indexOf(name) + 1] : otherwise);
const targets = words.filter((word, at) => !OPTIONS.includes(word) && !OPTIONS.includes(words[at - 1]));
const seed = Number(option("--seed", "1"));
const minutes = Number(option("--minutes", "10"));
const only = option("--only", "");
if (targets.length === 0) throw new Error("which files? For example: npm run mutants -- emu/linux/signals");

/** Source files under a path. @param {string} path @returns {string[]} */
function sources(path) {
  if (statSync(join(root, path)).isFile()) return [path];
  return readdirSync(join(root, path), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map((name) => join(path, name))
    .sort();
}

/** The nearest folder or file of tests that lies as a source does. @param {string} file */
function testsOf(file) {
  let place = file.replace(/^emu\//, "").replace(/\.ts$/, "");
  while (place !== ".") {
    for (const found of [join("test", `${place}.test.ts`), join("test", place)]) {
      if (existsSync(join(root, found))) return found;
    }
    place = dirname(place);
  }
  return "test";
}

/** Numbers from 0 to 1 that follow from a seed (Mulberry32). @param {number} state */
function randomFrom(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const random = randomFrom(seed);
const drawn = targets
  .flatMap(sources)
  .flatMap((file) => {
    const source = readFileSync(join(root, file), "utf8");
    return mutations(source).map((mutation) => ({ file, source, mutation, key: random() }));
  })
  .map((each) => ({ ...each, line: each.source.slice(0, each.mutation.start).split("\n").length }))
  .filter(({ file, line }) => only === "" || only === `${file}:${line}`)
  .sort((a, b) => a.key - b.key);

const folder = mkdtempSync(join(tmpdir(), "ppcr-mutants-"));
const copy = join(folder, "checkout");
const kept = new Set([".git", "node_modules", "dist"]);
cpSync(root, copy, { recursive: true, filter: (path) => !kept.has(relative(root, path)) });
symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));

/** Whether the tests pass in the copy; what takes much longer than it should hangs. @param {readonly string[]} tests @param {number} limit */
function passes(tests, limit) {
  const vitest = join(copy, "node_modules", "vitest", "vitest.mjs");
  const args = [vitest, "run", "--bail", "1", "--silent", "--reporter", "dot", ...tests];
  const { status } = spawnSync(process.execPath, args, {
    cwd: copy,
    stdio: "ignore",
    timeout: limit,
    killSignal: "SIGKILL",
  });
  return status === 0;
}

/** How long the tests may take, by their names, measured without any mutation. @type {Map<string, number>} */
const limits = new Map();
const end = Date.now() + minutes * 60_000;
let tried = 0;
let survived = 0;
try {
  for (const { file, source, mutation, line } of drawn) {
    if (Date.now() > end) break;
    const tests = option("--tests", testsOf(file)).split(",");
    const name = tests.join(" ");
    if (!limits.has(name)) {
      const began = Date.now();
      if (!passes(tests, 3_600_000)) throw new Error(`${name}: these tests fail without any change`);
      limits.set(name, 3 * (Date.now() - began) + 10_000);
    }
    writeFileSync(join(copy, file), mutate(source, mutation));
    tried++;
    if (passes(tests, limits.get(name) ?? 0)) {
      survived++;
      const was = source.slice(mutation.start, mutation.end).replace(/\s+/g, " ");
      console.log(`${file}:${line}: "${was}" may be "${mutation.text.replace(/\s+/g, " ")}"`);
    }
    writeFileSync(join(copy, file), source);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${tried} of ${drawn.length} mutants tried (seed ${seed}), ${survived} not noticed`);
