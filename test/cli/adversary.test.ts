/** A guest that tries to get out: by paths, descriptors, races of its processes, sockets, /proc, and what only a host's root may. */
import { execFileSync, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { compilers, inTemporaryDirectory, type Target } from "../support/guests.ts";
import { ppcr } from "../support/ppcr.ts";
import { describeWithTools } from "../support/tools.ts";

const source = join(dirname(fileURLToPath(import.meta.url)), "guests", "adversary.c");

/** All that can be seen of a folder from outside, but for the times of reading. */
function view(folder: string): unknown[] {
  return readdirSync(folder, { withFileTypes: true }).map((entry) => {
    const path = join(folder, entry.name);
    const { mode, ino, nlink, size, mtimeNs, ctimeNs, uid } = lstatSync(path, { bigint: true });
    const content = entry.isFile() ? readFileSync(path, "latin1") : undefined;
    return [entry.name, mode, ino, nlink, size, mtimeNs, ctimeNs, uid, content];
  });
}

async function listening(server: Server, where: object | string): Promise<Server> {
  server.listen(where);
  await once(server, "listening");
  return server;
}

/** Runs `use` with the arguments of the adversary between what it is granted and what it must not touch, and looks at that afterwards. */
const withAdversary = (
  target: Target,
  use: (grants: string[], command: string[], base: string) => Promise<void>,
): Promise<void> =>
  inTemporaryDirectory(async (folder) => {
    const base = realpathSync(folder);
    const [granted, readOnly, outside] = ["granted", "read-only", "outside"].map((name) => join(base, name));
    const program = join(base, "program");
    for (const path of [granted, readOnly, outside, join(granted, "sub")]) mkdirSync(path);
    execFileSync(compilers[target], ["-O1", "-static", "-w", "-o", program, source]);
    copyFileSync(program, join(outside, "program"));
    writeFileSync(join(outside, "secret"), "secret".padEnd(6151, "."));
    chmodSync(join(outside, "secret"), 0o666);
    writeFileSync(join(readOnly, "theirs"), "theirs".padEnd(5000, "."));
    symlinkSync(join(outside, "secret"), join(granted, "hostlink"));
    symlinkSync("../outside", join(granted, "hostfolder"));

    const asked: string[] = [];
    const abstract = `ppcr-adversary-${target}-${process.pid}`;
    const servers = await Promise.all(
      [join(outside, "socket"), `\0${abstract}`, { port: 0, host: "127.0.0.1" }].map((where) =>
        listening(
          createServer((socket) => {
            asked.push(String(where));
            socket.destroy();
          }),
          where,
        ),
      ),
    );
    const { port } = servers[2].address() as AddressInfo;
    const datagrams = createSocket("udp4", () => asked.push("datagram")).bind(port, "127.0.0.1");
    await once(datagrams, "listening");
    const bystander = spawn("sleep", ["1000"], { detached: true });
    try {
      const before = [readOnly, outside].map(view);
      const { ino, mode, mtimeNs, nlink } = lstatSync(program, { bigint: true });
      const grants = ["--dir", granted, "--dir", `${readOnly}:${readOnly}:ro`];
      const places = [granted, readOnly, outside];
      const command = [program, ...places, `${bystander.pid}`, `${port}`, abstract];
      await use(grants, command, base);
      expect([readOnly, outside].map(view)).toEqual(before);
      expect(lstatSync(program, { bigint: true })).toMatchObject({ ino, mode, mtimeNs, nlink });
      const setIds = readdirSync(granted, { recursive: true }).filter(
        (name) => (lstatSync(join(granted, String(name))).mode & 0o6000) !== 0,
      );
      expect(setIds).toEqual([]);
      expect([asked, bystander.exitCode, bystander.signalCode]).toEqual([[], null, null]);
    } finally {
      bystander.kill("SIGKILL");
      datagrams.close();
      for (const server of servers) server.close();
    }
  });

for (const target of ["ppc32", "ppc64", "ppc64le"] satisfies Target[]) {
  describeWithTools(`an adversary for ${target}`, [compilers[target]], () => {
    it("reaches nothing, whether it is frozen on the way or not", () =>
      withAdversary(target, async (grants, command, base) => {
        const [, granted] = command;
        const start = ["--seed", "1", "-E", `PWD=${granted}`, ...grants];
        const run = (...how: string[]) => ppcr(["run", ...start, ...how, "--", ...command], { cwd: granted });
        const [image, stats] = [join(base, "image"), join(base, "stats")];
        const whole = await run(`--stats=${stats}`);
        expect(whole.stdout.toString()).toMatch(/^tried \d{4,}\n$/);
        const { instructions } = JSON.parse(readFileSync(stats, "utf8"));
        await run("--checkpoint-at", `${Math.floor(instructions / 2)}`, "-o", image);
        const program = ["--dir", `${command[0]}:${command[0]}:ro`];
        const rest = await ppcr(["restart", ...grants, ...program, image], { cwd: granted });
        expect(rest.stdout.toString()).toMatch(/^tried \d{4,}\n$/);
      }));
  });
}
