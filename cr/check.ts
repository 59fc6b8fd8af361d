/** Everything that is wrong or odd with an image, as a file and as a machine to go on from. */
import { MAX_PROCESSES, type MachineSnapshot } from "../emu/snapshot.ts";
import type { RestartDefaults } from "./defaults.ts";
import { errorAt, type Finding, ImageError } from "./errors.ts";
import { type CheckedImage, checkImage, type ReadOptions } from "./reader.ts";
import { snapshotOf } from "./restart.ts";
import type { ImageSource } from "./stream.ts";

/** An image, what was found in it, and the machine to go on with. */
export interface CheckedRestart extends CheckedImage {
  /** Undefined when the image has errors or this machine cannot go on from it. */
  snapshot?: MachineSnapshot;
}

/** Reads and checks an image without starting anything. `findings` lists errors and warnings. */
export function check(
  source: ImageSource,
  options: ReadOptions & { defaults?: RestartDefaults } = {},
): CheckedRestart {
  const checked = checkImage(source, options);
  if (checked.image === undefined) return checked;
  try {
    const snapshot = snapshotOf(checked.image, options.defaults);
    const { length } = snapshot.processes;
    if (length > MAX_PROCESSES) {
      const message = `${length} processes; a machine here runs ${MAX_PROCESSES}`;
      throw errorAt("unsupported", "TREE", checked.image.tree, message);
    }
    return { ...checked, snapshot };
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    const findings: Finding[] = [...checked.findings, ...error.findings];
    return { ...checked, findings };
  }
}
