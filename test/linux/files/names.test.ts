/** What is open keeps its meaning while names come and go. */
import fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HostError, type HostFiles } from "../../../emu/host/host.ts";
import { nodeFiles } from "../../../emu/host/node/files.ts";
import { BUFFER, type Guest, makeFolders, makeGuest } from "./harness.ts";

const AT_FDCWD = -100;
const AT_SYMLINK_FOLLOW = 0x400;
const [O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_APPEND, O_DIRECTORY, O_PATH] = [
  0, 1, 2, 0o100, 0o2000, 0o40000, 0o10000000,
];
const [F_SETFL, DESCRIPTOR] = [4, "/proc/self/fd/0"];

let folders: ReturnType<typeof makeFolders>;
let guest: Guest;

beforeEach(() => {
  folders = makeFolders();
  fs.mkdirSync(`${folders.granted}/sub`);
  fs.writeFileSync(`${folders.granted}/file`, "text");
  guest = makeGuest({ mounts: [{ host: folders.granted, guest: "/area", readOnly: false }], cwd: "/area" });
});
afterEach(() => folders.clean());

const linkText = () => guest.text(BUFFER, guest.call("readlink", DESCRIPTOR, BUFFER, 200) as number);

describe("a rename by the guest", () => {
  it("takes the working directory along", () => {
    expect(guest.call("chdir", "/area/sub")).toBe(0);
    expect(guest.call("rename", "/area/sub", "/area/moved")).toBe(0);
    const length = guest.call("getcwd", BUFFER, 200) as number;
    expect(guest.text(BUFFER, length)).toBe("/area/moved\0");
    expect(guest.call("open", "new", O_WRONLY | O_CREAT, 0o600)).toBe(0);
    expect(fs.existsSync(`${folders.granted}/moved/new`)).toBe(true);
  });
  it("takes directory descriptors along, and their listings", () => {
    expect(guest.call("open", "/area/sub", O_RDONLY | O_DIRECTORY)).toBe(0);
    expect(guest.call("rename", "/area/sub", "/area/moved")).toBe(0);
    expect(guest.call("openat", 0, "new", O_WRONLY | O_CREAT, 0o600)).toBe(1);
    expect(guest.call("getdents64", 0, BUFFER, 1000)).toBe(24 * 3);
    expect(guest.call("fchdir", 0)).toBe(0);
  });
  it("takes open files along, but not those it replaces", () => {
    expect(guest.call("open", "file", O_RDWR)).toBe(0);
    expect(guest.call("rename", "file", "other")).toBe(0);
    expect(linkText()).toBe("/area/other");
    fs.writeFileSync(`${folders.granted}/third`, "");
    expect(guest.call("rename", "third", "other")).toBe(0);
    expect(guest.call("rename", "other", "fourth")).toBe(0);
    expect(linkText()).toBe("/area/other (deleted)");
  });
});

describe("a file without a name", () => {
  beforeEach(() => {
    expect(guest.call("open", "file", O_RDWR)).toBe(0);
    expect(guest.call("unlink", "file")).toBe(0);
  });
  it("is shown as deleted", () => expect(linkText()).toBe("/area/file (deleted)"));
  it("can be opened again", () => {
    expect(guest.call("open", DESCRIPTOR, O_RDONLY)).toBe(1);
    expect(guest.text(BUFFER, guest.call("read", 1, BUFFER, 10) as number)).toBe("text");
  });
  it("keeps to another file of its name", () => {
    fs.writeFileSync(`${folders.granted}/file`, "another");
    expect(guest.call("open", DESCRIPTOR, O_RDONLY)).toBe(1);
    expect(guest.text(BUFFER, guest.call("read", 1, BUFFER, 10) as number)).toBe("text");
    expect(guest.call("chmod", DESCRIPTOR, 0o640)).toBe(0);
    expect(fs.statSync(`${folders.granted}/file`).mode & 0o777).not.toBe(0o640);
  });
  it.each([
    ["chmod", [DESCRIPTOR, 0o640]],
    ["fchmod", [0, 0o640]],
    ["truncate", [DESCRIPTOR, 1]],
    ["chown", [DESCRIPTOR, -1, -1]],
    ["fchown", [0, -1, -1]],
    ["utimensat", [AT_FDCWD, DESCRIPTOR, 0, 0]],
    ["fcntl", [0, F_SETFL, O_APPEND]],
    ["fcntl", [0, F_SETFL, 0]],
  ])("takes %s %j", (name, args) => expect(guest.call(name, ...args)).toBe(0));
  it("gets no name by a link", () => {
    expect(guest.call("linkat", AT_FDCWD, DESCRIPTOR, AT_FDCWD, "back", AT_SYMLINK_FOLLOW)).toBe("ENOENT");
  });
});

describe("a file of a read-only grant that is removed outside", () => {
  it.each([
    ["open", [DESCRIPTOR, O_WRONLY]],
    ["truncate", [DESCRIPTOR, 0]],
    ["chmod", [DESCRIPTOR, 0o777]],
    ["fchmod", [0, 0o777]],
    ["fchown", [0, -1, -1]],
    ["utimensat", [0, 0, 0, 0]],
  ])("still refuses %s %j", (name, args) => {
    guest = makeGuest({ mounts: [{ host: folders.granted, guest: "/area", readOnly: true }], cwd: "/area" });
    expect(guest.call("open", "file", O_RDONLY)).toBe(0);
    fs.linkSync(`${folders.granted}/file`, `${folders.outside}/kept`);
    fs.unlinkSync(`${folders.granted}/file`);
    expect(guest.call(name, ...args)).toBe("EROFS");
    expect(fs.readFileSync(`${folders.outside}/kept`, "utf8")).toBe("text");
  });
});

describe("a program that may be executed and not be read", () => {
  /** What the kernel denies to others than root, and whose modes have been changed. */
  function strict() {
    const changed: string[] = [];
    const open: HostFiles["open"] = (path, ...how) => {
      if ((nodeFiles.lstat(path).mode & 0o400) === 0) throw new HostError("EACCES", path);
      return nodeFiles.open(path, ...how);
    };
    const chmod: HostFiles["chmod"] = (path, mode) => {
      changed.push(path);
      nodeFiles.chmod(path, mode);
    };
    return { changed, files: { ...nodeFiles, open, chmod } };
  }
  it.each([false, true])("has its mode changed to load it, in no grant to read alone: %s", (readOnly) => {
    fs.chmodSync(`${folders.granted}/file`, 0o111);
    const { changed, files } = strict();
    const mounts = [{ host: folders.granted, guest: "/area", readOnly }];
    guest = makeGuest({ mounts, cwd: "/area", host: { files } });
    const load = () => Buffer.from(guest.files.openProgram("/area/file").bytes).toString();
    if (readOnly) expect(load).toThrow(expect.objectContaining({ code: "EACCES" }));
    else expect(load()).toBe("text");
    expect(changed).toHaveLength(readOnly ? 0 : 2);
    expect(fs.statSync(`${folders.granted}/file`).mode & 0o777).toBe(0o111);
  });
});

describe("an O_PATH descriptor", () => {
  beforeEach(() => expect(guest.call("open", "file", O_PATH)).toBe(0));
  it("can be opened for use, changed and linked by its link in /proc", () => {
    expect(guest.call("open", DESCRIPTOR, O_RDWR)).toBe(1);
    expect(guest.call("chmod", DESCRIPTOR, 0o600)).toBe(0);
    expect(guest.call("linkat", AT_FDCWD, DESCRIPTOR, AT_FDCWD, "twin", AT_SYMLINK_FOLLOW)).toBe(0);
    expect(fs.readFileSync(`${folders.granted}/twin`, "utf8")).toBe("text");
  });
  it("shows the file as it is now", () => {
    expect(guest.call("chmod", "file", 0o640)).toBe(0);
    expect(guest.files.descriptors.get(0).stat().mode).toBe(0o640);
  });
  it("does not take another file for its own", () => {
    fs.renameSync(`${folders.granted}/file`, `${folders.granted}/gone`);
    fs.writeFileSync(`${folders.granted}/file`, "another");
    expect(guest.call("open", DESCRIPTOR, O_RDWR)).toBe(1);
    expect(guest.text(BUFFER, guest.call("read", 1, BUFFER, 10) as number)).toBe("text");
    expect(guest.call("chmod", DESCRIPTOR, 0o640)).toBe(0);
    expect(fs.statSync(`${folders.granted}/file`).mode & 0o777).not.toBe(0o640);
    expect(fs.statSync(`${folders.granted}/gone`).mode & 0o777).toBe(0o640);
  });
});

it("has no name for a working directory that is gone, but the way up", () => {
  expect(guest.call("chdir", "sub")).toBe(0);
  expect(guest.call("rmdir", "/area/sub")).toBe(0);
  expect(guest.call("getcwd", BUFFER, 200)).toBe("ENOENT");
  expect(guest.call("open", "new", O_WRONLY | O_CREAT, 0o600)).toBe("ENOENT");
  expect(guest.call("open", "../file", O_RDONLY)).toBe(0);
  expect(guest.call("chdir", "..")).toBe(0);
  expect(guest.text(BUFFER, guest.call("getcwd", BUFFER, 200) as number)).toBe("/area\0");
});

describe("a folder that is open", () => {
  beforeEach(() => expect(guest.call("open", "sub", O_RDONLY | O_DIRECTORY)).toBe(0));
  const nlink = () => guest.files.descriptors.get(0).stat().nlink;
  it("is not the one that is made in its place", () => {
    expect(guest.call("rmdir", "sub")).toBe(0);
    expect(guest.call("mkdir", "sub", 0o700)).toBe(0);
    fs.writeFileSync(`${folders.granted}/sub/new`, "");
    expect(guest.call("faccessat", 0, "new", 0)).toBe("ENOENT");
    expect(guest.call("mkdirat", 0, "x", 0o700)).toBe("ENOENT");
    expect(guest.call("getdents64", 0, BUFFER, 1000)).toBe("ENOENT");
    expect(nlink()).toBe(0);
    expect(linkText()).toBe("/area/sub (deleted)");
  });
  it("stays itself when the host moves it within what was granted", () => {
    fs.mkdirSync(`${folders.granted}/other`);
    fs.renameSync(`${folders.granted}/sub`, `${folders.granted}/other/moved`);
    fs.writeFileSync(`${folders.granted}/other/moved/new`, "");
    fs.writeFileSync(`${folders.granted}/other/beside`, "");
    expect(guest.call("faccessat", 0, "new", 0)).toBe(0);
    expect(guest.call("faccessat", 0, "../beside", 0)).toBe(0);
    expect(linkText()).toBe("/area/other/moved");
    expect(guest.call("fchdir", 0)).toBe(0);
    const length = guest.call("getcwd", BUFFER, 200) as number;
    expect(guest.text(BUFFER, length)).toBe("/area/other/moved\0");
  });
});

it("finds its way back out of folders that lie deeper than a path is long", () => {
  const name = "d".repeat(200);
  const depth = 25;
  for (let n = 0; n < depth; n++)
    expect([n, guest.call("mkdir", name, 0o755), guest.call("chdir", name)]).toEqual([n, 0, 0]);
  expect(guest.call("getcwd", BUFFER, 65536)).toBe("ENAMETOOLONG");
  expect(guest.call("mkdir", "below", 0o755)).toBe(0);
  expect(guest.call("rename", "below", "../below")).toBe(0);
  expect(guest.call("rmdir", "../below")).toBe(0);
  for (let n = 0; n < depth; n++)
    expect([n, guest.call("chdir", ".."), guest.call("rmdir", name)]).toEqual([n, 0, 0]);
  expect(guest.files.cwd).toBe("/area");
});
