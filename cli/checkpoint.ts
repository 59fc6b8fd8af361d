/** `ppcr checkpoint PID -o IMAGE`: freezes the guest of another ppcr. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { piecesOf } from "../cr/stream.ts";
import { builtins } from "../emu/host/node/builtins.ts";
import { requestCheckpoint } from "./control.ts";
import { Failure, print, say } from "./failure.ts";
import { withImage } from "./image-file.ts";
import { absolute } from "./surroundings.ts";

export interface CheckpointFlags {
  output: string;
  leaveRunning?: boolean;
  strict?: boolean;
  includeFiles?: boolean;
  flavour: "seed" | "reviewed";
}

/** Asks the ppcr with process id `pid` for an image of its guest. Throws Failure when it can't be had; the guest goes on then. */
export async function checkpoint(pid: number, flags: CheckpointFlags): Promise<void> {
  const { output, leaveRunning = false, strict = false, includeFiles = false, flavour } = flags;
  const freezeInto = (path: string, take?: () => void) =>
    requestCheckpoint(pid, { path, leaveRunning, strict, includeFiles, flavour }, take);
  const instructions =
    output === "-" ? await toStandardOutput(freezeInto) : await freezeInto(absolute(output));
  say(`process ${pid} frozen after ${instructions} instructions into ${output}`);
}

/** Has the image written to a private place, and copies it from there while the guest is still frozen. */
async function toStandardOutput(
  freezeInto: (path: string, take: () => void) => Promise<bigint>,
): Promise<bigint> {
  const folder = mkdtempSync(join(builtins.os.tmpdir(), "ppcr-"));
  const image = join(folder, "image");
  try {
    return await freezeInto(image, () => {
      withImage(image, 1, (source) => {
        try {
          for (const piece of piecesOf(source)) print(piece);
        } catch (error) {
          throw error instanceof Failure ? new Failure(`${error.message}; the guest goes on`) : error;
        }
      });
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
