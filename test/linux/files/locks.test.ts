/** Advisory locks between descriptions and processes, and in snapshots. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fileTables, freezeLocks } from "../../../emu/linux/vfs/freeze-files.ts";
import { BUFFER, emptyTables, freezeFiles, type Guest, makeFolders, makeGuest } from "./harness.ts";

const [O_RDONLY, O_RDWR, O_CREAT, O_PATH] = [0, 2, 0o100, 0o10000000];
const [LOCK_SH, LOCK_EX, LOCK_NB, LOCK_UN] = [1, 2, 4, 8];
const [F_GETLK, F_SETLK, F_SETLKW] = [5, 6, 7];
const [F_OFD_GETLK, F_OFD_SETLK] = [36, 37];
const [RD, WR, UN] = [0, 1, 2];

let folders: ReturnType<typeof makeFolders>;
let guest: Guest;

const mounts = () => [{ host: folders.granted, guest: "/area", readOnly: false }];

beforeEach(() => {
  folders = makeFolders();
  guest = makeGuest({ mounts: mounts(), cwd: "/area" });
  expect(guest.call("open", "file", O_RDWR | O_CREAT, 0o600)).toBe(0);
  expect(guest.call("open", "file", O_RDWR)).toBe(1);
});
afterEach(() => folders.clean());

/** fcntl(2) with a struct flock; for F_GETLK what that says afterwards. */
function lock(
  who: Guest,
  fd: number,
  command: number,
  type: number,
  start: number | bigint,
  length: number | bigint,
) {
  const { memory } = who;
  memory.store32(BUFFER, type << 16);
  memory.store64(BUFFER + 8, BigInt.asUintN(64, BigInt(start)));
  memory.store64(BUFFER + 16, BigInt.asUintN(64, BigInt(length)));
  memory.store32(BUFFER + 24, 0);
  const result = who.call("fcntl", fd, command, BUFFER);
  if ((command !== F_GETLK && command !== F_OFD_GETLK) || result !== 0) return result;
  const found = memory.load16(BUFFER);
  if (found === UN) return "free";
  return [
    found,
    Number(memory.load64(BUFFER + 8)),
    Number(memory.load64(BUFFER + 16)),
    memory.load32(BUFFER + 24),
  ];
}

describe("flock(2)", () => {
  it("holds between two descriptions, not between descriptors of one", () => {
    expect(guest.call("flock", 0, LOCK_EX)).toBe(0);
    expect(guest.call("flock", guest.call("dup", 0) as number, LOCK_EX | LOCK_NB)).toBe(0);
    expect(guest.call("flock", 1, LOCK_EX | LOCK_NB)).toBe("EAGAIN");
    expect(guest.call("flock", 1, LOCK_SH | LOCK_NB)).toBe("EAGAIN");
    expect(guest.call("flock", 1, LOCK_SH)).toBe("blocked");
    expect(guest.call("flock", 0, LOCK_SH)).toBe(0);
    expect(guest.again("flock", 1, LOCK_SH)).toBe(0);
    expect(guest.call("flock", 0, LOCK_EX | LOCK_NB)).toBe("EAGAIN");
  });
  it("ends when the last descriptor is closed", () => {
    expect(guest.call("flock", 0, LOCK_EX)).toBe(0);
    expect(guest.call("dup", 0)).toBe(2);
    expect(guest.call("close", 0)).toBe(0);
    expect(guest.call("flock", 1, LOCK_EX | LOCK_NB)).toBe("EAGAIN");
    expect(guest.call("close", 2)).toBe(0);
    expect(guest.call("flock", 1, LOCK_EX | LOCK_NB)).toBe(0);
  });
  it("knows its operations", () => {
    expect(guest.call("flock", 0, LOCK_EX | LOCK_SH)).toBe("EINVAL");
    expect(guest.call("flock", 0, 0)).toBe("EINVAL");
    expect(guest.call("flock", 0, LOCK_UN)).toBe(0);
  });
});

describe("record locks", () => {
  it("of a process hold against descriptions, and not against itself", () => {
    expect(lock(guest, 0, F_SETLK, WR, 0, 10)).toBe(0);
    expect(lock(guest, 1, F_SETLK, WR, 5, 10)).toBe(0);
    expect(lock(guest, 1, F_GETLK, WR, 0, 0)).toBe("free");
    expect(lock(guest, 1, F_OFD_SETLK, RD, 14, 1)).toBe("EAGAIN");
    expect(lock(guest, 1, F_OFD_GETLK, RD, 14, 1)).toEqual([WR, 0, 15, 42]);
    expect(lock(guest, 1, F_OFD_SETLK, RD, 15, 1)).toBe(0);
  });
  it("of a process stay when a descriptor is closed that only names the file", () => {
    expect(lock(guest, 0, F_SETLK, WR, 0, 1)).toBe(0);
    const path = guest.call("open", "file", O_PATH) as number;
    expect(guest.call("close", path)).toBe(0);
    expect(lock(guest, 1, F_OFD_GETLK, WR, 0, 1)).toEqual([WR, 0, 1, guest.process.pid]);
  });
  it("of a process end with any descriptor of the file", () => {
    expect(lock(guest, 0, F_SETLK, WR, 0, 0)).toBe(0);
    expect(guest.call("open", "file", O_RDONLY)).toBe(2);
    expect(guest.call("close", 2)).toBe(0);
    expect(lock(guest, 1, F_OFD_SETLK, WR, 0, 0)).toBe(0);
  });
  it("of descriptions are split, joined and given up range by range", () => {
    expect(lock(guest, 0, F_OFD_SETLK, WR, 1000, 100)).toBe(0);
    expect(lock(guest, 0, F_OFD_SETLK, UN, 1040, 20)).toBe(0);
    expect(lock(guest, 1, F_OFD_GETLK, WR, 0, 0)).toEqual([WR, 1000, 40, -1]);
    expect(lock(guest, 1, F_OFD_GETLK, WR, 1040, 0)).toEqual([WR, 1060, 40, -1]);
    expect(lock(guest, 1, F_OFD_SETLK, WR, 1040, 20)).toBe(0);
    expect(lock(guest, 1, F_OFD_SETLK, UN, 1040, 20)).toBe(0);
    expect(lock(guest, 0, F_OFD_SETLK, WR, 1060, -20)).toBe(0);
    expect(lock(guest, 1, F_OFD_GETLK, RD, 0, 0)).toEqual([WR, 1000, 100, -1]);
  });
  it("wait where that is asked for", () => {
    expect(lock(guest, 0, F_OFD_SETLK, WR, 0, 1)).toBe(0);
    expect(lock(guest, 1, F_SETLKW, WR, 0, 1)).toBe("blocked");
    expect(guest.call("close", 0)).toBe(0);
    expect(lock(guest, 1, F_SETLKW, WR, 0, 1)).toBe(0);
  });
  it.each([
    [WR, -1, 1, "EINVAL"],
    [WR, 3, -5, "EINVAL"],
    [WR, 2n ** 63n - 1n, 2, "EOVERFLOW"],
    [5, 0, 1, "EINVAL"],
  ])("of type %i at %s, length %s, are refused", (type, start, length, error) => {
    expect(lock(guest, 0, F_SETLK, type, start, length)).toBe(error);
  });
});

it("are the same after a thaw", () => {
  expect(guest.call("flock", 0, LOCK_SH)).toBe(0);
  expect(lock(guest, 0, F_OFD_SETLK, WR, 10, 5)).toBe(0);
  expect(lock(guest, 1, F_SETLK, WR, 20, 0)).toBe(0);
  const thawed = makeGuest({ mounts: mounts(), cwd: "/", snapshot: freezeFiles(guest) });
  expect(thawed.call("flock", 1, LOCK_EX | LOCK_NB)).toBe("EAGAIN");
  expect(lock(thawed, 1, F_OFD_GETLK, WR, 0, 0)).toEqual([WR, 10, 5, -1]);
  expect(lock(thawed, 0, F_OFD_GETLK, WR, 20, 0)).toEqual([WR, 20, 0, 42]);
  expect(lock(thawed, 0, F_SETLK, RD, 20, 0)).toBe(0);
});

it("of two processes that have one description are both in a snapshot", () => {
  const { descriptors } = guest.files;
  const tables = emptyTables();
  const files = fileTables(guest.system, tables);
  files.add(descriptors.get(0));
  const copy = descriptors.copy();
  for (const owner of [descriptors, copy]) {
    const lock = { kind: "posix", owner, exclusive: false, start: 0n, last: 9n } as const;
    guest.system.locks.take(descriptors.get(0), lock);
  }
  freezeLocks({ id: 42, descriptors }, files, tables);
  freezeLocks({ id: 43, descriptors: copy }, files, tables);
  expect(tables.locks.map(({ pid }) => pid)).toEqual([42, 43]);
});
