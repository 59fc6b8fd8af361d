/**
 * What `npm start` shows: a real ppc64 program runs, is frozen half way, and goes on in a new process; then checks
 * that nobody could tell, by output, exit status, instruction count and digests, from a run without interruption.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const command = join(root, "dist", "bin", "ppcr.cjs");
const program = join(root, "guest-bins", "built", "progress-ppc64");
const colour = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;

interface Stats {
  instructions: number;
  seconds: number;
  exit_status: number;
  registers_sha256: string;
  memory_sha256: string;
}

const bold = (text: string): string => (colour ? `\x1b[1m${text}\x1b[0m` : text);
const number = (value: number): string => value.toLocaleString("en");

function say(text = ""): void {
  process.stdout.write(`${text}\n`);
}

/** Runs the command; the guest's lines are shown as they come, indented, and returned. */
function ppcr(args: readonly string[], show: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [command, ...args], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    let messages = "";
    let shown = 0;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      for (let end = output.indexOf("\n", shown); show && end >= 0; end = output.indexOf("\n", shown)) {
        say(`    ${output.slice(shown, end)}`);
        shown = end + 1;
      }
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      messages += text;
    });
    child.on("error", reject);
    child.on("close", (status, signal) => {
      if (status === 0) resolve(output);
      else
        reject(new Error(`ppcr ${args.join(" ")} ended with ${signal ?? `status ${status}`}\n${messages}`));
    });
  });
}

async function demo(directory: string): Promise<boolean> {
  const statsFile = join(directory, "stats.json");
  const image = join(directory, "progress.image");
  const stats = (): Stats => JSON.parse(readFileSync(statsFile, "utf8")) as Stats;
  const guest = ["--seed", "1"];

  say(bold("1. A ppc64 Linux program runs from start to end, to know what to expect"));
  const whole = await ppcr(["run", ...guest, `--stats=${statsFile}`, "--", program], false);
  const expected = stats();
  const half = Math.floor(expected.instructions / 2);
  say(`   ${number(expected.instructions)} instructions in ${expected.seconds.toFixed(2)} s`);
  say();

  say(bold(`2. It runs again and is frozen after exactly ${number(half)} instructions`));
  const freeze = ["--checkpoint-at", String(half), "-o", image];
  const before = await ppcr(["run", ...guest, ...freeze, "--", program], true);
  say(`   frozen: the process is gone, its image has ${number(statSync(image).size)} bytes`);
  say();

  say(bold("3. A new process thaws the image and goes on"));
  const after = await ppcr(["restart", `--stats=${statsFile}`, image], true);
  const actual = stats();
  say();

  say(bold("4. Compared with the run without interruption"));
  const checks: [string, boolean][] = [
    ["output, line by line", before + after === whole && before !== "" && after !== ""],
    ["exit status", actual.exit_status === expected.exit_status],
    [`instructions, ${number(actual.instructions)}`, actual.instructions === expected.instructions],
    [
      `registers at the end, ${actual.registers_sha256.slice(0, 16)}…`,
      actual.registers_sha256 === expected.registers_sha256,
    ],
    [
      `memory at the end, ${actual.memory_sha256.slice(0, 16)}…`,
      actual.memory_sha256 === expected.memory_sha256,
    ],
  ];
  for (const [what, same] of checks) say(`   ${same ? "same" : "DIFFERENT"}  ${what}`);
  return checks.every(([, same]) => same);
}

const directory = mkdtempSync(join(tmpdir(), "ppcr-demo-"));
try {
  process.exitCode = (await demo(directory)) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
