/** The script of the thread that `emu/host/node/translator-thread.ts` begins: answers what it is sent. */
import { readlinkSync } from "node:fs";
import { setPriority } from "node:os";
import { type MessagePort, workerData } from "node:worker_threads";
import { fulfil } from "./emu/jit/orders.ts";
import { THREAD_NICENESS } from "./emu/tuning.ts";

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

const { port, sent } = workerData as { port: MessagePort; sent: Int32Array };
const say = () => Atomics.add(sent, 0, 1);
giveWay();
port.on("message", (request: unknown) => {
  port.postMessage(fulfil(request));
  say();
});
say();
