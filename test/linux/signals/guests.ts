/** Guest programs of these suites: compiled on demand, run by the command, under qemu-user, and in a machine at hand. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, realpath, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import type { Host, HostStream } from "../../../emu/host/host.ts";
import { nodeHost } from "../../../emu/host/node/index.ts";
import { defaultMounts, Machine } from "../../../emu/machine.ts";
import { compilers, type Target } from "../../support/guests.ts";
import { runPpcr } from "../../support/ppcr.ts";
import { runQemu } from "../../support/qemu.ts";
import { describeWithTools, requireTool } from "../../support/tools.ts";

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const cache = join(here, "..", "..", "..", "node_modules", ".cache", "ppcr-guests");

export const emulators: Record<Target, string> = {
  ppc32: "qemu-ppc",
  ppc64: "qemu-ppc64",
  ppc64le: "qemu-ppc64le",
};

/** `area` is a folder below test/linux: its guests/NAME.c prints what guests/NAME.expected holds. */
const sourceOf = (area: string, name: string): string => join(here, "..", area, "guests", name);

/** What they include. */
const header = join(here, "..", "guest.h");

/** Path of a program, built if its source has changed. */
export async function build(area: string, name: string, target: Target): Promise<string> {
  const source = sourceOf(area, `${name}.c`);
  const hash = createHash("sha256");
  for (const file of [source, header]) hash.update(await readFile(file));
  const digest = hash.digest("hex").slice(0, 16);
  await mkdir(cache, { recursive: true });
  const path = join(await realpath(cache), `${area}-${name}-${target}-${digest}`);
  const exists = await readFile(path).then(
    () => true,
    () => false,
  );
  if (exists) return path;
  const temporary = `${path}.${process.pid}`;
  const flags = ["-O2", "-static", "-w", "-o", temporary, source, "-lpthread", "-lrt"];
  await run(requireTool(compilers[target]), flags);
  await rename(temporary, path);
  return path;
}

export const expectedOutput = (area: string, name: string): Promise<string> =>
  readFile(sourceOf(area, `${name}.expected`), "latin1");

/**
 * Defines the suite of one program: its output is what the kernel's would be, and so is qemu-user's where it has no
 * `defects` (lines, by number, in which it differs). `littleEndian`: it is built for ppc64le, too.
 */
export function describeGuest(
  area: string,
  name: string,
  options: { defects?: readonly number[]; reference?: boolean; littleEndian?: boolean } = {},
): void {
  const targets: Target[] = ["ppc32", "ppc64", ...(options.littleEndian ? ["ppc64le" as const] : [])];
  for (const target of targets) {
    describeWithTools(`${name}.c for ${target}`, [compilers[target], emulators[target]], () => {
      it("prints what it does on Linux", async () => {
        const { stdout, status } = await runPpcr(await build(area, name, target));
        expect(stdout).toBe(await expectedOutput(area, name));
        expect(status).toBe(0);
      });
      if (options.reference === false) return;
      it("prints the same under qemu-user", async () => {
        const without = (text: string) =>
          text.split("\n").filter((_, i) => !options.defects?.includes(i + 1));
        const { stdout } = await runQemu(target, await build(area, name, target));
        expect(without(stdout)).toEqual(without(await expectedOutput(area, name)));
      });
    });
  }
}

/** A machine whose output is collected. */
export interface Observed {
  machine: Machine;
  output(): string;
}

function collector(): { host: Host; text: () => string } {
  const pieces: string[] = [];
  const node = nodeHost({ descriptors: [] });
  const stream = {
    kind: "pipe",
    path: undefined,
    access: { read: false, write: true, append: false },
    readable: () => false,
    writable: () => true,
    read: () => 0,
    write(from: Uint8Array) {
      pieces.push(Buffer.from(from).toString("latin1"));
      return from.length;
    },
    onChange: () => () => {},
    stat: () => node.files.lstat("/dev/null"),
  } as unknown as HostStream;
  return { host: { ...node, streams: new Map([[1, stream]]) }, text: () => pieces.join("") };
}

/** Loads a program with virtual time. */
export function load(program: string): Observed {
  const { host, text } = collector();
  const mounts = defaultMounts({ program, cwd: dirname(program) });
  const machine = Machine.load({
    host,
    mounts,
    program,
    argv: [program],
    env: [],
    cwd: dirname(program),
    seed: 1n,
  });
  return { machine, output: text };
}

/** Goes on, in a new machine, as one that is frozen. */
export function thaw(machine: Machine, program: string): Observed {
  const { host, text } = collector();
  const mounts = defaultMounts({ program, cwd: dirname(program) });
  return { machine: Machine.thaw(machine.freeze(), { host, mounts }), output: text };
}
