import fs from "node:fs";
import os from "node:os";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HostError } from "../../emu/host/host.ts";
import { decodeName, encodeName } from "../../emu/host/names.ts";
import { nodeFiles as files, filesByName } from "../../emu/host/node/files.ts";

let folder: string;
beforeEach(() => {
  folder = fs.realpathSync(fs.mkdtempSync(`${os.tmpdir()}/ppcr-host-`));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const errorOf = (work: () => unknown): HostError => {
  try {
    work();
  } catch (error) {
    return error as HostError;
  }
  throw new Error("nothing was thrown");
};

describe("names", () => {
  it("survive the way through a string, whatever bytes they are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(encodeName(decodeName(bytes))).toEqual(new Uint8Array(bytes));
      }),
    );
  });
  it("that are UTF-8 are their text", () => {
    expect(decodeName(new TextEncoder().encode("naïve 😀"))).toBe("naïve 😀");
    expect(decodeName(Uint8Array.of(0x61, 0xe9, 0x62))).toBe("a\udce9b");
  });
});

describe("files of a host that has names only", () => {
  it("are found after renames of ours, and never taken for others", () => {
    fs.mkdirSync(`${folder}/real`);
    const real = filesByName.folder(`${folder}/real`);
    const handle = filesByName.open(`${folder}/real/a`, { read: false, write: true, create: true }, 0o600);
    filesByName.rename(`${folder}/real`, `${folder}/moved`);
    expect(real.where().path).toBe(`${folder}/moved`);
    expect(filesByName.where(handle)).toEqual({ path: `${folder}/moved/a`, isGone: false });
    filesByName.close(filesByName.reopen(handle, { read: true, write: false }));
    fs.renameSync(`${folder}/moved`, `${folder}/hidden`);
    fs.mkdirSync(`${folder}/moved`);
    fs.writeFileSync(`${folder}/moved/a`, "another");
    expect(errorOf(() => real.within("a", () => 0)).code).toBe("ENOENT");
    expect(filesByName.where(handle).isGone).toBe(true);
    expect(errorOf(() => filesByName.reopen(handle, { read: true, write: false })).code).toBe("ENOENT");
    filesByName.close(handle);
  });
});

describe("files of node", () => {
  it("make any number of temporary folders, with one listener for their end", () => {
    const counts = [1, 2, 3].map(() => {
      files.removeTree(files.temporaryFolder());
      return process.listenerCount("exit");
    });
    expect(counts[2]).toBe(counts[0]);
  });
  it("throw errors with Linux's names", () => {
    const error = errorOf(() => files.open(`${folder}/none`, { read: true, write: false }, 0));
    expect(error).toBeInstanceOf(HostError);
    expect(error.code).toBe("ENOENT");
    expect(errorOf(() => files.lstat("a\0b")).code).toBe("EINVAL");
  });
  it("reach entries through a directory that is held, and refuse one that leads elsewhere", () => {
    fs.mkdirSync(`${folder}/real`);
    fs.writeFileSync(`${folder}/real/a`, "");
    fs.symlinkSync("real", `${folder}/link`);
    const real = files.folder(`${folder}/real`);
    expect(real.within("a", (path) => files.lstat(path).kind)).toBe("file");
    expect(real.within(".", (path) => files.readdir(path))).toEqual(["a"]);
    expect(real.parent().where()).toEqual({ path: folder, isGone: false });
    expect(errorOf(() => files.folder(`${folder}/link`)).code).toBe("ENOTDIR");
    expect(errorOf(() => files.folder(`${folder}/none`)).code).toBe("ENOENT");
    expect(errorOf(() => files.folder(`${folder}/real/a`)).code).toBe("ENOTDIR");
  });
  it("stay in a held directory that is moved while it is used", () => {
    fs.mkdirSync(`${folder}/real`);
    fs.writeFileSync(`${folder}/real/a`, "inside");
    fs.mkdirSync(`${folder}/other`);
    fs.writeFileSync(`${folder}/other/a`, "outside, longer");
    const real = files.folder(`${folder}/real`);
    fs.renameSync(`${folder}/real`, `${folder}/gone`);
    fs.symlinkSync("other", `${folder}/real`);
    expect(real.within("a", (path) => files.lstat(path).size)).toBe(6n);
    expect(real.where()).toEqual({ path: `${folder}/gone`, isGone: false });
    fs.rmSync(`${folder}/gone`, { recursive: true });
    expect(real.stat().nlink).toBe(0);
    expect(real.where()).toEqual({ path: `${folder}/gone`, isGone: true });
    expect(errorOf(() => real.within("new", (path) => files.mkdir(path, 0o700))).code).toBe("ENOENT");
  });
  it("say what an open file is called by now", () => {
    fs.writeFileSync(`${folder}/a`, "");
    const handle = files.open(`${folder}/a`, { read: true, write: false }, 0);
    fs.renameSync(`${folder}/a`, `${folder}/b (deleted)`);
    expect(files.where(handle)).toEqual({ path: `${folder}/b (deleted)`, isGone: false });
    fs.rmSync(`${folder}/b (deleted)`);
    expect(files.where(handle)).toEqual({ path: `${folder}/b (deleted)`, isGone: true });
    fs.writeFileSync(`${folder}/b (deleted)`, "another");
    expect(files.where(handle)).toEqual({ path: `${folder}/b (deleted)`, isGone: true });
    files.close(handle);
  });
  it("never wait for the other end of a fifo", () => {
    const fifo = `${folder}/fifo`;
    // A fifo made by a tool every Linux has.
    process.getBuiltinModule("node:child_process").execFileSync("mkfifo", [fifo]);
    const handle = files.open(fifo, { read: true, write: false }, 0);
    expect(files.fstat(handle).kind).toBe("fifo");
    files.close(handle);
    expect(errorOf(() => files.open(fifo, { read: false, write: true }, 0)).code).toBe("ENXIO");
  });
  it("change permissions of exactly the file, not of what a symlink names", () => {
    fs.writeFileSync(`${folder}/a`, "", { mode: 0o600 });
    fs.symlinkSync("a", `${folder}/link`);
    expect(errorOf(() => files.chmod(`${folder}/link`, 0o777)).code).toBe("ELOOP");
    files.chmod(`${folder}/a`, 0o640);
    expect(fs.statSync(`${folder}/a`).mode & 0o777).toBe(0o640);
  });
  it("set times exactly to the microsecond", () => {
    fs.writeFileSync(`${folder}/a`, "");
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 4_000_000_000_000_000n }), (microseconds) => {
        const wholeSeconds = microseconds - (microseconds % 1_000_000n);
        files.utimes(`${folder}/a`, microseconds * 1000n, wholeSeconds * 1000n);
        const { atime, mtime } = files.lstat(`${folder}/a`);
        expect(atime / 1000n).toBe(microseconds);
        expect(mtime).toBe(wholeSeconds * 1000n);
      }),
    );
  });
  it("sets times before the epoch to the millisecond", () => {
    fs.writeFileSync(`${folder}/a`, "");
    files.utimes(`${folder}/a`, -4_500_000_000n, -1n);
    const { atime, mtime } = files.lstat(`${folder}/a`);
    expect([atime, mtime]).toEqual([-4_500_000_000n, -1_000_000n]);
  });
});
