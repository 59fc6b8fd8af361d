/** Everything that is wrong or odd with an image, as a file and as a machine to go on from. */
import type { MachineSnapshot } from "../emu/snapshot.ts";
import type { RestartDefaults } from "./defaults.ts";
import { type Finding, ImageError } from "./errors.ts";
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
    return { ...checked, snapshot: snapshotOf(checked.image, options.defaults) };
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    const findings: Finding[] = [...checked.findings, ...error.findings];
    return { ...checked, findings };
  }
}
