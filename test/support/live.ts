/** Commands that are still running while the test looks on. */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach } from "vitest";
import { cli, ensureBuilt, surroundings } from "./ppcr.ts";

/** A running command; stdin stays open. One that is still there after its test is ended. */
export class Live {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  /** Exit status, 128 + S after death by signal S. */
  readonly status: Promise<number>;
  private ended = false;

  constructor(program: string, args: readonly string[], options: { cwd?: string; env: NodeJS.ProcessEnv }) {
    this.child = spawn(program, args, options);
    this.child.stdout!.setEncoding("latin1").on("data", (text: string) => {
      this.stdout += text;
    });
    this.child.stderr!.setEncoding("latin1").on("data", (text: string) => {
      this.stderr += text;
    });
    this.child.stdin!.on("error", () => {});
    this.status = new Promise((resolve) =>
      this.child.on("close", (code, signal) => {
        this.ended = true;
        resolve(signal === null ? (code ?? 0) : 128 + constants.signals[signal]);
      }),
    );
    alive.add(this);
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Resolves when `condition` holds or the command has ended: true if it held. */
  async until(condition: () => boolean): Promise<boolean> {
    while (!condition()) {
      if (this.ended) return condition();
      await delay(1);
    }
    return true;
  }

  /** Resolves when stdout matches. Rejects when the process ends before it does. */
  async says(pattern: RegExp): Promise<void> {
    if (!(await this.until(() => pattern.test(this.stdout)))) {
      throw new Error(`it ended before it said ${pattern}: ${this.stdout}${this.stderr}`);
    }
  }

  /** Types keys into stdin. */
  type(keys: string): void {
    this.child.stdin!.write(keys, "latin1");
  }

  /** Ends it at once, if it still runs. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.status;
  }
}

const alive = new Set<Live>();
afterEach(async () => {
  for (const each of alive) await each.kill();
  alive.clear();
});

/** Starts `ppcr` with these arguments, among which may stand what its environment is besides. */
export function startPpcr(...words: readonly (string | { env: Record<string, string> })[]): Live {
  ensureBuilt();
  const args = words.filter((word) => typeof word === "string");
  const extra = words.find((word) => typeof word !== "string")?.env;
  return new Live(process.execPath, [cli, ...args], { env: { ...surroundings, ...extra } });
}

/**
 * Starts a shell command at a pseudo-terminal, which util-linux's script(1) makes. Its stdout is what the terminal shows, echo included; lines
 * end in CR and LF there. The shell is always /bin/sh, whatever SHELL says, and lives through ^C: some end by it even when their command didn't.
 */
export function startAtTerminal(command: string, cwd?: string): Live {
  ensureBuilt();
  const env = { ...process.env, SHELL: "/bin/sh" };
  return new Live("script", ["-qefc", `trap : INT; ${command}`, "/dev/null"], { cwd, env });
}
