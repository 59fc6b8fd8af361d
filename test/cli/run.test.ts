/** What `ppcr run` and `ppcr restart` promise to scripts: statuses, messages, options, files. */
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compilers, guestPath, inTemporaryDirectory } from "../support/guests.ts";
import { load, stateOf } from "../support/machine.ts";
import { cli, ppcr, root } from "../support/ppcr.ts";
import { runProcess } from "../support/process.ts";
import { describeWithTools } from "../support/tools.ts";

const built = (name: string) => join(root, "guest-bins", "built", name);
const hello = built("hello-ppc64");
const boundary = built("boundary-ppc32");

const statsOf = (file: string) => JSON.parse(readFileSync(file, "utf8"));

describe("the exit status", () => {
  it("is the guest's", async () => {
    expect((await ppcr(["run", boundary])).status).toBe(42);
    expect(await ppcr(["run", hello])).toEqual({ stdout: "hello\n", stderr: "", status: 0 });
  });

  it("is 127 for a program that is not there", async () => {
    const { status, stderr } = await ppcr(["run", "./missing"]);
    expect(status).toBe(127);
    expect(stderr).toMatch(/^ppcr: cannot run .*missing: no such file or directory/);
  });

  it("is 126 for what is no PowerPC program", async () => {
    await inTemporaryDirectory(async (folder) => {
      const text = join(folder, "text");
      writeFileSync(text, "#!/bin/sh\necho hello\n");
      const cut = join(folder, "cut");
      await copyFile(hello, cut);
      truncateSync(cut, 100);
      for (const path of [text, cut, folder, process.execPath]) {
        const { status, stderr, stdout } = await ppcr(["run", path]);
        expect(`${path} ${status}`).toBe(`${path} 126`);
        expect(stderr).toMatch(/^ppcr: cannot run [^\n]*\n$/);
        expect(stdout).toBe("");
      }
    });
  });

  it("is 125 for ppcr's own failures", async () => {
    const wrong = [
      ["run"],
      ["run", "--no-such-option", hello],
      ["run", "--stop-at", "many", hello],
      ["run", "--cpu", "6502", hello],
      ["run", "--checkpoint-at", "5", hello],
      ["run", "-o", "image", hello],
      ["run", "--checkpoint-at", "5", "-o", "/missing/image", hello],
      ["run", "--strace=/missing/trace", hello],
      ["run", "--dir", "/missing", hello],
      ["run", "-L", "/missing", hello],
      ["restart", "/missing/image"],
      ["restart", hello],
      ["image", "show", "/missing/image"],
      ["image", "check", hello],
      ["nonsense"],
    ];
    for (const args of wrong) {
      const { status, stderr } = await ppcr(args);
      expect(`${args.join(" ")}: ${status}`).toBe(`${args.join(" ")}: 125`);
      expect(stderr).not.toMatch(/internal error|\n +at /);
    }
  });
});

describe("too little address space", () => {
  it("is said in words, before the guest begins", async () => {
    const script = `ulimit -v 4000000; exec "$@"`;
    const { status, stdout, stderr } = await runProcess("/bin/sh", {
      args: ["-c", script, "-", process.execPath, cli, "run", hello],
    });
    expect([status, stdout]).toEqual([125, ""]);
    expect(stderr).toMatch(/^ppcr: cannot reserve the guest's address space .*ulimit -v/);
  });
});

describe("options of run", () => {
  it("lists CPU models", async () => {
    const { stdout, status } = await ppcr(["run", "--cpu", "help"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^power8 /m);
    expect(stdout).toMatch(/^750 /m);
  });

  it("stops after exactly as many instructions, in the state the library stops in", async () => {
    await inTemporaryDirectory(async (cwd) => {
      for (const count of [0n, 1n, 2n, 777n, 2445n]) {
        const file = join(cwd, "stats.json");
        const flags = ["--clear-env", "--seed", "5", "--stop-at", String(count), `--stats=${file}`];
        const { status } = await ppcr(["run", ...flags, boundary], { cwd });
        expect(status).toBe(0);
        const subject = load(boundary, { seed: 5n, cwd });
        await subject.machine.run(count);
        const { registers, memory } = stateOf(subject);
        expect(statsOf(file)).toEqual({
          schema_version: 1,
          instructions: Number(count),
          seconds: expect.any(Number),
          mips: expect.any(Number),
          exit_status: null,
          engine: "jit",
          jit: expect.objectContaining({ steps: 0 }),
          registers_sha256: registers,
          memory_sha256: memory,
        });
      }
    });
  });

  it("is the user that it is told to be", async () => {
    await inTemporaryDirectory(async (cwd) => {
      for (const [user, uid, gid] of [
        [[], 1000, 1000],
        [["--user", "0"], 0, 0],
        [["--user", "4294967294:8"], 4294967294, 8],
      ] as const) {
        await ppcr(["run", ...user, "--checkpoint-at", "1", "-o", "image", hello], { cwd });
        const { stdout } = await ppcr(["image", "show", "--json", "image"], { cwd });
        const { records } = JSON.parse(stdout).trailer;
        const process = records.find(({ name }: { name: string }) => name === "PROCESS");
        expect(process.values).toMatchObject({ uid, euid: uid, gid, egid: gid, groups: [gid] });
      }
      for (const user of ["root", "", "-1", "1:", "4294967295", "0:4294967295"]) {
        const { status, stderr } = await ppcr(["run", `--user=${user}`, hello], { cwd });
        expect([user, status]).toEqual([user, 125]);
        expect(stderr).toContain("want a user's number");
      }
    });
  });

  it("repeats a seeded run to the byte, and no unseeded one", async () => {
    await inTemporaryDirectory(async (cwd) => {
      const digests = async (flags: string[]) => {
        const file = join(cwd, "stats.json");
        await ppcr(["run", "--clear-env", `--stats=${file}`, ...flags, boundary], { cwd });
        const { registers_sha256, memory_sha256, instructions } = statsOf(file);
        return [registers_sha256, memory_sha256, instructions].join(" ");
      };
      expect(await digests(["--seed", "1"])).toBe(await digests(["--seed", "1"]));
      expect(await digests(["--seed", "1"])).not.toBe(await digests(["--seed", "2"]));
      expect(await digests([])).not.toBe(await digests([]));
    });
  });

  it("repeats a seeded run whose output goes to a pipe that is another each time", async () => {
    await inTemporaryDirectory(async (cwd) => {
      const program = await guestPath("streams", "ppc64");
      const outputs = [1, 2].map(async (n) => {
        const file = join(cwd, `stats${n}.json`);
        const { stdout } = await ppcr(["run", "--clear-env", "--seed", "1", `--stats=${file}`, program], {
          cwd,
        });
        const { memory_sha256 } = statsOf(file);
        return { stdout, memory_sha256 };
      });
      const [one, two] = await Promise.all(outputs);
      expect(one).toEqual(two);
      expect(one.stdout).toMatch(/^0 is .*\n1 is .*\n2 is .*\n$/);
    });
  });

  it("traces system calls to stderr or a file, and never takes the program for that file", async () => {
    await inTemporaryDirectory(async (cwd) => {
      const plain = await ppcr(["run", "--strace", hello], { cwd });
      expect(plain.stdout).toBe("hello\n");
      expect(plain.stderr).toMatch(/^write\(1, .*\) = 6\nexit_group\(0\)/);
      const filed = await ppcr(["run", "--strace=trace", hello, "--strace"], { cwd });
      expect(filed.stderr).toBe("");
      expect(readFileSync(join(cwd, "trace"), "utf8")).toBe(plain.stderr);
      const stats = await ppcr(["run", "--stats", hello], { cwd });
      expect(stats.stdout).toBe("hello\n");
      expect(JSON.parse(stats.stderr).exit_status).toBe(0);
    });
  });
});

describeWithTools("what the guest is given", [compilers.ppc64], () => {
  it("has the arguments, the name and the environment that were asked for", async () => {
    const program = await guestPath("environment", "ppc64");
    const flags = [
      "--clear-env",
      "-E",
      "GUEST_GREETING=one",
      "-E",
      "GUEST_GREETING=good day",
      "-0",
      "/a/name",
    ];
    const run = await ppcr(["run", ...flags, program, "-x", "--", "two words"]);
    expect(run.stdout).toContain("good day");
    expect(run.stdout).toContain("two words");
    const env = { GUEST_GREETING: "from outside" };
    for (const [flags, passes] of [
      [["--inherit-env"], true],
      [["-E", "GUEST_GREETING"], true],
      [["--seed", "1", "-E", "GUEST_GREETING"], true],
      [[], false],
      [["--clear-env"], false],
      [["--inherit-env", "-U", "GUEST_GREETING"], false],
    ] as const) {
      const { stdout } = await ppcr(["run", ...flags, program], { env });
      expect([flags, stdout.includes("from outside")]).toEqual([flags, passes]);
    }
  });
});

describe("checkpoint and restart", () => {
  it("go on from a file, from a pipe, and tell what happened on stderr", async () => {
    await inTemporaryDirectory(async (cwd) => {
      const whole = await ppcr(["run", "--seed", "1", boundary], { cwd });
      const options = { cwd, env: { NO_COLOR: "1" } };
      const dir = ["--dir", `${join(root, "guest-bins")}:${join(root, "guest-bins")}:ro`];
      const freeze = ["run", "--seed", "1", "--checkpoint-at", "2000"];
      const first = await ppcr([...freeze, "-o", "image", boundary], options);
      expect(first.status).toBe(0);
      expect(first.stderr).toBe("ppcr: frozen after 2000 instructions into image\n");
      expect(readdirSync(cwd)).toEqual(["image"]);
      expect(statSync(join(cwd, "image")).mode & 0o777).toBe(0o600);
      const rest = await ppcr(["restart", ...dir, "image"], options);
      expect(rest.status).toBe(42);
      expect(first.stdout + rest.stdout).toBe(whole.stdout);
      const stdin = readFileSync(join(cwd, "image"));
      expect((await ppcr(["restart", ...dir, "-"], { ...options, stdin })).status).toBe(42);
      const running = await ppcr([...freeze, "-o", "image", "--leave-running", boundary], options);
      expect(running).toEqual({ ...whole, stderr: first.stderr });
      const late = await ppcr(["run", "--checkpoint-at", "99999999", "-o", "never", boundary], options);
      expect(late.status).toBe(124);
      expect(late.stderr).toMatch(
        /^ppcr: the program ended after \d+ instructions, before --checkpoint-at 99999999; its own status is 42\n$/,
      );
      const stopped = await ppcr(
        [...freeze.slice(0, 3), "--stop-at", "5", "--checkpoint-at", "9", "-o", "never", boundary],
        options,
      );
      expect(stopped.status).toBe(124);
      expect(stopped.stderr).toMatch(
        /^ppcr: the program was stopped after 5 .*, before --checkpoint-at 9\n$/,
      );
    });
  });

  it("grant nothing that an image names", async () => {
    await inTemporaryDirectory(async (folder) => {
      const [there, here] = [join(folder, "there"), join(folder, "here")];
      mkdirSync(there);
      mkdirSync(here);
      const program = join(there, "boundary");
      await copyFile(boundary, program);
      chmodSync(program, 0o755);
      const image = join(here, "image");
      await ppcr(["run", "--checkpoint-at", "2000", "-o", image, program], { cwd: there });
      const refused = await ppcr(["restart", image], { cwd: here });
      expect(refused.status).toBe(125);
      expect(refused.stdout).toBe("");
      expect(refused.stderr).toMatch(/^ppcr: .*image can't go on here: .*there.*--dir/s);
      expect((await ppcr(["restart", "--dir", there, image], { cwd: here })).status).toBe(42);
    });
  });

  it("are refused where files have changed, unless that is to be told or ignored", async () => {
    await inTemporaryDirectory(async (cwd) => {
      const program = join(cwd, "boundary");
      await copyFile(boundary, program);
      chmodSync(program, 0o755);
      await ppcr(["run", "--checkpoint-at", "2000", "-o", "image", program], { cwd });
      writeFileSync(program, "more", { flag: "a" });
      const restart = (...options: string[]) => ppcr(["restart", ...options, "image"], { cwd });
      const refused = await restart();
      expect(refused.status).toBe(125);
      expect(refused.stderr).toContain(`${program} has`);
      expect(refused.stderr).toContain("--on-changed");
      const warned = await restart("--on-changed", "warn");
      expect(warned.status).toBe(42);
      expect(warned.stderr).toMatch(/^ppcr: /);
      expect(warned.stderr).toContain(`${program} has`);
      expect(await restart("--on-changed", "ignore")).toEqual({ ...warned, stderr: "" });
    });
  });

  it("show what an image holds, numbers as people read them, and no values of variables", async () => {
    await inTemporaryDirectory(async (folder) => {
      const cwd = realpathSync(folder);
      const flags = ["-E", "SECRET=token", "--checkpoint-at", "2000", "-o", "image"];
      await ppcr(["run", ...flags, boundary], { cwd });
      const { stdout } = await ppcr(["image", "show", "image"], { cwd });
      expect(stdout).toMatch(
        /^task \d+ "boundary-ppc32" \(parent 1\), 6 mappings, \d+ pages, 0 descriptors$/m,
      );
      expect(stdout).toMatch(new RegExp(`^ program +${boundary}$`, "m"));
      expect(stdout).toMatch(new RegExp(`^ directory +${cwd}$`, "m"));
      expect(stdout).toMatch(/^ environment .*\bSECRET\b/m);
      expect(stdout).toMatch(/instructions 2000\b/);
      expect(stdout).not.toContain("token");
    });
  });

  it("tell damage apart, with an exit status for scripts", async () => {
    await inTemporaryDirectory(async (cwd) => {
      await ppcr(["run", "--checkpoint-at", "2000", "-o", "image", boundary], { cwd });
      const sound = await ppcr(["image", "check", "image"], { cwd });
      expect(sound.status).toBe(0);
      expect(sound.stdout).toMatch(/^image: sound, \d+ bytes$/m);
      const json = JSON.parse((await ppcr(["image", "check", "--json", "image"], { cwd })).stdout);
      expect(json).toMatchObject({ schema_version: 1, sound: true });
      expect(JSON.parse((await ppcr(["image", "show", "--json", "image"], { cwd })).stdout)).toMatchObject({
        schema_version: 1,
      });
      const bytes = readFileSync(join(cwd, "image"));
      writeFileSync(join(cwd, "short"), bytes.subarray(0, bytes.length - 100));
      bytes[4000] ^= 1;
      writeFileSync(join(cwd, "flipped"), bytes);
      for (const damaged of ["short", "flipped"]) {
        const checked = await ppcr(["image", "check", damaged], { cwd });
        expect(checked.status).toBe(125);
        expect(checked.stdout).toMatch(/^error: /m);
        const restarted = await ppcr(["restart", damaged], { cwd });
        expect(restarted.status).toBe(125);
        expect(restarted.stderr).toMatch(new RegExp(`^ppcr: ${damaged}: `));
        const found = JSON.parse((await ppcr(["image", "check", "--json", damaged], { cwd })).stdout);
        expect(found.sound).toBe(false);
      }
    });
  });
});
