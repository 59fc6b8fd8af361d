/** The script of the thread that `emu/host/node/translator-thread.ts` begins: answers what it is sent. */
import { type MessagePort, workerData } from "node:worker_threads";
import { fulfil } from "./emu/jit/orders.ts";

const { port, sent } = workerData as { port: MessagePort; sent: Int32Array };
const say = () => Atomics.add(sent, 0, 1);
port.on("message", (request: unknown) => {
  port.postMessage(fulfil(request));
  say();
});
say();
