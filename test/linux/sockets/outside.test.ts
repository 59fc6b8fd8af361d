/** The host's network, as far as it is granted: programs that ask servers of the host, and such that serve it. */
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdirSync, realpathSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import type { NetGrants } from "../../../emu/machine.ts";
import { compilers, type Target } from "../../support/guests.ts";
import { freeze, load, type Subject, thaw } from "../../support/machine.ts";
import { root } from "../../support/ppcr.ts";
import { describeWithTools } from "../../support/tools.ts";

const here = dirname(fileURLToPath(import.meta.url));
const cache = join(root, "node_modules", ".cache", "ppcr-guests");
const SIZE = 1_000_000;

function build(target: Target): string {
  mkdirSync(cache, { recursive: true });
  const path = join(realpathSync(cache), `outside-${target}-${process.pid}`);
  const source = join(here, "guests", "outside.c");
  execFileSync(compilers[target], ["-O1", "-static", "-w", "-o", path, source]);
  return path;
}

const nothing: NetGrants = { outside: false, host: false, ports: [] };
const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

/** Waits until a machine has written something. */
async function written({ host }: Subject, text: string): Promise<void> {
  while (!host.stdout.text.includes(text)) await turn();
}

/** What a client of the host gets who says something, once there is somebody to hear it; undefined where it is broken off. */
async function say(port: number, text: string): Promise<string> {
  for (;;) {
    const socket = connect({ host: "127.0.0.1", port });
    let got = "";
    const outcome = await new Promise<string>((resolve) => {
      socket.on("connect", () => socket.write(text));
      socket.on("data", (bytes) => {
        got += String(bytes);
      });
      socket.on("close", () => resolve("closed"));
      socket.on("error", (error) => resolve((error as NodeJS.ErrnoException).code ?? ""));
    });
    socket.destroy();
    if (outcome !== "ECONNREFUSED") return got;
    await turn();
  }
}

/** A port of the host that nobody has. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

for (const target of ["ppc32", "ppc64", "ppc64le"] satisfies Target[]) {
  describeWithTools(`the network outside for ${target}`, [compilers[target]], () => {
    const program = build(target);
    const closers: (() => void)[] = [];
    afterAll(() => {
      for (const close of closers) close();
    });

    async function servers(): Promise<string[]> {
      const server = createServer((socket) => {
        socket.on("error", () => {});
        socket.once("data", () => socket.end(Buffer.alloc(SIZE, "x")));
      }).listen(0, "127.0.0.1");
      await once(server, "listening");
      const echo = createSocket("udp4", (bytes, { address, port }) => echo.send(bytes, port, address));
      echo.bind(0, "127.0.0.1");
      await once(echo, "listening");
      closers.push(
        () => server.close(),
        () => echo.close(),
      );
      return [server.address() as AddressInfo, echo.address()].map(({ port }) => String(port));
    }

    it("is reached where that is granted", async () => {
      const subject = load(program, {
        args: ["get", ...(await servers())],
        net: { ...nothing, host: true },
      });
      const { reason } = await subject.machine.run();
      subject.machine.close();
      expect([reason, subject.host.stdout.text.split("\n")]).toEqual([
        "exit",
        [
          ...["connect: 0 ok", "peer 127.0.0.1 1", "write: 7 ok", `total ${SIZE}, end 0`],
          ...["connect: -1 EINPROGRESS", "poll: 1 ok", "error 0", "nobody: -1 ECONNREFUSED"],
          ...["outside: -1 ENETUNREACH", "send: 8 ok", "receive: 8 ok", "datagram from 127.0.0.1 1", ""],
        ],
      ]);
    });

    it("gets a datagram though its sender has closed the socket at once", async () => {
      const ear = createSocket("udp4").bind(0, "127.0.0.1");
      closers.push(() => ear.close());
      await once(ear, "listening");
      const heard = once(ear, "message");
      const subject = load(program, {
        args: ["tell", String(ear.address().port)],
        net: { ...nothing, host: true },
      });
      expect(await subject.machine.run()).toEqual({ reason: "exit", status: 0 });
      subject.machine.close();
      expect(String((await heard)[0])).toBe("datagram");
      expect(subject.host.stdout.text).toBe("connect: 0 ok\nto nobody: 8 ok\nsend: 8 ok\n");
    });

    it("reaches what a program has left behind when it ended", async () => {
      const port = await freePort();
      const net: NetGrants = { ...nothing, ports: [{ guest: 8080, host: port }] };
      const subject = load(program, { args: ["leave", "1"], net });
      const said = say(port, "one");
      expect(await subject.machine.run()).toEqual({ reason: "exit", status: 0 });
      subject.machine.close();
      expect(subject.host.stdout.text).toBe("bind: 0 ok\nlisten: 0 ok\nclient: one\n");
      expect(await said).toBe("one");
    });

    it("reaches what listens on a port that is granted, after a thaw too", async () => {
      const port = await freePort();
      const net: NetGrants = { ...nothing, ports: [{ guest: 8080, host: port }] };
      let subject = load(program, { args: ["serve", "3"], net });
      let run = subject.machine.run();
      await written(subject, "listen: 0 ok");
      expect(await say(port, "one")).toBe("one");
      await written(subject, "client: one");
      subject.machine.requestStop();
      expect((await run).reason).toBe("stopped");
      // A connection that waits to be accepted has nobody at its other end after the thaw.
      const queued = connect({ host: "127.0.0.1", port });
      queued.on("error", () => {});
      await once(queued, "connect");
      await turn();
      const image = freeze(subject);
      const before = subject.host.stdout.text;
      subject.machine.close();
      queued.destroy();
      subject = thaw(image, { ...subject, net });
      run = subject.machine.run();
      await written(subject, "client: gone");
      expect(await say(port, "two")).toBe("two");
      expect(await run).toEqual({ reason: "exit", status: 0 });
      subject.machine.close();
      expect(before + subject.host.stdout.text).toBe(
        "bind: 0 ok\nlisten: 0 ok\nclient: one\nclient: gone\nclient: two\n",
      );
    });
  });
}
