/**
 * A thread that translates guest code. The guest's thread seldom comes to its event loop: it finds answers by a number in shared memory, and
 * takes them from the port itself.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { HostTranslator } from "../host.ts";
import { builtins } from "./builtins.ts";

/** Where the build leaves what the thread begins with, seen from the command's scripts and from the library's entries. */
const SCRIPTS = ["./thread.cjs", "./bin/thread.cjs"];

/** Its path; undefined where nothing has been built. */
const scriptHere = (): string | undefined =>
  SCRIPTS.map((name) => fileURLToPath(new URL(name, import.meta.url))).find(existsSync);

/**
 * Whether there is room for another thread's heap: V8 ends the process where its addresses are too few, as `ulimit -v` makes them. Where
 * the host says nothing of it they are not.
 */
function hasAddresses(): boolean {
  try {
    return /^Max address space +unlimited/m.test(readFileSync("/proc/self/limits", "latin1"));
  } catch {
    return true;
  }
}

/** Begins a thread; undefined where there is none to be had. */
export function startTranslator(script = scriptHere()): HostTranslator | undefined {
  if (script === undefined || !hasAddresses()) return undefined;
  const { MessageChannel, receiveMessageOnPort, Worker } = builtins.workerThreads;
  // The number of answers, one more once it works.
  const sent = new Int32Array(new SharedArrayBuffer(4));
  const { port1, port2 } = new MessageChannel();
  let hasEnded = false;
  let received = 1;
  try {
    const workerData = { port: port2, sent };
    // It has nothing to print, and no options of this process concern it.
    const worker = new Worker(script, { workerData, transferList: [port2], execArgv: [], env: {} });
    worker.unref();
    const ended = () => {
      hasEnded = true;
      port1.close();
    };
    worker.on("error", ended);
    worker.on("exit", ended);
    return {
      get isReady() {
        return sent[0] > 0;
      },
      get hasEnded() {
        return hasEnded;
      },
      send(request) {
        try {
          port1.postMessage(request);
        } catch {
          ended();
        }
      },
      receive() {
        if (sent[0] <= received) return undefined;
        const answer = receiveMessageOnPort(port1)?.message;
        if (answer !== undefined) received++;
        return answer;
      },
      end() {
        ended();
        void worker.terminate();
      },
    };
  } catch {
    // No thread is to be had: too many are there, or the user may have no more.
    port1.close();
    return undefined;
  }
}
