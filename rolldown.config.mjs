/**
 * The command is one CommonJS script without comments, dependencies included, and a launcher that loads it with its code cache (cli/bundle.ts): start-up
 * is mostly the loading and compiling of source files.
 */
import { defineConfig } from "rolldown";

/** @param {string} input @param {string} name */
const script = (input, name) => ({
  input,
  platform: /** @type {const} */ ("node"),
  output: {
    file: `dist/bin/${name}`,
    format: /** @type {const} */ ("cjs"),
    codeSplitting: false,
    minify: { mangle: false, compress: false, codegen: { removeWhitespace: true } },
  },
  logLevel: /** @type {const} */ ("warn"),
});

export default defineConfig([script("cli/launch.ts", "ppcr.cjs"), script("cli/main.ts", "main.cjs")]);
