/** Translated code that is kept for later runs: it changes nothing but the time, and nobody else's is taken. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { inTemporaryDirectory } from "../support/guests.ts";
import { cli, ppcr, root, surroundings } from "../support/ppcr.ts";
import { runProcess } from "../support/process.ts";

const progress = join(root, "guest-bins", "built", "progress-ppc64");
/** Beside the working directory: the guest may write there. */
const CACHE = "../cache";

const inWorkingDirectory = <T>(work: (cwd: string) => Promise<T>): Promise<T> =>
  inTemporaryDirectory((folder) => {
    const cwd = join(folder, "work");
    mkdirSync(cwd);
    return work(cwd);
  });

/** What a run tells: everything that must be the same, and what the translator did. */
async function run(cwd: string, cache = CACHE) {
  const image = join(cwd, "image");
  const flags = ["--seed", "3", "--checkpoint-at", "9000000", "-o", image, "--leave-running"];
  const all = ["run", "--jit-cache", cache, "--stats=stats.json", ...flags, progress, "10"];
  const { status, stdout } = await ppcr(all, { cwd });
  const stats = JSON.parse(readFileSync(join(cwd, "stats.json"), "utf8"));
  const { units, reused, reusedOptimised } = stats.jit;
  const state = [stats.instructions, stats.registers_sha256, stats.memory_sha256];
  return { same: { status, stdout, state, image: readFileSync(image) }, units, reused, reusedOptimised };
}

const files = (cwd: string) => readdirSync(join(cwd, CACHE)).map((name) => join(cwd, CACHE, name));

describe("the cache of translated code", () => {
  it("changes nothing that a program or an image shows", async () => {
    await inWorkingDirectory(async (cwd) => {
      const off = await run(cwd, "off");
      const cold = await run(cwd);
      const warm = await run(cwd);
      expect(off.units).toBeGreaterThan(0);
      expect(cold.units).toBe(off.units);
      expect([cold.reused, off.reused]).toEqual([0, 0]);
      expect(warm.units).toBe(0);
      expect(warm.reused).toBe(cold.units);
      expect(cold.same).toEqual(off.same);
      expect(warm.same).toEqual(off.same);
    });
  });

  it("is the user's alone, and shown and cleared by its verbs", async () => {
    await inWorkingDirectory(async (cwd) => {
      await run(cwd);
      expect(statSync(join(cwd, CACHE)).mode & 0o777).toBe(0o700);
      expect(files(cwd).map((path) => statSync(path).mode & 0o777)).toEqual([0o600]);
      const show = async () =>
        JSON.parse((await ppcr(["cache", "show", "--json", "--jit-cache", CACHE], { cwd })).stdout);
      const shown = await show();
      expect(shown.programs).toEqual([
        { program: progress, bytes: shown.bytes, used: expect.any(String), current: true },
      ]);
      const text = (await ppcr(["cache", "show", "--jit-cache", CACHE], { cwd })).stdout;
      expect(text).toContain(progress);
      // Looking at it is no use of it, by which what was used least lately goes first.
      expect((await show()).programs).toEqual(shown.programs);
      expect((await ppcr(["cache", "clear", "--jit-cache", CACHE], { cwd })).status).toBe(0);
      expect(files(cwd)).toEqual([]);
      expect((await show()).programs).toEqual([]);
    });
  });

  it("is written however long ago V8 has dropped the code that does it", async () => {
    await inWorkingDirectory(async (cwd) => {
      // Dropped at each collection of garbage, as otherwise after some without a call.
      const flags = ["--stress-flush-code", "--gc-interval=2000"];
      // The first run has something to keep, the second takes it and has more.
      for (const steps of ["10", "200"]) {
        const args = [...flags, cli, "run", "--jit-cache", CACHE, progress, steps];
        const { status, stderr } = await runProcess(process.execPath, { args, cwd, env: surroundings });
        expect([status, stderr]).toEqual([0, ""]);
      }
    });
  });

  it("serves a program that is thawed, too", async () => {
    await inWorkingDirectory(async (cwd) => {
      await run(cwd);
      const flags = ["--jit-cache", CACHE, "--stats=stats.json", "--dir", dirname(progress)];
      expect((await ppcr(["restart", ...flags, "image"], { cwd })).status).toBe(0);
      const { units, reused } = JSON.parse(readFileSync(join(cwd, "stats.json"), "utf8")).jit;
      expect([units, reused > 0]).toEqual([0, true]);
    });
  });

  it("ignores what is damaged, cut or of another version, and replaces it", async () => {
    await inWorkingDirectory(async (cwd) => {
      const { same } = await run(cwd);
      const [path] = files(cwd);
      const sound = readFileSync(path);
      const start = sound.indexOf("\n") + 1;
      const flipped = (at: number) => {
        const bytes = Buffer.from(sound);
        bytes[at] ^= 1;
        return bytes;
      };
      const header = JSON.parse(sound.subarray(0, start).toString());
      const foreign = `${JSON.stringify({ ...header, identity: "another" })}\n`;
      for (const damaged of [
        flipped(start + 40),
        flipped(sound.length - 9),
        sound.subarray(0, sound.length - 100),
        sound.subarray(0, 30),
        Buffer.concat([Buffer.from(foreign), sound.subarray(start)]),
      ]) {
        writeFileSync(path, damaged);
        const again = await run(cwd);
        expect(again.reused).toBe(0);
        expect(again.units).toBeGreaterThan(0);
        expect(again.same).toEqual(same);
        expect((await run(cwd)).reused).toBeGreaterThan(0);
      }
    });
  });

  it("takes nothing from where others may write", async () => {
    await inWorkingDirectory(async (cwd) => {
      await run(cwd);
      const [path] = files(cwd);
      chmodSync(path, 0o622);
      expect((await run(cwd)).reused).toBe(0);
      expect((await run(cwd)).reused).toBeGreaterThan(0);
      chmodSync(join(cwd, CACHE), 0o777);
      expect((await run(cwd)).reused).toBe(0);
    });
  });

  it("does without a folder that can't be had", async () => {
    await inWorkingDirectory(async (cwd) => {
      writeFileSync(join(cwd, "../file"), "");
      for (const cache of ["../file", "../file/below", "/proc/1/nothing"]) {
        const { same, units } = await run(cwd, cache);
        expect(same.status).toBe(0);
        expect(units).toBeGreaterThan(0);
      }
    });
  });

  it("is out of the guest's reach", async () => {
    await inTemporaryDirectory(async (home) => {
      const inside = ["cache", "link/cache", "."];
      symlinkSync(".", join(home, "link"));
      for (const cache of inside) {
        const { status, stderr } = await ppcr(["run", "--jit-cache", cache, progress, "1"], { cwd: home });
        expect([status, stderr]).toEqual([125, expect.stringContaining("where the program may write")]);
      }
      mkdirSync(join(home, "work"));
      const cwd = join(home, "work");
      const env = { HOME: home, PPCR_JIT_CACHE: "" };
      const kept = () => existsSync(join(home, ".cache", "ppcr"));
      expect((await ppcr(["run", progress, "1"], { cwd: home, env })).status).toBe(0);
      expect((await ppcr(["run", "--dir", home, progress, "1"], { cwd, env })).status).toBe(0);
      expect(kept()).toBe(false);
      expect((await ppcr(["run", "--dir", `${home}:/home:ro`, progress, "10"], { cwd, env })).status).toBe(0);
      expect(kept()).toBe(true);
    });
  });
});
