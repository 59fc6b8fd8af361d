/** A reader of an image's file sees the old image or the whole new one, whatever happens to the writer. */
import { spawn, spawnSync } from "node:child_process";
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { writeAtomically } from "../../cli/atomic-file.ts";
import { inTemporaryDirectory } from "../support/guests.ts";
import { ensureBuilt, root } from "../support/ppcr.ts";

it("keeps the old file and no other when the disk is full", async () => {
  await inTemporaryDirectory(async (folder) => {
    const small = join(folder, "small");
    mkdirSync(small);
    // Only root can mount a disk of a known size; elsewhere the sink itself refuses.
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=256k", "ppcr-test", small]).status === 0;
    try {
      const image = join(small, "image");
      writeFileSync(image, "old");
      const write = () =>
        writeAtomically(image, (sink) => {
          for (let piece = 0; piece < 8; piece++) sink.write(new Uint8Array(65536));
          if (!mounted) throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
        });
      await expect(write()).rejects.toThrow(/ENOSPC/);
      expect(readFileSync(image, "utf8")).toBe("old");
      expect(readdirSync(small)).toEqual(["image"]);
    } finally {
      if (mounted) spawnSync("umount", [small]);
    }
  });
});

it("keeps the old file when the writer is killed in the middle", async () => {
  ensureBuilt();
  await inTemporaryDirectory(async (folder) => {
    const image = join(folder, "image");
    writeFileSync(image, "old");
    const module = pathToFileURL(join(root, "dist", "cli", "atomic-file.js")).href;
    const script = `
      import { writeAtomically } from ${JSON.stringify(module)};
      writeAtomically(${JSON.stringify(image)}, (sink) => {
        sink.write(new Uint8Array(100000));
        process.kill(process.pid, "SIGKILL");
        for (;;) sink.write(new Uint8Array(0));
      });`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
    const signal = await new Promise((resolve) => child.on("exit", (_, signal) => resolve(signal)));
    expect(signal).toBe("SIGKILL");
    expect(readFileSync(image, "utf8")).toBe("old");
    // What is left of the new one is hidden, nobody else can read it, and it is in nobody's way.
    const [left, ...others] = readdirSync(folder).filter((name) => name !== "image");
    expect(others).toEqual([]);
    expect(left).toMatch(/^\.image\..*\.tmp$/);
    expect(statSync(join(folder, left)).mode & 0o777).toBe(0o600);
    await writeAtomically(image, (sink) => sink.write(Buffer.from("new")));
    expect(readFileSync(image, "utf8")).toBe("new");
  });
});

it("is readable by its owner alone, and leaves nothing behind", async () => {
  await inTemporaryDirectory(async (folder) => {
    const image = join(folder, "image");
    writeFileSync(image, "old", { mode: 0o644 });
    await writeAtomically(image, (sink) => sink.write(Buffer.from("new")));
    expect(readFileSync(image, "utf8")).toBe("new");
    expect(readdirSync(folder)).toEqual(["image"]);
    expect(statSync(image).mode & 0o777).toBe(0o600);
  });
});

it("leaves a symbolic link in place and replaces the file behind it, also where there is none yet", async () => {
  await inTemporaryDirectory(async (folder) => {
    mkdirSync(join(folder, "elsewhere"));
    for (const there of [true, false]) {
      const name = there ? "old" : "none-yet";
      const file = join(folder, "elsewhere", name);
      const link = join(folder, `link-to-${name}`);
      if (there) writeFileSync(file, "old");
      symlinkSync(`elsewhere/${name}`, link);
      await writeAtomically(link, (sink) => sink.write(Buffer.from("new")));
      expect(readlinkSync(link)).toBe(`elsewhere/${name}`);
      expect(readFileSync(file, "utf8")).toBe("new");
    }
    expect(readdirSync(join(folder, "elsewhere"))).toEqual(["none-yet", "old"]);
  });
});

it("writes to a device or a named pipe and does not put a file in its place", async () => {
  await inTemporaryDirectory(async (folder) => {
    const pipe = join(folder, "pipe");
    expect(spawnSync("mkfifo", [pipe]).status).toBe(0);
    const reader = spawn("cat", [pipe]);
    let text = "";
    reader.stdout.on("data", (chunk) => {
      text += chunk;
    });
    await writeAtomically(pipe, (sink) => sink.write(Buffer.from("through the pipe")));
    await new Promise((resolve) => reader.on("close", resolve));
    expect(text).toBe("through the pipe");
    expect(lstatSync(pipe).isFIFO()).toBe(true);
    expect(readdirSync(folder)).toEqual(["pipe"]);
    if (process.platform !== "linux") return;
    // Through a link, for this must not end with a file as the system's /dev/full.
    const full = join(folder, "full");
    symlinkSync("/dev/full", full);
    await expect(writeAtomically(full, (sink) => sink.write(Buffer.from("x")))).rejects.toThrow(/ENOSPC/);
    expect(lstatSync("/dev/full").isCharacterDevice()).toBe(true);
  });
});

it("takes names as long as a folder's entries can be", async () => {
  await inTemporaryDirectory(async (folder) => {
    const image = join(folder, "n".repeat(255));
    await writeAtomically(image, (sink) => sink.write(Buffer.from("new")));
    expect(readFileSync(image, "utf8")).toBe("new");
  });
});
