/**
 * What is published: the library's two entries and the command, each in as few scopes as can be. In one scope V8 takes functions and
 * constants for what they are; across those of modules the interpreter reaches about four fifths of that speed.
 *
 * The command is a script without comments, dependencies included, others of what few runs need (scripts/deferred.mjs, and what is imported
 * dynamically), and a launcher that loads them with their code caches (cli/bundle.ts): start-up is mostly the loading of code. The
 * library's entries take the place of the modules that the compiler has made of them, beside their types.
 */
import { defineConfig } from "rolldown";
import { alone, deferredGroups, deferring } from "./scripts/deferred.mjs";

/**
 * Modules of Node that dependencies ask for as soon as they are loaded, and need for what this command hardly does: commander's is for verbs
 * that are programs of their own, cli-progress's for bars. Loading them takes a tenth of what running a small program takes.
 */
const SELDOM = ["node:child_process", "readline"];
const seldom = {
  name: "seldom",
  /** @param {string} source @param {string | undefined} importer */
  resolveId: (source, importer) =>
    SELDOM.includes(source) && importer?.includes("node_modules") ? `\0seldom ${source}` : undefined,
  /** @param {string} id */
  load(id) {
    const [mark, source] = id.split(" ");
    if (mark !== "\0seldom") return undefined;
    return `module.exports = new Proxy({}, { get: (_, name) => process.getBuiltinModule("${source}")[name] });`;
  },
};

/** @param {string} input @param {string} name @param {Partial<import("rolldown").BuildOptions>} more */
const script = (input, name, { output, ...more } = {}) => ({
  input,
  ...more,
  platform: /** @type {const} */ ("node"),
  output: {
    dir: "dist/bin",
    entryFileNames: name,
    chunkFileNames: "[name].cjs",
    format: /** @type {const} */ ("cjs"),
    // Names inside of functions alone are short: stacks are to be read.
    minify: { mangle: { toplevel: false }, compress: false, codegen: { removeWhitespace: true } },
    ...output,
  },
  logLevel: /** @type {const} */ ("warn"),
});

export default defineConfig([
  {
    input: { index: "index.ts", node: "node.ts" },
    platform: "neutral",
    external: /^node:/,
    output: {
      dir: "dist",
      format: "esm",
      entryFileNames: "[name].js",
      chunkFileNames: "library-[name].js",
      sourcemap: true,
    },
    logLevel: "warn",
  },
  script("cli/launch.ts", "ppcr.cjs"),
  script("cli/launch-thread.ts", "thread.cjs"),
  script("translating.ts", "translating.cjs", { plugins: [alone] }),
  script("cli/main.ts", "main.cjs", {
    plugins: [seldom, deferring],
    preserveEntrySignatures: "allow-extension",
    output: {
      codeSplitting: {
        groups: [...deferredGroups, { name: "main", tags: ["$initial"] }, { name: "seldom" }],
        includeDependenciesRecursively: false,
      },
    },
  }),
]);
