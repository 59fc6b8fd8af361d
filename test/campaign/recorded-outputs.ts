/**
 * `npm run campaign -- --recorded`: the instruction tests of valgrind, with the outputs that its authors recorded on POWER machines.
 * The sources come from Debian; nothing of them is kept here.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { debianSource } from "../support/debian-source.ts";
import { compilers, type Target } from "../support/guests.ts";
import { ensureBuilt, root, runPpcr } from "../support/ppcr.ts";
import { type Closest, closest, explain } from "../support/recorded.ts";
import { makeVariables } from "../support/recorded-build.ts";

const only = process.env.PPCR_CAMPAIGN_ONLY?.split(",");
const engine = process.env.PPCR_CAMPAIGN_ENGINE ?? "interp";
const source = debianSource("valgrind", ["*/none/tests/ppc32/*", "*/none/tests/ppc64/*", "*/tests/*.h"]);
const out = join(root, "node_modules", ".cache", "ppcr-recorded");
const summary: string[] = [];

/** The folder of the tests of each ABI. */
const PLATFORMS: Record<Target, string[]> = {
  ppc32: ["VGO_linux", "VGA_ppc32", "VGP_ppc32_linux"],
  ppc64: ["VGO_linux", "VGA_ppc64be", "VGP_ppc64be_linux"],
  ppc64le: ["VGO_linux", "VGA_ppc64le", "VGP_ppc64le_linux"],
};

const SYSROOTS: Record<Target, string> = {
  ppc32: "/usr/powerpc-linux-gnu",
  ppc64: "/usr/powerpc64-linux-gnu",
  ppc64le: "/usr/powerpc64le-linux-gnu",
};

const FOLDERS: Record<Target, string> = { ppc32: "ppc32", ppc64: "ppc64", ppc64le: "ppc64" };

for (const target of ["ppc32", "ppc64", "ppc64le"] as const) {
  const folder = join(source, "none", "tests", FOLDERS[target]);
  const variables = makeVariables(join(folder, "Makefile.am"), target);
  mkdirSync(join(out, target), { recursive: true });
  writeFileSync(join(out, "config.h"), "#define HAVE_AS_PPC_MFTOCRF 1\n");
  describe(target, () => {
    const tests = readdirSync(folder).filter((file) => file.endsWith(".vgtest"));
    for (const file of tests) {
      const name = file.slice(0, -".vgtest".length);
      if (only !== undefined && !only.includes(name)) continue;
      const [program = "", ...args] = (
        /^prog:\s*(.*)$/m.exec(readFileSync(join(folder, file), "utf8"))?.[1] ?? ""
      )
        .trim()
        .split(/\s+/);
      it(name, { timeout: 900_000 }, async () => {
        const path = build(target, folder, program, variables);
        ensureBuilt();
        const expected = readdirSync(folder)
          .filter((each) => each.startsWith(`${name}.stdout.exp`))
          .map((each) => ({ name: each, text: readFileSync(join(folder, each), "latin1") }));
        let best: (Closest & { model: string; status: number }) | undefined;
        for (const model of modelsFor(name)) {
          const flags = ["-L", SYSROOTS[target], "--engine", engine, "--cpu", model];
          const run = await runPpcr(path, { args, timeout: 800_000 }, flags);
          const result = { ...closest(run.stdout, expected), model, status: run.status };
          if (best !== undefined && best.lines.length <= result.lines.length) continue;
          best = result;
          writeFileSync(join(out, target, `${name}.out`), run.stdout, "latin1");
          writeFileSync(join(out, target, `${name}.err`), run.stderr, "latin1");
          if (best.lines.length === 0) break;
        }
        if (best === undefined) throw new Error(`${name} has no model to run on`);
        const { unexplained, reasons } = explain(name, target, best.lines);
        summary.push(
          `${target} ${name}: ${best.lines.length} lines of ${best.total} differ from ${best.name} on ${best.model}, ${unexplained.length} unexplained${best.status ? `, status ${best.status}` : ""}${reasons.map((each) => `\n    ${each}`).join("")}`,
        );
        expect(unexplained.slice(0, 40)).toEqual([]);
      });
    }
  });
}

afterAll(() => {
  process.stdout.write(`${summary.join("\n")}\n`);
});

/** The processors on which an output may have been recorded, the likeliest first. */
function modelsFor(name: string): string[] {
  if (/isa_3_1|copy_paste/.test(name)) return ["power10"];
  if (/isa_3_0|darn|mcrxrx|mod_inst|scv|p9/.test(name)) return ["power9"];
  return ["power9", "power8", "power7"];
}

/** Builds one program of a folder with the flags of its Makefile.am. */
function build(target: Target, folder: string, program: string, variables: (name: string) => string): string {
  const path = join(out, target, program);
  if (existsSync(path)) return path;
  const id = program.replaceAll(/[^A-Za-z0-9]/g, "_");
  const sources = (variables(`${id}_SOURCES`) || `${program}.c`).split(/\s+/);
  const flags = variables(`${id}_CFLAGS`) || "-g";
  const place = flags.includes("-Wl,-T") ? ["-no-pie"] : [];
  const libraries = variables(`${id}_LDADD`);
  const args = [
    ...[
      "-w",
      "-o",
      path,
      `-I${source}`,
      `-I${out}`,
      ...PLATFORMS[target].map((name) => `-D${name}=1`),
      ...flags.split(/\s+/),
      ...place,
      ...sources,
      ...libraries.split(/\s+/),
    ],
  ].filter((each) => each !== "");
  const { status, stderr } = spawnSync(compilers[target], args, { cwd: folder, encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} does not compile for ${target}:\n${stderr.slice(0, 3000)}`);
  return path;
}
