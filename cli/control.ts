/**
 * The private control socket, by which one ppcr asks another to freeze its guest.
 *
 * A running ppcr listens on a socket that only its user can reach. A client sends one line of JSON that says where the image is to be; the
 * other writes it there and answers with a line of JSON. The guest stays frozen until the client says that all is well ("safe"), and goes
 * on as if nothing had happened when the client goes away before that.
 */
import { lstatSync, mkdirSync, rmSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { isAbsolute, join } from "node:path";
import { Failure } from "./failure.ts";

export interface CheckpointRequest {
  command: "checkpoint";
  /** Absolute path of the image. */
  path: string;
  leaveRunning: boolean;
  strict: boolean;
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
   * `finish` is called: with true when the client has what it wants, else false.
   */
  freeze(request: CheckpointRequest): Promise<{ instructions: bigint; finish(safe: boolean): void }>;
}

const LINE_LIMIT = 65_536;

/** The folder of control sockets; made with mode 0700, refused when it is not ours alone. */
function socketFolder(): string {
  const { uid } = userInfo();
  const folder = join(process.env.XDG_RUNTIME_DIR ?? tmpdir(), `ppcr-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (process.platform !== "win32") {
    if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o077) !== 0) {
      throw new Failure(`${folder} is not a folder that only you can enter; remove it and try again`);
    }
  }
  return folder;
}

function socketPath(pid: number): string {
  return process.platform === "win32" ? `\\\\.\\pipe\\ppcr-${pid}` : join(socketFolder(), `${pid}.sock`);
}

/** Listens for control requests; the returned function closes the socket and removes it. */
export function serveControl(handler: ControlHandler): () => void {
  let path: string;
  let server: Server;
  try {
    path = socketPath(process.pid);
    if (process.platform !== "win32") rmSync(path, { force: true });
    server = createServer((socket) => serveOne(socket, handler));
    // A program must run also where no socket can be made; only `ppcr checkpoint PID` is missing then.
    server.on("error", () => {});
    server.listen(path);
    server.unref();
  } catch {
    return () => {};
  }
  return () => {
    server.close();
    if (process.platform !== "win32") rmSync(path, { force: true });
  };
}

async function serveOne(socket: Socket, handler: ControlHandler): Promise<void> {
  socket.on("error", () => socket.destroy());
  const lines = readLines(socket);
  const answer = (message: Answer) => socket.write(`${JSON.stringify(message)}\n`);
  try {
    const request = parseRequest((await lines.next()).value);
    const frozen = await handler.freeze(request);
    let safe = false;
    try {
      answer({ ok: true, instructions: String(frozen.instructions) });
      safe = (await lines.next()).value === "safe";
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
  const socket = createConnection(socketPath(pid));
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", () => reject(new Failure(`no ppcr of yours runs with process id ${pid}`)));
  });
  // From here on the reader hears of errors.
  socket.on("error", () => {});
  const lines = readLines(socket);
  const answer = async (): Promise<Answer> => {
    // A peer that is killed closes its socket or resets it.
    const { value } = await lines.next().catch(() => ({ value: undefined }));
    if (value === undefined) throw new Failure("the other ppcr went away before it had answered");
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
