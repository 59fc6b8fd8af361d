/** Ways that were walked before: they are gone again at the cost of one question, and never where somebody has changed them. */
import fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nodeHost } from "../../../emu/host/node/index.ts";
import { O_DIRECTORY, O_RDONLY } from "../../../emu/linux/vfs/constants.ts";
import { WALK_TRUSTED } from "../../../emu/tuning.ts";
import { BUFFER, type Guest, makeFolders, makeGuest } from "./harness.ts";

const FILE = "/area/a/b/c/file";

let folders: ReturnType<typeof makeFolders>;
let guest: Guest;
let now: bigint;
let looks: string[];

beforeEach(() => {
  folders = makeFolders();
  fs.mkdirSync(`${folders.granted}/a/b/c`, { recursive: true });
  fs.writeFileSync(`${folders.granted}/a/b/c/file`, "mine");
  now = 0n;
  looks = [];
  const { files, clock } = nodeHost({ descriptors: [] });
  const look = (path: string) => {
    looks.push(path.slice(path.lastIndexOf("/") + 1));
    return files.look(path);
  };
  guest = makeGuest({
    mounts: [{ host: folders.granted, guest: "/area", readOnly: false }],
    cwd: "/area",
    host: { files: { ...files, look }, clock: { ...clock, monotonic: () => now } },
  });
});
afterEach(() => folders.clean());

/** What stat(2) says after the way has become known. */
function stat(path = FILE): number | string {
  return guest.call("stat", path, BUFFER);
}
function know(path = FILE): void {
  for (let i = 0; i < 3; i++) expect(stat(path)).toBe(0);
}

describe("a way that is known", () => {
  it.each([FILE, "a/b/c/file", "a//b/./c/file"])("costs one look: %s", (path) => {
    know(path);
    looks = [];
    expect(stat(path)).toBe(0);
    expect(looks).toEqual(["file"]);
  });
  it("costs one look from a folder that is open", () => {
    expect(guest.call("chdir", "a/b")).toBe(0);
    know("c/file");
    looks = [];
    expect(stat("c/file")).toBe(0);
    expect(looks).toEqual(["file"]);
  });
  it("is not gone on where a folder is another one by now", () => {
    know();
    fs.renameSync(`${folders.granted}/a/b`, `${folders.granted}/a/old`);
    expect(stat()).toBe("ENOENT");
    fs.mkdirSync(`${folders.granted}/a/b/c`, { recursive: true });
    expect(stat()).toBe("ENOENT");
    expect(stat("/area/a/old/c/file")).toBe(0);
  });
  it("is not gone on where a folder has been removed and made again", () => {
    know();
    fs.rmSync(`${folders.granted}/a`, { recursive: true });
    fs.mkdirSync(`${folders.granted}/a/b/c`, { recursive: true });
    expect(stat()).toBe("ENOENT");
    fs.writeFileSync(`${folders.granted}/a/b/c/file`, "");
    know();
  });
  it("leads nowhere outside when a folder is swapped for a symlink", () => {
    know();
    fs.mkdirSync(`${folders.outside}/c`);
    fs.writeFileSync(`${folders.outside}/c/file`, "theirs");
    fs.renameSync(`${folders.granted}/a/b`, `${folders.granted}/a/old`);
    fs.symlinkSync(folders.outside, `${folders.granted}/a/b`);
    expect(stat()).toBe("ENOENT");
  });
  it("leads nowhere outside when its folder has been moved there", () => {
    know();
    know("a/b/c/file");
    fs.renameSync(`${folders.granted}/a/b`, `${folders.outside}/b`);
    fs.symlinkSync(`${folders.outside}/b`, `${folders.granted}/a/b`);
    expect(stat()).toBe("ENOENT");
    expect(stat("a/b/c/file")).toBe("ENOENT");
  });
  it("leads nowhere outside when a folder was moved to where it would be if the grant had not been", () => {
    know();
    know("a/b/c/file");
    expect(guest.call("chdir", "a/b")).toBe(0);
    know("c/file");
    fs.renameSync(`${folders.granted}/a`, `${folders.granted}-a`);
    fs.renameSync(folders.granted, `${folders.granted}-moved`);
    fs.mkdirSync(folders.granted);
    fs.renameSync(`${folders.granted}-a`, `${folders.granted}/a`);
    now += WALK_TRUSTED + 1n;
    expect(stat()).toBe("ENOENT");
    expect(stat("c/file")).toBe("ENOENT");
    fs.rmSync(`${folders.granted}-moved`, { recursive: true });
  });
  it("leads to no folder that has left its grant, for those who would change that", () => {
    const fd = guest.call("open", "/area/a/b", O_RDONLY | O_DIRECTORY);
    fs.chmodSync(`${folders.granted}/a/b`, 0o700);
    fs.renameSync(`${folders.granted}/a/b`, `${folders.outside}/b`);
    expect(guest.call("fchmod", fd, 0o755)).toBe("ENOENT");
    expect(guest.call("chmod", `/proc/self/fd/${fd}`, 0o755)).toBe("ENOENT");
    expect(fs.statSync(`${folders.outside}/b`).mode & 0o777).toBe(0o700);
  });
  it("is not gone on from a folder that the program has renamed", () => {
    expect(guest.call("chdir", "a/b")).toBe(0);
    know("c/file");
    expect(guest.call("rename", "/area/a/b/c", "/area/c")).toBe(0);
    expect(guest.call("rename", "/area/a/b", "/area/a/old")).toBe(0);
    expect(guest.call("mkdir", "/area/a/b", 0o755)).toBe(0);
    expect(guest.call("rename", "/area/c", "/area/a/b/c")).toBe(0);
    expect(stat("c/file")).toBe("ENOENT");
    expect(stat()).toBe(0);
  });
  it("is another one for names that lead on to a grant", () => {
    // The rest of /tmp is the guest's own.
    const { granted, outside } = folders;
    fs.mkdirSync(`${granted}/tmp/deep`, { recursive: true });
    fs.writeFileSync(`${granted}/tmp/file`, "");
    const mounts = [
      { host: granted, guest: "/", readOnly: true },
      { host: outside, guest: "/tmp/deep/area", readOnly: true },
    ];
    guest = makeGuest({ mounts, cwd: "/" });
    know("/tmp/deep");
    expect(stat("/tmp/file")).toBe("ENOENT");
    know("/tmp/deep");
    know("/tmp/deep/area/secret");
    guest.system.close();
  });
  it("ends where the program itself has forbidden a folder on it", () => {
    know();
    expect(guest.call("chmod", "/area/a/b", 0)).toBe(0);
    expect(stat()).toBe("EACCES");
    expect(guest.call("chmod", "/area/a/b", 0o700)).toBe(0);
    expect(stat()).toBe(0);
  });
  it("ends soon after somebody outside has forbidden a folder on it", () => {
    know();
    fs.chmodSync(`${folders.granted}/a/b`, 0);
    now += WALK_TRUSTED + 1n;
    expect(stat()).toBe("EACCES");
    fs.chmodSync(`${folders.granted}/a/b`, 0o700);
  });
  it("is not mistaken for one with .. or a symlink in it", () => {
    fs.symlinkSync("b", `${folders.granted}/a/link`);
    know("/area/a/link/c/file");
    fs.rmSync(`${folders.granted}/a/link`);
    expect(stat("/area/a/link/c/file")).toBe("ENOENT");
    know("/area/a/b/../b/c/file");
    fs.mkdirSync(`${folders.granted}/a/d`);
    know("/area/a/d/../b/c/file");
    fs.rmdirSync(`${folders.granted}/a/d`);
    expect(stat("/area/a/d/../b/c/file")).toBe("ENOENT");
  });
  it("is not kept from a folder that has been let go of", () => {
    know();
    for (let i = 0; i < 200; i++) {
      fs.mkdirSync(`${folders.granted}/d${i}`);
      fs.writeFileSync(`${folders.granted}/d${i}/file`, "");
      expect(stat(`/area/d${i}/file`)).toBe(0);
    }
    know();
  });
});
