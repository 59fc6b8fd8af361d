/**
 * The command is one CommonJS bundle with a few parts that are loaded on demand, without comments: start-up is mostly
 * the loading and compiling of source files, and Node's loader of ES modules costs more than the other.
 */
import { defineConfig } from "rolldown";

export default defineConfig({
  input: { ppcr: "cli/main.ts" },
  platform: "node",
  // What package.json names stays outside.
  external: ["cli-progress", "commander", "elfy"],
  output: {
    dir: "dist/bin",
    format: "cjs",
    entryFileNames: "[name].cjs",
    chunkFileNames: "parts/[name].cjs",
    minify: { mangle: false, compress: false, codegen: { removeWhitespace: true } },
  },
  logLevel: "warn",
});
