/** Several users in one machine: its program began as root, and ppcr is root on the host, which denies nothing. */
import fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HostFiles, HostStat } from "../../../emu/host/host.ts";
import { nodeFiles } from "../../../emu/host/node/files.ts";
import { nodeHost } from "../../../emu/host/node/index.ts";
import { ordinaryUser } from "../../../emu/linux/credentials.ts";
import { fileKey } from "../../../emu/linux/vfs/folder.ts";
import { Owners } from "../../../emu/linux/vfs/owners.ts";
import { BUFFER, type Guest, makeFolders, makeGuest } from "./harness.ts";

const [O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_NOATIME] = [0, 1, 2, 0o100, 0o1000000];
const AT_FDCWD = -100;
const AT_EACCESS = 0x200;
const [ROOT, ALICE, BOB] = [0, 1001, 1002];
const [STAFF, GUESTS] = [50, 60];

/** The host's files as root sees them, whoever runs this test: owners are what they were given, and root's at first. */
function rootsFiles(): HostFiles {
  const owners = new Map<string, { uid: number; gid: number }>();
  const shown = (stat: HostStat): HostStat => ({
    ...stat,
    ...(owners.get(fileKey(stat)) ?? { uid: 0, gid: 0 }),
  });
  return {
    ...nodeFiles,
    lstat: (path) => shown(nodeFiles.lstat(path)),
    look: (path) => {
      const stat = nodeFiles.look(path);
      return stat === undefined ? undefined : shown(stat);
    },
    fstat: (handle) => shown(nodeFiles.fstat(handle)),
    folder: (path) => {
      const held = nodeFiles.folder(path);
      const stat = held.stat.bind(held);
      return Object.assign(held, { stat: () => shown(stat()) });
    },
    chown: (path, uid, gid) => void owners.set(fileKey(nodeFiles.lstat(path)), { uid, gid }),
    fchown: (handle, uid, gid) => void owners.set(fileKey(nodeFiles.fstat(handle)), { uid, gid }),
  };
}

let folders: ReturnType<typeof makeFolders>;
let guest: Guest;

beforeEach(() => {
  folders = makeFolders();
  guest = makeGuest({
    mounts: [{ host: folders.granted, guest: "/area", readOnly: false }],
    cwd: "/area",
    credentials: ordinaryUser(ROOT, 0),
    host: { user: { uid: 0, gid: 0 }, files: rootsFiles() },
  });
  for (const [name, mode, uid, gid] of [
    ["alices", 0o640, ALICE, STAFF],
    ["bobs", 0o604, BOB, STAFF],
    ["roots", 0o600, ROOT, 0],
  ] as const) {
    guest.call("mknod", name, 0o100000 | mode, 0);
    guest.call("chmod", name, mode);
    guest.call("chown", name, uid, gid);
  }
  guest.call("mkdir", "sticky", 0o777);
  guest.call("chmod", "sticky", 0o1777);
});
afterEach(() => folders.clean());

/** What the program is from now on. */
function become(uid: number, gid: number, groups: number[] = []): void {
  guest.process.leader!.credentials = { ...ordinaryUser(uid, gid), groups };
}

type Row = [call: string, args: (number | string)[], result: number | string];

describe("a user that the program has become", () => {
  const rows: Row[] = [
    ["open", ["alices", O_RDWR], 0],
    ["open", ["alices", O_RDONLY | O_NOATIME], 0],
    // The class of the group decides for members, though others might read it.
    ["open", ["bobs", O_RDONLY], "EACCES"],
    ["access", ["bobs", 4], "EACCES"],
    ["open", ["roots", O_RDONLY], "EACCES"],
    ["truncate", ["bobs", 0], "EACCES"],
    ["chmod", ["alices", 0o600], 0],
    ["chmod", ["bobs", 0o666], "EPERM"],
    ["chown", ["alices", ALICE, -1], 0],
    ["chown", ["alices", BOB, -1], "EPERM"],
    ["chown", ["alices", -1, STAFF], 0],
    ["chown", ["alices", -1, GUESTS], "EPERM"],
    ["chown", ["bobs", -1, STAFF], "EPERM"],
    ["chown", ["bobs", -1, -1], 0],
    ["utime", ["bobs", 0], "EACCES"],
    ["open", ["new", O_CREAT | O_WRONLY, 0o644], "EACCES"],
    ["unlink", ["alices"], "EACCES"],
    ["link", ["alices", "sticky/link"], 0],
    ["inotify_add_watch", [0, "bobs", 2], "EACCES"],
  ];
  it.each(rows)("%s %j: %s", (call, args, result) => {
    expect(guest.call("inotify_init")).toBe(0);
    become(ALICE, 100, [STAFF]);
    const given = guest.call(call, ...args);
    expect(typeof result === "number" && typeof given === "number" ? "done" : given).toBe(
      typeof result === "number" ? "done" : result,
    );
  });

  it("is in the class of others where neither owner nor group is its own", () => {
    become(ALICE, 100);
    expect(guest.call("access", "bobs", 4)).toBe(0);
    expect(guest.call("open", "bobs", O_RDONLY | O_NOATIME)).toBe("EPERM");
    expect(guest.call("access", "bobs", 2)).toBe("EACCES");
  });

  it("owns what it makes", () => {
    become(ALICE, STAFF);
    const handle = guest.call("open", "sticky/file", O_CREAT | O_RDWR, 0o600);
    expect(guest.call("mkdir", "sticky/folder", 0o700)).toBe(0);
    expect(guest.call("symlink", "file", "sticky/link")).toBe(0);
    for (const name of ["file", "folder", "link"]) {
      const { stat } = guest.files.find(AT_FDCWD, `sticky/${name}`, false);
      expect(guest.system.owners.of(stat!), name).toEqual({ uid: ALICE, gid: STAFF });
    }
    expect(handle).toBe(0);
    become(BOB, STAFF);
    expect(guest.call("open", "sticky/file", O_RDONLY)).toBe("EACCES");
  });

  it("removes and renames in a sticky folder what is its own alone", () => {
    become(ALICE, 100);
    guest.call("mknod", "sticky/file", 0o100666, 0);
    guest.call("mkdir", "sticky/folder", 0o777);
    become(BOB, 100);
    guest.call("mknod", "sticky/bobs", 0o100666, 0);
    expect(guest.call("unlink", "sticky/file")).toBe("EPERM");
    expect(guest.call("rmdir", "sticky/folder")).toBe("EPERM");
    expect(guest.call("rename", "sticky/file", "sticky/other")).toBe("EPERM");
    expect(guest.call("rename", "sticky/bobs", "sticky/file")).toBe("EPERM");
    expect(guest.call("unlink", "sticky/bobs")).toBe(0);
    become(ALICE, 100);
    expect(guest.call("unlink", "sticky/file")).toBe(0);
    expect(guest.call("rmdir", "sticky/folder")).toBe(0);
  });

  it("is asked for by access(2) as it really is, and with AT_EACCESS as what it acts as", () => {
    guest.process.leader!.credentials = { ...ordinaryUser(ALICE, 100), euid: BOB, fsuid: BOB };
    expect(guest.call("access", "alices", 4)).toBe(0);
    expect(guest.call("faccessat2", AT_FDCWD, "alices", 4, AT_EACCESS)).toBe("EACCES");
    expect(guest.call("faccessat2", AT_FDCWD, "bobs", 6, AT_EACCESS)).toBe(0);
  });

  it("was root of root's group to a machine that is thawed", () => {
    const became = { ...ordinaryUser(ALICE, STAFF), suid: ROOT };
    for (const first of [became, ordinaryUser(BOB, GUESTS)]) {
      const owners = new Owners({ ...nodeHost({ descriptors: [] }), user: { uid: 500, gid: 501 } });
      for (const each of [first, became, ordinaryUser(ALICE, STAFF)]) owners.first(each);
      expect(owners.of({ uid: 500, gid: 501 })).toEqual({ uid: ROOT, gid: 0 });
    }
  });

  it("was root to a machine that is thawed, though no process tells of it any longer", () => {
    const host = { ...nodeHost({ descriptors: [] }), user: { uid: 500, gid: 501 } };
    const [owners, again] = [new Owners(host), new Owners(host)];
    owners.first(ordinaryUser(ROOT, 0));
    const now = [ordinaryUser(ALICE, STAFF)];
    again.thaw(owners.freeze(now));
    for (const each of now) again.first(each);
    expect(again.of({ uid: 500, gid: 501 })).toEqual({ uid: ROOT, gid: 0 });
    // Where a process tells there is nothing to keep.
    expect(owners.freeze([...now, { ...ordinaryUser(ALICE, STAFF), suid: ROOT }])).toBeUndefined();
  });

  it("executes as root what somebody may", () => {
    expect(guest.call("access", "/proc/version", 6)).toBe(0);
    expect(guest.call("access", "/proc/version", 1)).toBe("EACCES");
    expect(guest.call("access", "/proc", 7)).toBe(0);
  });

  it("can't look names up in a folder that it may not search", () => {
    guest.call("mkdir", "closed", 0o744);
    guest.call("mknod", "closed/file", 0o100666, 0);
    become(ALICE, 100);
    expect(guest.call("stat", "closed/file", BUFFER)).toBe("EACCES");
    expect(guest.call("stat", "closed/nowhere", BUFFER)).toBe("EACCES");
    expect(guest.call("stat", "closed", BUFFER)).toBe(0);
    expect(guest.call("stat", "closed/.", BUFFER)).toBe("EACCES");
    expect(guest.call("stat", "closed/./", BUFFER)).toBe("EACCES");
    expect(guest.call("chdir", "closed")).toBe("EACCES");
    expect(guest.call("open", "closed", O_RDONLY)).toBe(0);
    become(ROOT, 0);
    expect(guest.call("stat", "closed/file", BUFFER)).toBe(0);
  });
});

describe("a program that is an ordinary user while ppcr is root", () => {
  beforeEach(() => {
    fs.writeFileSync(`${folders.granted}/file`, "");
    const files = rootsFiles();
    files.chown(`${folders.granted}/file`, 4242, 4243);
    guest = makeGuest({
      mounts: [{ host: folders.granted, guest: "/area", readOnly: false }],
      cwd: "/area",
      credentials: ordinaryUser(ALICE, STAFF),
      host: { user: { uid: 0, gid: 0 }, files },
    });
  });

  it("owns all that was granted, whoever has it outside", () => {
    const { owners } = guest.system;
    for (const path of ["/area", "/area/file"])
      expect(owners.of(guest.system.statusAt(path)!)).toEqual({ uid: ALICE, gid: STAFF });
    expect(guest.call("chmod", "file", 0o400)).toBe(0);
    expect(guest.call("open", "file", O_WRONLY)).toBe("EACCES");
  });

  it("changes no owner outside by giving a file the one that it has", () => {
    expect(guest.call("chown", "file", ALICE, STAFF)).toBe(0);
    expect(guest.system.statusAt("/area/file")).toMatchObject({ uid: 4242, gid: 4243 });
    expect(guest.call("chown", "file", 4242, -1)).toBe("EPERM");
  });
});
