/** Folders that are listed again: what is in them is not looked at once more as long as their times are what they were, and long past. */
import fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HostFolder } from "../../../emu/host/host.ts";
import { filesByName } from "../../../emu/host/node/files.ts";
import { nodeHost } from "../../../emu/host/node/index.ts";
import { O_DIRECTORY } from "../../../emu/linux/vfs/constants.ts";
import { LISTING_SETTLED } from "../../../emu/tuning.ts";
import { type Guest, makeFolders, makeGuest } from "./harness.ts";

let folders: ReturnType<typeof makeFolders>;
let guest: Guest;
/** By how much the host's clock is ahead of the times of files: what has just been made is old. */
let ahead: bigint;
let listed: number;

beforeEach(() => {
  folders = makeFolders();
  fs.mkdirSync(`${folders.granted}/sub/below`, { recursive: true });
  fs.writeFileSync(`${folders.granted}/sub/one`, "");
  fs.symlinkSync("one", `${folders.granted}/sub/link`);
  ahead = 2n * LISTING_SETTLED;
  listed = 0;
  const { files, clock } = nodeHost({ descriptors: [] });
  const counted = (folder: HostFolder): HostFolder => {
    const { entries } = folder;
    const count = () => {
      listed++;
      return entries.call(folder);
    };
    return Object.assign(folder, { entries: count });
  };
  guest = makeGuest({
    mounts: [{ host: folders.granted, guest: "/area", readOnly: false }],
    cwd: "/area",
    host: {
      files: { ...files, folder: (path) => counted(files.folder(path)) },
      clock: { ...clock, realtime: () => clock.realtime() + ahead },
    },
  });
});
afterEach(() => folders.clean());

/** Names in /area/sub with their kinds, each of which has the number that stat(2) tells. */
function list(): string[] {
  const file = guest.files.open(-100, "/area/sub", O_DIRECTORY, 0);
  const entries = file.entries().filter(({ name }) => !name.startsWith("."));
  for (const { name, ino } of entries)
    expect(ino).toBe(fs.lstatSync(`${folders.granted}/sub/${name}`, { bigint: true }).ino);
  file.close();
  return entries.map(({ name, kind }) => `${name} ${kind}`);
}
/** Waits till the clock of the file system shows another time than the folder, as it does some hundred times a second. */
function tick(): void {
  const { ctimeNs } = fs.statSync(`${folders.granted}/sub`, { bigint: true });
  const clock = `${folders.outside}/clock`;
  do fs.writeFileSync(clock, "");
  while (fs.statSync(clock, { bigint: true }).ctimeNs === ctimeNs);
}
const ALL = ["below directory", "link symlink", "one file"];

describe("a folder that is listed again", () => {
  it("is looked through once", () => {
    for (let i = 0; i < 3; i++) expect(list()).toEqual(ALL);
    expect(listed).toBe(1);
  });
  it("is looked through again where something has come, gone or been replaced", () => {
    const file = (name: string) => `${folders.granted}/sub/${name}`;
    const changes: [() => void, string[]][] = [
      [() => fs.writeFileSync(file("new"), ""), ["below directory", "link symlink", "new file", "one file"]],
      [() => fs.renameSync(file("new"), file("one")), ALL],
      [() => fs.unlinkSync(file("link")), ["below directory", "one file"]],
      [() => fs.linkSync(file("one"), file("link")), ["below directory", "link file", "one file"]],
      [() => fs.rmdirSync(file("below")), ["link file", "one file"]],
    ];
    list();
    for (const [change, after] of changes) {
      tick();
      change();
      expect(list()).toEqual(after);
    }
    expect(listed).toBe(1 + changes.length);
  });
  it("is looked through each time while it may be changed without another time to show", () => {
    ahead = 0n;
    for (let i = 0; i < 3; i++) expect(list()).toEqual(ALL);
    expect(listed).toBe(3);
    fs.writeFileSync(`${folders.granted}/sub/new`, "");
    expect(list()).toContain("new file");
  });
  it("is not what it was where a date was set back", () => {
    fs.utimesSync(`${folders.granted}/sub`, 1000, 1000);
    list();
    tick();
    fs.writeFileSync(`${folders.granted}/sub/new`, "");
    fs.utimesSync(`${folders.granted}/sub`, 1000, 1000);
    expect(list()).toContain("new file");
  });
  it("has in it what the guest has put there", () => {
    list();
    expect(guest.call("mkdir", "/area/sub/mine", 0o755)).toBe(0);
    expect(list()).toContain("mine directory");
    expect(guest.call("mknod", "/area/sub/pipe", 0o10644, 0)).toBe(0);
    expect(list()).toContain("pipe fifo");
    expect(list()).toContain("pipe fifo");
    expect(guest.call("rmdir", "/area/sub/mine")).toBe(0);
    expect(list()).not.toContain("mine directory");
  });
});

describe("what is in a folder", () => {
  it("is the same on a host that knows files by their names only", () => {
    const folder = filesByName.folder(fs.realpathSync(`${folders.granted}/sub`));
    const entries = folder.entries().map(({ name, kind }) => `${name} ${kind}`);
    expect(entries.sort()).toEqual(ALL);
    folder.close();
  });
});
