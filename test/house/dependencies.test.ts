/** The lint rules that keep the dependency directions do catch what they are there for. */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../support/ppcr.ts";

/** A file, what it imports, and whether the house allows it. */
const imports: [file: string, specifier: string, allowed: boolean][] = [
  ["emu/machine.ts", "../cr/reader.ts", false],
  ["emu/linux/kernel.ts", "../../cr/reader.ts", false],
  ["emu/linux/syscalls/syscall-table.ts", "../../../cli/main.ts", false],
  ["emu/machine.ts", "./linux/kernel.ts", true],
  ["emu/isa/decoder.ts", "../cpu/interpreter.ts", false],
  ["emu/isa/table/branch.ts", "../../memory/layout.ts", false],
  ["emu/isa/table/branch.ts", "../forms.ts", true],
  ["emu/memory/vma.ts", "../cpu/interpreter.ts", false],
  ["emu/memory/vma.ts", "../cpu/floating-point/fpu.ts", false],
  ["emu/memory/vma.ts", "../cpu/fault.ts", true],
  ["emu/memory/vma.ts", "../cpu/registers.ts", true],
  ["emu/memory/vma.ts", "../linux/process.ts", false],
  ["emu/cpu/branch.ts", "../linux/process.ts", false],
  ["emu/cpu/floating-point/fpu.ts", "../../jit/region.ts", false],
  ["emu/cpu/branch.ts", "../isa/table.ts", true],
  ["emu/cpu/branch.ts", "../memory/address-space.ts", true],
  ["emu/jit/engine.ts", "../linux/process.ts", false],
  ["emu/jit/engine.ts", "../cpu/dispatch.ts", true],
  ["emu/linux/process.ts", "../cpu/branch.ts", false],
  ["emu/linux/signals/frame.ts", "../../cpu/floating-point/fpu.ts", false],
  ["emu/linux/process.ts", "../isa/decoder.ts", false],
  ["emu/linux/clock.ts", "./signals/post.ts", false],
  ["emu/linux/mm.ts", "./vfs/file-system.ts", false],
  ["emu/linux/tasks.ts", "./syscalls/wait.ts", false],
  ["emu/linux/process.ts", "./contracts.ts", true],
  ["emu/linux/signals/post.ts", "../vfs/open-file.ts", false],
  ["emu/linux/signals/post.ts", "../process.ts", true],
  ["emu/linux/vfs/pipe.ts", "../syscalls/poll.ts", false],
  ["emu/linux/net/inbox.ts", "../kernel.ts", false],
  ["emu/linux/vfs/pipe.ts", "../thread.ts", true],
  ["emu/linux/process.ts", "../cpu/registers.ts", true],
  ["emu/linux/process.ts", "../cpu/interpreter.ts", true],
  ["emu/host/host.ts", "../linux/process.ts", false],
  ["cr/writer.ts", "../cli/main.ts", false],
  ["cr/writer.ts", "../emu/memory/address-space.ts", false],
  ["cr/records/task.ts", "../../emu/cpu/registers.ts", false],
  ["cr/writer.ts", "../emu/machine.ts", true],
  ["cr/writer.ts", "../emu/snapshot.ts", true],
  ["cr/writer.ts", "../emu/host/host.ts", true],
  ["cr/writer.ts", "./reader.ts", true],
  ["cli/run.ts", "../emu/machine.ts", true],
  ["cli/run.ts", "../cr/writer.ts", true],
  ["emu/machine.ts", "node:fs", false],
  ["emu/linux/vfs/file.ts", "node:path", false],
  ["emu/isa/decoder.ts", "fs", false],
  ["cr/writer.ts", "node:crypto", false],
  ["emu/host/node/files.ts", "node:fs", true],
  ["cli/run.ts", "node:fs", true],
  ["scripts/demo.ts", "node:fs", true],
];

/** Two files that import types of each other, and whether the house allows that: only where it is stated. */
const circles: [one: string, other: string, allowed: boolean][] = [
  ["emu/linux/exec.ts", "emu/linux/fork.ts", false],
  ["emu/linux/vfs/location.ts", "emu/linux/vfs/namespace.ts", false],
  ["emu/jit/plan.ts", "emu/jit/region.ts", false],
  ["cr/plain.ts", "cr/states.ts", false],
  ["emu/linux/contracts.ts", "emu/linux/system.ts", true],
];

interface Diagnostic {
  category: string;
  location: { path: string | { file: string } };
}

describe("the dependency rule", () => {
  const copy = mkdtempSync(join(tmpdir(), "ppcr-house-"));
  const found = new Set<string>();
  const circular = new Set<string>();
  let failed = false;

  beforeAll(() => {
    for (const name of ["biome.json", ".gitignore", "package.json"])
      copyFileSync(join(root, name), join(copy, name));
    for (const [index, [file, specifier]] of imports.entries()) {
      const path = join(copy, at(index, file));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `import { thing } from "${specifier}";\n\nthing();\n`);
    }
    for (const [one, other] of circles) {
      mkdirSync(dirname(join(copy, one)), { recursive: true });
      for (const [file, of] of [
        [one, other],
        [other, one],
      ]) {
        const lines = [`import type { T as U } from "./${basename(of)}";`, "", "export type T = U[];", ""];
        writeFileSync(join(copy, file), lines.join("\n"));
      }
    }
    const biome = join(root, "node_modules", "@biomejs", "biome", "bin", "biome");
    const { stdout, status } = spawnSync(
      process.execPath,
      [biome, "lint", "--error-on-warnings", "--reporter=json", "--max-diagnostics=none"],
      { cwd: copy, encoding: "utf8" },
    );
    failed = status !== 0;
    for (const { category, location } of (JSON.parse(stdout) as { diagnostics: Diagnostic[] }).diagnostics) {
      const file = typeof location.path === "string" ? location.path : location.path.file;
      if (/noRestrictedImports|noNodejsModules/.test(category)) found.add(file);
      if (/noImportCycles/.test(category)) circular.add(file);
    }
  });

  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  /** Each import stands in a file of its own: the first one about a file in that file, others beside it. */
  const at = (index: number, file: string): string =>
    imports.findIndex(([first]) => first === file) === index
      ? file
      : file.replace(/[^/]+$/, (name) => `case-${index}-${name}`);

  it("makes the lint fail", () => {
    expect(failed).toBe(true);
  });

  for (const [index, [file, specifier, allowed]] of imports.entries())
    it(`${allowed ? "lets" : "does not let"} ${file} import ${specifier}`, () => {
      expect(found.has(at(index, file))).toBe(!allowed);
    });

  for (const [one, other, allowed] of circles)
    it(`${allowed ? "lets" : "does not let"} ${one} and ${other} name each other's types`, () => {
      expect(circular.has(one) || circular.has(other)).toBe(!allowed);
    });
});
