/** The Node side of what the machine needs from outside. */
import { closeSync, openSync, readSync } from "node:fs";
import type { Host } from "../host.ts";
import { builtins } from "./builtins.ts";
import { nodeFiles } from "./files.ts";
import { nodeTranslations } from "./kept-code.ts";
import { giveBack, lend } from "./near-folder.ts";
import { nodeNetwork } from "./host-network.ts";
import { startTranslator } from "./translator-thread.ts";
import { nodeStreams, writeAll } from "./streams.ts";
import { difference, realtime } from "./wall-clock.ts";

const encoder = new TextEncoder();

function sleep(milliseconds: number): { done: Promise<void>; cancel(): void } {
  let finish = () => {};
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  // Longer waits than a timer can hold end early; who waits looks at the clock again.
  const timer = setTimeout(finish, Math.min(Math.max(0, milliseconds), 0x7fff_ffff));
  const cancel = () => {
    clearTimeout(timer);
    finish();
  };
  return { done, cancel };
}

/** Random bytes: from the system's device where there is one, which spares the loading of node:crypto. */
function random(into: Uint8Array): void {
  let device: number;
  try {
    device = openSync("/dev/urandom", "r");
  } catch {
    builtins.crypto.randomFillSync(into);
    return;
  }
  try {
    for (let at = 0; at < into.length; ) at += readSync(device, into, at, into.length - at, null);
  } finally {
    closeSync(device);
  }
}

/** What of this process a machine is to get. */
export interface NodeHostOptions {
  /** Descriptors that the guest inherits; by default 0, 1 and 2. */
  descriptors?: readonly number[];
  /** A folder in which translations of guest code are kept for later runs; by default they are not. */
  translations?: string;
  /**
   * Whether the machine may change the working directory of this process while it runs (on Linux, in the main thread): files are found faster
   * by it. It is what it was whenever anything else has a turn, but not to other threads, such as those in which asynchronous functions of
   * node:fs work.
   */
  workingDirectory?: boolean;
  /** Whether a thread of this process may translate the guest's code while that runs, once it has run for some time; by default it may. */
  translator?: boolean;
  /** Modules of WebAssembly that have been made before, by name. */
  prepared?: Host["prepared"];
}

/** The host that this node process offers. */
export function nodeHost(options: NodeHostOptions = {}): Host {
  const streams = nodeStreams(options.descriptors ?? [0, 1, 2]);
  const { translations, workingDirectory = false, translator = true } = options;
  return {
    translations: translations === undefined ? undefined : nodeTranslations(translations),
    prepared: options.prepared,
    translator: translator ? () => startTranslator() : undefined,
    files: nodeFiles,
    clock: { realtime, difference, monotonic: () => process.hrtime.bigint() },
    umask: process.umask(),
    user: process.geteuid && process.getegid && { uid: process.geteuid(), gid: process.getegid() },
    streams,
    network: nodeNetwork,
    random,
    sha256: () => {
      const hash = builtins.crypto.createHash("sha256");
      return {
        update: (bytes) => {
          hash.update(bytes);
        },
        digest: () => new Uint8Array(hash.digest()),
      };
    },
    sleep,
    ...(workingDirectory && process.platform === "linux"
      ? { onRun: (runs: boolean) => (runs ? lend() : giveBack()) }
      : {}),
    yield: () => new Promise((resolve) => setImmediate(resolve)),
    warn: (message) => writeAll(2, encoder.encode(`ppcr: ${message}\n`)),
  };
}
