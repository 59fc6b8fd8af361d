/** Output to whoever reads slowly, and input from whoever writes slowly: nothing is lost, nothing hangs, poll agrees with write. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { compilers, inTemporaryDirectory } from "../support/guests.ts";
import { startAtTerminal } from "../support/live.ts";
import { cli, ensureBuilt, root, surroundings } from "../support/ppcr.ts";
import { type Run, runProcess } from "../support/process.ts";
import { describeWithTools } from "../support/tools.ts";

const here = dirname(fileURLToPath(import.meta.url));
const cache = join(root, "node_modules", ".cache", "ppcr-guests");

function build(name: string): string {
  mkdirSync(cache, { recursive: true });
  const path = join(realpathSync(cache), `slow-peers-${name}-${process.pid}`);
  execFileSync(compilers.ppc32, ["-O2", "-static", "-w", "-o", path, join(here, "guests", `${name}.c`)]);
  return path;
}

/** What output.c writes. */
function sequence(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) bytes[at] = at ^ (at >> 8) ^ (at >> 16);
  return bytes;
}
const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Runs a shell script with $RUN as `ppcr run`. */
function shell(script: string, cwd?: string): Promise<Run> {
  ensureBuilt();
  return runProcess("/bin/bash", {
    args: ["--norc", "-c", script],
    cwd,
    env: { ...surroundings, PATH: process.env.PATH!, RUN: `${process.execPath} ${cli} run` },
  });
}

/** Readers that take all of it in their own way. */
const READERS: [string, string][] = [
  ["4 KiB at a time", "dd bs=4096 status=none"],
  ["20 KiB at a time", "dd bs=20480 status=none"],
  ["a byte at a time for a while", "{ dd bs=1 count=3000 status=none; cat; }"],
  ["nothing for a while", "{ sleep 0.5; cat; }"],
  ["some and pauses", "{ head -c 70000; sleep 0.3; head -c 1; sleep 0.3; cat; }"],
];

describeWithTools("a guest with a slow peer", [compilers.ppc32, "script"], () => {
  const output = build("output");
  const input = build("input");

  for (const [how, reader] of READERS) {
    it.each([
      ["write", 1, 2000],
      ["write", 65536, 8],
      ["write", 1 << 20, 1],
      ["writev", 100_000, 5],
      ["poll", 1, 2000],
      ["poll", 4096, 100],
      ["poll", 5000, 80],
      ["poll", 1 << 20, 1],
    ])(
      `writes all of it with %s, %i bytes a call, to a pipe whose reader takes ${how}`,
      async (mode, size, count) => {
        const { stdout, stderr } = await shell(
          `set -o pipefail; $RUN ${output} ${mode} ${size} ${count} | ${reader} | sha256sum; echo $?`,
        );
        expect(stderr).toBe(`wrote ${size * count}\n`);
        expect(stdout).toBe(`${digest(sequence(size * count))}  -\n0\n`);
      },
    );
  }

  it("keeps stdout and stderr in order where both are the same full pipe", async () => {
    const { stdout } = await shell(`$RUN ${output} write 300000 1 2>&1 | { sleep 0.3; cat; }`);
    expect(stdout.slice(-13)).toBe("wrote 300000\n");
    expect(stdout.length).toBe(300000 + 13);
  });

  it.each(["write", "writev", "poll"])("dies of SIGPIPE in %s when its reader goes away", async (mode) => {
    const { stdout, stderr } = await shell(
      `$RUN ${output} ${mode} 65536 100 | head -c 1000 | wc -c; echo "\${PIPESTATUS[0]}"`,
    );
    expect(stdout).toBe("1000\n141\n");
    expect(stderr).toBe("");
  });

  it("writes into a FIFO", () =>
    inTemporaryDirectory(async (folder) => {
      const script = `mkfifo f; $RUN ${output} poll 70000 4 > f & { sleep 0.3; cat; } < f | sha256sum; wait`;
      const { stdout } = await shell(script, folder);
      expect(stdout).toBe(`${digest(sequence(280000))}  -\n`);
    }));

  it("writes to a terminal as fast as that takes it", async () => {
    const command = `stty raw -echo; '${process.execPath}' '${cli}' run ${output} poll 65536 4 2> /dev/null`;
    const terminal = startAtTerminal(command);
    expect(await terminal.status).toBe(0);
    expect(digest(Buffer.from(terminal.stdout, "latin1"))).toBe(digest(sequence(262144)));
  });

  it.each([1, 1000, 65536])("reads all that a slow writer writes, %i bytes a call", async (size) => {
    const writer = "{ printf ab; sleep 0.2; printf c; head -c 100000 /dev/zero; sleep 0.2; printf d; }";
    const bytes = Buffer.concat([
      Buffer.from("abc"),
      Buffer.alloc(size === 1 ? 1000 : 100000),
      Buffer.from("d"),
    ]);
    const sum = bytes.reduce((sum, byte) => (Math.imul(sum, 31) + byte) >>> 0, 0);
    const { stdout } = await shell(
      `${writer.replace("100000", String(bytes.length - 4))} | $RUN ${input} ${size}`,
    );
    expect(stdout).toBe(`${bytes.length} ${sum}\n`);
  });

  it("goes on with a write that was frozen half done, where it had come to", () =>
    inTemporaryDirectory(async (folder) => {
      const script = `
        mkfifo f; exec 3<>f
        $RUN ${output} write 1000000 1 > f 2> said & pid=$!
        head -c 65536 <&3 > first; sleep 0.5
        ${process.execPath} ${cli} checkpoint $pid -o image >&2 || exit 1
        take() { dd iflag=nonblock bs=1000 status=none <&3 >> first 2> /dev/null; }
        while kill -0 $pid 2> /dev/null; do take; sleep 0.02; done
        take
        exec 3<&-
        cat first > all
        ${process.execPath} ${cli} restart --dir ${dirname(output)} image 2> said >> all
        sha256sum < all; cat said`;
      const { stdout, stderr } = await shell(script, folder);
      expect(stderr).toMatch(/^(frozen.*|ppcr: .*)?$/m);
      expect(stdout).toBe(`${digest(sequence(1_000_000))}  -\nwrote 1000000\n`);
    }));

  it.each([2, 9, 15])("delivers what was written before the guest died of signal %i", (signo) =>
    inTemporaryDirectory(async (folder) => {
      const script = `
        mkfifo f; exec 3<>f; : > said
        $RUN ${output} full 8 ${signo} > f 2> said 3>&- & pid=$!
        until grep -q . said; do sleep 0.05; done
        exec 4< f
        sha256sum <&4 3>&- 4<&- > sum & reader=$!
        exec 3>&- 4<&-; wait $pid; echo $?; wait $reader; cat said sum`;
      const { stdout } = await shell(script, folder);
      const [status, said, sum] = stdout.split("\n");
      expect(status).toBe(String(128 + signo));
      // What a pipe takes, and what the stream holds besides.
      expect(Number(said)).toBeGreaterThan(65536);
      expect(sum).toBe(`${digest(sequence(Number(said)))}  -`);
    }),
  );

  it.each([
    ["at ^C when there is still output that nobody takes", "kill -INT $pid; sleep 0.1"],
    ["when whoever read its output has gone away", "exec 3>&-; sleep 0.1"],
  ])("ends %s", (_, end) =>
    inTemporaryDirectory(async (folder) => {
      const script = `
        mkfifo f; exec 3<>f; : > said
        $RUN ${output} full 8 0 > f 2> said 3>&- & pid=$!
        until grep -q . said; do sleep 0.05; done
        kill -INT $pid
        while kill -0 $pid 2> /dev/null; do ${end}; done
        wait $pid; echo $?`;
      expect((await shell(script, folder)).stdout).toBe("130\n");
    }),
  );

  it("loses nothing where signals and input come at once", () =>
    inTemporaryDirectory(async (folder) => {
      const script = `
        mkfifo f; : > said
        $RUN ${input} 100 < f > sum 2> said & pid=$!
        exec 3>f
        until grep -q . said; do sleep 0.05; done
        for i in {1..100}; do kill -USR1 $pid; printf abcdefghij >&3; kill -USR1 $pid; done
        exec 3>&-; wait $pid; echo $?; cat sum`;
      const bytes = Buffer.from("abcdefghij".repeat(100));
      const sum = bytes.reduce((sum, byte) => (Math.imul(sum, 31) + byte) >>> 0, 0);
      expect((await shell(script, folder)).stdout).toBe(`0\n1000 ${sum}\n`);
    }));

  it("hears ^C in the middle of a write that nobody reads", () =>
    inTemporaryDirectory(async (folder) => {
      const script = `
        mkfifo f; exec 3<>f
        $RUN ${output} write 1000000 1 > f & pid=$!
        head -c 65536 <&3 > first
        kill -INT $pid; sleep 0.2; cat <&3 > /dev/null & reader=$!
        wait $pid; echo $?; kill $reader`;
      expect((await shell(script, folder)).stdout).toBe("130\n");
    }));
});
