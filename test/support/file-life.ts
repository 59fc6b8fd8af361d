/**
 * Random lives of files: a list of operations, done by one program on the host itself and in a machine that is frozen and thawed in
 * between. What the two say must be the same.
 */
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultMounts } from "../../emu/machine.ts";
import { compilers, type Target } from "./guests.ts";
import { freeze, load, type Subject, thaw } from "./machine.ts";
import { requireTool } from "./tools.ts";

/**
 * Where a life begins in the folder that is its own. By a name with "..", and by a symlink to one in the folder above, it climbs a level at a
 * time: so far up that none gets out. `file-ops.c` counts the levels.
 */
const HOME = "3/2/1/home";

const SOURCE = join(dirname(fileURLToPath(import.meta.url)), "file-ops.c");

/** Numbers from 0 up to `below`, the same for the same seed (mulberry32). */
export function seeded(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

type Random = (below: number) => number;

const NAMES = ["a", "b", "c", "d", "e", "d/a", "d/b", "e/a", "d/d", "../a", "../d", ".", "l", "d/.."];
const FLAGS = ["r", "rw", "w", "rwc", "wc", "rwcx", "rwt", "wa", "rwca", "rd", "p", "pd", "pn", "rwc", "rwc"];

/** One operation as `file-ops.c` reads it: name, two numbers, two words. */
function operation(random: Random): string {
  const pick = (from: readonly string[]): string => from[random(from.length)];
  const name = () => pick(NAMES);
  const slot = random(6);
  const at = () => (random(4) === 0 ? random(6) : -1);
  const offset = () => [0, 1, 100, 4095, 4096, 5000, 9000][random(7)];
  const kinds: readonly [number, () => string][] = [
    [14, () => `open ${slot} ${at()} ${name()} ${pick(FLAGS)}`],
    [3, () => `again ${slot} ${random(6)} - ${pick(FLAGS)}`],
    [3, () => `close ${slot} 0`],
    [7, () => `write ${slot} 0 ${pick(["hello", "x", "longer_text_than_that"])}`],
    [6, () => `pwrite ${slot} ${offset()} ${pick(["HELLO", "y", "0123456789"])}`],
    [4, () => `read ${slot} ${1 + random(30)}`],
    [6, () => `pread ${slot} ${offset()}`],
    [3, () => `seek ${slot} ${offset()} ${random(3)}`],
    [3, () => `cut ${slot} ${offset()}`],
    [2, () => `truncate 0 ${offset()} ${name()}`],
    [8, () => `map ${slot} ${random(4)} ${pick(["s", "p"])}`],
    [2, () => `unmap ${random(4)} 0`],
    [10, () => `touch ${random(4)} ${offset()} ${pick(["-", "-", "M", "N"])}`],
    [5, () => `link 0 ${at()} ${name()} ${name()}`],
    [9, () => `rename 0 ${at()} ${name()} ${name()}`],
    [10, () => `unlink 0 ${at()} ${name()}`],
    [7, () => `mkdir 0 ${at()} ${name()}`],
    [6, () => `rmdir 0 ${at()} ${name()}`],
    [2, () => `symlink 0 ${at()} ${name()} ${pick(["a", "d", "../a", "e/a", "nothing"])}`],
    [4, () => `chdir 0 0 ${name()}`],
    [3, () => `fchdir ${slot} 0`],
    [2, () => `chmod ${slot} ${[0o600, 0o644, 0o4755, 0o2755, 0o6745][random(5)]}`],
    [4, () => "cwd 0 0"],
    [8, () => `fstat ${slot} 0`],
    [2, () => `text ${slot} 0`],
    [6, () => `stat 0 ${at()} ${name()} ${pick(["-", "l"])}`],
    [5, () => `list 0 ${at()}`],
    [5, () => `name ${slot} 0`],
  ];
  let place = random(kinds.reduce((sum, [weight]) => sum + weight, 0));
  for (const [weight, make] of kinds) {
    if (place < weight) return make();
    place -= weight;
  }
  throw new Error("unreachable");
}

/** A life of `count` operations. */
export const life = (random: Random, count: number): string[] =>
  Array.from({ length: count }, () => operation(random));

/** Whom to be where root may do what guests may not: nobody. */
const withoutRoot = () => (process.geteuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined);

/** The program for the host and for guests, and folders for its files. */
export class FileLife {
  private readonly folder = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), "ppcr-file-life-")));
  private readonly programs = new Map<string, string>();
  /** How often a machine has been frozen and thawed. */
  thaws = 0;

  private program(compiler: string): string {
    let path = this.programs.get(compiler);
    if (path === undefined) {
      path = join(this.folder, compiler);
      execFileSync(requireTool(compiler), ["-O1", "-static", "-w", "-o", path, SOURCE]);
      this.programs.set(compiler, path);
    }
    return path;
  }

  constructor() {
    fs.chmodSync(this.folder, 0o755);
  }

  private area(): string {
    const area = fs.mkdtempSync(join(this.folder, "area-"));
    fs.mkdirSync(join(area, HOME), { recursive: true });
    return area;
  }

  /** What the host's own kernel makes of it. */
  native(operations: readonly string[]): string {
    const area = this.area();
    const program = this.program("gcc");
    const user = withoutRoot();
    if (user !== undefined) {
      for (let path = join(area, HOME); path !== this.folder; path = dirname(path)) {
        fs.chownSync(path, user.uid, user.gid);
      }
    }
    const { stdout } = spawnSync(program, [operations.join("\n")], {
      cwd: join(area, HOME),
      encoding: "latin1",
      ...user,
    });
    fs.rmSync(area, { recursive: true });
    return stdout;
  }

  /** What a machine makes of it that is frozen and thawed after every so many instructions, as `random` has it. */
  async guest(operations: readonly string[], target: Target, random: Random): Promise<string> {
    const area = this.area();
    const program = this.program(compilers[target]);
    const mounts = defaultMounts({ program, cwd: area });
    let subject: Subject = load(program, {
      mounts,
      args: [operations.join("\n")],
      cwd: join(area, HOME),
      seed: 1n,
    });
    let said = "";
    try {
      for (;;) {
        const step = BigInt([300, 3_000, 10_000, 40_000][random(4)] + random(500));
        const { reason } = await subject.machine.run(subject.machine.instructions + step);
        if (reason !== "limit") return said + subject.host.stdout.text;
        if (!subject.host.stdout.text.includes("\n")) continue;
        const image = freeze(subject);
        subject.machine.close();
        said += subject.host.stdout.text;
        subject = thaw(image, { mounts });
        this.thaws++;
      }
    } catch (error) {
      return `${said}${subject.host.stdout.text}\n${(error as Error).message}`;
    } finally {
      subject.machine.close();
      fs.rmSync(area, { recursive: true, force: true });
    }
  }

  close(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The first line in which two outputs differ, with the one before; undefined where they are the same but for process ids. */
export function difference(native: string, guest: string): string | undefined {
  const [one, other] = [native, guest].map((text) => text.replace(/\/proc\/\d+/g, "/proc/PID").split("\n"));
  if (one.join() === other.join()) return undefined;
  const at = one.findIndex((line, index) => line !== other[index]);
  const line = at < 0 ? one.length : at;
  return `host: ${one[line]}\nguest: ${other.slice(line, line + 5).join(" / ")}`;
}
