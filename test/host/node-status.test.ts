/** What files are, by Node's own functions and by what these call. */
import fs from "node:fs";
import os from "node:os";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

let root: string;
beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(`${os.tmpdir()}/ppcr-status-`));
  vi.resetModules();
});
afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(root, { recursive: true, force: true });
});

const load = () => import("../../emu/host/node/node-status.ts");
/** The same where what Node's functions call is had by `binding`. */
async function loadWith(binding: () => unknown) {
  vi.resetModules();
  vi.spyOn(process as unknown as { binding(): unknown }, "binding").mockImplementation(binding);
  return load();
}
/** The same where it can't be had. */
const loadRefused = () =>
  loadWith(() => {
    throw new Error("refused");
  });

describe("the status of a file", () => {
  const kinds = {
    file: (path: string) => fs.writeFileSync(path, "12345"),
    directory: (path: string) => fs.mkdirSync(path),
    symlink: (path: string) => fs.symlinkSync("nowhere", path),
  };
  it.each(Object.entries(kinds))("is that of Node's functions: %s", async (kind, make) => {
    const path = `${root}/${kind}`;
    make(path);
    fs.lutimesSync(path, -1234.5, 9_000_000_000.25);
    const { lookAt, statusAt, statusOf } = await load();
    const stat = fs.lstatSync(path, { bigint: true });
    const status = {
      kind,
      dev: stat.dev,
      ino: stat.ino,
      mode: Number(stat.mode & 0o7777n),
      nlink: Number(stat.nlink),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      rdev: stat.rdev,
      size: stat.size,
      blocks: stat.blocks,
      atime: stat.atimeNs,
      mtime: stat.mtimeNs,
      ctime: stat.ctimeNs,
      btime: stat.birthtimeNs,
    };
    expect(status.mtime).toBe(9_000_000_000_250_000_000n);
    expect(lookAt(path)).toEqual(status);
    expect(statusAt(Buffer.from(path))).toEqual(status);
    if (kind === "symlink") return;
    const handle = fs.openSync(path, "r");
    expect(statusOf(handle)).toEqual(status);
    fs.closeSync(handle);
    const slow = await loadRefused();
    expect(slow.lookAt(path)).toEqual(status);
  });

  it("is nothing where nothing is, and an error where Node's functions have one", async () => {
    for (const { lookAt, statusAt, statusOf } of [await load(), await loadRefused()]) {
      expect(lookAt(`${root}/nothing`)).toBeUndefined();
      expect(() => statusAt(`${root}/nothing`)).toThrow("ENOENT");
      expect(() => statusAt(`${root}/${"x".repeat(300)}`)).toThrow("ENAMETOOLONG");
      expect(() => lookAt(`${root}\0`)).toThrow(/null bytes/);
      expect(() => statusOf(999_999)).toThrow("EBADF");
    }
  });

  it.runIf(process.platform === "linux")("is asked for without objects of Node's", async () => {
    const { lookAt } = await load();
    lookAt(root);
    const looked = vi.spyOn(fs, "lstatSync");
    expect(lookAt(root)?.kind).toBe("directory");
    expect(looked).not.toHaveBeenCalled();
  });

  it("is that of Node's functions where what they call is another thing", async () => {
    const numbers = new BigInt64Array(18);
    const { lookAt } = await loadWith(() => ({ lstat: () => numbers, fstat: () => numbers }));
    expect(lookAt(root)?.ino).toBe(fs.lstatSync(root, { bigint: true }).ino);
  });

  it("is that of functions that have been replaced", async () => {
    vi.spyOn(fs, "lstatSync").mockImplementation((() => undefined) as unknown as typeof fs.lstatSync);
    const { lookAt } = await load();
    expect(lookAt(root)).toBeUndefined();
  });
});
