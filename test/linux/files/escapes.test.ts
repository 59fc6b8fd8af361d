import { spawn } from "node:child_process";
import fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BUFFER, type Guest, makeFolders, makeGuest } from "./harness.ts";

const AT_FDCWD = -100;
const [O_RDONLY, O_WRONLY, O_CREAT, O_TRUNC, O_PATH, O_DIRECTORY] = [
  0, 1, 0o100, 0o1000, 0o10000000, 0o40000,
];

let folders: ReturnType<typeof makeFolders>;
let guest: Guest;

beforeEach(() => {
  folders = makeFolders();
  fs.mkdirSync(`${folders.granted}/sub`);
  fs.writeFileSync(`${folders.granted}/mine`, "mine");
  guest = makeGuest({ mounts: [{ host: folders.granted, guest: "/area", readOnly: false }], cwd: "/area" });
});
afterEach(() => folders.clean());

/** Every way to look at or change a path; none of them may succeed. */
function expectOutOfReach(path: string): void {
  const tries: [string, ...(string | number)[]][] = [
    ["open", path, O_RDONLY],
    ["open", path, O_WRONLY | O_TRUNC],
    ["open", path, O_PATH],
    ["openat", AT_FDCWD, path, O_RDONLY],
    ["stat", path, BUFFER],
    ["statx", AT_FDCWD, path, 0, 0x7ff, BUFFER],
    ["access", path, 0],
    ["truncate", path, 0],
    ["chmod", path, 0o777],
    ["utimes", path, 0],
    ["statfs", path, BUFFER],
    ["linkat", AT_FDCWD, path, AT_FDCWD, "/area/stolen", 0x400],
    ["chdir", path],
  ];
  for (const [name, ...args] of tries)
    expect([name, typeof guest.call(name, ...args)]).toEqual([name, "string"]);
  expect(fs.readFileSync(`${folders.outside}/secret`, "utf8")).toBe("secret");
}

describe("the sandbox", () => {
  it("opens what was granted", () => {
    expect(guest.call("open", "/area/mine", O_RDONLY)).toBe(0);
    expect(guest.call("open", "mine", O_RDONLY)).toBe(1);
  });
  it("clamps .. at the guest's root", () => {
    expectOutOfReach("/area/../outside/secret");
    expectOutOfReach(`/area/../../../../../../../..${folders.outside}/secret`);
    expectOutOfReach("../outside/secret");
  });
  it("takes absolute symlinks for guest paths", () => {
    fs.symlinkSync(`${folders.outside}/secret`, `${folders.granted}/link`);
    expectOutOfReach("/area/link");
  });
  it("takes relative symlinks for guest paths", () => {
    fs.symlinkSync("../outside/secret", `${folders.granted}/link`);
    fs.symlinkSync("../outside", `${folders.granted}/dir`);
    expectOutOfReach("/area/link");
    expectOutOfReach("/area/dir/secret");
  });
  it("creates nothing through a dangling symlink that points outside", () => {
    fs.symlinkSync(`${folders.outside}/new`, `${folders.granted}/link`);
    fs.symlinkSync("../outside/new", `${folders.granted}/relative`);
    expect(typeof guest.call("open", "/area/link", O_WRONLY | O_CREAT, 0o666)).toBe("string");
    expect(typeof guest.call("open", "/area/relative", O_WRONLY | O_CREAT, 0o666)).toBe("string");
    expect(typeof guest.call("mkdir", "/area/link/x", 0o777)).toBe("string");
    expect(fs.readdirSync(folders.outside)).toEqual(["secret"]);
  });
  it("lets the guest's own symlinks lead nowhere outside", () => {
    expect(guest.call("symlink", `${folders.outside}`, "/area/made")).toBe(0);
    expectOutOfReach("/area/made/secret");
    expect(guest.call("symlink", "/", "/area/root")).toBe(0);
    expectOutOfReach(`/area/root${folders.outside}/secret`);
  });
  it("resolves /proc/self/root, cwd, exe and fd links in guest terms", () => {
    expectOutOfReach(`/proc/self/root${folders.outside}/secret`);
    expectOutOfReach("/proc/self/cwd/../outside/secret");
    expect(guest.call("open", "/area", O_RDONLY | O_DIRECTORY)).toBe(0);
    expectOutOfReach("/proc/self/fd/0/../outside/secret");
    expectOutOfReach("/dev/fd/0/../../outside/secret");
    expect(typeof guest.call("open", "/proc/self/fd/0/mine", O_RDONLY)).toBe("number");
    expect(guest.call("open", `/proc/${process.pid}/root/etc/passwd`, O_RDONLY)).toBe("ENOENT");
  });
  it("stays inside with *at() calls on directories and files", () => {
    const sub = guest.call("open", "/area/sub", O_RDONLY | O_DIRECTORY);
    expect(guest.call("openat", sub, "../../outside/secret", O_RDONLY)).toBe("ENOENT");
    expect(guest.call("openat", sub, "../mine", O_RDONLY)).toBe(1);
    expect(guest.call("openat", 1, "x", O_RDONLY)).toBe("ENOTDIR");
    expect(guest.call("renameat", sub, "../mine", sub, "../../outside/taken")).toBe("ENOENT");
    expect(guest.call("unlinkat", sub, "../../outside/secret", 0)).toBe("ENOENT");
    expect(fs.readdirSync(folders.outside)).toEqual(["secret"]);
  });
  it("follows a directory that was moved away to nowhere", () => {
    const sub = guest.call("open", "/area/sub", O_RDONLY | O_DIRECTORY);
    fs.renameSync(`${folders.granted}/sub`, `${folders.outside}/sub`);
    fs.writeFileSync(`${folders.outside}/sub/theirs`, "");
    expect(guest.call("openat", sub, "theirs", O_RDONLY)).toBe("ENOENT");
    expect(guest.call("openat", sub, "../secret", O_RDONLY)).toBe("ENOENT");
    fs.symlinkSync(`${folders.outside}/sub`, `${folders.granted}/sub`);
    expect(guest.call("openat", sub, "theirs", O_RDONLY)).toBe("ENOENT");
  });
  it("refuses devices, fifos and sockets of the host", () => {
    fs.symlinkSync("/dev/null", `${folders.granted}/null`);
    expect(guest.call("mknod", "/area/device", 0o020666, 0x103)).toBe("EPERM");
    expect(guest.call("open", "/dev/mem", O_RDONLY)).toBe("ENOENT");
    // A link to /dev/null means the guest's own.
    expect(typeof guest.call("open", "/area/null", O_RDONLY)).toBe("number");
  });
  it("refuses a mount's file when only another is granted", () => {
    const one = makeGuest({
      mounts: [{ host: `${folders.granted}/mine`, guest: "/f", readOnly: true }],
      cwd: "/",
    });
    expect(one.call("open", "/f", O_RDONLY)).toBe(0);
    expect(one.call("open", "/f/../secret", O_RDONLY)).toBe("ENOTDIR");
    expect(one.call("open", "/f", O_WRONLY)).toBe("EROFS");
  });
});

describe("a symlink swapped in between check and use", () => {
  /** Swaps when the sandbox has looked at every component of the path, or as it begins to hold a directory. */
  function swapAt(directory: string, swap: () => void, name?: string): void {
    const { files } = guest.system.host;
    let done = false;
    const swapOnce = () => {
      if (!done) swap();
      done = true;
    };
    Object.assign(guest.system.host, {
      files: {
        ...files,
        look: (path: string) => {
          const stat = files.look(path);
          const isThere = fs.realpathSync(path.replace(/[^/]*$/, "")) === directory;
          if (isThere && (name === undefined || path.endsWith(`/${name}`))) swapOnce();
          return stat;
        },
      },
    });
  }
  const swapSub = () => {
    fs.renameSync(`${folders.granted}/sub`, `${folders.granted}/old`);
    fs.symlinkSync(folders.outside, `${folders.granted}/sub`);
  };

  it("does not open through a swapped directory", () => {
    fs.writeFileSync(`${folders.granted}/sub/secret`, "decoy");
    swapAt(`${folders.granted}/sub`, swapSub);
    expect(guest.call("open", "/area/sub/secret", O_RDONLY)).toBe(0);
    expect(guest.text(BUFFER, guest.call("read", 0, BUFFER, 10) as number)).toBe("decoy");
  });
  it("does not look through a directory that is swapped before it is held", () => {
    swapAt(folders.granted, swapSub, "sub");
    expect(guest.call("stat", "/area/sub/secret", BUFFER)).toBe("ENOTDIR");
  });
  it("does not open a swapped file", () => {
    fs.writeFileSync(`${folders.granted}/sub/secret`, "decoy");
    swapAt(`${folders.granted}/sub`, () => {
      fs.unlinkSync(`${folders.granted}/sub/secret`);
      fs.symlinkSync(`${folders.outside}/secret`, `${folders.granted}/sub/secret`);
    });
    expect(guest.call("open", "/area/sub/secret", O_RDONLY)).toBe("ELOOP");
  });
  it.each([
    ["unlink", ["/area/sub/secret"]],
    ["rename", ["/area/sub/secret", "/area/stolen"]],
    ["chmod", ["/area/sub/secret", 0o777]],
    ["chown", ["/area/sub/secret", -1, -1]],
    ["link", ["/area/sub/secret", "/area/stolen"]],
    ["truncate", ["/area/sub/secret", 0]],
    ["mkdir", ["/area/sub/new", 0o777]],
    ["symlink", ["x", "/area/sub/new"]],
    ["utimes", ["/area/sub/secret", 0]],
  ])("does not %s through a swapped directory", (name, args) => {
    fs.writeFileSync(`${folders.granted}/sub/secret`, "decoy");
    swapAt(`${folders.granted}/sub`, swapSub);
    const before = fs.statSync(`${folders.outside}/secret`, { bigint: true });
    expect(guest.call(name, ...args)).toBe(0);
    expect(fs.readdirSync(folders.outside)).toEqual(["secret"]);
    expect(fs.statSync(`${folders.outside}/secret`, { bigint: true }).ctimeNs).toBe(before.ctimeNs);
  });
  it("does not chmod a swapped file", () => {
    fs.writeFileSync(`${folders.granted}/sub/secret`, "decoy");
    const { mode } = fs.statSync(`${folders.outside}/secret`);
    swapAt(`${folders.granted}/sub`, () => {
      fs.unlinkSync(`${folders.granted}/sub/secret`);
      fs.symlinkSync(`${folders.outside}/secret`, `${folders.granted}/sub/secret`);
    });
    expect(guest.call("chmod", "/area/sub/secret", 0o777)).toBe("ELOOP");
    expect(fs.statSync(`${folders.outside}/secret`).mode).toBe(mode);
  });
});

describe("a directory that is swapped all the time by another process", () => {
  it("never shows what is outside", () => {
    const child = spawn(process.execPath, [
      "-e",
      `const fs = require("fs"); const [sub, old, out] = process.argv.slice(1);
       for (;;) { fs.renameSync(sub, old); fs.symlinkSync(out, sub); fs.unlinkSync(sub); fs.renameSync(old, sub); }`,
      `${folders.granted}/sub`,
      `${folders.granted}/old`,
      folders.outside,
    ]);
    try {
      fs.writeFileSync(`${folders.granted}/sub/secret`, "decoy");
      const seen = new Set<string | number>();
      const size = `${fs.statSync(`${folders.outside}/secret`).size}`;
      // Until swaps have been met often, and often not.
      const met = { inside: 0, swapped: 0 };
      while (met.inside < 200 || met.swapped < 200) {
        if (guest.call("stat", "/area/sub/secret", BUFFER) === 0) {
          // st_size of ppc64's struct stat.
          expect(guest.memory.load64(BUFFER + 48).toString()).not.toBe(size);
        }
        const fd = guest.call("open", "/area/sub/secret", O_RDONLY);
        if (typeof fd === "string") {
          seen.add(fd);
          met.swapped++;
          continue;
        }
        met.inside++;
        seen.add(guest.text(BUFFER, guest.call("read", fd, BUFFER, 10) as number));
        guest.call("close", fd);
      }
      expect(seen).toContain("decoy");
      expect(seen).not.toContain("secret");
    } finally {
      child.kill();
    }
  });
});

describe("a read-only grant", () => {
  beforeEach(() => {
    guest = makeGuest({
      mounts: [
        { host: folders.granted, guest: "/ro", readOnly: true },
        { host: folders.outside, guest: "/rw", readOnly: false },
      ],
      cwd: "/ro",
    });
  });
  it.each([
    ["open", ["/ro/mine", O_WRONLY]],
    ["open", ["/ro/mine", O_RDONLY | O_TRUNC]],
    ["open", ["/ro/new", O_WRONLY | O_CREAT]],
    ["mkdir", ["/ro/new", 0o777]],
    ["unlink", ["/ro/mine"]],
    ["rmdir", ["/ro/sub"]],
    ["rename", ["/ro/mine", "/ro/other"]],
    ["rename", ["/ro/mine", "/rw/other"]],
    ["rename", ["/rw/secret", "/ro/other"]],
    ["symlink", ["x", "/ro/new"]],
    ["chmod", ["/ro/mine", 0o777]],
    ["chown", ["/ro/mine", 1, 1]],
    ["truncate", ["/ro/mine", 0]],
    ["utimes", ["/ro/mine", 0]],
    ["access", ["/ro/mine", 2]],
    ["mknod", ["/ro/new", 0o100666, 0]],
  ])("refuses %s %j with EROFS", (name, args) => {
    expect(guest.call(name, ...args)).toBe("EROFS");
    expect(fs.readdirSync(folders.granted).sort()).toEqual(["mine", "sub"]);
    expect(fs.readFileSync(`${folders.granted}/mine`, "utf8")).toBe("mine");
  });
  it("refuses a second name for a file of it in a writable grant", () => {
    expect(guest.call("link", "/ro/mine", "/rw/stolen")).toBe("EXDEV");
  });
  it("refuses changes through a descriptor that was opened for reading", () => {
    expect(guest.call("open", "/ro/mine", O_RDONLY)).toBe(0);
    expect(guest.call("fchmod", 0, 0o777)).toBe("EROFS");
    expect(guest.call("ftruncate", 0, 0)).toBe("EINVAL");
    expect(guest.call("open", "/proc/self/fd/0", O_WRONLY)).toBe("EROFS");
    expect(guest.call("utimensat", 0, 0, 0, 0)).toBe("EROFS");
  });
});
