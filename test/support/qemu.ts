/** Runs guest programs under qemu-user, the reference for whole programs. */
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cache, type Target } from "../../guest-bins/build.mjs";
import { type Run, type RunOptions, runProcess } from "./process.ts";
import { requireTool } from "./tools.ts";

const emulators: Record<Target, string> = { ppc32: "qemu-ppc", ppc64: "qemu-ppc64", ppc64le: "qemu-ppc64le" };

export interface GuestRunOptions extends Omit<RunOptions, "env"> {
  /** The processor; by default qemu-user's own. */
  cpu?: string;
  /** The guest's environment; nothing of the host's is added. */
  env?: Record<string, string>;
}

/** Runs a program under qemu-user. Its diagnostics of death by signal are taken out of stderr. */
export async function runQemu(target: Target, path: string, options: GuestRunOptions = {}): Promise<Run> {
  const program = target === "ppc32" ? await forOlderCpu(path) : path;
  const run = await runProcess(requireTool(emulators[target]), {
    ...options,
    args: [...(options.cpu === undefined ? [] : ["-cpu", options.cpu]), program, ...(options.args ?? [])],
  });
  return { ...run, stderr: run.stderr.replace(/^qemu: uncaught target signal .*\n/gm, "") };
}

/**
 * glibc's ppc32 libm uses mffscrni and its sisters of ISA 3.0 on every CPU: an older one ignores the bits that tell
 * them from mffs. qemu-ppc has no ISA 3.0 CPU and raises SIGILL instead. This gives it a copy of the program in
 * which they are mffs, which is what the older CPU would have made of them.
 */
async function forOlderCpu(path: string): Promise<string> {
  const bytes = await readFile(path);
  const copy = join(cache, `mffs-${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}`);
  if (await stat(copy).catch(() => undefined)) return copy;
  for (const { offset, size } of executableSections(bytes))
    for (let at = offset; at + 4 <= offset + size; at += 4) {
      const word = bytes.readUInt32BE(at);
      const isMffsFamily = (word & 0xfc0007fe) >>> 0 === 0xfc00048e;
      if (isMffsFamily) bytes.writeUInt32BE((word & ~0x001ff800) >>> 0, at);
    }
  const temporary = `${copy}.${process.pid}.tmp`;
  await mkdir(cache, { recursive: true });
  await writeFile(temporary, bytes, { mode: 0o755 });
  await rename(temporary, copy);
  return copy;
}

/** The sections of a 32-bit big-endian ELF file that hold instructions (SHF_EXECINSTR). */
function executableSections(elf: Buffer): { offset: number; size: number }[] {
  const [table, entrySize, count] = [elf.readUInt32BE(32), elf.readUInt16BE(46), elf.readUInt16BE(48)];
  return Array.from({ length: count }, (_, index) => table + index * entrySize)
    .filter((header) => (elf.readUInt32BE(header + 8) & 4) !== 0)
    .map((header) => ({ offset: elf.readUInt32BE(header + 16), size: elf.readUInt32BE(header + 20) }));
}
