/**
 * The command is one script without comments, dependencies included, and a launcher that loads it with its code cache
 * (cli/bundle.ts): start-up is mostly the loading and compiling of source files. Nothing in the command is imported dynamically:
 * then the bundle has one scope, in which V8 takes functions and constants for what they are.
 */
import { Module } from "node:module";
import { defineConfig } from "rolldown";

const plain = (/** @type {string} */ code) =>
  code.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** The script as its launcher takes it: the function that Node makes of a CommonJS module, in ASCII. */
const asFunction = {
  name: "as-function",
  /** @param {unknown} _options @param {Record<string, { type: string, code?: string }>} bundle */
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle))
      if (chunk.code !== undefined) chunk.code = Module.wrap(plain(chunk.code));
  },
};

/** @param {string} input @param {string} name @param {import("rolldown").Plugin[]} plugins */
const script = (input, name, plugins = []) => ({
  input,
  plugins,
  platform: /** @type {const} */ ("node"),
  output: {
    file: `dist/bin/${name}`,
    format: /** @type {const} */ ("cjs"),
    codeSplitting: false,
    minify: { mangle: false, compress: false, codegen: { removeWhitespace: true } },
  },
  logLevel: /** @type {const} */ ("warn"),
});

export default defineConfig([
  script("cli/launch.ts", "ppcr.cjs"),
  script("cli/main.ts", "main.cjs", [asFunction]),
]);
