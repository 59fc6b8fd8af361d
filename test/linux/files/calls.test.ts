import fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FIONREAD } from "../../../emu/linux/syscalls/ioctl-sockets.ts";
import type { Abi } from "../../../emu/snapshot.ts";
import { BUFFER, type Guest, makeFolders, makeGuest } from "./harness.ts";

const [O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_NONBLOCK] = [
  0, 1, 2, 0o100, 0o200, 0o1000, 0o2000, 0o4000,
];
const [O_DIRECTORY, O_NOFOLLOW, O_CLOEXEC, O_LARGEFILE] = [0o40000, 0o100000, 0o2000000, 0o200000];
const AT_FDCWD = -100;

let folders: ReturnType<typeof makeFolders>;
let guest: Guest;
const start = (abi: Abi = "ppc64") =>
  makeGuest({ mounts: [{ host: folders.granted, guest: "/area", readOnly: false }], cwd: "/area", abi });
const host = (name: string) => `${folders.granted}/${name}`;

beforeEach(() => {
  folders = makeFolders();
  guest = start();
});
afterEach(() => folders.clean());

function open(path: string, flags: number, mode = 0o666): number {
  const fd = guest.call("open", path, flags, mode);
  expect(fd).toEqual(expect.any(Number));
  return fd as number;
}
function write(fd: number, text: string): number | string {
  guest.put(BUFFER, text);
  return guest.call("write", fd, BUFFER, text.length);
}
function read(fd: number, length: number): string {
  const count = guest.call("read", fd, BUFFER, length);
  return typeof count === "string" ? count : guest.text(BUFFER, count);
}

describe("opening", () => {
  it("takes the lowest free descriptor", () => {
    expect([open("a", O_CREAT), open("b", O_CREAT), open("c", O_CREAT)]).toEqual([0, 1, 2]);
    expect(guest.call("close", 1)).toBe(0);
    expect(open("a", O_RDONLY)).toBe(1);
    expect(guest.call("close", 7)).toBe("EBADF");
  });
  it("applies the guest's umask and no other", () => {
    guest.call("umask", 0o027);
    open("a", O_CREAT | O_WRONLY, 0o777);
    expect(fs.statSync(host("a")).mode & 0o7777).toBe(0o750);
    guest.call("umask", 0);
    guest.call("mkdir", "d", 0o777);
    expect(fs.statSync(host("d")).mode & 0o7777).toBe(0o777);
  });
  it("tells the many ways to fail apart", () => {
    fs.writeFileSync(host("file"), "");
    fs.mkdirSync(host("dir"));
    fs.symlinkSync("file", host("link"));
    fs.symlinkSync("loop", host("loop"));
    expect(guest.call("open", "none", O_RDONLY)).toBe("ENOENT");
    expect(guest.call("open", "", O_RDONLY)).toBe("ENOENT");
    expect(guest.call("open", "file", O_CREAT | O_EXCL)).toBe("EEXIST");
    expect(guest.call("open", "link", O_CREAT | O_EXCL)).toBe("EEXIST");
    expect(guest.call("open", "link", O_NOFOLLOW)).toBe("ELOOP");
    expect(guest.call("open", "loop", O_RDONLY)).toBe("ELOOP");
    expect(guest.call("open", "file", O_DIRECTORY)).toBe("ENOTDIR");
    expect(guest.call("open", "file/x", O_RDONLY)).toBe("ENOTDIR");
    expect(guest.call("open", "file/", O_RDONLY)).toBe("ENOTDIR");
    expect(guest.call("open", "dir", O_WRONLY)).toBe("EISDIR");
    expect(guest.call("open", "dir", O_CREAT)).toBe("EISDIR");
    expect(guest.call("open", "new/", O_CREAT)).toBe("EISDIR");
    expect(guest.call("open", "x".repeat(256), O_RDONLY)).toBe("ENAMETOOLONG");
    expect(guest.call("open", 0xdead0000, O_RDONLY)).toBe("EFAULT");
  });
  it("runs out of descriptors at RLIMIT_NOFILE", () => {
    for (let fd = 0; fd < 64; fd++) open("a", O_CREAT);
    expect(guest.call("open", "a", O_RDONLY)).toBe("EMFILE");
    expect(guest.call("dup", 3)).toBe("EMFILE");
    expect(guest.call("dup2", 3, 64)).toBe("EBADF");
  });
  it("keeps names that are no UTF-8", () => {
    open("caf\udce9", O_CREAT);
    expect(fs.readdirSync(folders.granted, { encoding: "latin1" })).toEqual(["caf\xe9"]);
    expect(guest.call("unlink", "caf\udce9")).toBe(0);
  });
  it("counts the bytes of a name, be they UTF-8 or not", () => {
    open("\udce9".repeat(255), O_CREAT);
    expect(fs.readdirSync(folders.granted, { encoding: "latin1" })).toEqual(["\xe9".repeat(255)]);
    expect(guest.call("open", "\udce9".repeat(256), O_RDONLY)).toBe("ENAMETOOLONG");
    expect(guest.call("open", "\u00e9".repeat(128), O_RDONLY)).toBe("ENAMETOOLONG");
  });
  it("resolves beneath and in a root with openat2", () => {
    fs.mkdirSync(host("dir"));
    fs.writeFileSync(host("file"), "");
    const dir = open("dir", O_DIRECTORY);
    const how = (resolve: bigint) => {
      guest.memory.store64(BUFFER, 0n);
      guest.memory.store64(BUFFER + 8, 0n);
      guest.memory.store64(BUFFER + 16, resolve);
    };
    how(8n);
    expect(guest.call("openat2", dir, "../file", BUFFER, 24)).toBe("EXDEV");
    how(16n);
    expect(guest.call("openat2", dir, "/../file", BUFFER, 24)).toBe("ENOENT");
    how(0n);
    expect(guest.call("openat2", dir, "../file", BUFFER, 24)).toBe(1);
    expect(guest.call("openat2", dir, "../file", BUFFER, 16)).toBe("EINVAL");
  });
});

describe("reading and writing", () => {
  it("moves the position, and not with pread and pwrite", () => {
    const fd = open("a", O_RDWR | O_CREAT);
    expect(write(fd, "hello world")).toBe(11);
    expect(guest.call("lseek", fd, 6, 0)).toBe(6);
    expect(read(fd, 100)).toBe("world");
    expect(read(fd, 100)).toBe("");
    expect(guest.call("pread64", fd, BUFFER, 5, 0)).toBe(5);
    expect(guest.text(BUFFER, 5)).toBe("hello");
    expect(guest.call("lseek", fd, 0, 1)).toBe(11);
    expect(guest.call("lseek", fd, -12, 1)).toBe("EINVAL");
    expect(guest.call("lseek", fd, 3, 3)).toBe(3);
    expect(guest.call("lseek", fd, 3, 4)).toBe(11);
    expect(guest.call("lseek", fd, 11, 3)).toBe("ENXIO");
  });
  it("appends wherever the position is", () => {
    fs.writeFileSync(host("a"), "one");
    const fd = open("a", O_WRONLY | O_APPEND);
    guest.call("lseek", fd, 0, 0);
    write(fd, "two");
    expect(fs.readFileSync(host("a"), "utf8")).toBe("onetwo");
    expect(guest.call("fcntl", fd, 4, 0)).toBe(0);
    guest.call("lseek", fd, 0, 0);
    write(fd, "X");
    expect(fs.readFileSync(host("a"), "utf8")).toBe("Xnetwo");
  });
  it("moves what it can before a bad page, and says EFAULT when that is nothing", () => {
    const fd = open("a", O_RDWR | O_CREAT);
    const edge = BUFFER + 0x200000;
    expect(guest.call("write", fd, edge - 3, 10)).toBe(3);
    expect(guest.call("write", fd, edge, 10)).toBe("EFAULT");
    expect(guest.call("lseek", fd, 0, 0)).toBe(0);
    expect(guest.call("read", fd, edge - 2, 10)).toBe(2);
    expect(guest.call("read", fd, edge, 10)).toBe("EFAULT");
    expect(guest.call("lseek", fd, 0, 1)).toBe(2);
  });
  it("moves whole pages through a pipe, and says EFAULT where a buffer ends before", () => {
    expect(guest.call("pipe", BUFFER)).toBe(0);
    const [from, to] = [guest.memory.load32(BUFFER), guest.memory.load32(BUFFER + 4)];
    const edge = BUFFER + 0x200000;
    expect(guest.call("write", to, edge - 10, 100)).toBe("EFAULT");
    expect(guest.call("ioctl", from, FIONREAD, BUFFER)).toBe(0);
    expect(guest.memory.load32(BUFFER)).toBe(0);
    expect(guest.call("write", to, edge - 5000, 9000)).toBe(4096);
    expect(guest.call("read", from, edge - 5, 10)).toBe("EFAULT");
    expect(guest.call("read", from, edge - 4090, 4096)).toBe("EFAULT");
    expect(guest.call("read", from, BUFFER, 4092)).toBe(4092);
    expect(guest.call("read", from, edge - 4, 100)).toBe(4);
  });
  it("checks the access mode", () => {
    const fd = open("a", O_WRONLY | O_CREAT);
    expect(guest.call("read", fd, BUFFER, 1)).toBe("EBADF");
    expect(guest.call("write", open("a", O_RDONLY), BUFFER, 1)).toBe("EBADF");
    fs.mkdirSync(host("d"));
    expect(guest.call("read", open("d", O_RDONLY), BUFFER, 1)).toBe("EISDIR");
  });
  it("holds every way of growing a file against RLIMIT_FSIZE, and lets what is long already be", () => {
    const fd = open("a", O_RDWR | O_CREAT);
    guest.call("ftruncate", fd, 2000);
    const RLIMIT_FSIZE = 1;
    guest.process.limits[RLIMIT_FSIZE] = { soft: 1000n, hard: 1000n };
    expect(guest.call("ftruncate", fd, 1500)).toBe(0);
    expect(guest.call("ftruncate", fd, 1501)).toBe("EFBIG");
    expect(guest.call("truncate", "a", 1501)).toBe("EFBIG");
    expect(guest.call("fallocate", fd, 0, 1000, 501)).toBe("EFBIG");
    expect(guest.call("pwrite64", fd, BUFFER, 10, 1000)).toBe("EFBIG");
    expect(guest.call("pwrite64", fd, BUFFER, 10, 995)).toBe(5);
    expect(fs.statSync(host("a")).size).toBe(1500);
    const [thread] = guest.process.threads;
    const pending = [...guest.process.signals.pending.entries, ...thread.signals.pending.entries];
    expect(pending.map(({ signo }) => signo)).toEqual([25]);
  });
  it("allocates no more than its file system has free", () => {
    const fd = open("a", O_RDWR | O_CREAT);
    const memory = guest.call("memfd_create", "space", 0);
    const much = 1n << 43n;
    for (const each of [fd, memory]) {
      expect(guest.call("fallocate", each, 0, 0, much)).toBe("ENOSPC");
      expect(guest.call("fallocate", each, 1, 4096, much)).toBe("ENOSPC");
      expect(guest.call("fallocate", each, 3, 0, much)).toBe(0);
      expect(guest.call("fallocate", each, 0, 0, 5000)).toBe(0);
    }
    expect(fs.statSync(host("a")).size).toBe(5000);
  });
  it("refuses positions that no file can have", () => {
    const fd = open("a", O_RDWR | O_CREAT);
    expect(guest.call("lseek", fd, -1, 0)).toBe("EINVAL");
    expect(guest.call("lseek", fd, (1n << 63n) - 1n, 0)).toBe("EINVAL");
  });
  it("gathers and scatters, on both widths", () => {
    for (const abi of ["ppc32", "ppc64", "ppc64le"] as const) {
      guest = start(abi);
      const fd = open(`v-${abi}`, O_RDWR | O_CREAT);
      const word = abi === "ppc32" ? 4 : 8;
      const put = (at: number, value: number) =>
        word === 4 ? guest.memory.store32(at, value) : guest.memory.store64(at, BigInt(value));
      guest.put(BUFFER + 0x100, "headtail");
      [BUFFER + 0x100, 4, BUFFER + 0x104, 4].forEach((value, i) => {
        put(BUFFER + i * word, value);
      });
      expect(guest.call("writev", fd, BUFFER, 2)).toBe(8);
      expect(fs.readFileSync(host(`v-${abi}`), "utf8")).toBe("headtail");
      expect(guest.call("preadv", fd, BUFFER, 2, 2, 0)).toBe(6);
      expect(guest.text(BUFFER + 0x100, 6)).toBe("adtail");
      expect(guest.call("writev", fd, BUFFER, 1025)).toBe("EINVAL");
    }
  });
  it("passes 64-bit offsets in register pairs on ppc32", () => {
    guest = start("ppc32");
    const fd = open("a", O_RDWR | O_CREAT);
    guest.put(BUFFER, "x");
    expect(guest.call("pwrite64", fd, BUFFER, 1, 0, 0, 5)).toBe(1);
    expect(guest.call("ftruncate64", fd, 0, 1, 0)).toBe(0);
    expect(fs.statSync(host("a")).size).toBe(2 ** 32);
    expect(guest.call("_llseek", fd, 0, 7, BUFFER, 2)).toBe(0);
    expect(guest.memory.load64(BUFFER)).toBe(2n ** 32n + 7n);
    expect(guest.call("lseek", fd, 0, 2)).toBe("EOVERFLOW");
    expect(guest.call("fstat", fd, BUFFER)).toBe("EOVERFLOW");
    expect(guest.call("fstat64", fd, BUFFER)).toBe(0);
    expect(guest.memory.load64(BUFFER + 48)).toBe(2n ** 32n);
  });
  it("copies by sendfile and copy_file_range", () => {
    fs.writeFileSync(host("a"), "0123456789");
    const [from, to] = [open("a", O_RDONLY), open("b", O_RDWR | O_CREAT)];
    guest.memory.store64(BUFFER, 4n);
    expect(guest.call("sendfile", to, from, BUFFER, 3)).toBe(3);
    expect(guest.memory.load64(BUFFER)).toBe(7n);
    expect(guest.call("copy_file_range", from, 0, to, 0, 100, 0)).toBe(10);
    expect(fs.readFileSync(host("b"), "utf8")).toBe("4560123456789");
  });
});

describe("pipes", () => {
  const pipe = (flags = 0): [number, number] => {
    expect(guest.call("pipe2", BUFFER, flags)).toBe(0);
    return [guest.memory.load32(BUFFER), guest.memory.load32(BUFFER + 4)];
  };
  it("carry bytes, block when empty and end when the writer closes", () => {
    const [r, w] = pipe();
    expect(read(r, 10)).toBe("blocked");
    expect(write(w, "abc")).toBe(3);
    expect(read(r, 2)).toBe("ab");
    expect(read(r, 10)).toBe("c");
    guest.call("close", w);
    expect(read(r, 10)).toBe("");
    expect(guest.call("lseek", r, 0, 0)).toBe("ESPIPE");
  });
  it("give EPIPE and SIGPIPE when nobody reads", () => {
    const [r, w] = pipe();
    guest.call("close", r);
    expect(write(w, "abc")).toBe("EPIPE");
    const [thread] = guest.process.threads;
    const pending = [...guest.process.signals.pending.entries, ...thread.signals.pending.entries];
    expect(pending.map(({ signo }) => signo)).toEqual([13]);
  });
  it("hold 64 KiB, and take small writes whole or not at all", () => {
    const [, w] = pipe(O_NONBLOCK);
    expect(guest.call("write", w, BUFFER, 65000)).toBe(65000);
    expect(guest.call("write", w, BUFFER, 1000)).toBe("EAGAIN");
    expect(guest.call("write", w, BUFFER, 5000)).toBe(536);
    expect(guest.call("write", w, BUFFER, 1)).toBe("EAGAIN");
    expect(guest.call("fcntl", w, 1032)).toBe(65536);
    expect(guest.call("fcntl", w, 1031, 4096)).toBe("EBUSY");
    expect(guest.call("fcntl", w, 1031, 100000)).toBe(131072);
  });
  it("go on with a long write where it was when they filled up", () => {
    const [r, w] = pipe();
    guest.put(BUFFER, "a".repeat(65536) + "b".repeat(10));
    expect(guest.call("write", w, BUFFER, 65546)).toBe("blocked");
    expect(guest.call("read", r, BUFFER + 0x80000, 65536)).toBe(65536);
    expect(guest.text(BUFFER + 0x80000, 65536)).toBe("a".repeat(65536));
    expect(guest.interrupt()).toBe(65536);
    expect(guest.again("write", w, BUFFER, 65546)).toBe(65546);
    expect(read(r, 100)).toBe("b".repeat(10));
  });
  it("count in an eventfd", () => {
    const fd = guest.call("eventfd2", 3, 0) as number;
    guest.memory.store64(BUFFER, 4n);
    expect(guest.call("write", fd, BUFFER, 8)).toBe(8);
    expect(guest.call("read", fd, BUFFER, 8)).toBe(8);
    expect(guest.memory.load64(BUFFER)).toBe(7n);
    expect(guest.call("read", fd, BUFFER, 8)).toBe("blocked");
  });
});

describe("names", () => {
  it("are made, linked, renamed and removed", () => {
    expect(guest.call("mkdir", "d", 0o755)).toBe(0);
    expect(guest.call("mkdir", "d", 0o755)).toBe("EEXIST");
    expect(guest.call("mkdir", "e/", 0o755)).toBe(0);
    expect(guest.call("mknod", "d/f", 0o100644, 0)).toBe(0);
    expect(guest.call("link", "d/f", "d/g")).toBe(0);
    expect(guest.call("symlink", "d/g", "s")).toBe(0);
    expect(guest.call("readlink", "s", BUFFER, 2)).toBe(2);
    expect(guest.call("readlink", "d", BUFFER, 2)).toBe("EINVAL");
    expect(guest.call("rmdir", "d")).toBe("ENOTEMPTY");
    expect(guest.call("rename", "d/f", "d/g")).toBe(0);
    expect(guest.call("renameat2", AT_FDCWD, "s", AT_FDCWD, "e", 1)).toBe("EEXIST");
    expect(guest.call("rename", "d", "d/x")).toBe("EINVAL");
    expect(guest.call("rename", "d", "e")).toBe(0);
    expect(guest.call("unlink", "e")).toBe("EISDIR");
    expect(guest.call("unlink", "s/")).toBe("ENOENT");
    expect(guest.call("rmdir", "s")).toBe("ENOTDIR");
    expect(guest.call("unlinkat", AT_FDCWD, "s", 0)).toBe(0);
    expect(guest.call("unlink", "e/f")).toBe(0);
    expect(guest.call("unlink", "e/g")).toBe(0);
    expect(guest.call("unlinkat", AT_FDCWD, "e", 0x200)).toBe(0);
    expect(fs.readdirSync(folders.granted)).toEqual([]);
    expect(guest.call("rmdir", "/area")).toBe("EBUSY");
    expect(guest.call("unlink", "/area")).toBe("EISDIR");
  });
  it("are of one grant, though another one shows the same files", () => {
    fs.mkdirSync(host("sub"));
    fs.writeFileSync(host("sub/file"), "");
    guest = makeGuest({
      mounts: [
        { host: folders.granted, guest: "/area", readOnly: false },
        { host: host("sub"), guest: "/other", readOnly: false },
      ],
      cwd: "/area",
    });
    expect(guest.call("rename", "sub/file", "/other/file")).toBe("EXDEV");
    expect(guest.call("link", "sub/file", "sub/twin")).toBe(0);
    expect(guest.call("rename", "sub/file", "sub/twin")).toBe(0);
    expect(fs.readdirSync(host("sub"))).toEqual(["file", "twin"]);
    expect(guest.call("link", "sub", "/other/link")).toBe("EXDEV");
    expect(guest.call("link", "sub", "link")).toBe("EPERM");
  });
  it("are listed with their types, on from where the buffer ended", () => {
    for (let i = 0; i < 20; i++) fs.writeFileSync(host(`file-${i}`), "");
    fs.mkdirSync(host("sub"));
    const fd = open(".", O_DIRECTORY);
    const found = new Map<string, number>();
    for (let count = 1; count > 0; ) {
      count = guest.call("getdents64", fd, BUFFER, 100) as number;
      for (let at = 0; at < count; ) {
        const length = guest.memory.load16(BUFFER + at + 16);
        const name = guest.text(BUFFER + at + 19, length - 19).split("\0")[0];
        found.set(name, guest.memory.load8(BUFFER + at + 18));
        at += length;
      }
    }
    expect(found.size).toBe(23);
    expect([found.get("."), found.get("sub"), found.get("file-7")]).toEqual([4, 4, 8]);
    expect(guest.call("getdents64", fd, BUFFER, 100)).toBe(0);
    expect(guest.call("lseek", fd, 0, 0)).toBe(0);
    expect(guest.call("getdents64", fd, BUFFER, 8)).toBe("EINVAL");
  });
  it.each(["getdents64", "getdents"])(
    "fill what %s is given, however much and whatever the names",
    (name) => {
      const names = Array.from({ length: 700 }, (_, n) => `${n}-${"n\u00e4me".repeat(n % 40)}`);
      fs.mkdirSync(host("many"));
      for (const each of names) fs.writeFileSync(host(`many/${each}`), "");
      const fd = open("many", O_DIRECTORY);
      const count = guest.call(name, fd, BUFFER, 0x100000) as number;
      expect(guest.call(name, fd, BUFFER, 0x100000)).toBe(0);
      const bytes = Buffer.from(guest.memory.peek(BUFFER, count));
      const found: string[] = [];
      for (let at = 0; at < count; at += bytes.readUInt16BE(at + 16)) {
        const from = at + (name === "getdents" ? 18 : 19);
        const type = bytes[name === "getdents" ? at + bytes.readUInt16BE(at + 16) - 1 : at + 18];
        const text = bytes.toString("utf8", from, bytes.indexOf(0, from));
        expect(type).toBe(text === "." || text === ".." ? 4 : 8);
        expect(bytes.readUInt32BE(at + 8)).toBe(0);
        expect(bytes.readUInt32BE(at + 12)).toBe(found.length + 1);
        if (type === 8)
          expect(bytes.readBigUInt64BE(at)).toBe(fs.statSync(host(`many/${text}`), { bigint: true }).ino);
        found.push(text);
      }
      expect(found.toSorted()).toEqual([".", "..", ...names].toSorted());
    },
  );
  it("go whole to where memory ends", () => {
    for (let i = 0; i < 10; i++) fs.writeFileSync(host(`file${i}`), "");
    const fd = open(".", O_DIRECTORY);
    const end = BUFFER + 0x200000;
    // "." and ".." have 24 bytes each here.
    expect(guest.call("getdents64", fd, end - 23, 1000)).toBe("EFAULT");
    expect(guest.call("getdents64", fd, end, 1000)).toBe("EFAULT");
    expect(guest.call("getdents64", fd, end - 50, 1000)).toBe(48);
    expect(guest.text(end - 50 + 24 + 19, 3)).toBe("..\0");
    expect(guest.call("getdents64", fd, end - 23, 1000)).toBe("EFAULT");
    expect(guest.call("getdents64", fd, BUFFER, 1000)).toBe(32 * 10);
  });
  it("begin at the working directory", () => {
    fs.mkdirSync(host("d"));
    expect(guest.call("chdir", "d")).toBe(0);
    expect(guest.call("getcwd", BUFFER, 100)).toBe(8);
    expect(guest.text(BUFFER, 8)).toBe("/area/d\0");
    expect(guest.call("getcwd", BUFFER, 7)).toBe("ERANGE");
    open("here", O_CREAT);
    expect(fs.existsSync(host("d/here"))).toBe(true);
    expect(guest.call("chdir", "here")).toBe("ENOTDIR");
    expect(guest.call("chdir", "/")).toBe(0);
    expect(guest.call("stat", "/", BUFFER)).toBe(0);
    expect(guest.call("open", "/new", O_CREAT)).toBe("EROFS");
  });
});

describe("attributes", () => {
  it("are set by path and descriptor", () => {
    const fd = open("a", O_RDWR | O_CREAT);
    expect(guest.call("chmod", "a", 0o640)).toBe(0);
    expect(fs.statSync(host("a")).mode & 0o777).toBe(0o640);
    expect(guest.call("fchmod", fd, 0o600)).toBe(0);
    expect(fs.statSync(host("a")).mode & 0o777).toBe(0o600);
    expect(guest.call("ftruncate", fd, 10)).toBe(0);
    expect(guest.call("truncate", "a", 5)).toBe(0);
    expect(guest.call("fallocate", fd, 0, 3, 20)).toBe(0);
    expect(fs.statSync(host("a")).size).toBe(23);
    expect(guest.call("fallocate", fd, 0x20, 0, 4096)).toBe("EOPNOTSUPP");
    expect(guest.call("fsync", fd)).toBe(0);
    expect(guest.call("getxattr", "a", "user.x", 0, 0)).toBe("ENODATA");
  });
  it("show files of the host's user as the guest's own", () => {
    open("a", O_CREAT);
    expect(guest.call("stat", "a", BUFFER)).toBe(0);
    expect(guest.memory.load32(BUFFER + 28)).toBe(1);
    expect(guest.call("chown", "a", 1, 1)).toBe(0);
    expect(fs.statSync(host("a")).uid).toBe(process.getuid!());
  });
  it("hold times to the microsecond", () => {
    open("a", O_CREAT);
    [1000n, 123456000n, 2000n, 0x3ffffffen].forEach((value, i) => {
      guest.memory.store64(BUFFER + 8 * i, value);
    });
    const before = fs.statSync(host("a"), { bigint: true }).mtimeNs;
    expect(guest.call("utimensat", AT_FDCWD, "a", BUFFER, 0)).toBe(0);
    const stat = fs.statSync(host("a"), { bigint: true });
    expect(stat.atimeNs).toBe(1000_123456000n);
    expect(stat.mtimeNs / 1000n).toBe(before / 1000n);
    expect(guest.call("utimensat", AT_FDCWD, "a", 0, 0)).toBe(0);
    // The present is the host's, which times what is written as well.
    const touched = fs.statSync(host("a"), { bigint: true });
    expect(touched.mtimeNs).toBeGreaterThanOrEqual((before / 1000n) * 1000n);
    expect(touched.mtimeNs).toBeLessThanOrEqual(touched.ctimeNs);
  });
});

describe("descriptors", () => {
  it("are duplicated and marked close-on-exec", () => {
    const fd = open("a", O_RDWR | O_CREAT | O_CLOEXEC);
    expect(guest.call("fcntl", fd, 1)).toBe(1);
    expect(guest.call("fcntl", fd, 3)).toBe(O_RDWR | O_LARGEFILE);
    expect(guest.call("fcntl", fd, 0, 10)).toBe(10);
    expect(guest.call("fcntl", 10, 1)).toBe(0);
    write(fd, "abc");
    expect(guest.call("lseek", 10, 0, 1)).toBe(3);
    expect(guest.call("dup3", fd, fd, 0)).toBe("EINVAL");
    expect(guest.call("dup2", fd, fd)).toBe(fd);
    guest.files.exec();
    expect(guest.call("lseek", fd, 0, 1)).toBe("EBADF");
    expect(guest.call("close_range", 0, 0xffffffff, 0)).toBe(0);
    expect(guest.call("lseek", 10, 0, 1)).toBe("EBADF");
  });
  it("that are no terminals say ENOTTY", () => {
    const fd = open("a", O_RDWR | O_CREAT);
    expect(guest.call("ioctl", fd, 0x402c7413, BUFFER)).toBe("ENOTTY");
    write(fd, "abcdef");
    guest.call("lseek", fd, 2, 0);
    expect(guest.call("ioctl", fd, 0x4004667f, BUFFER)).toBe(0);
    expect(guest.memory.load32(BUFFER)).toBe(4);
  });
});

describe("/proc and /dev", () => {
  const contents = (path: string): string => {
    const fd = open(path, O_RDONLY);
    const text = read(fd, 60000);
    guest.call("close", fd);
    return text;
  };
  it("tell about the process", () => {
    expect(contents("/proc/self/comm")).toBe("prog\n");
    expect(contents("/proc/self/maps")).toContain("00010000-00220000 rw-p");
    expect(contents("/proc/self/status")).toMatch(/^Pid:\t42$/m);
    expect(contents("/proc/42/stat").split(" ").length).toBe(52);
    guest.process.personality = 0x40000;
    guest.process.scheduling.nice = 5;
    expect(contents("/proc/self/personality")).toBe("00040000\n");
    expect(contents("/proc/self/stat").split(" ").slice(17, 19)).toEqual(["25", "5"]);
    const held = guest.files.descriptors.list().length;
    expect(contents("/proc/sys/fs/file-nr")).toBe(`${held + 1}\t0\t1048576\n`);
    expect(contents("/proc/self/mountinfo")).toMatch(/^\d+ \d+ \d+:\d+ \/ \/ .* - /);
    expect(contents("/proc/sys/kernel/osrelease")).toBe("6.1.0\n");
    expect(guest.call("readlink", "/proc/self/exe", BUFFER, 100)).toBe(5);
    expect(guest.call("readlink", "/proc/self", BUFFER, 100)).toBe(2);
    expect(guest.call("open", "/proc/2", O_RDONLY)).toBe("ENOENT");
    expect(guest.call("open", "/proc/self/maps", O_RDWR)).toBe("EACCES");
  });
  it("list what is mounted, with the device numbers that stat shows", () => {
    fs.mkdirSync(host("with space"));
    guest = makeGuest({
      mounts: [
        { host: folders.granted, guest: "/area", readOnly: false },
        { host: host("with space"), guest: "/a b\\c", readOnly: true },
      ],
      cwd: "/area",
    });
    expect(contents("/proc/mounts").split("\n")).toEqual([
      "tmpfs / tmpfs ro 0 0",
      "ppcr /a\\040b\\134c ppcr ro 0 0",
      "ppcr /area ppcr rw 0 0",
      "tmpfs /dev tmpfs ro 0 0",
      "proc /proc proc ro 0 0",
      "sysfs /sys sysfs ro 0 0",
      "",
    ]);
    const { dev } = fs.statSync(folders.granted);
    const numbers = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
    expect(contents("/proc/self/mountinfo").split("\n")[2]).toBe(`3 1 ${numbers} / /area rw - ppcr ppcr rw`);
  });
  it("have the safe devices", () => {
    expect(contents("/dev/null")).toBe("");
    expect(read(open("/dev/zero", O_RDONLY), 3)).toBe("\0\0\0");
    expect(read(open("/dev/urandom", O_RDONLY), 2).length).toBe(2);
    expect(write(open("/dev/full", O_WRONLY), "x")).toBe("ENOSPC");
    expect(write(open("/dev/null", O_WRONLY | O_TRUNC), "x")).toBe(1);
    expect(guest.call("open", "/dev/tty", O_RDWR)).toBe("ENXIO");
  });
  it("open a descriptor again by its name in /proc", () => {
    const fd = open("a", O_RDWR | O_CREAT);
    write(fd, "abc");
    expect(contents(`/proc/self/fd/${fd}`)).toBe("abc");
    expect(contents(`/dev/fd/${fd}`)).toBe("abc");
  });
});
