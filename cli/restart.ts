/** `ppcr restart`: goes on from an image. */
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { ImageError } from "../cr/errors.ts";
import { restart as readSnapshot } from "../cr/restart.ts";
import { Machine, ThawError } from "../emu/machine.ts";
import { Failure } from "./failure.ts";
import { withImage } from "./image-file.ts";
import type { MachineFlags } from "./options.ts";
import { machineOptions, prepare } from "./preparation.ts";
import { runSession } from "./session.ts";
import type { Ending } from "./status.ts";

/**
 * Thaws the image at a host path and runs it on; returns how ppcr is to end. The image grants nothing: the guest sees
 * the current directory, the sysroot and what --dir names, and what it had open must be there.
 */
export async function restart(path: string, flags: MachineFlags): Promise<Ending> {
  const prepared = await prepare(flags);
  const { cwd, host } = prepared;
  // One pass for the digest, one for the pages.
  const machine = thaw(path, () =>
    withImage(path, 2, (source) => {
      const snapshot = readSnapshot(source, {
        sha256: () => host.sha256(),
        strict: flags.strict && flags.checkpointAt === undefined,
        defaults: { cwd },
      });
      return Machine.thaw(snapshot, { ...machineOptions(prepared), onChanged: flags.onChanged });
    }),
  );
  return runSession(machine, prepared);
}

function thaw(path: string, work: () => Machine): Machine {
  try {
    return work();
  } catch (error) {
    if (error instanceof ImageError) throw new Failure(`${path}: ${error.message}`);
    if (error instanceof ThawError) {
      throw new Failure(`${path} can't go on here: ${error.message}${hintFor(error)}`);
    }
    throw error;
  }
}

/** Where programs and libraries of a system lie. */
const SYSTEM = /^\/(lib\d*|usr|bin|sbin|etc)\//;

/** What would bring the files that are missing, and what would do without those that differ. */
function hintFor({ files }: ThawError): string {
  const missing = files.filter((file) => file.missing).map(({ path }) => path);
  const folders = new Set(missing.filter((path) => !SYSTEM.test(path)).map((path) => dirname(path)));
  const options = [...folders].map((folder) => `--dir ${existsSync(folder) ? folder : `FOLDER:${folder}`}`);
  if (missing.some((path) => SYSTEM.test(path))) options.unshift("-L SYSROOT");
  const lines: string[] = [];
  if (options.length > 0) lines.push(`give the guest what is missing: ${options.join(" ")}`);
  if (files.some((file) => !file.missing)) {
    lines.push(
      "--on-changed warn or ignore goes on with files as they are now, also where an earlier run from this image has changed them",
    );
  }
  return lines.map((line) => `\n${line}`).join("");
}
