/** Users, hosts and services can be looked up where no grant says anything of them. */
import fs from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { BUFFER, type Guest, makeFolders, makeGuest } from "../files/harness.ts";

const [O_RDONLY, O_WRONLY, O_CREAT] = [0, 1, 0o100];

let folders: ReturnType<typeof makeFolders>;

beforeEach(() => {
  folders = makeFolders();
});
afterEach(() => folders.clean());

const withRoot = (readOnly: boolean): Guest =>
  makeGuest({ mounts: [{ host: folders.granted, guest: "/", readOnly }], cwd: "/" });

function contents(guest: Guest, path: string): string | number {
  const fd = guest.call("open", path, O_RDONLY);
  if (typeof fd === "string") return fd;
  return guest.text(BUFFER, guest.call("read", fd, BUFFER, 4000) as number);
}

it.each([
  ["no grant at all", () => makeGuest({ mounts: [], cwd: "/" })],
  ["a sysroot without /etc", () => withRoot(true)],
])("knows the user, localhost and services with %s", (_, make) => {
  const guest = make();
  expect(contents(guest, "/etc/passwd")).toMatch(/^root:x:0:0:/);
  expect(contents(guest, "/etc/passwd")).toMatch(/^daemon:x:1:1:/m);
  expect(contents(guest, "/etc/group")).toMatch(/^users:x:100:$/m);
  expect(contents(guest, "/etc/hosts")).toMatch(/^127\.0\.0\.1\tlocalhost$/m);
  expect(contents(guest, "/etc/services")).toMatch(/^http\t80\/tcp/m);
  const length = String(contents(guest, "/etc/hosts")).length;
  const fd = guest.call("open", "/etc/hosts", O_RDONLY);
  for (const [call, what] of [
    ["stat", "/etc/hosts"],
    ["fstat", fd],
  ] as const) {
    expect(guest.call(call, what, BUFFER)).toBe(0);
    expect(guest.memory.read64(BUFFER + 48)).toBe(BigInt(length));
  }
  expect(guest.call("open", "/etc/passwd", O_WRONLY)).toBe("EACCES");
  expect(contents(guest, "/etc/shadow")).toBe("ENOENT");
});

it("leaves a sysroot's own files alone", () => {
  fs.mkdirSync(`${folders.granted}/etc`);
  fs.writeFileSync(`${folders.granted}/etc/passwd`, "hers:x:7:7::/:/bin/sh\n");
  const guest = withRoot(true);
  expect(contents(guest, "/etc/passwd")).toBe("hers:x:7:7::/:/bin/sh\n");
  expect(contents(guest, "/etc/hosts")).toMatch(/localhost/);
});

it("has none in a folder that the guest may change", () => {
  fs.mkdirSync(`${folders.granted}/etc`);
  const guest = withRoot(false);
  expect(contents(guest, "/etc/passwd")).toBe("ENOENT");
  expect(guest.call("open", "/etc/passwd", O_WRONLY | O_CREAT, 0o644)).toBe(0);
  expect(fs.existsSync(`${folders.granted}/etc/passwd`)).toBe(true);
});
