import fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freezeNetwork } from "../../../emu/linux/vfs/freeze-files.ts";
import type { FileState, MachineSnapshot, UnlinkedFileSnapshot } from "../../../emu/snapshot.ts";
import { BUFFER, emptyTables, freezeFiles, type Guest, makeFolders, makeGuest } from "../files/harness.ts";

const [O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC] = [0, 1, 2, 0o100, 0o200, 0o1000];
const [O_PATH, O_NOFOLLOW, O_NONBLOCK] = [0o10000000, 0o100000, 0o4000];
const [IN_MODIFY, IN_CLOSE_WRITE] = [0x2, 0x8];

let folders: ReturnType<typeof makeFolders>;
let guest: Guest;

const mounts = (readOnly = false) => [{ host: folders.granted, guest: "/area", readOnly }];

beforeEach(() => {
  folders = makeFolders();
  guest = makeGuest({ mounts: mounts(), cwd: "/area" });
});
afterEach(() => folders.clean());

const SEALS: FileState = { kind: "seals", bits: 0 };
const eventfd = (counter: bigint): FileState => ({ kind: "eventfd", counter, semaphore: false });

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
    guest.files.umask = 0o27;
    const thawed = thaw(freeze());
    expect(read(thawed, 0, 3)).toBe("wor");
    expect(read(thawed, 9, 9)).toBe("ld");
    expect(thawed.files.cwd).toBe("/area");
    expect(thawed.files.umask).toBe(0o27);
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
  it("show processes in the root folder again", () => {
    guest.call("open", "/", O_RDONLY);
    const names = (from: Guest) =>
      from.files.descriptors
        .get(0)
        .entries()
        .map(({ name }) => name);
    expect(names(guest)).toEqual([".", "..", "area", "dev", "etc", "proc", "sys", "tmp", "var"]);
    expect(names(thaw(freeze()))).toEqual(names(guest));
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
  it("keep entries of /proc and /sys that are open with O_PATH", () => {
    guest.call("open", "/proc/self/exe", O_PATH | O_NOFOLLOW);
    guest.call("open", "/proc/self/comm", O_PATH);
    guest.call("open", "/sys/devices/system/cpu/online", O_PATH);
    guest.call("open", "/dev/stdin", O_PATH | O_NOFOLLOW);
    guest.call("open", "/proc/self/fd/1", O_PATH | O_NOFOLLOW);
    const snapshot = freeze();
    const thawed = thaw(snapshot);
    expect(freezeFiles(thawed).openFiles).toEqual(snapshot.openFiles);
    const about = (from: Guest, fd: number) => {
      const length = from.call("readlinkat", fd, "", BUFFER, 100);
      const { mode, kind, ino, size } = from.files.descriptors.get(fd).stat();
      return {
        mode,
        kind,
        ino,
        size,
        target: typeof length === "number" ? from.text(BUFFER, length) : length,
      };
    };
    for (const fd of [0, 1, 2, 3, 4]) expect(about(thawed, fd)).toEqual(about(guest, fd));
    expect(about(thawed, 0)).toMatchObject({ kind: "symlink", target: "/prog" });
    expect(about(thawed, 4)).toMatchObject({ kind: "symlink", mode: 0, size: 64n, target: "/proc/42/comm" });
    expect(about(thawed, 1)).toMatchObject({ kind: "file", mode: 0o644, target: "ENOENT" });
    thawed.call("open", "/proc/self/fd/1", O_RDONLY);
    expect(read(thawed, 5, 9)).toBe("prog\n");
  });
  it("keep directories of /proc and /sys, also as working directories", () => {
    guest.call("open", "/sys/devices/system", O_RDONLY);
    guest.call("chdir", "/proc/self/task");
    const thawed = thaw(freeze());
    expect(thawed.files.cwd).toBe("/proc/42/task");
    thawed.call("openat", 0, "cpu/online", O_RDONLY);
    expect(read(thawed, 1, 9)).toBe("0\n");
    thawed.call("open", "42/comm", O_RDONLY);
    expect(read(thawed, 2, 9)).toBe("prog\n");
    guest.call("chdir", "/sys/devices");
    expect(thaw(freeze()).call("open", "system/cpu/online", O_RDONLY)).toBe(1);
  });
  it("tell watchers of what is done through them", () => {
    guest.call("open", "a", O_RDWR | O_CREAT, 0o666);
    guest.call("open", "a", O_PATH);
    guest.call("inotify_init1", O_NONBLOCK);
    guest.call("inotify_add_watch", 2, ".", 0xfff);
    const thawed = thaw(freeze());
    thawed.call("write", 0, BUFFER, 5);
    thawed.call("close", 1);
    thawed.call("close", 0);
    expect(thawed.call("read", 2, BUFFER, 100)).toBe(64);
    const masks = [BUFFER, BUFFER + 32].map((at) => thawed.memory.load32(at + 4));
    expect(masks).toEqual([IN_MODIFY, IN_CLOSE_WRITE]);
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
  it("find what a long file without a name holds in steps, between which others have their turn", () => {
    const MIB = 2 ** 20;
    guest.call("open", "gone", O_RDWR | O_CREAT, 0o640);
    guest.put(BUFFER, "here");
    guest.call("pwrite64", 0, BUFFER, 4, 70 * MIB);
    guest.call("ftruncate", 0, 100 * MIB + 5);
    guest.call("unlink", "gone");
    const [{ pages }] = freeze().unlinkedFiles;
    expect([...pages.search!()]).toHaveLength(4);
    expect(pages.addresses).toEqual([70 * MIB]);
    expect([...pages.search!()]).toHaveLength(0);
    expect(freeze().unlinkedFiles[0].pages.addresses).toEqual([70 * MIB]);
  });
  it("refuse, by name and before anything is changed, what is not there any more", () => {
    guest.call("open", "kept", O_RDWR | O_CREAT, 0o666);
    guest.call("open", "lost", O_RDWR | O_CREAT, 0o666);
    const snapshot = freeze();
    fs.unlinkSync(`${folders.granted}/lost`);
    const descriptors = fs.readdirSync("/proc/self/fd").length;
    expect(() => thaw(snapshot)).toThrow(/\/area\/lost is missing/);
    expect(fs.readdirSync("/proc/self/fd").length).toBe(descriptors);
  });
  it("keep a deleted file that could only be written, beside another of its name", () => {
    guest.call("open", "gone", O_WRONLY | O_CREAT, 0o666);
    guest.put(BUFFER, "data");
    guest.call("write", 0, BUFFER, 4);
    guest.call("unlink", "gone");
    const snapshot = freeze();
    fs.writeFileSync(`${folders.granted}/gone`, "another");
    const thawed = thaw(snapshot);
    expect(thawed.call("write", 0, BUFFER, 4)).toBe(4);
    expect(thawed.call("read", 0, BUFFER, 4)).toBe("EBADF");
    expect(thawed.files.descriptors.get(0).stat().size).toBe(8n);
    expect(fs.readFileSync(`${folders.granted}/gone`, "utf8")).toBe("another");
  });
  it("refuse a name that was deleted, from an image that has not the contents", () => {
    guest.call("open", "gone", O_WRONLY | O_CREAT, 0o666);
    const snapshot = freeze();
    snapshot.openFiles[0].deleted = true;
    expect(() => thaw(snapshot)).toThrow(/cannot reopen \/area\/gone: it had been deleted/);
  });
  it("find the other name of a file whose first one is gone", () => {
    guest.call("open", "a", O_RDWR | O_CREAT, 0o666);
    guest.call("link", "a", "b");
    guest.call("unlink", "a");
    const snapshot = freeze();
    expect(snapshot.openFiles[0]).toMatchObject({ path: "/area/b", deleted: false, unlinked: -1 });
    expect(thaw(snapshot).files.descriptors.get(0).stat().nlink).toBe(1);
  });
  it("find the other name of a file in another folder, whoever made it, or say that there is none", () => {
    guest.call("open", "a", O_RDWR | O_CREAT, 0o666);
    fs.mkdirSync(`${folders.granted}/d/e`, { recursive: true });
    fs.linkSync(`${folders.granted}/a`, `${folders.granted}/d/e/b`);
    guest.call("unlink", "a");
    expect(freeze().openFiles[0]).toMatchObject({ path: "/area/d/e/b", unlinked: -1 });
    fs.renameSync(`${folders.granted}/d/e/b`, `${folders.outside}/b`);
    const warnings: string[] = [];
    Object.assign(guest.system.host, { warn: (text: string) => warnings.push(text) });
    expect(freeze().openFiles[0]).toMatchObject({ unlinked: 0 });
    expect(warnings).toEqual([expect.stringMatching(/^\/area\/a has another name, but none that was found/)]);
  });
  it("name everything at once that is not what it was", () => {
    for (const name of ["longer", "touched", "lost", "same"]) {
      if (name !== "longer") fs.writeFileSync(`${folders.granted}/${name}`, "");
      guest.call("open", name, name === "longer" ? O_RDWR | O_CREAT : O_RDONLY, 0o666);
    }
    const snapshot = freeze();
    fs.writeFileSync(`${folders.granted}/longer`, "more");
    fs.utimesSync(`${folders.granted}/touched`, 1, 1);
    fs.unlinkSync(`${folders.granted}/lost`);
    expect(() => thaw(snapshot)).toThrow(
      /3 files are not.*\/area\/longer has 4 bytes where it had 0 \(the program itself has it open for writing\)\n.*\/area\/touched is [\d.]+ s older\n.*\/area\/lost is missing/s,
    );
    expect(() => thaw(snapshot)).not.toThrow(/same/);
  });
  it("keep a folder and a working directory that have been removed, beside others of their names", () => {
    guest.call("mkdir", "d", 0o700);
    guest.call("open", "d", O_RDONLY);
    guest.call("chdir", "d");
    guest.call("rmdir", "/area/d");
    const snapshot = freeze();
    fs.mkdirSync(`${folders.granted}/d`);
    fs.writeFileSync(`${folders.granted}/d/new`, "");
    const thawed = thaw(snapshot);
    expect(thawed.files.descriptors.get(0).stat().nlink).toBe(0);
    expect(thawed.call("faccessat", 0, "new", 0)).toBe("ENOENT");
    expect(thawed.call("getcwd", BUFFER, 200)).toBe("ENOENT");
    expect(thawed.call("access", "new", 0)).toBe("ENOENT");
    expect(thawed.call("access", "../d/new", 0)).toBe(0);
    expect(thawed.call("faccessat", 0, "../d/new", 0)).toBe(0);
  });
  it("keep mode, times and number of removed folders and named pipes without a name", () => {
    guest.call("mkdir", "d", 0o700);
    guest.call("chmod", "d", 0o1770);
    fs.utimesSync(`${folders.granted}/d`, 1e9, 2e9);
    guest.call("mknod", "p", 0o10640, 0);
    guest.call("open", "d", O_RDONLY);
    guest.call("open", "p", O_RDWR);
    guest.call("chdir", "d");
    guest.call("rmdir", "/area/d");
    guest.call("unlink", "/area/p");
    const status = (from: Guest) =>
      [from.files.directory, ...[0, 1].map((fd) => from.files.descriptors.get(fd))].map((file) => {
        const { ino, mode, kind, nlink, atime, mtime } = from.system.shown(file.stat());
        return { ino, mode, kind, nlink, atime: atime / 1000n, mtime: mtime / 1000n };
      });
    const before = status(guest);
    expect(before.map(({ mode, kind }) => [mode, kind])).toEqual([
      ...[0, 0].map(() => [0o1770, "directory"]),
      [0o640, "fifo"],
    ]);
    expect([before[0].atime, before[0].mtime]).toEqual([10n ** 15n, 2n * 10n ** 15n]);
    const once = thaw(freeze());
    expect(status(once)).toEqual(before);
    expect(status(thaw(freezeFiles(once)))).toEqual(before);
  });
  it("keep times and mode of a file without a name, and its set-id bits from the host", () => {
    guest.call("open", "gone", O_RDWR | O_CREAT, 0o666);
    guest.call("fchmod", 0, 0o4751);
    guest.call("unlink", "gone");
    const before = guest.files.descriptors.get(0).stat();
    expect(before.mode).toBe(0o751);
    const thawed = thaw(freeze());
    const now = thawed.files.descriptors.get(0).stat();
    expect([now.mode, now.mtime / 1000n]).toEqual([0o751, before.mtime / 1000n]);
    expect(thawed.system.setIds.shown(now).mode).toBe(0o4751);
  });
  it("forget the set-id bits of files that have been removed, and refuse too many", () => {
    const { system } = guest;
    for (const name of ["kept", "gone"]) {
      guest.call("open", name, O_RDWR | O_CREAT, 0o755);
      guest.call("chmod", name, 0o2750);
    }
    guest.call("unlink", "gone");
    expect(system.setIds.freeze(system)).toEqual([{ path: "/area/kept", bits: 0o2000 }]);
    const many = new Array(65536).fill({ path: "", bits: 0o4000 });
    expect(() => system.setIds.thaw(system, many)).not.toThrow();
    expect(() => system.setIds.thaw(system, [...many, many[0]])).toThrow(/65537 files/);
  });
  it("are all closed at the end, the working directory too", () => {
    guest.call("mkdir", "d", 0o700);
    guest.call("chdir", "d");
    guest.call("open", "a", O_RDWR | O_CREAT, 0o666);
    const snapshot = freeze();
    const descriptors = () => fs.readdirSync("/proc/self/fd").length;
    const before = descriptors();
    const thawed = thaw(snapshot);
    expect(thawed.files.cwd).toBe("/area/d");
    thawed.files.leave();
    thawed.system.close();
    expect(descriptors()).toBe(before);
  });
  it("have their modes again in the guest's own folders", () => {
    guest.call("mkdir", "/tmp/d", 0o700);
    guest.call("chmod", "/tmp/d", 0o1750);
    guest.call("open", "/tmp/d/a", O_WRONLY | O_CREAT, 0o640);
    const contents: UnlinkedFileSnapshot[] = [];
    const entries = guest.system.namespace.own.freeze(contents);
    const { system } = makeGuest({ mounts: mounts(), cwd: "/area" });
    system.namespace.own.thaw(entries, contents);
    const modes = ["/tmp/d", "/tmp/d/a"].map((path) => system.statusAt(path)?.mode);
    expect(modes).toEqual([0o1750, 0o640]);
    system.close();
  });
  it("tell the end of a named pipe that was opened while somebody had it open to write", () => {
    guest.call("mknod", "p", 0o10600, 0);
    const both = guest.call("open", "p", O_RDWR) as number;
    const reader = guest.call("open", "p", O_RDONLY) as number;
    const seen = (from: Guest) => {
      const end = from.files.descriptors.get(reader);
      return [read(from, reader, 1), end.readable(), end.hangup()];
    };
    expect(seen(guest)).toEqual(["blocked", false, false]);
    guest.call("close", both);
    expect(seen(guest)).toEqual(["", true, true]);
    expect(seen(thaw(freeze()))).toEqual(["", true, true]);
  });
  it("lose set-id bits that the host's file had, whoever ppcr runs as, when the guest writes to it", () => {
    const path = `${folders.granted}/x`;
    for (const change of [
      () => guest.call("write", guest.call("open", "x", O_WRONLY) as number, BUFFER, 1),
      () => guest.call("truncate", "x", 3),
      () => guest.call("open", "x", O_RDONLY | O_TRUNC),
    ]) {
      fs.writeFileSync(path, "");
      fs.chmodSync(path, 0o6755);
      expect(change()).not.toBe("EACCES");
      expect(fs.statSync(path).mode & 0o7777).toBe(0o755);
    }
  });
  it("keep their numbers where they are made again, which no other file gets", () => {
    const status = (from: Guest, fd: number) => from.system.shown(from.files.descriptors.get(fd).stat());
    const gone = guest.call("open", "gone", O_RDWR | O_CREAT, 0o666) as number;
    guest.call("unlink", "gone");
    const own = guest.call("open", "/tmp/own", O_RDWR | O_CREAT, 0o666) as number;
    guest.call("mkdir", "/tmp/folder", 0o777);
    const folder = guest.call("open", "/tmp/folder", O_RDONLY) as number;
    const numbers = (from: Guest) =>
      [gone, own, folder].map((fd) => {
        const { dev, ino } = status(from, fd);
        return { dev, ino };
      });
    const before = numbers(guest);
    const all = freeze();
    const thawed = thaw(all);
    expect(numbers(thawed)).toEqual(before);
    const again = thaw(freezeFiles(thawed));
    expect(numbers(again)).toEqual(before);
    const listed = thawed.system.list(thawed.files.resolve(-100, "/tmp", { follow: true }), thawed.files);
    expect(listed.find(({ name }) => name === "folder")?.ino).toBe(before[2].ino);
    // /proc knows them by the same numbers.
    for (const from of [guest, thawed]) {
      expect(from.call("flock", own, 2)).toBe(0);
      const shown = (path: string) => {
        const fd = from.call("open", path, O_RDONLY) as number;
        const text = read(from, fd, 4000);
        from.call("close", fd);
        return text;
      };
      expect(shown(`/proc/self/fdinfo/${own}`)).toContain(`ino:\t${before[1].ino}\nlock:`);
      expect(shown("/proc/locks")).toContain(`:${before[1].ino} 0 EOF\n`);
    }
    // A file that the host gives the number which another one is known by.
    const other = thawed.files.descriptors.get(folder).stat();
    const stranger = thawed.system.shown({ ...other, ...before[1] });
    expect(before).not.toContainEqual({ dev: stranger.dev, ino: stranger.ino });
    const made = thaw({ ...all, identities: [{ path: "/tmp/own", unlinked: -1, ...stranger }] });
    const taken = made.system.shown({ ...other, ...stranger });
    expect({ dev: taken.dev, ino: taken.ino }).not.toEqual({ dev: stranger.dev, ino: stranger.ino });
    made.system.close();
    const unlike = all.identities!.map((each) => ({ ...each, unlinked: 99 }));
    expect(() => thaw({ ...all, identities: unlike })).toThrow(/no file 99 that travels/);
    for (const { system } of [guest, thawed, again]) system.close();
  });
  it("know set-id bits and named pipes by the names that they have been given since", () => {
    expect(freezeNetwork(guest.system, emptyTables())).toBeUndefined();
    guest.call("open", "file", O_RDWR | O_CREAT, 0o666);
    guest.call("fchmod", 0, 0o4751);
    expect(guest.call("mknod", "pipe", 0o10600, 0)).toBe(0);
    guest.call("mkdir", "folder", 0o777);
    for (const name of ["file", "pipe"]) expect(guest.call("rename", name, `folder/${name}`)).toBe(0);
    expect(guest.call("rename", "folder", "other")).toBe(0);
    const { system } = guest;
    expect(system.setIds.freeze(system)).toEqual([{ path: "/area/other/file", bits: 0o4000 }]);
    const network = freezeNetwork(system, emptyTables());
    expect(network?.nodes.map(({ path }) => path)).toEqual(["/area/other/pipe"]);
  });
  it("know set-id bits and named pipes by the names that are left to them", () => {
    guest.call("mkdir", "folder", 0o777);
    guest.call("open", "file", O_RDWR | O_CREAT, 0o666);
    guest.call("fchmod", 0, 0o4751);
    expect(guest.call("mknod", "pipe", 0o10600, 0)).toBe(0);
    guest.call("open", "third", O_RDWR | O_CREAT, 0o666);
    for (const name of ["file", "pipe"]) guest.call("link", name, `folder/${name}`);
    expect(guest.call("unlink", "file")).toBe(0);
    expect(guest.call("rename", "third", "pipe")).toBe(0);
    const { system } = guest;
    expect(system.setIds.freeze(system)).toEqual([{ path: "/area/folder/file", bits: 0o4000 }]);
    const network = freezeNetwork(system, emptyTables());
    expect(network?.nodes.map(({ path }) => path)).toEqual(["/area/folder/pipe"]);
  });
  it.each([
    ["a file outside the grants", { path: "/etc/passwd" }],
    ["a path that climbs", { path: "/area/../../etc/passwd" }],
    ["a relative path", { path: "a" }],
    ["a host file through /proc", { path: `/proc/${process.pid}/root/etc/passwd` }],
    ["a pipe that is not in the table", { kind: "pipe-read" as const, pipe: 3 }],
    ["a stream that is not there", { kind: "inherited" as const, inherited: 5 }],
    ["a negative position", { position: -1n }],
    ["a special file without a state", { kind: "special" as const }],
    ["a special file with the state of another kind", { kind: "special" as const, state: SEALS }],
    ["a folder with the state of another kind", { kind: "directory" as const, path: "/area", state: SEALS }],
    ["a /proc file without contents", { kind: "proc" as const }],
    ["an eventfd that counts too far", { kind: "special" as const, state: eventfd(2n ** 64n - 1n) }],
  ])("refuse %s", (_what, change) => {
    guest.call("open", "a", O_RDWR | O_CREAT, 0o666);
    const snapshot = freeze();
    Object.assign(snapshot.openFiles[0], change);
    expect(() => thaw(snapshot)).toThrow(/cannot reopen|is missing/);
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
    expect(() => thaw(snapshot)).toThrow(/\/area\/a is a symlink now/);
  });
});
