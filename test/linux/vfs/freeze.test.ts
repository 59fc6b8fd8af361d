import fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { MachineSnapshot } from "../../../emu/snapshot.ts";
import { BUFFER, freezeFiles, type Guest, makeFolders, makeGuest } from "../files/harness.ts";

const [O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC] = [0, 1, 2, 0o100, 0o200, 0o1000];

let folders: ReturnType<typeof makeFolders>;
let guest: Guest;

const mounts = (readOnly = false) => [{ host: folders.granted, guest: "/area", readOnly }];

beforeEach(() => {
  folders = makeFolders();
  guest = makeGuest({ mounts: mounts(), cwd: "/area" });
});
afterEach(() => folders.clean());

const freeze = (): MachineSnapshot => freezeFiles(guest);
const thaw = (snapshot: MachineSnapshot, readOnly = false): Guest =>
  makeGuest({ mounts: mounts(readOnly), cwd: "/", snapshot });

function read(from: Guest, fd: number, length: number): string {
  const count = from.call("read", fd, BUFFER, length);
  return typeof count === "string" ? count : from.text(BUFFER, count);
}

describe("open files in a snapshot", () => {
  it("come back with their positions, and are not created or emptied again", () => {
    guest.call("open", "a", O_RDWR | O_CREAT | O_EXCL | O_TRUNC, 0o666);
    guest.put(BUFFER, "hello world");
    guest.call("write", 0, BUFFER, 11);
    guest.call("lseek", 0, 6, 0);
    guest.call("fcntl", 0, 0, 9);
    const thawed = thaw(freeze());
    expect(read(thawed, 0, 3)).toBe("wor");
    expect(read(thawed, 9, 9)).toBe("ld");
    expect(thawed.files.cwd).toBe("/area");
    expect(thawed.files.umask).toBe(0o22);
  });
  it("go on with a listing where it was", () => {
    for (let i = 0; i < 9; i++) fs.writeFileSync(`${folders.granted}/f${i}`, "");
    guest.call("open", ".", O_RDONLY);
    const first = guest.call("getdents64", 0, BUFFER, 120) as number;
    expect(first).toBeGreaterThan(0);
    const snapshot = freeze();
    fs.writeFileSync(`${folders.granted}/a-new-one`, "");
    const thawed = thaw(snapshot);
    const rest = guest.call("getdents64", 0, BUFFER, 4000) as number;
    expect(thawed.call("getdents64", 0, BUFFER, 4000)).toBe(rest);
    expect(thawed.text(BUFFER, rest)).toBe(guest.text(BUFFER, rest));
  });
  it("keep what pipes hold, and which ends belong together", () => {
    guest.call("pipe", BUFFER);
    guest.put(BUFFER, "still here");
    guest.call("write", 1, BUFFER, 10);
    const thawed = thaw(freeze());
    expect(read(thawed, 0, 100)).toBe("still here");
    expect(read(thawed, 0, 100)).toBe("blocked");
    thawed.call("close", 1);
    expect(read(thawed, 0, 100)).toBe("");
  });
  it("keep eventfd counters, devices and /proc files", () => {
    guest.call("eventfd2", 7, 0);
    guest.call("open", "/dev/zero", O_RDONLY);
    guest.call("open", "/proc/self/comm", O_RDONLY);
    guest.call("read", 2, BUFFER, 2);
    const snapshot = freeze();
    expect(snapshot.openFiles.map(({ kind }) => kind)).toEqual(["special", "device", "proc"]);
    const thawed = thaw(snapshot);
    expect(thawed.call("read", 0, BUFFER, 8)).toBe(8);
    expect(thawed.memory.load64(BUFFER)).toBe(7n);
    expect(read(thawed, 1, 2)).toBe("\0\0");
    expect(read(thawed, 2, 9)).toBe("og\n");
  });
  it("keep what a file without a name holds, once for all that have it open", () => {
    guest.call("open", "gone", O_RDWR | O_CREAT, 0o640);
    guest.put(BUFFER, "still here");
    guest.call("pwrite64", 0, BUFFER, 10, 100_000);
    guest.call("ftruncate", 0, 200_000);
    guest.call("open", "gone", O_RDONLY);
    guest.call("unlink", "gone");
    const snapshot = freeze();
    expect(snapshot.unlinkedFiles.map(({ size, pages }) => [size, pages.addresses])).toEqual([
      [200_000, [98_304]],
    ]);
    const thawed = thaw(snapshot);
    expect(fs.readdirSync(folders.granted)).not.toContain("gone");
    expect(thawed.call("lseek", 0, 0, 2)).toBe(200_000);
    thawed.call("lseek", 1, 100_000, 0);
    expect(read(thawed, 1, 10)).toBe("still here");
    thawed.put(BUFFER, "and now");
    thawed.call("pwrite64", 0, BUFFER, 7, 0);
    expect(thawed.call("pwrite64", 1, BUFFER, 7, 0)).toBe("EBADF");
    thawed.call("lseek", 1, 0, 0);
    expect(read(thawed, 1, 7)).toBe("and now");
  });
  it("refuse, by name and before anything is changed, what is not there any more", () => {
    guest.call("open", "kept", O_RDWR | O_CREAT, 0o666);
    guest.call("open", "lost", O_RDWR | O_CREAT, 0o666);
    const snapshot = freeze();
    fs.unlinkSync(`${folders.granted}/lost`);
    const descriptors = fs.readdirSync("/proc/self/fd").length;
    expect(() => thaw(snapshot)).toThrow(/cannot reopen \/area\/lost/);
    expect(fs.readdirSync("/proc/self/fd").length).toBe(descriptors);
  });
  it("refuse a deleted file that could only be written", () => {
    guest.call("open", "gone", O_WRONLY | O_CREAT, 0o666);
    guest.call("unlink", "gone");
    const snapshot = freeze();
    expect(snapshot.openFiles[0].deleted).toBe(true);
    fs.writeFileSync(`${folders.granted}/gone`, "another");
    expect(() => thaw(snapshot)).toThrow(/cannot reopen \/area\/gone: it had been deleted/);
  });
  it.each([
    ["a file outside the grants", { path: "/etc/passwd" }],
    ["a path that climbs", { path: "/area/../../etc/passwd" }],
    ["a relative path", { path: "a" }],
    ["a host file through /proc", { path: `/proc/${process.pid}/root/etc/passwd` }],
    ["a pipe that is not in the table", { kind: "pipe-read" as const, pipe: 3 }],
    ["a stream that is not there", { kind: "inherited" as const, inherited: 5 }],
    ["a negative position", { position: -1n }],
    ["a special file of unknown kind", { kind: "special" as const, state: "{}" }],
    ["nonsense for a listing", { kind: "directory" as const, path: "/area", state: "[1]" }],
  ])("refuse %s", (_what, change) => {
    guest.call("open", "a", O_RDWR | O_CREAT, 0o666);
    const snapshot = freeze();
    Object.assign(snapshot.openFiles[0], change);
    expect(() => thaw(snapshot)).toThrow(/cannot reopen/);
  });
  it("refuse writing where the grant is read-only now", () => {
    guest.call("open", "a", O_RDWR | O_CREAT, 0o666);
    expect(() => thaw(freeze(), true)).toThrow(/cannot reopen \/area\/a/);
  });
  it("refuse a symlink put in a file's place", () => {
    guest.call("open", "a", O_RDWR | O_CREAT, 0o666);
    const snapshot = freeze();
    fs.unlinkSync(`${folders.granted}/a`);
    fs.symlinkSync(`${folders.outside}/secret`, `${folders.granted}/a`);
    expect(() => thaw(snapshot)).toThrow(/cannot reopen \/area\/a/);
  });
});
