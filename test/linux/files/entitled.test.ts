/** access(2) and the opening of folders: what the status of a file says is not asked of the host once more, and all else is. */
import fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HostError, type HostStat } from "../../../emu/host/host.ts";
import { nodeHost } from "../../../emu/host/node/index.ts";
import { BUFFER, type Guest, makeFolders, makeGuest } from "./harness.ts";

const [R, W, X] = [4, 2, 1];
const US = 4711;

let folders: ReturnType<typeof makeFolders>;
let asked: number;
/** What the host says that files are. */
let status: Partial<HostStat>;

function start(uid: number): Guest {
  const { files } = nodeHost({ descriptors: [] });
  const shown = (stat: HostStat): HostStat => ({ ...stat, ...status });
  return makeGuest({
    mounts: [{ host: folders.granted, guest: "/area", readOnly: false }],
    cwd: "/area",
    host: {
      user: { uid, gid: uid },
      files: {
        ...files,
        look: (path) => {
          const stat = files.look(path);
          return stat && shown(stat);
        },
        access: () => {
          asked++;
          throw new HostError("EACCES", "the host forbids it");
        },
      },
    },
  });
}
const access = (guest: Guest, wanted: number): number | string => {
  asked = 0;
  return guest.call("access", "file", wanted);
};

beforeEach(() => {
  folders = makeFolders();
  fs.writeFileSync(`${folders.granted}/file`, "");
  status = {};
});
afterEach(() => folders.clean());

describe("a file of the host's user", () => {
  it("may be read without a question where the mode lets its owner", () => {
    const guest = start(US);
    status = { uid: US, mode: 0o400 };
    expect([access(guest, R), asked]).toEqual([0, 0]);
    // Its file system may let nobody write or execute.
    status = { uid: US, mode: 0o700 };
    for (const wanted of [W, X, R | W, R | X]) expect([access(guest, wanted), asked]).toEqual(["EACCES", 1]);
    status = { uid: US, mode: 0o044 };
    expect([access(guest, R), asked]).toEqual(["EACCES", 0]);
  });
  it("is asked about where somebody else has it", () => {
    const guest = start(US);
    status = { uid: US + 1, mode: 0o777 };
    expect([access(guest, R), asked]).toEqual(["EACCES", 1]);
  });
  it("may be read by root where everybody may, for a server knows no root", () => {
    const guest = start(0);
    status = { uid: 0, mode: 0o444 };
    expect([access(guest, R), asked]).toEqual([0, 0]);
    status = { uid: 0, mode: 0o440 };
    expect([access(guest, R), asked]).toEqual(["EACCES", 1]);
  });
  it("is there without a question", () => {
    const guest = start(US);
    status = { uid: US + 1, mode: 0 };
    expect([access(guest, 0), asked]).toEqual([0, 0]);
  });
});

describe("what is not there", () => {
  it("is so to every call that looks for it", () => {
    const guest = start(US);
    for (const name of ["stat", "lstat", "access", "open", "chdir"])
      expect(guest.call(name, "nothing", name === "access" ? 0 : BUFFER)).toBe("ENOENT");
    expect(guest.call("readlink", "nothing", BUFFER, 10)).toBe("ENOENT");
    expect(guest.call("readlink", "file", BUFFER, 10)).toBe("EINVAL");
    expect(guest.call("newfstatat", -100, "nothing", BUFFER, 0)).toBe("ENOENT");
    expect(guest.call("statx", -100, "nothing", 0, 0x7ff, BUFFER)).toBe("ENOENT");
    for (const name of ["unlink", "rmdir"]) expect(guest.call(name, "nothing")).toBe("ENOENT");
    expect(guest.call("mkdir", "file", 0o700)).toBe("EEXIST");
    expect(guest.call("mkdir", "..", 0o700)).toBe("EEXIST");
    expect(guest.call("open", "nothing/at/all", 0)).toBe("ENOENT");
    expect(guest.call("open", "file/below", 0)).toBe("ENOTDIR");
  });
});

describe("a symlink that is open as a path", () => {
  it("is none to open, with its name and without", () => {
    const guest = start(US);
    fs.symlinkSync("file", `${folders.granted}/link`);
    const [O_PATH, O_NOFOLLOW] = [0o10000000, 0o100000];
    const fd = guest.call("open", "link", O_PATH | O_NOFOLLOW);
    expect(guest.call("open", `/proc/self/fd/${fd}`, 0)).toBe("ELOOP");
    // But as a path again.
    const again = guest.call("open", `/proc/self/fd/${fd}`, O_PATH);
    expect(guest.call("close", fd)).toBe(0);
    expect(guest.call("unlink", "link")).toBe(0);
    expect(guest.call("readlinkat", again, "", BUFFER, 10)).toBe(4);
    expect(guest.text(BUFFER, 4)).toBe("file");
    expect(guest.call("dup2", again, fd)).toBe(fd);
    expect(guest.call("open", `/proc/self/fd/${fd}`, 0)).toBe("ELOOP");
  });
});
