/** How ppcr ends where its guest dies, an image can't be had, or nobody takes what it says. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compilers, guestPath, inTemporaryDirectory } from "../support/guests.ts";
import { startAtTerminal, startPpcr } from "../support/live.ts";
import { cli, ensureBuilt, ppcr, root } from "../support/ppcr.ts";
import { describeWithTools, requireTool } from "../support/tools.ts";

const built = (name: string) => join(root, "guest-bins", "built", name);
const hello = built("hello-ppc64");
const boundary = built("boundary-ppc32");

/** Runs a shell script in which "$@" is the command. */
function shell(script: string, cwd?: string) {
  ensureBuilt();
  return spawnSync("/bin/sh", ["-c", script, "-", process.execPath, cli], { encoding: "utf8", cwd });
}

describeWithTools("death by a signal", [compilers.ppc64, "script"], () => {
  it("is ppcr's own where it ends whole jobs, and a status where not", async () => {
    ensureBuilt();
    const death = await guestPath("death", "ppc64");
    for (const [signo, signal, status] of [
      [1, "SIGHUP", null],
      [2, "SIGINT", null],
      [9, "SIGKILL", null],
      [13, "SIGPIPE", null],
      [15, "SIGTERM", null],
      [6, null, 134],
      [11, null, 139],
      [12, null, 140],
    ] as const) {
      const ended = spawnSync(process.execPath, [cli, "run", death, String(signo)], { stdio: "pipe" });
      expect([signo, ended.signal, ended.status]).toEqual([signo, signal, status]);
    }
  });

  it("lets a shell's loop stop at ^C", async () => {
    const run = `'${process.execPath}' '${cli}' run '${await guestPath("blocked", "ppc64")}' pause`;
    const loop = startAtTerminal(`bash -c "for i in 1 2; do ${run}; done; echo went on"`);
    await loop.says(/waiting/);
    loop.type("\x03");
    await loop.status;
    expect(loop.stdout).not.toContain("went on");
    expect(loop.stdout.match(/waiting/g)).toHaveLength(1);
  });
});

describe("an image that can't be written", () => {
  it("is told before the guest begins where that can be known", async () => {
    await inTemporaryDirectory(async (cwd) => {
      mkdirSync(join(cwd, "folder"));
      for (const [output, why] of [
        ["missing/image", /no such file or directory/],
        ["folder", /it is a folder/],
        ["/proc/image", /./],
      ] as const) {
        const run = await ppcr(["run", "--checkpoint-at", "5", "-o", output, hello], { cwd });
        expect(run).toMatchObject({ status: 125, stdout: "" });
        expect(run.stderr).toMatch(new RegExp(`^ppcr: cannot write ${output}: `));
        expect(run.stderr).toMatch(why);
      }
      const nameless = await ppcr(["run", "--checkpoint-at", "5", "-o", "", hello], { cwd });
      expect(nameless).toMatchObject({ status: 125, stdout: "" });
      expect(nameless.stderr).toMatch(/^ppcr: option '-o.*want a file's name/);
      const stats = await ppcr(["run", "--stats=missing/file", hello], { cwd });
      expect(stats).toMatchObject({ status: 125, stdout: "" });
    });
  });

  it("lets the guest go on where that is found later, and is no success", async () => {
    await inTemporaryDirectory(async (cwd) => {
      const whole = await ppcr(["run", "--seed", "1", boundary], { cwd });
      const freeze = ["run", "--seed", "1", "--checkpoint-at", "2000", "-o", "/dev/full"];
      for (const flags of [[], ["--leave-running"]]) {
        const run = await ppcr([...freeze, ...flags, boundary], { cwd });
        expect([run.status, run.stdout]).toEqual([125, whole.stdout]);
        const [first, second, ...rest] = run.stderr.split("\n");
        expect(first).toMatch(
          /^ppcr: cannot write \/dev\/full: no space left on device \(ENOSPC\).*; the program goes on$/,
        );
        expect(second).toMatch(/^ppcr: the program ended after \d+ instructions; its own status is 42$/);
        expect(rest).toEqual([""]);
      }
    });
  });
});

describe("standard output that is full or closed", () => {
  it("is an error in words", async () => {
    await inTemporaryDirectory(async (cwd) => {
      await ppcr(["run", "--checkpoint-at", "5", "-o", "image", hello], { cwd });
      for (const words of [
        "--help",
        "--version",
        "help run",
        "run --cpu help",
        "image show image",
        "image show --json image",
        "image check image",
        `disasm '${hello}'`,
      ]) {
        const full = shell(`"$@" ${words} > /dev/full`, cwd);
        expect([words, full.status, full.stderr]).toEqual([
          words,
          125,
          "ppcr: cannot write standard output: no space left on device (ENOSPC)\n",
        ]);
      }
      const withoutReader = "mkfifo pipe && exec 4<>pipe 3>pipe 4<&-";
      const closed = shell(
        `${withoutReader}; "$@" disasm '${built("progress-ppc64")}' >&3; echo $? >&2`,
        cwd,
      );
      expect(closed.stderr).toBe("ppcr: cannot write standard output: broken pipe (EPIPE)\n125\n");
    });
  });
});

it.each(["--strace", "--trace"])("%s says which file is full", async (option) => {
  const { status, stderr } = await ppcr(["run", `${option}=/dev/full`, hello]);
  expect([status, stderr]).toEqual([125, "ppcr: cannot write /dev/full: no space left on device (ENOSPC)\n"]);
});

describe("what ppcr says of its own words", () => {
  it("begins with its name", async () => {
    for (const words of [
      ["run", "--bogus"],
      ["bogus"],
      ["run", "-E", "=x", hello],
      ["image", "show"],
      ["checkpoint", "1"],
    ]) {
      const { status, stderr } = await ppcr(words);
      expect([words, status]).toEqual([words, 125]);
      expect(stderr).toMatch(/^ppcr: [^\n]*\n$/);
    }
  });

  it("takes a program without a verb for one that is to run", async () => {
    await inTemporaryDirectory(async (cwd) => {
      expect(await ppcr([boundary], { cwd })).toMatchObject({ status: 42 });
      expect(await ppcr(["--seed", "1", "--", boundary], { cwd })).toMatchObject({ status: 42 });
      expect((await ppcr(["./none"], { cwd })).status).toBe(127);
    });
  });
});

describeWithTools("what is no program", [compilers.ppc32, compilers.ppc64], () => {
  it("is called what it is", async () => {
    await inTemporaryDirectory(async (cwd) => {
      writeFileSync(join(cwd, "program.c"), "int main(void) { return 0; }");
      for (const abi of ["ppc32", "ppc64"] as const) {
        const gcc = requireTool(compilers[abi]);
        spawnSync(gcc, ["-c", "program.c", "-o", `${abi}.o`], { cwd });
        spawnSync(gcc, ["-shared", "-fPIC", "program.c", "-o", `${abi}.so`], { cwd });
      }
      const arm = new Uint8Array(readFileSync(hello));
      arm.set([0, 183], 18);
      writeFileSync(join(cwd, "arm"), arm);
      for (const [file, what] of [
        ["ppc32.o", /an object file, not an executable: link it first/],
        ["ppc64.o", /an object file/],
        ["ppc32.so", /a shared library/],
        ["ppc64.so", /a shared library/],
        ["arm", /for 64-bit ARM, not for PowerPC/],
        [process.execPath, /not for PowerPC/],
        [".", /a folder/],
        ["program.c", /not an ELF file/],
        ["/dev/null", /a device/],
      ] as const) {
        const { status, stderr } = await ppcr(["run", file], { cwd });
        expect([file, status]).toEqual([file, 126]);
        expect(stderr).toMatch(what);
        expect(stderr).toMatch(/^ppcr: cannot run [^\n]*\n$/);
      }
    });
  });
});

describeWithTools("the control socket", [compilers.ppc64], () => {
  it("lies in a private folder, however long the names of others are, and those of the dead are cleared", async () => {
    await inTemporaryDirectory(async (folder) => {
      const long = join(folder, "l".repeat(120));
      mkdirSync(long);
      const environments: Record<string, string>[] = [
        { XDG_RUNTIME_DIR: folder },
        { XDG_RUNTIME_DIR: long, TMPDIR: folder },
      ];
      for (const env of environments) {
        const own = join(folder, `ppcr-${process.getuid!()}`);
        mkdirSync(own, { mode: 0o700, recursive: true });
        // No process has this number; its socket is there and nobody listens.
        const stale = join(own, "4294967294.sock");
        await leaveSocket(stale);
        const live = startPpcr({ env }, "run", await guestPath("blocked", "ppc64"), "sigsuspend");
        await live.says(/waiting/);
        expect(await live.until(() => existsSync(join(own, `${live.pid}.sock`)))).toBe(true);
        await live.until(() => !existsSync(stale));
        expect(existsSync(stale)).toBe(false);
        const image = join(folder, "image");
        const frozen = await ppcr(["checkpoint", String(live.pid), "-o", image, "--leave-running"], { env });
        expect(frozen.status).toBe(0);
        live.child.kill("SIGUSR1");
        expect(await live.status).toBe(7);
        expect(existsSync(join(own, `${live.pid}.sock`))).toBe(false);
      }
    });
  });
});

/** Leaves a socket behind as one who is killed does. */
async function leaveSocket(path: string): Promise<void> {
  const script = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", script]);
  expect(existsSync(path)).toBe(true);
}
