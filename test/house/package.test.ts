/** What others get: the package as it is published, and a library that runs where there is no Node. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import vm from "node:vm";
import { rolldown } from "rolldown";
import { expect, it } from "vitest";
import { inTemporaryDirectory } from "../support/guests.ts";
import { memoryHost } from "../support/memory-host.ts";
import { ensureBuilt, root } from "../support/ppcr.ts";

const guests = join(root, "guest-bins", "built");

/** Runs a command of the host that must not fail; what it printed. */
function must(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  expect([command, args, status, stderr]).toEqual([command, args, 0, expect.anything()]);
  return stdout;
}

/** Runs `use` in an empty folder in which the packed package is installed, without anything it depends on. */
const withPackage = (use: (folder: string, installed: string) => Promise<void>): Promise<void> =>
  inTemporaryDirectory(async (folder) => {
    ensureBuilt();
    const packed = must(
      "npm",
      ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder],
      root,
    ).trim();
    const installed = join(folder, "node_modules", "ppcr");
    mkdirSync(installed, { recursive: true });
    must("tar", ["-xzf", packed, "-C", installed, "--strip-components", "1"], folder);
    await use(folder, installed);
  });

it("the package holds the command, the library with its types, nothing of tests and nothing that is no longer in the sources", async () => {
  await withPackage(async (folder, installed) => {
    const hello = join(installed, "guest-bins", "built", "hello-ppc64");
    const { bin, exports } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
    expect(must(process.execPath, [join(installed, bin.ppcr), "run", hello], folder)).toBe("hello\n");
    for (const face of Object.values<string | Record<string, string>>(exports)) {
      for (const file of typeof face === "string" ? [face] : Object.values(face)) {
        expect([file, existsSync(join(installed, file))]).toEqual([file, true]);
      }
    }
    expect(readdirSync(installed).sort()).toEqual([
      "LICENSE",
      "README.md",
      "dist",
      "docs",
      "guest-bins",
      "package.json",
    ]);
    expect(existsSync(join(installed, "dist", "test"))).toBe(false);
    const compiled = readdirSync(join(installed, "dist"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".d.ts"))
      .map((name) => name.replace(/\.d\.ts$/, ".ts"));
    expect(compiled).toContain(join("emu", "machine.ts"));
    expect(compiled.filter((name) => !existsSync(join(root, name)))).toEqual([]);
  });
});

it("the README's sample runs with it, and its types need neither Node's nor a browser's", async () => {
  await withPackage(async (folder) => {
    const readme = readFileSync(join(root, "README.md"), "utf8");
    const [section] = readme.split("## As a library\n")[1].split("\n## ");
    const code = section
      .split("\n")
      .filter((line) => line.startsWith("    "))
      .join("\n")
      .replaceAll("/guests/count", join(guests, "progress-ppc64"))
      .replaceAll("/guests", guests);
    expect(code).toContain("nodeHost()");
    const check = `console.log(String(machine.instructions), pieces.length > 0);
const thread = host.translator();
while (!thread.isReady);
thread.end();
console.log(nodeHost({ translator: false }).translator);`;
    writeFileSync(join(folder, "sample.mjs"), `${code}\n${check}\n`);
    expect(must(process.execPath, ["sample.mjs"], folder)).toContain("1000000 true\nundefined\n");

    const user = [
      'import { Machine, type Host, restart, sourceOf } from "ppcr";',
      "export const thaw = (bytes: Uint8Array, host: Host): Machine =>",
      "  Machine.thaw(restart(sourceOf(bytes), { sha256: () => host.sha256() }), { host, mounts: [] });",
      'export const bad: number = Machine.load({} as never) as unknown as "text";',
    ].join("\n");
    writeFileSync(join(folder, "user.ts"), user);
    const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
    const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--types", ""];
    const { stdout } = spawnSync(process.execPath, [compiler, ...options, "user.ts"], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => line.replace(/\(.*/, "")),
    ).toEqual(["user.ts"]);
  });
});

it("the library runs a program where there is nothing of Node's", async () => {
  const bundle = await rolldown({ input: join(root, "index.ts"), platform: "browser", logLevel: "silent" });
  const { output } = await bundle.generate({ format: "iife", name: "ppcr" });
  expect(output[0].imports).toEqual([]);
  // What a browser has besides the language. Whoever asks for more gets a ReferenceError.
  const context = vm.createContext({ TextEncoder, TextDecoder });
  vm.runInContext(`${output[0].code}; globalThis.ppcr = ppcr;`, context);
  const { ppcr } = context as { ppcr: typeof import("../../index.ts") };
  const host = memoryHost();
  const machine = ppcr.Machine.load({
    host,
    program: join(guests, "hello-ppc64"),
    argv: ["hello"],
    env: [],
    cwd: guests,
    mounts: [{ host: guests, guest: guests, readOnly: true }],
    seed: 1n,
  });
  expect(await machine.run(5n)).toEqual({ reason: "limit" });
  const pieces: Uint8Array[] = [];
  ppcr.checkpoint(machine.freeze(), { write: (bytes) => void pieces.push(bytes.slice()) }, host.sha256);
  const image = new Uint8Array(Buffer.concat(pieces));
  const snapshot = ppcr.restart(ppcr.sourceOf(image), { sha256: host.sha256 });
  const thawed = ppcr.Machine.thaw(snapshot, {
    host,
    mounts: [{ host: guests, guest: guests, readOnly: true }],
  });
  expect(await thawed.run()).toEqual({ reason: "exit", status: 0 });
  expect(host.stdout.text).toBe("hello\n");
});
