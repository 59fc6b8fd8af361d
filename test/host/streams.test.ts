import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HostStream } from "../../emu/host/host.ts";
import { nodeHost } from "../../emu/host/node/index.ts";

let folder: string;
const open: number[] = [];

function openFd(file: string, flags: string | number): number {
  const fd = fs.openSync(file, flags);
  open.push(fd);
  return fd;
}

function streamOf(fd: number): HostStream {
  return nodeHost({ descriptors: [fd] }).streams.get(fd)!;
}

const changed = (stream: HostStream) => new Promise<void>((resolve) => stream.onChange(resolve));

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "ppcr-streams-"));
});
afterEach(() => {
  for (const fd of open.splice(0)) fs.closeSync(fd);
  fs.rmSync(folder, { recursive: true });
});

describe("a regular file as a stream", () => {
  it("is read through the offset it shares with other processes", () => {
    fs.writeFileSync(`${folder}/in`, "one two three");
    const fd = openFd(`${folder}/in`, "r");
    const stream = streamOf(fd);
    const bytes = new Uint8Array(4);
    expect(stream.read(bytes)).toBe(4);
    expect(Buffer.from(bytes).toString()).toBe("one ");
    expect(stream.tell?.()).toBe(4n);
    expect(execFileSync("cat", { stdio: [fd, "pipe", "inherit"] }).toString()).toBe("two three");
  });
  it("knows its path and whether it appends", () => {
    const fd = openFd(`${folder}/log`, "a");
    const stream = streamOf(fd);
    expect(stream.path).toBe(fs.realpathSync(`${folder}/log`));
    expect(stream.access).toEqual({ read: false, write: true, append: true });
  });
});

describe("a pipe as a stream", () => {
  const fifo = () => {
    execFileSync("mkfifo", [`${folder}/fifo`]);
    return openFd(`${folder}/fifo`, fs.constants.O_RDWR);
  };

  it("says that a read would block and calls back when bytes have come", async () => {
    const fd = fifo();
    const stream = streamOf(fd);
    const bytes = new Uint8Array(3);
    expect(stream.readable()).toBe(false);
    expect(stream.read(bytes)).toBeUndefined();
    const later = changed(stream);
    fs.writeSync(fd, "abcdef");
    await later;
    expect(stream.readable()).toBe(true);
    expect(stream.read(bytes)).toBe(3);
    expect(Buffer.from(bytes).toString()).toBe("abc");
  });

  it("leaves what the guest does not read to other readers", async () => {
    const fd = fifo();
    const stream = streamOf(fd);
    expect(stream.read(new Uint8Array(2))).toBeUndefined();
    const later = changed(stream);
    fs.writeSync(fd, "abcdef");
    await later;
    expect(stream.read(new Uint8Array(2))).toBe(2);
    const rest = Buffer.alloc(10);
    expect(fs.readSync(fd, rest)).toBe(4);
    expect(rest.toString("latin1", 0, 4)).toBe("cdef");
  });

  it("does not set O_NONBLOCK on the descriptor that others share", () => {
    const fd = fifo();
    const stream = streamOf(fd);
    stream.readable();
    stream.write(new Uint8Array(1));
    const flags = /flags:\s*(\d+)/.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, "latin1"))![1];
    expect(Number.parseInt(flags, 8) & fs.constants.O_NONBLOCK).toBe(0);
  });

  it("refuses writes while it is full and calls back when there is room", async () => {
    const fd = fifo();
    const stream = streamOf(fd);
    const chunk = new Uint8Array(65536);
    let written = 0;
    for (let taken = stream.write(chunk); taken !== undefined; taken = stream.write(chunk)) written += taken;
    // What the pipe takes, and as much of the next write as the stream itself holds.
    expect(written).toBe(65536 + 4096);
    expect(stream.writable()).toBe(false);
    const later = changed(stream);
    fs.readSync(fd, Buffer.alloc(65536));
    await later;
    expect(stream.writable()).toBe(true);
    expect(stream.write(chunk)).toBe(65536);
  });

  it("reports EPIPE when nobody reads", async () => {
    execFileSync("mkfifo", [`${folder}/fifo`]);
    const child = spawn("cat", [`${folder}/fifo`], { stdio: "ignore" });
    const fd = openFd(`${folder}/fifo`, "w");
    const stream = streamOf(fd);
    child.kill();
    await new Promise((resolve) => child.on("exit", resolve));
    expect(() => stream.write(new Uint8Array(1))).toThrow(expect.objectContaining({ code: "EPIPE" }));
  });

  it("reads 0 at the end of input", async () => {
    execFileSync("mkfifo", [`${folder}/fifo`]);
    const child = spawn("sh", ["-c", `sleep 0.1; printf xy > ${folder}/fifo`], { stdio: "ignore" });
    const stream = streamOf(openFd(`${folder}/fifo`, "r"));
    const bytes = new Uint8Array(10);
    await changed(stream);
    expect(stream.read(bytes)).toBe(2);
    await new Promise((resolve) => child.on("exit", resolve));
    expect(stream.read(bytes)).toBe(0);
  });
});
