/** Runs a program of the host to its end and collects what it said. */
import { spawn } from "node:child_process";
import { constants } from "node:os";

export interface RunOptions {
  args?: readonly string[];
  stdin?: string | Uint8Array;
  cwd?: string;
  /** The whole environment of the process. */
  env?: Record<string, string>;
  /** Milliseconds until it is killed and the run fails; 60 000 unless given. */
  timeout?: number;
}

export interface Run {
  /** One character a byte (latin1), so that nothing is lost. */
  stdout: string;
  stderr: string;
  /** Exit status, 128 + S after death by signal S: as a shell has it. */
  status: number;
}

/** Rejects when the program cannot be started or does not end in time. */
export function runProcess(program: string, options: RunOptions = {}): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, options.args ?? [], { cwd: options.cwd, env: options.env ?? {} });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, options.timeout ?? 60_000);
    child.stdout.on("data", (bytes: Buffer) => stdout.push(bytes));
    child.stderr.on("data", (bytes: Buffer) => stderr.push(bytes));
    child.stdin.on("error", () => {}); // a program may end without reading its input
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const run = {
        stdout: Buffer.concat(stdout).toString("latin1"),
        stderr: Buffer.concat(stderr).toString("latin1"),
        status: signal === null ? (code ?? 0) : 128 + constants.signals[signal],
      };
      if (late) {
        const tail = `${run.stdout.slice(-300)}${run.stderr.slice(-300)}`;
        reject(new Error(`${program} ${options.args?.join(" ") ?? ""} did not end in time: ${tail}`));
      } else resolve(run);
    });
    child.stdin.end(options.stdin ?? "");
  });
}
