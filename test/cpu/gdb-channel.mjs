/**
 * One emulator process and the connection to its gdb stub, in a worker thread, so that tests can wait for answers without giving up
 * their own thread. Messages are lists of packets' contents; each is answered with the list of replies, and the semaphore is raised.
 *
 * qemu-user 7.2 wants an acknowledgement of each reply before it reads on, and may get no further packet before that.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { workerData } from "node:worker_threads";

/** @typedef {{ pid?: number, replies?: string[], error?: string }} Answer an error ends the connection */
/** @typedef {{ port: import("node:worker_threads").MessagePort, semaphore: Int32Array, program: string, args: string[] }} Start */

const { port, semaphore, program, args } = /** @type {Start} */ (workerData);

/** Milliseconds between attempts to connect to a stub that may not listen yet. */
const RETRY = 5;
/** The last part of what the emulator said before it died. */
let said = "";
/** @type {import("node:net").Socket | undefined} */
let socket;
let isClosed = false;
/** Bytes that came and are no whole packet yet. */
let received = "";
/** @type {string[]} packets still to be sent */
let packets = [];
/** @type {string[]} */
let replies = [];

const folder = mkdtempSync(join(tmpdir(), "ppcr-gdb-"));
const path = join(folder, "stub");
// The first argument that is "-g" takes the socket's path.
const child = spawn(program, ["-g", path, ...args], {
  cwd: folder,
  env: {},
  stdio: ["ignore", "ignore", "pipe"],
});
child.stderr.on("data", (bytes) => {
  said = `${said}${bytes}`.slice(-500);
});
child.on("error", (error) => fail(String(error)));
child.on("close", (code, signal) => fail(`${program} ended with ${signal ?? code}: ${said.trim()}`));
open();

/** Connects as soon as the stub listens. */
function open() {
  if (isClosed) return;
  const attempt = connect(path);
  attempt.once("error", () => setTimeout(open, RETRY));
  attempt.once("connect", () => {
    socket = attempt.setNoDelay().setEncoding("latin1");
    socket.removeAllListeners("error").on("error", () => {}); // the process's end tells more
    socket.on("data", (bytes) => {
      received += bytes;
      takeReplies();
    });
    rmSync(folder, { recursive: true, force: true });
    answer({ pid: child.pid });
    port.on("message", (message) => {
      packets = message;
      replies = [];
      if (isClosed) fail("the connection is closed");
      else sendNext();
    });
  });
}

function sendNext() {
  const packet = packets.shift();
  if (packet === undefined) answer({ replies });
  else {
    let sum = 0;
    for (let i = 0; i < packet.length; i++) sum += packet.charCodeAt(i);
    socket?.write(`$${packet}#${(sum & 255).toString(16).padStart(2, "0")}`, "latin1");
  }
}

function takeReplies() {
  const start = received.indexOf("$");
  const end = received.indexOf("#", start);
  if (start < 0 || end < 0 || end + 3 > received.length) return;
  replies.push(received.slice(start + 1, end));
  received = received.slice(end + 3);
  socket?.write("+");
  sendNext();
}

/** @param {Answer} message */
function answer(message) {
  port.postMessage(message);
  Atomics.store(semaphore, 0, 1);
  Atomics.notify(semaphore, 0);
}

/** @param {string} error */
function fail(error) {
  isClosed = true;
  rmSync(folder, { recursive: true, force: true });
  socket?.destroy();
  answer({ error });
}
