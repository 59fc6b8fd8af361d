/** The working directory as the way into a folder: quicker, and otherwise nobody can tell. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { HostFolder } from "../../emu/host/host.ts";
import { nodeFiles as files } from "../../emu/host/node/files.ts";
import { nodeHost } from "../../emu/host/node/index.ts";

const host = nodeHost({ descriptors: [], workingDirectory: true });
const home = process.cwd();
let root: string;
beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(`${os.tmpdir()}/ppcr-near-`));
  for (const name of ["one", "other"]) {
    fs.mkdirSync(`${root}/${name}`);
    fs.writeFileSync(`${root}/${name}/file`, name);
  }
  host.onRun!(true);
});
afterEach(() => {
  host.onRun!(false);
  fs.rmSync(root, { recursive: true, force: true });
  expect(process.cwd()).toBe(home);
});

const text = (folder: HostFolder, name = "file"): string =>
  folder.within(name, (path) => fs.readFileSync(path, "utf8"));
/** Uses a folder until it is the working directory. */
function approach(folder: HostFolder): void {
  text(folder);
  text(folder);
  expect(folder.within("file", (path) => path)).toBe("./file");
}

describe.runIf(process.platform === "linux")("a folder that is used again", () => {
  it("is the working directory until another one is, and that is given back", () => {
    const [one, other] = [files.folder(`${root}/one`), files.folder(`${root}/other`)];
    expect(text(one)).toBe("one");
    expect(process.cwd()).toBe(home);
    approach(one);
    expect(process.cwd()).toBe(`${root}/one`);
    expect(text(other)).toBe("other");
    expect(text(one)).toBe("one");
    approach(other);
    expect(text(one)).toBe("one");
    host.onRun!(false);
    expect(process.cwd()).toBe(home);
    expect(text(other)).toBe("other");
    expect(text(other)).toBe("other");
    expect(process.cwd()).toBe(home);
    for (const folder of [one, other]) folder.close();
  });
  it("stays what it is while a name in it is in use", () => {
    const [one, other] = [files.folder(`${root}/one`), files.folder(`${root}/other`)];
    approach(one);
    const rename = () =>
      one.within("file", (old) => other.within("new", (fresh) => files.rename(old, fresh)));
    rename();
    expect(text(other, "new")).toBe("one");
    fs.writeFileSync(`${root}/one/file`, "again");
    one.within("file", (path) => {
      expect([text(other), text(other), text(other)]).toEqual(["other", "other", "other"]);
      expect(fs.readFileSync(path, "utf8")).toBe("again");
    });
    rename();
    expect(text(other, "new")).toBe("again");
    for (const folder of [one, other]) folder.close();
  });
  it("is not taken for another one that has its number", () => {
    const one = files.folder(`${root}/one`);
    approach(one);
    one.close();
    const other = files.folder(`${root}/other`);
    expect([text(other), text(other), text(other)]).toEqual(["other", "other", "other"]);
    other.close();
  });
  it("has the mark that it has from afar, and another one when it or what is above is renamed", () => {
    const one = files.folder(`${root}/one`);
    const mark = one.mark();
    expect(mark).toBe(`${root}/one`);
    approach(one);
    expect(one.mark()).toBe(mark);
    fs.renameSync(`${root}/one`, `${root}/two`);
    expect(one.mark()).toBe(`${root}/two`);
    expect(text(one)).toBe("one");
    fs.rmSync(`${root}/two`, { recursive: true });
    expect(one.mark()).toBeUndefined();
    expect(one.within("file", files.look)).toBeUndefined();
    one.close();
  });
  it("has a mark of bytes, however deep it lies", () => {
    const name = Buffer.from([0x6e, 0xe9, 0xff]);
    const path = Buffer.concat([Buffer.from(`${root}/`), name]);
    fs.mkdirSync(path);
    const folder = files.folder(`${root}/n\udce9\udcff`);
    const mark = folder.mark();
    expect(mark).toBe(`${root}/n\u00e9\u00ff`);
    for (let i = 0; i < 3; i++) expect(folder.mark()).toBe(mark);
    folder.close();
    let deep = files.folder(root);
    for (let i = 0; i < 30; i++) {
      deep.within("d".repeat(200), (at) => files.mkdir(at, 0o755));
      const next = deep.within("d".repeat(200), files.folder);
      deep.close();
      deep = next;
    }
    const asked = vi.spyOn(fs.realpathSync, "native");
    for (let i = 0; i < 9; i++) expect(deep.mark()).toBeUndefined();
    expect(asked).toHaveBeenCalledTimes(1);
    asked.mockRestore();
    deep.within("file", (at) => fs.writeFileSync(at, "deep"));
    expect(text(deep)).toBe("deep");
    deep.close();
    // Node's own function gives such paths whole.
    execFileSync("rm", ["-r", root]);
  });
  it("may be one that nobody may search", () => {
    const one = files.folder(`${root}/one`);
    fs.chmodSync(`${root}/one`, 0);
    const look = () => {
      try {
        return text(one);
      } catch (error) {
        return (error as NodeJS.ErrnoException).code;
      }
    };
    const expected = process.geteuid!() === 0 ? "one" : "EACCES";
    expect([look(), look(), look()]).toEqual([expected, expected, expected]);
    fs.chmodSync(`${root}/one`, 0o755);
    approach(one);
    one.close();
  });
});

describe("a host that was not given the working directory", () => {
  it("lends none", () => {
    expect(nodeHost({ descriptors: [] }).onRun).toBeUndefined();
  });
});
