/** What calls on files answer to arguments that make no sense or are rare, as Linux does. */
import fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HostStream } from "../../../emu/host/host.ts";
import { nodeFiles } from "../../../emu/host/node/files.ts";
import { BUFFER, type Guest, makeFolders, makeGuest } from "./harness.ts";

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EACCESS = 0x200;
const AT_EMPTY_PATH = 0x1000;
const AT_SYMLINK_FOLLOW = 0x400;
const [O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_APPEND] = [0, 1, 2, 0o100, 0o2000];
const [O_DIRECTORY, O_NOFOLLOW, O_PATH, O_TMPFILE] = [0o40000, 0o100000, 0o10000000, 0o20040000];
const BAD = 16;

let folders: ReturnType<typeof makeFolders>;
let guest: Guest;

beforeEach(() => {
  folders = makeFolders();
  fs.mkdirSync(`${folders.granted}/sub`);
  fs.writeFileSync(`${folders.granted}/file`, "0123456789");
  fs.symlinkSync("sub", `${folders.granted}/link`);
  guest = makeGuest({ mounts: [{ host: folders.granted, guest: "/area", readOnly: false }], cwd: "/area" });
});
afterEach(() => folders.clean());

type Row = [call: string, args: (number | string)[], result: number | string];

/** With descriptors 0: the file, 1: the folder, 2: the file with O_PATH, 3: the file for appending. */
const ROWS: Row[] = [
  ["open", ["link", O_RDONLY | O_NOFOLLOW], "ELOOP"],
  ["open", ["link", O_RDONLY | O_NOFOLLOW | O_DIRECTORY], "ENOTDIR"],
  ["open", ["sub", O_TMPFILE | O_RDONLY], "EINVAL"],
  ["open", ["file", O_TMPFILE | O_RDWR, 0o600], "ENOTDIR"],
  ["open", ["nowhere", O_TMPFILE | O_RDWR, 0o600], "ENOENT"],
  ["openat", [0, "", O_RDONLY], "ENOENT"],
  ["newfstatat", [0, "", BUFFER, 0], "ENOENT"],
  ["read", [0, BUFFER, -1], "EFAULT"],
  ["write", [0, BUFFER, -1], "EFAULT"],
  ["linkat", [AT_FDCWD, "", AT_FDCWD, "twin", AT_EMPTY_PATH], "EPERM"],
  ["mknod", ["node", 0o170000, 0], "EINVAL"],
  ["mknod", ["node", 0o120644, 0], "EINVAL"],
  ["mknod", ["node", 0o040755, 0], "EPERM"],
  ["rmdir", ["file/."], "ENOTDIR"],
  ["rmdir", ["nowhere/."], "ENOENT"],
  ["rmdir", ["sub/."], "EINVAL"],
  ["unlink", ["file/."], "ENOTDIR"],
  ["unlink", ["link/"], "ENOTDIR"],
  ["unlink", ["sub/"], "EISDIR"],
  ["unlinkat", [AT_FDCWD, "file", 1], "EINVAL"],
  ["fchmodat2", [AT_FDCWD, "file", 0o640, AT_SYMLINK_NOFOLLOW], 0],
  ["fchmodat2", [AT_FDCWD, "link", 0o640, AT_SYMLINK_NOFOLLOW], "EOPNOTSUPP"],
  ["fchmodat2", [AT_FDCWD, "file", 0o640, 1], "EINVAL"],
  ["fchmodat2", [0, "", 0o640, AT_EMPTY_PATH], 0],
  ["access", ["file", 8], "EINVAL"],
  ["faccessat2", [AT_FDCWD, "file", 4, AT_EACCESS], 0],
  ["faccessat2", [AT_FDCWD, "file", 4, 1], "EINVAL"],
  ["faccessat2", [0, "", 4, AT_EMPTY_PATH], 0],
  ["faccessat2", [AT_FDCWD, "link", 4, AT_SYMLINK_NOFOLLOW], 0],
  ["fadvise64", [0, 0, -1, 0], "EINVAL"],
  ["fadvise64", [2, 0, 1, 0], "EBADF"],
  ["readahead", [1, 0, 1], "EINVAL"],
  ["syncfs", [2], "EBADF"],
  ["fstatfs", [2, BUFFER], 0],
  ["sendfile", [3, 0, 0, 5], "EINVAL"],
  ["copy_file_range", [0, 0, 0, 0, 5, 0], "EINVAL"],
  ["fallocate", [0, 0, Number.MAX_SAFE_INTEGER, 16], "EFBIG"],
  ["fallocate", [0, 2, 0, 4], "EOPNOTSUPP"],
  ["fallocate", [0, 8, 0, 4096], "EOPNOTSUPP"],
  ["setxattr", ["file", BAD, BUFFER, 1, 0], "EFAULT"],
  ["setxattr", ["file", "user.a", BAD, 1, 0], "EFAULT"],
  ["setxattr", ["file", "user.a", BUFFER, 65537, 0], "E2BIG"],
  ["setxattr", ["file", "user.a", BUFFER, 1, 4], "EINVAL"],
  ["setxattr", ["file", "", BUFFER, 1, 0], "ERANGE"],
  ["getxattr", ["file", `user.${"a".repeat(256)}`, BUFFER, 1], "ERANGE"],
  ["getxattr", ["file", "user.a", BUFFER, 1], "ENODATA"],
  ["setxattr", ["file", "user.a", BUFFER, 1, 0], "EOPNOTSUPP"],
];

it.each(ROWS)("%s %j: %s", (call, args, result) => {
  for (const [path, flags] of [
    ["file", O_RDWR],
    ["sub", O_RDONLY | O_DIRECTORY],
    ["file", O_PATH],
    ["file", O_WRONLY | O_APPEND],
  ] as const) {
    expect(typeof guest.call("open", path, flags)).toBe("number");
  }
  expect(guest.call(call, ...args)).toBe(result);
});

describe("fallocate", () => {
  const contents = () => fs.readFileSync(`${folders.granted}/file`, "latin1");
  beforeEach(() => expect(guest.call("open", "file", O_RDWR)).toBe(0));
  it("punches holes, within the file", () => {
    expect(guest.call("fallocate", 0, 3, 2, 3)).toBe(0);
    expect(contents()).toBe("01\0\0\x0056789");
    expect(guest.call("fallocate", 0, 3, 8, 100)).toBe(0);
    expect(contents()).toBe("01\0\0\x00567\0\0");
  });
  it("zeroes ranges, and makes the file longer unless told not to", () => {
    expect(guest.call("fallocate", 0, 0x11, 8, 4)).toBe(0);
    expect(contents()).toBe("01234567\0\0");
    expect(guest.call("fallocate", 0, 0x10, 6, 6)).toBe(0);
    expect(contents()).toBe("012345\0\0\0\0\0\0");
  });
});

it("sets no times where there are none to set, without a look for the file", () => {
  const UTIME_OMIT = 0x3fff_fffe;
  for (const at of [0, 16]) guest.memory.store64(BUFFER + at + 8, BigInt(UTIME_OMIT));
  expect(guest.call("utimensat", AT_FDCWD, "nowhere", BUFFER, 0)).toBe(0);
});

it("appends with RWF_APPEND, and moves the position where it is the description's own", () => {
  expect(guest.call("open", "file", O_RDWR)).toBe(0);
  guest.memory.store64(BUFFER, BigInt(BUFFER + 64));
  guest.memory.store64(BUFFER + 8, 3n);
  guest.put(BUFFER + 64, "abc");
  const RWF_APPEND = 0x10;
  expect(guest.call("pwritev2", 0, BUFFER, 1, 2, 0, RWF_APPEND)).toBe(3);
  expect(guest.call("lseek", 0, 0, 1)).toBe(0);
  expect(guest.call("pwritev2", 0, BUFFER, 1, -1, 0, RWF_APPEND)).toBe(3);
  expect(guest.call("lseek", 0, 0, 1)).toBe(16);
  expect(fs.readFileSync(`${folders.granted}/file`, "utf8")).toBe("0123456789abcabc");
});

describe("openat2", () => {
  const RESOLVE = { noXdev: 1n, noMagicLinks: 2n };
  const openat2 = (path: string, flags: number, resolve: bigint) => {
    guest.memory.store64(BUFFER, BigInt(flags));
    guest.memory.store64(BUFFER + 8, 0n);
    guest.memory.store64(BUFFER + 16, resolve);
    return guest.call("openat2", AT_FDCWD, path, BUFFER, 24);
  };
  it.each(["/proc/self/exe", "/proc/self/cwd/file", "/proc/self/root", "/proc/self/fd/0"])(
    "follows no magic link %s where that is unwanted",
    (path) => {
      guest.call("open", "file", O_RDONLY);
      expect(openat2(path, O_RDONLY, RESOLVE.noMagicLinks)).toBe("ELOOP");
    },
  );
  it("leaves no mount where that is unwanted", () => {
    expect(openat2("sub", O_RDONLY, RESOLVE.noXdev)).toBe(0);
    expect(openat2("..", O_RDONLY, RESOLVE.noXdev)).toBe("EXDEV");
    expect(openat2("/proc/version", O_RDONLY, RESOLVE.noXdev)).toBe("EXDEV");
  });
  it("is strict about flags that don't go together", () => {
    expect(openat2("file", O_PATH | O_CREAT, 0n)).toBe("EINVAL");
    expect(openat2("sub", O_TMPFILE | O_CREAT | O_RDWR, 0n)).toBe("EINVAL");
  });
});

it("changes no file through a stream that was opened for reading outside", () => {
  const path = `${folders.outside}/secret`;
  const handle = fs.openSync(path, "r");
  try {
    const stream = {
      kind: "file",
      path,
      handle,
      access: { read: true, write: false, append: false },
      stat: () => nodeFiles.fstat(handle),
    } as unknown as HostStream;
    guest = makeGuest({
      mounts: [{ host: folders.granted, guest: "/area", readOnly: false }],
      cwd: "/area",
      streams: new Map([[0, stream]]),
    });
    const { mode, mtimeMs } = fs.statSync(path);
    expect(guest.call("fchmod", 0, 0o777)).toBe("EPERM");
    expect(guest.call("utimensat", 0, 0, 0, 0)).toBe("EPERM");
    expect(guest.call("chmod", "/dev/stdin", 0o777)).toBe("EPERM");
    expect(guest.call("linkat", AT_FDCWD, "/dev/stdin", AT_FDCWD, "stolen", AT_SYMLINK_FOLLOW)).toBe(
      "ENOENT",
    );
    expect(fs.statSync(path)).toMatchObject({ mode, mtimeMs });
  } finally {
    fs.closeSync(handle);
  }
});
