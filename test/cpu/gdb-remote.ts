/** A client of the GDB remote serial protocol, as far as instruction tests need it. Calls wait for their answers. */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";

/** The emulator has ended or does not answer; there is no further use in this connection. */
export class GdbConnectionError extends Error {}

/** Milliseconds for an answer. Programs of tests end at once; the machine may be busy. */
const PATIENCE = 20_000;

interface Answer {
  pid?: number;
  replies?: string[];
  error?: string;
}

export class GdbRemote {
  private readonly port: MessagePort;
  private readonly semaphore = new Int32Array(new SharedArrayBuffer(4));
  private readonly worker: Worker;
  private readonly pid: number;
  private readonly atExit = () => this.close();

  /** Starts `program` with `-g SOCKET` and the arguments, and waits until it has stopped before its first instruction. */
  constructor(program: string, args: readonly string[]) {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    this.worker = new Worker(new URL("./gdb-channel.mjs", import.meta.url), {
      workerData: { port: port2, semaphore: this.semaphore, program, args },
      transferList: [port2],
    });
    // Neither keeps a process alive whose tests are over.
    this.worker.unref();
    port1.unref();
    const { pid } = this.answer();
    if (pid === undefined) throw new GdbConnectionError(`${program} has no process id`);
    this.pid = pid;
    process.once("exit", this.atExit);
    // Registers have their numbers only for clients that have read the target's description.
    this.exchange("qSupported", "qXfer:features:read:target.xml:0,ffb");
  }

  /** Sends packets one after the other and returns their replies. Throws at a reply that is an error. */
  exchange(...packets: string[]): string[] {
    Atomics.store(this.semaphore, 0, 0);
    this.port.postMessage(packets);
    const { replies = [] } = this.answer();
    const refused = replies.findIndex((reply) => reply === "" || /^E[0-9a-f]{2}$/.test(reply));
    if (refused >= 0) throw new Error(`the stub answers ${packets[refused]} with "${replies[refused]}"`);
    return replies;
  }

  /** Ends the emulator. */
  close(): void {
    process.off("exit", this.atExit);
    try {
      process.kill(this.pid, "SIGKILL");
    } catch {
      // it has ended by itself
    }
    this.port.close();
  }

  private answer(): Answer {
    // Woken it may be by the answer before as well, which raises the semaphore first and tells of it then.
    while (Atomics.load(this.semaphore, 0) === 0) {
      if (Atomics.wait(this.semaphore, 0, 0, PATIENCE) !== "timed-out") continue;
      if (this.pid !== undefined) this.close();
      throw new GdbConnectionError(`no answer within ${PATIENCE / 1000} s: does the program not end?`);
    }
    const { message } = receiveMessageOnPort(this.port) as { message: Answer };
    if (message.error !== undefined) throw new GdbConnectionError(message.error);
    return message;
  }
}

/** `length` bytes of the guest's memory as a packet that asks for them, and one that changes them. */
export const readMemory = (address: number | bigint, length: number): string =>
  `m${address.toString(16)},${length.toString(16)}`;
export const writeMemory = (address: number, bytes: Uint8Array): string =>
  `M${address.toString(16)},${bytes.length.toString(16)}:${Buffer.from(bytes).toString("hex")}`;
