#!/usr/bin/env node
/**
 * Builds the guest programs of `src/` with Debian's cross compilers (gcc 12.2), each for every ABI:
 * C at -O0 and -O2, assembly once, and with -static-pie or at -O3 for a certain processor where a source asks for it.
 *
 *   node guest-bins/build.mjs [--out DIR] [--only NAME[,NAME…]] [--list]
 *   node guest-bins/build.mjs --committed      rebuilds what is committed in built/
 *
 * A finished file's name carries a hash of everything it was made from (sources, headers, flags, compiler
 * version), so that what is there already is up to date and is not built again.
 *
 * A source's header comment may hold directives on lines of their own:
 *   Build: FLAGS      further compiler flags
 *   Variants: NAMES   instead of the usual ones (O0, O2, pie; power7, 7450, ... for a processor; asm)
 *   Targets: NAMES    instead of all ABIs
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, realpathSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * @typedef {"ppc32" | "ppc64" | "ppc64le"} Target
 * @typedef {"O0" | "O2" | "pie" | "asm" | "7450" | "power7" | "power8" | "power9" | "power10"} Variant
 * @typedef {{ name: string, source: string, flags: string[], variants: Variant[], targets: Target[] }} Program
 * @typedef {{ program: string, target: Target, variant: Variant, path: string }} Built
 * @typedef {{ out?: string, only?: string[], targets?: Target[], variants?: Variant[], jobs?: number }} BuildOptions
 */

const here = dirname(fileURLToPath(import.meta.url));
const sources = join(here, "src");

/** Where built programs are kept unless the caller says otherwise. */
export const cache = join(here, "..", "node_modules", ".cache", "ppcr-guests");

/** The cache by a path without symbolic links: a guest is granted the folder of its program by that name. */
function realCache() {
  mkdirSync(cache, { recursive: true });
  return realpathSync(cache);
}

/** @type {Record<Target, { prefix: string, flags: string[] }>} */
export const targets = {
  ppc32: { prefix: "powerpc-linux-gnu-", flags: ["-m32", "-mbig-endian"] },
  ppc64: { prefix: "powerpc64-linux-gnu-", flags: ["-m64", "-mbig-endian", "-mabi=elfv1"] },
  ppc64le: { prefix: "powerpc64le-linux-gnu-", flags: ["-m64", "-mlittle-endian", "-mabi=elfv2"] },
};

/** @param {Variant} cpu */
const forProcessor = (cpu) => ["-O3", "-static", "-no-pie", `-mcpu=${cpu}`];

/** The processor that a variant is for, by its name in ppcr and qemu-user. @param {Variant} variant */
export const processorOf = (variant) => (/^power|^\d/.test(variant) ? variant : undefined);

/** The processors of each ABI: qemu-user has POWER for 64-bit programs, and the C library of ppc64le is for POWER8. @type {Record<Target, Variant[]>} */
const processors = {
  ppc32: ["7450"],
  ppc64: ["power7", "power8", "power9", "power10"],
  ppc64le: ["power8", "power9", "power10"],
};

/** Whether an ABI has a variant. @param {Variant} variant @param {Target} target */
export const suits = (variant, target) =>
  processorOf(variant) === undefined || processors[target].includes(variant);

/** @type {Record<Variant, string[]>} */
const variantFlags = {
  O0: ["-O0", "-static", "-no-pie"],
  O2: ["-O2", "-static", "-no-pie"],
  pie: ["-O2", "-static-pie", "-fPIE"],
  7450: [...forProcessor("7450"), "-maltivec", "-mabi=altivec"],
  power7: forProcessor("power7"),
  power8: forProcessor("power8"),
  power9: forProcessor("power9"),
  power10: forProcessor("power10"),
  asm: ["-nostdlib", "-static", "-no-pie", "-Wl,-z,max-page-size=4096", "-Wl,-z,noseparate-code"],
};

const commonFlags = ["-std=gnu17", "-g0", "-w", "-D_FILE_OFFSET_BITS=64", "-Wl,--build-id=none"];

/** What is committed in built/, stripped: program and variant, both ABIs of each. */
const committed = /** @type {[string, Variant][]} */ ([
  ["progress", "O2"],
  ["boundary", "O2"],
  ["linking", "O2"],
  ["hello", "asm"],
]);

/** Every program of src/, by name. @returns {Promise<Program[]>} */
export async function listPrograms() {
  const files = (await readdir(sources)).filter((file) => /\.(c|S)$/.test(file)).sort();
  return Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(sources, file), "utf8");
      const header = text.slice(0, text.indexOf("*/"));
      const directive = (/** @type {string} */ name) =>
        new RegExp(`^[ *]*${name}: (.*)$`, "m").exec(header)?.[1]?.trim().split(/\s+/);
      const usual = file.endsWith(".S") ? ["asm"] : ["O0", "O2"];
      return {
        name: file.replace(/\.[^.]+$/, ""),
        source: join(sources, file),
        flags: directive("Build") ?? [],
        variants: /** @type {Variant[]} */ (directive("Variants") ?? usual),
        targets: /** @type {Target[]} */ (directive("Targets") ?? Object.keys(targets)),
      };
    }),
  );
}

/** First line of `--version`. Rejects when the compiler is not there. @param {Target} target */
export async function compilerVersion(target) {
  const { stdout } = await run(`${targets[target].prefix}gcc`, ["--version"]);
  return stdout.split("\n", 1)[0] ?? "";
}

/** Text of all headers: a change in one rebuilds every program. */
async function headers() {
  const files = (await readdir(sources)).filter((file) => file.endsWith(".h")).sort();
  return Promise.all(files.map((file) => readFile(join(sources, file), "utf8")));
}

/** Runs at most `limit` of the tasks at once. @template T @param {(() => Promise<T>)[]} tasks @param {number} limit */
async function inParallel(tasks, limit) {
  /** @type {T[]} */
  const results = [];
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < tasks.length; i = next++) {
      const task = tasks[i];
      if (task) results[i] = await task();
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, limit) }, worker));
  return results;
}

/**
 * Builds what is missing and tells where everything is.
 * @param {BuildOptions} [options]
 * @returns {Promise<Built[]>}
 */
export async function buildGuests(options = {}) {
  const out = options.out ?? realCache();
  await mkdir(out, { recursive: true });
  const programs = (await listPrograms()).filter(({ name }) => options.only?.includes(name) ?? true);
  const missing = options.only?.find((name) => !programs.some((program) => program.name === name));
  if (missing !== undefined) throw new Error(`no guest program is named ${missing}`);
  const shared = await headers();
  const wanted = options.targets ?? /** @type {Target[]} */ (Object.keys(targets));
  const versions = new Map(
    await Promise.all(
      wanted.map(async (target) => /** @type {const} */ ([target, await compilerVersion(target)])),
    ),
  );
  const tasks = programs.flatMap((program) =>
    wanted
      .filter((target) => program.targets.includes(target))
      .flatMap((target) =>
        program.variants
          .filter((variant) => (options.variants?.includes(variant) ?? true) && suits(variant, target))
          .map(
            (variant) => () =>
              buildOne(program, target, variant, out, [versions.get(target) ?? "", ...shared]),
          ),
      ),
  );
  return inParallel(tasks, options.jobs ?? availableParallelism());
}

/**
 * @param {Program} program @param {Target} target @param {Variant} variant
 * @param {string} out @param {string[]} ingredients whatever else the result depends on
 * @returns {Promise<Built>}
 */
async function buildOne(program, target, variant, out, ingredients) {
  const flags = [...commonFlags, ...targets[target].flags, ...variantFlags[variant], ...program.flags];
  const hash = createHash("sha256").update(JSON.stringify([flags, ingredients]));
  const key = hash
    .update(await readFile(program.source))
    .digest("hex")
    .slice(0, 12);
  const path = join(out, `${program.name}-${target}-${variant}-${key}`);
  const built = { program: program.name, target, variant, path };
  if (await stat(path).catch(() => undefined)) return built;
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await run(`${targets[target].prefix}gcc`, [
      ...flags,
      "-I",
      sources,
      program.source,
      "-o",
      temporary,
      "-lm",
    ]);
  } catch (error) {
    throw new Error(`${basename(program.source)} for ${target} at ${variant}: ${String(error)}`);
  }
  await rename(temporary, path);
  return built;
}

/** Rebuilds built/ and writes down there which compiler made it. */
async function buildCommitted() {
  const built = join(here, "built");
  await rm(built, { recursive: true, force: true });
  await mkdir(built, { recursive: true });
  for (const { program, target, variant, path } of await buildGuests({
    only: committed.map(([name]) => name),
    targets: ["ppc32", "ppc64"],
  })) {
    if (!committed.some(([name, level]) => name === program && level === variant)) continue;
    const file = join(built, `${program}-${target}`);
    await copyFile(path, file);
    await run(`${targets[target].prefix}strip`, ["--strip-all", "--remove-section=.comment", file]);
  }
  const versions = await Promise.all([compilerVersion("ppc32"), compilerVersion("ppc64")]);
  await writeFile(join(built, "COMPILERS"), `${versions.join("\n")}\n`);
}

/** @param {string[]} args */
async function main(args) {
  const value = (/** @type {string} */ name) =>
    args.includes(name) ? args[args.indexOf(name) + 1] : undefined;
  if (args.includes("--committed")) return buildCommitted();
  if (args.includes("--list")) {
    for (const { name, variants } of await listPrograms()) console.log(`${name}: ${variants.join(" ")}`);
    return;
  }
  for (const version of await Promise.all([compilerVersion("ppc32"), compilerVersion("ppc64")]))
    console.log(version);
  const built = await buildGuests({ out: value("--out"), only: value("--only")?.split(",") });
  console.log(`${built.length} programs in ${value("--out") ?? cache}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main(process.argv.slice(2)).catch((error) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
