/**
 * The private control socket, by which one ppcr asks another to freeze its guest.
 *
 * A running ppcr listens on a socket that only its user can reach. A client sends one line of JSON that says where the image is to be; the
 * other writes it there and answers with a line of JSON. The guest stays frozen until the client says that all is well ("safe"), and goes
 * on as if nothing had happened when the client goes away before that.
 */
import { once } from "node:events";
import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { isAbsolute, join } from "node:path";
import { builtins } from "../emu/host/node/builtins.ts";
import { Failure } from "./failure.ts";

export interface CheckpointRequest {
  command: "checkpoint";
  /** Absolute path of the image. */
  path: string;
  leaveRunning: boolean;
  strict: boolean;
  includeFiles?: boolean;
  flavour: "seed" | "reviewed";
}

interface Answer {
  ok: boolean;
  error?: string;
  instructions?: string;
}

/** What the runner does for a request. */
export interface ControlHandler {
  /**
   * Freezes the guest at the next instruction boundary and writes its image; the guest stays frozen until
   * `finish` is called: with true when the client has what it wants, else false. It is given up when nobody wants it any more.
   */
  freeze(
    request: CheckpointRequest,
    isWanted: () => boolean,
  ): Promise<{ instructions: bigint; finish(safe: boolean): void }>;
}

const LINE_LIMIT = 65_536;

/** Bytes of a socket's path that every Unix takes; what is longer is cut short by some, and so lies somewhere else. */
const PATH_LIMIT = 103;

const hasPipes = process.platform === "win32";

/** The user's number: what else the system knows of a user it need not know. */
const uid = (): number | undefined => process.geteuid?.();

/** Folders that control sockets may be in, the best first. Each is for its user alone. */
function socketFolders(): string[] {
  const bases = [process.env.XDG_RUNTIME_DIR, builtins.os.tmpdir(), "/tmp"];
  const folders = bases
    .filter((base) => base !== undefined && isAbsolute(base))
    .map((base) => join(base!, `ppcr-${uid()}`))
    .filter((folder) => Buffer.byteLength(socketIn(folder, MOST_PID)) <= PATH_LIMIT);
  return [...new Set(folders)];
}

/** No process id has more digits. */
const MOST_PID = 2 ** 32 - 1;

const socketIn = (folder: string, pid: number): string => join(folder, `${pid}.sock`);
const pipeName = (pid: number): string => `\\\\.\\pipe\\ppcr-${pid}`;

/** Makes a folder of sockets, with mode 0700. Throws Failure when it is not ours alone, or the system's error. */
function makeSocketFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== uid() || (found.mode & 0o077) !== 0) {
    throw new Failure(`${folder} is not a folder that only you can enter; remove it and try again`);
  }
}

/** The first folder of sockets that can be had; undefined where there is none. */
function ownSocketFolder(): string | undefined {
  return socketFolders().find((folder) => {
    try {
      makeSocketFolder(folder);
      return true;
    } catch {
      return false;
    }
  });
}

/** Whether this is asked for the first time with this name, as far as the folder of sockets remembers. */
export function isFirstTime(name: string): boolean {
  try {
    writeFileSync(join(ownSocketFolder()!, name), "", { flag: "wx" });
    return true;
  } catch {
    return false;
  }
}

/**
 * Listens for control requests; the returned function closes the socket and removes it. A program must run also where no socket
 * can be made: only `ppcr checkpoint PID` is missing then.
 */
export function serveControl(handler: ControlHandler): () => void {
  let stop = () => {};
  const start = setTimeout(() => {
    stop = listen(handler);
  }, SOONEST_REQUEST);
  start.unref();
  return () => {
    clearTimeout(start);
    stop();
  };
}

/**
 * Milliseconds from the program's start to the socket's. What ends sooner needs no socket, whose module of Node's alone takes as long as a
 * quarter of a short run; who asks sooner waits for it.
 */
const SOONEST_REQUEST = 200;
/** Milliseconds that a client waits for the socket of a process that is there, and between two looks. */
const PATIENCE = 2_000;
const LOOK_INTERVAL = 20;

function listen(handler: ControlHandler): () => void {
  const folder = hasPipes ? undefined : ownSocketFolder();
  if (folder === undefined && !hasPipes) return () => {};
  const path = folder === undefined ? pipeName(process.pid) : socketIn(folder, process.pid);
  if (folder !== undefined) rmSync(path, { force: true });
  const server = builtins.net.createServer((socket) => serveOne(socket, handler));
  server.on("error", () => {});
  server.listen(path);
  server.unref();
  if (folder !== undefined) clearStale(folder);
  return () => {
    server.close();
    if (folder !== undefined) rmSync(path, { force: true });
  };
}

/**
 * Removes the sockets of those who were killed before they could. Where containers share a folder a process that isn't seen may
 * be there all the same: then its socket answers.
 */
function clearStale(folder: string): void {
  for (const name of readdirSync(folder)) {
    const [, pid] = /^(\d+)\.sock$/.exec(name) ?? [];
    if (pid === undefined || isAlive(Number(pid))) continue;
    const path = join(folder, name);
    const socket = builtins.net.createConnection(path);
    socket.unref();
    socket.on("connect", () => socket.destroy());
    socket.on("error", ({ code }: NodeJS.ErrnoException) => {
      if (code === "ECONNREFUSED") rmSync(path, { force: true });
    });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

const WENT_AWAY = "the other ppcr went away before it had answered";

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Connects to the ppcr with process id `pid`, which may have begun a moment ago. Throws Failure. */
async function connectTo(pid: number): Promise<Socket> {
  let reason = `no ppcr of yours runs with process id ${pid}`;
  for (const end = Date.now() + PATIENCE; ; await pause(LOOK_INTERVAL)) {
    for (const folder of hasPipes ? [""] : socketFolders()) {
      try {
        if (folder !== "" && existsSync(folder)) makeSocketFolder(folder);
        const socket = builtins.net.createConnection(folder === "" ? pipeName(pid) : socketIn(folder, pid));
        await once(socket, "connect");
        return socket;
      } catch (error) {
        if (error instanceof Failure) reason = error.message;
        // It was there, and was killed before it took the connection.
        if ((error as NodeJS.ErrnoException).code === "ECONNRESET") reason = WENT_AWAY;
      }
    }
    if (Date.now() >= end || !isAlive(pid)) throw new Failure(reason);
  }
}

async function serveOne(socket: Socket, handler: ControlHandler): Promise<void> {
  socket.on("error", () => socket.destroy());
  const lines = readLines(socket);
  const answer = (message: Answer) => socket.write(`${JSON.stringify(message)}\n`);
  try {
    const request = parseRequest((await lines.next()).value);
    const reply = lines.next().then(
      ({ value }) => value,
      () => undefined,
    );
    let isGone = false;
    void reply.then((line) => {
      isGone = line === undefined;
    });
    const frozen = await handler.freeze(request, () => !isGone);
    let safe = false;
    try {
      answer({ ok: true, instructions: String(frozen.instructions) });
      safe = (await reply) === "safe";
    } finally {
      frozen.finish(safe);
    }
    answer({ ok: true });
  } catch (error) {
    answer({ ok: false, error: (error as Error).message });
  }
  socket.end();
}

function parseRequest(line: string | void): CheckpointRequest {
  const request = JSON.parse(line ?? "{}") as Partial<CheckpointRequest>;
  if (request.command !== "checkpoint")
    throw new Error(`unknown control request ${JSON.stringify(request.command)}`);
  if (typeof request.path !== "string" || !isAbsolute(request.path)) throw new Error("where to? Name a file");
  return {
    command: "checkpoint",
    path: request.path,
    leaveRunning: request.leaveRunning === true,
    strict: request.strict === true,
    includeFiles: request.includeFiles === true,
    flavour: request.flavour === "reviewed" ? "reviewed" : "seed",
  };
}

/** Lines a peer sends, until it goes away. */
async function* readLines(socket: Socket): AsyncGenerator<string, void> {
  let text = "";
  for await (const chunk of socket) {
    text += chunk.toString("utf8");
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      yield text.slice(0, end);
      text = text.slice(end + 1);
    }
    if (text.length > LINE_LIMIT) throw new Error("control request too long");
  }
}

/**
 * Asks the ppcr with process id `pid` to write an image of its guest. Then `take` may do something with it; when that throws, the guest
 * goes on and the error is thrown here. Resolves to the instruction count at the freeze. Throws Failure when the image can't be had.
 */
export async function requestCheckpoint(
  pid: number,
  options: Omit<CheckpointRequest, "command">,
  take: () => void = () => {},
): Promise<bigint> {
  const socket = await connectTo(pid);
  // From here on the reader hears of errors.
  socket.on("error", () => {});
  const lines = readLines(socket);
  const answer = async (): Promise<Answer> => {
    // A peer that is killed closes its socket or resets it.
    const { value } = await lines.next().catch(() => ({ value: undefined }));
    if (value === undefined) throw new Failure(WENT_AWAY);
    return JSON.parse(value) as Answer;
  };
  try {
    socket.write(`${JSON.stringify({ command: "checkpoint", ...options })}\n`);
    const { ok, error, instructions } = await answer();
    if (!ok) throw new Failure(`process ${pid} could not be frozen and goes on: ${error}`);
    take();
    socket.write("safe\n");
    await answer();
    return BigInt(instructions ?? 0);
  } finally {
    socket.destroy();
  }
}
