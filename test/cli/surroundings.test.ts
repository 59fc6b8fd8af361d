/** What a guest gets of the host without anybody asking for it: as little as it can do with, and nothing that tells two hosts apart. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { guestEnvironment } from "../../cli/environment.ts";
import { compilers, inTemporaryDirectory } from "../support/guests.ts";
import { startAtTerminal } from "../support/live.ts";
import { cli, ensureBuilt, ppcr, root } from "../support/ppcr.ts";
import { runProcess } from "../support/process.ts";
import { describeWithTools, requireTool } from "../support/tools.ts";

const hello = join(root, "guest-bins", "built", "hello-ppc64");

/** Prints its arguments and environment, and for each file that is named whether it can be opened to read (r) and to write (w), and where a link leads. */
const SOURCE = `
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
extern char **environ;
int main(int argc, char **argv) {
  struct winsize size = {0, 0, 0, 0};
  for (char **each = environ; *each; each++) puts(*each);
  for (int i = 1; i < argc; i++) {
    int r = open(argv[i], O_RDONLY), w = open(argv[i], O_WRONLY);
    char to[200];
    int length = readlink(argv[i], to, sizeof to);
    printf("[%s] %s%s", argv[i], r < 0 ? "-" : "r", w < 0 ? "-" : "w");
    if (length > 0) printf(" -> %.*s", length, to);
    puts("");
  }
  if (ioctl(2, TIOCGWINSZ, &size) == 0) printf("%dx%d\\n", size.ws_row, size.ws_col);
  printf("umask %03o\\n", umask(0));
  return 0;
}`;

/** Runs `use` with a folder that holds the program, linked as \`flags\` say, and a secret beside it; and with an empty one. */
const withProgram = (
  use: (program: string, elsewhere: string) => Promise<void>,
  flags: readonly string[] = ["-static"],
): Promise<void> =>
  inTemporaryDirectory(async (base) => {
    const folder = realpathSync(base);
    const [there, elsewhere] = [join(folder, "there"), join(folder, "elsewhere")];
    for (const path of [there, elsewhere]) mkdirSync(path);
    writeFileSync(join(there, "secret"), "of mine");
    const program = join(there, "program");
    const gcc = requireTool(compilers.ppc64);
    const { stderr } = spawnSync(gcc, ["-O1", ...flags, "-x", "c", "-", "-o", program], {
      input: SOURCE,
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    await use(program, elsewhere);
  });

describeWithTools("of files", [compilers.ppc64], () => {
  it("it gets the program and not what lies beside it, the working directory, and what --dir says", async () => {
    await withProgram(async (program, cwd) => {
      const secret = join(program, "..", "secret");
      writeFileSync(join(cwd, "own"), "");
      const files = [program, secret, join(cwd, "own")];
      const plain = await ppcr(["run", program, ...files], { cwd });
      expect(plain.stderr).toBe("");
      expect(plain.stdout.match(/\] ../g)).toEqual(["] r-", "] --", "] rw"]);
      const granted = await ppcr(
        ["run", "--dir", `${join(program, "..")}:/given:ro`, program, "/given/secret"],
        { cwd },
      );
      expect(granted.stdout).toContain("[/given/secret] r-");
    });
  });

  it("it gets a program that a link in the working directory leads to, where that is", async () => {
    await withProgram(async (program, cwd) => {
      symlinkSync(program, join(cwd, "link"));
      const { status, stdout } = await ppcr(["run", "./link", program, join(program, "..", "secret")], {
        cwd,
      });
      expect(status).toBe(0);
      expect(stdout.match(/\] ../g)).toEqual(["] r-", "] --"]);
    });
  });

  it("it lies where links end, so that a frozen one is found there", async () => {
    await withProgram(async (program, cwd) => {
      const [folder, link, image] = [join(program, ".."), join(cwd, "..", "link"), join(cwd, "image")];
      symlinkSync(program, link);
      const frozen = await ppcr(["run", "--checkpoint-at", "100", "-o", image, link, link], { cwd });
      expect(frozen.status).toBe(0);
      const { status, stderr } = await ppcr(["restart", "--dir", `${folder}:ro`, image], { cwd });
      expect([status, stderr]).toEqual([0, ""]);
    });
  });

  it("it may be given folders with colons in their names", async () => {
    await withProgram(async (program, cwd) => {
      const odd = join(cwd, "..", "a:b\\c");
      mkdirSync(odd);
      writeFileSync(join(odd, "file"), "");
      const quoted = odd.replace(/[\\:]/g, "\\$&");
      const given = await ppcr(["run", "--dir", `${quoted}:/o\\:dd:ro`, program, "/o:dd/file"], { cwd });
      expect(given.stdout).toContain("[/o:dd/file] r-");
      const refused = await ppcr(["run", "--dir", odd, program], { cwd });
      expect(refused.status).toBe(125);
      expect(refused.stderr).toMatch(/^ppcr: option '--dir .*a colon in a path is written '\\:'/);
    });
  });
});

describe("the user is told", () => {
  it("where the working directory is the root or home folder, unless it was asked for", async () => {
    await inTemporaryDirectory(async (home) => {
      const env = { HOME: home };
      for (const [args, cwd, said] of [
        [["run", hello], home, `^ppcr: warning: .* everything in ${home}, your home folder, .*\n$`],
        [["run", hello], "/", "^ppcr: warning: .* everything in /, the root folder, .*\n$"],
        [["run", "--dir", ".", hello], home, "^$"],
        [["run", "--dir", "/:/", hello], "/", "^$"],
      ] as const) {
        const { stderr, status } = await ppcr(args, { cwd, env });
        expect(status).toBe(0);
        expect(stderr).toMatch(new RegExp(said));
      }
    });
  });

  it("where there is no working directory any more", async () => {
    ensureBuilt();
    await inTemporaryDirectory(async (folder) => {
      const gone = join(folder, "gone");
      mkdirSync(gone);
      const script = `cd '${gone}' && rmdir '${gone}' && exec '${process.execPath}' '${cli}' run '${hello}'`;
      const { status, stderr } = spawnSync("/bin/sh", ["-c", script], { encoding: "utf8" });
      expect(status).toBe(125);
      expect(stderr).toMatch(/^ppcr: the working directory has been deleted; [^\n]*\n$/);
    });
  });
});

describe("of the environment", () => {
  const outside = { ...process.env };
  const given = (flags: Partial<Parameters<typeof guestEnvironment>[0]>) => {
    for (const name of Object.keys(process.env)) delete process.env[name];
    Object.assign(process.env, {
      HOME: "/h",
      LANG: "C",
      LC_ALL: "C",
      TZ: "UTC",
      TERM: "vt100",
      TOKEN: "secret",
    });
    Object.assign(process.env, {
      LC: "",
      HOMEBREW: "",
      USER: "u",
      PATH: "/p",
      TMPDIR: "/t",
      COLUMNS: "1",
      LINES: "2",
    });
    try {
      return guestEnvironment({ env: [], unsetEnv: [], ...flags }).map((text) => text.split("=")[0]);
    } finally {
      for (const name of Object.keys(process.env)) delete process.env[name];
      Object.assign(process.env, outside);
    }
  };
  const usual = ["HOME", "LANG", "LC_ALL", "TZ", "TERM", "USER", "PATH", "TMPDIR", "COLUMNS", "LINES"].sort();

  it("it gets what programs speak to the user by, and nothing else", () => {
    expect(given({}).sort()).toEqual(usual);
    expect(given({ env: ["TOKEN"] }).sort()).toEqual([...usual, "TOKEN"].sort());
    expect(given({ inheritEnv: true })).toContain("HOMEBREW");
  });

  it("it gets nothing in a seeded run but what is asked for", () => {
    expect(given({ seed: 1n })).toEqual([]);
    expect(given({ seed: 1n, env: ["TOKEN", "ABSENT", "A=b"] })).toEqual(["TOKEN", "A"]);
    expect(given({ seed: 1n, inheritEnv: true })).toContain("HOMEBREW");
  });
});

describeWithTools("a seeded run", [compilers.ppc64, "script"], () => {
  it("is the same with another environment, umask and terminal", async () => {
    await withProgram(async (program, cwd) => {
      const digests = [];
      for (const surroundings of [
        "stty rows 10 columns 20; umask 077; A=b",
        "stty rows 50 columns 132; umask 002; LANG=C",
      ]) {
        const live = startAtTerminal(
          `${surroundings} '${process.execPath}' '${cli}' run --seed 1 --stats=stats '${program}'`,
          cwd,
        );
        expect(await live.status).toBe(0);
        expect(live.stdout).toContain("24x80\r\numask 022\r\n");
        digests.push(JSON.parse(readFileSync(join(cwd, "stats"), "utf8")).memory_sha256);
      }
      expect(digests[0]).toBe(digests[1]);
    });
  });
});

describeWithTools("bytes that are no UTF-8", [compilers.ppc64], () => {
  it("reach the guest in names, arguments and variables as they are", async () => {
    ensureBuilt();
    await withProgram(async (program, cwd) => {
      if (process.platform !== "linux") return;
      const script = [
        `d=$(printf 'odd\\377'); mkdir "$d" && cd "$d" && cp '${program}' "p$d" && export ODD="x$d"`,
        `exec '${process.execPath}' '${cli}' run -E ODD "./p$d" "a$d"`,
      ].join("\n");
      const { status, stdout } = spawnSync("/bin/sh", ["-c", script], { cwd, encoding: "latin1" });
      expect(status).toBe(0);
      expect(stdout).toContain("ODD=xodd\xff\n");
      expect(stdout).toContain("[aodd\xff] --\n");
      expect(readdirSync(cwd, { encoding: "buffer" }).map((name) => name.toString("latin1"))).toEqual([
        "odd\xff",
      ]);
    });
  });

  it("may be in the names of an image and of the folder that it is written to", async () => {
    ensureBuilt();
    await inTemporaryDirectory(async (cwd) => {
      if (process.platform !== "linux") return;
      const ppcr = `'${process.execPath}' '${cli}'`;
      const script = [
        `d=$(printf 'odd\\377'); mkdir "$d"; cd "$d"; ${ppcr} run --checkpoint-at 5 -o "i$d" '${hello}'`,
        `${ppcr} restart --dir '${dirname(hello)}' "i$d"`,
      ].join(" && ");
      const { status, stdout } = spawnSync("/bin/sh", ["-c", script], { cwd, encoding: "latin1" });
      expect([status, stdout]).toEqual([0, "hello\n"]);
    });
  });
});

describeWithTools("a dynamic program", [compilers.ppc64], () => {
  const libraries = "/usr/powerpc64-linux-gnu";

  it("finds the cross compilers' C library, or the sysroot that PPCR_SYSROOT names", async () => {
    await withProgram(async (program, cwd) => {
      const found = await ppcr(["run", program, "x"], { cwd });
      expect([found.status, found.stderr]).toEqual([0, ""]);
      expect(found.stdout).toContain("[x] --");
      const image = join(cwd, "image");
      expect((await ppcr(["run", "--checkpoint-at", "20000", "-o", image, program], { cwd })).status).toBe(0);
      expect(await ppcr(["restart", "--dir", program, image], { cwd })).toMatchObject({
        status: 0,
        stderr: "",
      });
      const env = { PPCR_SYSROOT: libraries };
      expect((await ppcr(["run", program], { cwd, env })).status).toBe(0);
      // Set to nothing it is as if it were not set.
      expect((await ppcr(["run", program], { cwd, env: { PPCR_SYSROOT: "" } })).status).toBe(0);
    }, []);
  });

  it("of a sysroot finds what lies beside it there, and can't change it", async () => {
    await withProgram(
      async (program, cwd) => {
        const sysroot = join(program, "..");
        const beside = join(sysroot, "secret");
        const { stdout } = await ppcr(["run", "-L", sysroot, program, beside, "/secret"], { cwd });
        expect(stdout.match(/\] ../g)).toEqual(["] r-", "] r-"]);
        const relative = await ppcr(["run", "-L", "../there", program, beside], { cwd });
        expect(relative.stdout).toContain(`[${beside}] r-`);
      },
      ["-static"],
    );
  });

  it("of a sysroot may be named by a link, which leads to where it leads the guest", async () => {
    await withProgram(
      async (program, cwd) => {
        const sysroot = join(program, "..");
        symlinkSync("/program", join(sysroot, "link"));
        const found = await ppcr(["run", "-L", sysroot, join(sysroot, "link"), "/proc/self/exe"], { cwd });
        expect([found.status, found.stdout]).toEqual([0, expect.stringContaining("exe] r- -> /program\n")]);
      },
      ["-static"],
    );
  });

  it("says which interpreter is missing in a sysroot, and what to do", async () => {
    await withProgram(async (program, cwd) => {
      for (const [args, env] of [
        [["-L", cwd], {}],
        [[], { PPCR_SYSROOT: cwd }],
      ] as const) {
        const { status, stderr } = await ppcr(["run", ...args, program], { cwd, env });
        expect(status).toBe(126);
        expect(stderr).toMatch(
          /^ppcr: cannot run .*: its interpreter \/lib64\/ld64\.so\.1 can't be had .*\(-L\)/,
        );
      }
    }, []);
  });
});

describe("the root's warning", () => {
  it("comes once, at a terminal alone", async () => {
    if (process.geteuid?.() !== 0) return;
    await inTemporaryDirectory(async (runtime) => {
      chmodSync(runtime, 0o700);
      const run = `XDG_RUNTIME_DIR='${runtime}' '${process.execPath}' '${cli}' run '${hello}'`;
      const said = [];
      for (const command of [`${run} 2>&1 | cat`, run, run]) {
        const live = startAtTerminal(command);
        expect(await live.status).toBe(0);
        said.push(live.stdout.includes("ppcr: warning: running as root"));
      }
      expect(said).toEqual([false, true, false]);
      rmSync(runtime, { recursive: true });
      mkdirSync(runtime);
    });
  });
});

describe("a user that /etc/passwd does not know, as containers have them,", () => {
  it("runs programs like any other", async () => {
    await inTemporaryDirectory(async (cwd) => {
      const stranger = join(cwd, "stranger.cjs");
      const says = "() => { throw new Error('uv_os_get_passwd returned ENOENT'); }";
      writeFileSync(stranger, `const os = require("node:os"); os.homedir = os.userInfo = ${says};`);
      ensureBuilt();
      const args = ["-r", stranger, cli, "run", hello];
      expect(await runProcess(process.execPath, { args, cwd })).toEqual({
        stdout: "hello\n",
        stderr: "",
        status: 0,
      });
    });
  });
});
