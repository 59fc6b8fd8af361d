/** `ppcr image show` and `ppcr image check`: what an image holds, and whether it is sound. */
import { check } from "../cr/check.ts";
import { describeFinding, ImageError } from "../cr/errors.ts";
import { imageJson, imageText, SCHEMA_VERSION } from "../cr/inspect.ts";
import { readImage } from "../cr/reader.ts";
import type { Sha256 } from "../cr/stream.ts";
import { builtins } from "../emu/host/node/builtins.ts";
import { EXIT_FAILURE, Failure, print, say } from "./failure.ts";
import { withImage } from "./image-file.ts";

export interface ImageFlags {
  json?: boolean;
  /** Also demand what the kernel of the seed patch demanded. */
  strict?: boolean;
}

const sha256: Sha256 = () => {
  const hash = builtins.crypto.createHash("sha256");
  return {
    update: (bytes) => {
      hash.update(bytes);
    },
    digest: () => hash.digest(),
  };
};

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Prints what the image at `path` holds. Returns the exit status. Throws Failure when it cannot be read. */
export function showImage(path: string, flags: ImageFlags): number {
  try {
    // Printed when the image has been read, and the bar that shows how far that has come is gone.
    const text = withImage(path, 1, (source) => {
      const image = readImage(source, { sha256, strict: flags.strict });
      return flags.json ? json(imageJson(image)) : imageText(image);
    });
    print(text);
    return 0;
  } catch (error) {
    if (error instanceof ImageError) throw new Failure(`${path}: ${error.message}`);
    throw error;
  }
}

/**
 * Prints everything wrong or odd about the image at `path`. Returns the exit status: 0 when a machine can go on from it, else
 * EXIT_FAILURE.
 */
export function checkImage(path: string, flags: ImageFlags): number {
  const { findings, bytes, sound } = withImage(path, 1, (source) => {
    const { findings, snapshot } = check(source, { sha256, strict: flags.strict });
    return { findings, bytes: source.size, sound: snapshot !== undefined };
  });
  if (flags.json) {
    print(json({ schema_version: SCHEMA_VERSION, sound, bytes, findings }));
  } else {
    for (const finding of findings) print(`${finding.severity}: ${describeFinding(finding)}\n`);
    if (sound) print(`${path}: sound, ${bytes} bytes\n`);
    else say(`${path} is not sound`);
  }
  return sound ? 0 : EXIT_FAILURE;
}
