/** Images as files: random access to one on disk, or to standard input read whole. */
import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { type ImageSource, sourceOf } from "../cr/stream.ts";
import { toHost } from "../emu/host/node/files.ts";
import { describeSystemError, Failure } from "./failure.ts";
import { showProgress } from "./progress.ts";

interface OpenImage {
  source: ImageSource;
  close(): void;
}

const fromBytes = (bytes: Uint8Array): OpenImage => ({
  source: sourceOf(bytes),
  close: () => {},
});

/**
 * Calls `work` with the image at `path`, or standard input for "-"; it is closed afterwards, pages included. Shows progress when it is long:
 * `passes` says how often `work` reads all of it. Throws Failure when it can't be read.
 */
export function withImage<T>(path: string, passes: number, work: (source: ImageSource) => T): T {
  const { source, close } = openImage(path);
  const { size } = source;
  const progress = showProgress(`reading ${path}`, size * passes);
  try {
    const read: ImageSource["read"] = (offset, length, into) => {
      const bytes = source.read(offset, length, into);
      progress.count(bytes.length);
      return bytes;
    };
    return work({ size, read });
  } finally {
    progress.stop();
    close();
  }
}

function openImage(path: string): OpenImage {
  try {
    if (path === "-") return fromBytes(readFileSync(0));
    const fd = openSync(toHost(path), "r");
    const stat = fstatSync(fd);
    if (!stat.isFile()) {
      closeSync(fd);
      return fromBytes(readFileSync(toHost(path)));
    }
    const { size } = stat;
    const source: ImageSource = {
      size,
      read(offset, length, into) {
        const wanted = Math.max(0, Math.min(length, size - offset));
        const bytes = into === undefined ? new Uint8Array(wanted) : into.subarray(0, wanted);
        let done = 0;
        while (done < bytes.length) {
          const got = readSync(fd, bytes, done, bytes.length - done, offset + done);
          if (got === 0) break;
          done += got;
        }
        return bytes.subarray(0, done);
      },
    };
    return { source, close: () => closeSync(fd) };
  } catch (error) {
    throw new Failure(`cannot read ${path}: ${describeSystemError(error)}`);
  }
}
