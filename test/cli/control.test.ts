/** `ppcr checkpoint PID`: a running guest frozen from outside, and signals from outside. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { compilers, guestPath, inTemporaryDirectory } from "../support/guests.ts";
import { type Live, startPpcr } from "../support/live.ts";
import { ppcr, root } from "../support/ppcr.ts";
import { describeWithTools } from "../support/tools.ts";

const progress = join(root, "guest-bins", "built", "progress-ppc64");
const start = (...args: string[]) => startPpcr("run", ...args);

const freezeOf = (live: Live, image: string, ...flags: string[]) =>
  ppcr(["checkpoint", String(live.pid), "-o", image, ...flags]);

/** A guest that computes until it is told that it is enough: by a file in a folder that it sees. */
async function startComputing(folder: string) {
  const program = join(folder, "until-told");
  const source = join(dirname(fileURLToPath(import.meta.url)), "guests", "until-told.c");
  execFileSync(compilers.ppc64, ["-O2", "-static", "-o", program, source]);
  const enough = join(folder, "enough");
  const live = start("--dir", folder, program, enough);
  await live.says(/computing/);
  return { live, tell: () => writeFileSync(enough, "") };
}

describeWithTools("a request to freeze a running guest", [compilers.ppc64], () => {
  it("freezes one that computes; it ends there and goes on in the image's machine", async () => {
    await inTemporaryDirectory(async (folder) => {
      const image = join(folder, "image");
      const { live, tell } = await startComputing(folder);
      const request = await freezeOf(live, image);
      expect(request.stderr).toMatch(
        new RegExp(`^ppcr: process ${live.pid} frozen after \\d+ instructions into `),
      );
      expect(request.status).toBe(0);
      expect(await live.status).toBe(0);
      expect(live.stderr).toMatch(/^ppcr: frozen after \d+ instructions\n$/);
      expect(statSync(image).mode & 0o777).toBe(0o600);
      expect(live.stdout).toBe("computing\n");
      tell();
      expect(await ppcr(["restart", "--dir", folder, image])).toMatchObject({ stdout: "sound\n", status: 3 });
    });
  });

  it("leaves it running where that is asked for, as often as wanted", async () => {
    await inTemporaryDirectory(async (folder) => {
      const { live, tell } = await startComputing(folder);
      for (const name of ["one", "two"]) {
        expect((await freezeOf(live, join(folder, name), "--leave-running")).status).toBe(0);
      }
      tell();
      expect(await live.status).toBe(3);
      expect(live.stdout).toBe("computing\nsound\n");
      for (const name of ["one", "two"]) {
        const rest = await ppcr(["restart", "--dir", folder, join(folder, name)]);
        expect(rest).toMatchObject({ stdout: "sound\n", status: 3 });
      }
    });
  });

  it("reaches a guest that sleeps in a call", async () => {
    await inTemporaryDirectory(async (folder) => {
      const program = await guestPath("blocked", "ppc64");
      const live = start(program, "poll", "3600000");
      await live.says(/waiting/);
      expect((await freezeOf(live, join(folder, "image"))).status).toBe(0);
      expect(await live.status).toBe(0);
      const rest = startPpcr("restart", "--dir", dirname(program), join(folder, "image"));
      rest.type("x");
      expect(await rest.status).toBe(7);
      expect(rest.stdout).toBe("poll: 1, read -, handled 0, early\n");
    });
  });

  it("writes to standard output for '-'", async () => {
    const live = start(await guestPath("blocked", "ppc64"), "pause");
    await live.says(/waiting/);
    const { stdout, status } = await freezeOf(live, "-");
    expect(status).toBe(0);
    expect(Buffer.from(stdout, "latin1").subarray(0, 4)).toEqual(Buffer.from([0, 1, 0, 0xe0]));
    const checked = await ppcr(["image", "check", "-"], { stdin: Buffer.from(stdout, "latin1") });
    expect(checked.status).toBe(0);
  });

  it("that can't be stored leaves the guest running", async () => {
    await inTemporaryDirectory(async (folder) => {
      const live = start(await guestPath("blocked", "ppc64"), "sigwait");
      await live.says(/waiting/);
      const request = await freezeOf(live, join(folder, "missing", "image"));
      expect(request.status).toBe(125);
      expect(request.stderr).toMatch(
        /^ppcr: process \d+ could not be frozen and goes on: cannot write .*no such file or directory.*\n$/,
      );
      live.child.kill("SIGUSR1");
      expect(await live.status).toBe(7);
      expect(live.stdout).toContain("sigwait: 10,");
    });
  });

  it("says so when no ppcr runs with that process id", async () => {
    const run = await ppcr(["checkpoint", "1", "-o", "/nowhere"]);
    expect(run).toEqual({
      stdout: "",
      stderr: "ppcr: no ppcr of yours runs with process id 1\n",
      status: 125,
    });
  });

  it("is answered by a guest that never waits while it runs on", async () => {
    await inTemporaryDirectory(async (folder) => {
      // It computes for hours: an answer that came at its end would never come.
      const live = start(progress, "100000");
      await live.says(/\n/);
      for (let round = 0; round < 5; round++) {
        expect((await freezeOf(live, join(folder, "image"), "--leave-running")).status).toBe(0);
      }
      expect(readdirSync(folder)).toEqual(["image"]);
    });
  });

  it("that fails at its last step leaves the old image whole and no temporary file", async () => {
    await inTemporaryDirectory(async (folder) => {
      const image = join(folder, "image");
      const live = start(progress, "100000");
      await live.says(/\n/);
      expect((await freezeOf(live, image, "--leave-running")).status).toBe(0);
      // Nothing can be renamed to a directory that is not empty.
      mkdirSync(join(folder, "taken", "inside"), { recursive: true });
      expect((await freezeOf(live, join(folder, "taken"), "--leave-running")).status).toBe(125);
      expect(existsSync(join(folder, "taken", "inside"))).toBe(true);
      expect(readdirSync(folder).sort()).toEqual(["image", "taken"]);
      expect((await ppcr(["image", "check", image])).status).toBe(0);
    });
  });
});

describeWithTools("signals sent to ppcr", [compilers.ppc64], () => {
  it("reach the guest's handler", async () => {
    // A sigsuspend can't miss a signal that comes between the program's line and its call; a pause could.
    const live = start(await guestPath("blocked", "ppc64"), "sigsuspend");
    await live.says(/waiting/);
    live.child.kill("SIGUSR1");
    expect(await live.status).toBe(7);
    expect(live.stdout).toContain("sigsuspend: interrupted, read -, handled 10,");
  });

  it("kill a guest that has no handler, and the status says by which", async () => {
    for (const [signal, status] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const) {
      const live = start(await guestPath("blocked", "ppc64"), "pause");
      await live.says(/waiting/);
      live.child.kill(signal);
      expect(await live.status).toBe(status);
    }
  });

  it("kill a guest that never waits, long before its end", async () => {
    const live = start(progress, "100000");
    await live.says(/\n/);
    live.child.kill("SIGINT");
    expect(await live.status).toBe(130);
  });
});
