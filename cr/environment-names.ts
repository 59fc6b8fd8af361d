/** The names of the variables that a task in an image has: what their values are is not for everyone who looks into it. */
import { decodeName } from "../emu/host/names.ts";
import type { TaskImage } from "./image.ts";

/** Bytes of an environment that are looked at, at most. */
const MOST = 1 << 20;

/** Names in the order of the program's stack; none where its pages are not in the image. */
export function environmentNames(task: TaskImage, pageSize: number): string[] {
  const { env_start, env_end } = task.mm.values;
  const size = env_end - env_start;
  if (size <= 0n || size > MOST) return [];
  const bytes = new Uint8Array(Number(size));
  const start = Number(env_start);
  for (const { runs } of task.areas) {
    for (const run of runs) {
      for (const [index, address] of run.addresses.entries()) {
        const from = Math.max(start, address);
        const to = Math.min(start + bytes.length, address + pageSize);
        if (from < to) bytes.set(run.read(index).subarray(from - address, to - address), from - start);
      }
    }
  }
  const names: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0, at);
    const variable = bytes.subarray(at, end < 0 ? bytes.length : end);
    const equals = variable.indexOf(0x3d);
    if (equals > 0) names.push(decodeName(variable.subarray(0, equals)));
    at += variable.length + 1;
  }
  return names;
}
