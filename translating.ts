/** The script of the thread that `emu/host/node/translator-thread.ts` begins, which `cli/launch-thread.ts` loads there: answers what it is sent. */
import { readlinkSync } from "node:fs";
import { setPriority } from "node:os";
import type { MessagePort } from "node:worker_threads";
import { fulfil } from "./emu/jit/orders.ts";
import { THREAD_NICENESS } from "./emu/tuning.ts";

/** For the build, which has some orders fulfilled before it keeps what V8 has compiled. */
export { fulfil };

/** Has the guest's thread, and those in which V8 optimises, go first. On Linux threads have a priority each; elsewhere this one keeps that of all. */
function giveWay(): void {
  try {
    // PID/task/TID
    const [, , thread] = readlinkSync("/proc/thread-self").split("/");
    setPriority(Number(thread), THREAD_NICENESS);
  } catch {
    // There is no /proc, or the host does not let us.
  }
}

/** Works from now on; `sent` counts answers, and one more once it does. */
export function work({ port, sent }: { port: MessagePort; sent: Int32Array }): void {
  const say = () => Atomics.add(sent, 0, 1);
  giveWay();
  port.on("message", (request: unknown) => {
    port.postMessage(fulfil(request));
    say();
  });
  say();
}
