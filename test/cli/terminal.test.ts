/** A guest at a real terminal: what it sets there holds, also after a thaw, and ends with it. */
import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { compilers, guestPath, inTemporaryDirectory, type Target } from "../support/guests.ts";
import { type Live, startAtTerminal } from "../support/live.ts";
import { cli, ppcr } from "../support/ppcr.ts";
import { describeWithTools } from "../support/tools.ts";

const node = `'${process.execPath}' '${cli}'`;
/** What a terminal shows, without carriage returns and what root is told once. */
const shownBy = (terminal: Live): string =>
  terminal.stdout.replaceAll("\r", "").replace(/^ppcr: warning: running as root.*\n/m, "");

/** Types what the guest asks for, up to the place where nothing comes. */
async function converse(terminal: Live): Promise<void> {
  for (const [question, keys] of [
    [/secret\? /, "hidden\n"],
    [/line\? /, "seen\n"],
    [/key\? /, "k"],
    [/interrupt\? /, "\x03"],
  ] as const) {
    await terminal.says(question);
    terminal.type(keys);
  }
  await terminal.says(/nothing came/);
}
const conversation = "secret? (6 letters)\nline? seen\nkey? (k) interrupt? nothing came\n";

/** Path of jobs.c, built. */
function jobs(target: Target, folder: string): string {
  const path = join(folder, "jobs");
  const source = join(dirname(fileURLToPath(import.meta.url)), "guests", "jobs.c");
  execFileSync(compilers[target], ["-O2", "-static", "-o", path, source]);
  return path;
}

for (const target of ["ppc32", "ppc64"] satisfies Target[])
  describeWithTools(`a ${target} guest at a terminal`, [compilers[target], "script", "stty"], () => {
    it("reads lines without echo, single keys, ^C as a signal, and gives up after a time", async () => {
      const terminal = startAtTerminal(`${node} run '${await guestPath("terminal", target)}'`);
      await converse(terminal);
      expect(await terminal.status).toBe(0);
      expect(shownBy(terminal)).toBe(`${conversation}done\n`);
    });

    it("stops, continues and interrupts its jobs", () =>
      inTemporaryDirectory(async (folder) => {
        const terminal = startAtTerminal(`trap : TSTP; stty -echo; ${node} run '${jobs(target, folder)}'`);
        await terminal.says(/the job's/);
        terminal.type("\x1a");
        await terminal.says(/fg/);
        terminal.type("\x03");
        await terminal.says(/type/);
        terminal.type("12345\n");
        expect(await terminal.status).toBe(0);
        expect(shownBy(terminal)).toBe(
          "foreground is mine\nforeground is the job's\n^Z: stopped by TSTP\nbg: goes on\nfg\n^C: killed by INT\n" +
            "reads in the background: stopped by TTIN\ntype\nreads in the foreground: exited 6\ndone\n",
        );
      }));

    it("has its settings again after a thaw, and the terminal its own after the freeze", async () => {
      await inTemporaryDirectory(async (folder) => {
        const image = join(folder, "image");
        const program = await guestPath("terminal", target);
        const run = `sh -c 'echo pid $$; exec "$@"' - ${node} run '${program}' freeze`;
        const first = startAtTerminal(
          `stty -a > before; ${run}; stty -a > after; cmp before after && echo as before`,
          folder,
        );
        await converse(first);
        await first.says(/frozen\? /);
        const pid = /pid (\d+)/.exec(first.stdout)![1];
        expect(await ppcr(["checkpoint", pid, "-o", image])).toMatchObject({ status: 0 });
        expect(await first.status).toBe(0);
        expect(shownBy(first)).toMatch(/frozen\? ppcr: frozen after \d+ instructions\nas before\n$/);
        const second = startAtTerminal(`tty; ${node} restart --dir '${dirname(program)}' '${image}'`, folder);
        await second.says(/\n/);
        const tty = second.stdout.split("\r\n")[0];
        while (!execFileSync("stty", ["-F", tty, "-a"], { encoding: "utf8" }).includes("-icanon"))
          await delay(20);
        second.type("f");
        await second.status;
        expect(shownBy(second)).toBe(`${tty}\n(f)\ndone\n`);
        // Without a terminal it goes on as well, and finds out.
        const third = await ppcr(["restart", "--dir", dirname(program), image], { stdin: Buffer.from("x") });
        expect(third.stdout).toMatch(/^line \d+: tcgetattr.* does not hold\n$/);
      });
    });
  });

describeWithTools("long work on an image", [compilers.ppc64, "script"], () => {
  it("shows how far it has come on a terminal, and nothing of that elsewhere", async () => {
    await inTemporaryDirectory(async (folder) => {
      const program = await guestPath("resident", "ppc64");
      const freeze = ["run", "--checkpoint-at", "5000000", "-o", join(folder, "image"), program, "80"];
      const there = startAtTerminal(`${node} ${freeze.map((word) => `'${word}'`).join(" ")}`);
      expect(await there.status).toBe(0);
      expect(shownBy(there)).toMatch(/ppcr: writing .*image .* 100%/);
      expect(shownBy(there)).toMatch(/ppcr: frozen after 5000000 instructions into .*\n$/);
      const restarted = startAtTerminal(
        `${node} restart --dir '${dirname(program)}' '${join(folder, "image")}'`,
      );
      expect(await restarted.status).toBe(0);
      expect(shownBy(restarted)).toMatch(/ppcr: reading .*image .* 100%[\s\S]*intact\n$/);
      const elsewhere = await ppcr(freeze);
      expect(elsewhere.stderr).toMatch(/^ppcr: frozen after 5000000 instructions into [^\n]*\n$/);
    });
  });
});
