import fs from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { BUFFER, type Guest, makeFolders, makeGuest } from "../files/harness.ts";

const [O_RDONLY, O_WRONLY, O_RDWR] = [0, 1, 2];
const AT = 0x400000;

let folders: ReturnType<typeof makeFolders>;
let guest: Guest;
let fd: number;

beforeEach(() => {
  folders = makeFolders();
  fs.writeFileSync(`${folders.granted}/a`, "abc".padEnd(5000, "."));
  guest = makeGuest({ mounts: [{ host: folders.granted, guest: "/area", readOnly: false }], cwd: "/area" });
  fd = guest.call("open", "a", O_RDWR) as number;
  const shared = guest.files.sharedObject(guest.files.mappable(fd, { shared: true, write: true }).file);
  guest.memory.map({ start: AT, end: AT + 0x2000, prot: 3, shared, offset: 0 });
});
afterEach(() => folders.clean());

const host = () => fs.readFileSync(`${folders.granted}/a`, "utf8");

it("read(2) sees what a shared mapping has written", () => {
  guest.memory.write(AT, Buffer.from("XYZ"));
  expect(guest.call("pread64", fd, BUFFER, 4, 0)).toBe(4);
  expect(guest.text(BUFFER, 4)).toBe("XYZ.");
  guest.memory.write(AT + 1, Buffer.from("!"));
  expect(guest.call("pread64", fd, BUFFER, 4, 0)).toBe(4);
  expect(guest.text(BUFFER, 4)).toBe("X!Z.");
});
it("a shared mapping sees what write(2) has written", () => {
  expect(Buffer.from(guest.memory.read(AT, 3)).toString()).toBe("abc");
  guest.put(BUFFER, "new");
  expect(guest.call("pwrite64", fd, BUFFER, 3, 1)).toBe(3);
  expect(Buffer.from(guest.memory.read(AT, 5)).toString()).toBe("anew.");
});
it("a write(2) keeps what the mapping has written beside it", () => {
  guest.memory.write(AT + 100, Buffer.from("mapped"));
  guest.put(BUFFER, "called");
  guest.call("pwrite64", fd, BUFFER, 6, 200);
  guest.call("fsync", fd);
  expect(host().slice(100, 106)).toBe("mapped");
  expect(host().slice(200, 206)).toBe("called");
});
it("a private mapping shows the file until its first write, whoever changes it", () => {
  const { file } = guest.files.mappable(fd, { shared: false, write: true });
  const copy = AT + 0x10000;
  guest.memory.map({ start: copy, end: copy + 0x2000, prot: 3, file, offset: 0 });
  const show = () => Buffer.from(guest.memory.read(copy, 4)).toString();
  expect(show()).toBe("abc.");
  guest.memory.write(AT, Buffer.from("1"));
  expect(show()).toBe("1bc.");
  guest.memory.write(AT + 1, Buffer.from("2"));
  expect(show()).toBe("12c.");
  guest.put(BUFFER, "3");
  guest.call("pwrite64", fd, BUFFER, 1, 2);
  expect(show()).toBe("123.");
  guest.memory.write(copy + 3, Buffer.from("!"));
  guest.memory.write(AT, Buffer.from("x"));
  expect(show()).toBe("123!");
});
it("truncating the file takes its pages away", () => {
  guest.memory.write(AT + 4096, Buffer.from("tail"));
  guest.call("ftruncate", fd, 10);
  expect(() => guest.memory.read(AT + 4096, 1)).toThrow(/data-beyond-file/);
  expect(Buffer.from(guest.memory.read(AT + 8, 4)).toString()).toBe("..\0\0");
});
it("truncating takes written private pages away, growing again shows zeros", () => {
  const { file } = guest.files.mappable(fd, { shared: false, write: true });
  const copy = AT + 0x10000;
  guest.memory.map({ start: copy, end: copy + 0x2000, prot: 3, file, offset: 0 });
  guest.memory.write(copy, Buffer.from("first"));
  guest.memory.write(copy + 4096, Buffer.from("second"));
  guest.memory.write(AT + 4096, Buffer.from("shared"));
  guest.call("ftruncate", fd, 4096);
  for (const at of [copy, AT]) {
    expect(() => guest.memory.write(at + 4096, Buffer.from("x"))).toThrow(/data-beyond-file/);
  }
  expect(Buffer.from(guest.memory.read(copy, 6)).toString()).toBe("first.");
  guest.call("ftruncate", fd, 8192);
  for (const at of [copy, AT]) expect(guest.memory.read(at + 4096, 6)).toEqual(new Uint8Array(6));
  guest.memory.write(copy + 4096, Buffer.from("third"));
  guest.call("close", guest.call("open", "a", O_RDWR | 0o1000) as number);
  expect(() => guest.memory.read(copy, 1)).toThrow(/data-beyond-file/);
});
it("writes dirty pages back at exit, without growing the file, after the descriptor is closed", () => {
  guest.call("close", fd);
  guest.memory.write(AT + 4990, Buffer.from("0123456789abcdef"));
  guest.files.exit();
  expect(host().length).toBe(5000);
  expect(host().slice(-10)).toBe("0123456789");
});
it("refuses what the descriptor does not allow", () => {
  const code = (call: () => unknown) => {
    try {
      call();
      return "mapped";
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  const reader = guest.call("open", "a", O_RDONLY) as number;
  const writer = guest.call("open", "a", O_WRONLY) as number;
  const directory = guest.call("open", ".", O_RDONLY) as number;
  expect(code(() => guest.files.mappable(reader, { shared: false, write: true }))).toBe("mapped");
  expect(code(() => guest.files.mappable(reader, { shared: true, write: true }))).toBe("EACCES");
  expect(code(() => guest.files.mappable(writer, { shared: false, write: false }))).toBe("EACCES");
  expect(code(() => guest.files.mappable(directory, { shared: false, write: false }))).toBe("ENODEV");
  expect(code(() => guest.files.mappable(99, { shared: false, write: false }))).toBe("EBADF");
});
it("keeps few host handles for many files that were mapped once", () => {
  guest.memory.unmap(AT, AT + 0x2000);
  const before = fs.readdirSync("/proc/self/fd").length;
  for (let i = 0; i < 300; i++) {
    fs.writeFileSync(`${folders.granted}/m${i}`, "x");
    const one = guest.call("open", `m${i}`, O_RDONLY) as number;
    guest.files.mappable(one, { shared: false, write: false });
    guest.call("close", one);
  }
  expect(fs.readdirSync("/proc/self/fd").length - before).toBeLessThan(80);
});
