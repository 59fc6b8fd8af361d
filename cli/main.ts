/** The command `ppcr`. Verbs are in files of their own, and their options in `commands.ts`. */
import { existsSync } from "node:fs";
import { describeSystemError, EXIT_FAILURE, Failure, say } from "./failure.ts";
import { run } from "./run.ts";
import { endAs } from "./status.ts";
import { commandWords } from "./surroundings.ts";
import { isVerb, OPTION_VARIABLES, usualFlags } from "./usual.ts";

/** For whoever loads more of the command. */
export { withPlainFlags } from "./engine-flags.ts";

/** Words that go to the command itself, though no verb is among them. */
const OWN = ["-h", "--help", "-V", "--version", "help"];

/** The words with the verb that goes without saying: options, or a path, mean `run`. */
function withVerb(words: readonly string[]): readonly string[] {
  const [first] = words;
  if (first === undefined || OWN.includes(first) || isVerb(first)) return words;
  return first.startsWith("-") || first.includes("/") || existsSync(first) ? ["run", ...words] : words;
}

/** The program and its arguments where the words are a run without options; undefined where they are anything else. */
function plainRun([verb, program, ...args]: readonly string[]): [string, string[]] | undefined {
  if (verb !== "run" || program === undefined || program.startsWith("-")) return undefined;
  return Object.values(OPTION_VARIABLES).some((name) => name in process.env) ? undefined : [program, args];
}

/** Ends with the guest's or the verb's status once everything written has gone out. */
export async function main(): Promise<void> {
  try {
    const words = withVerb(commandWords());
    const plain = plainRun(words);
    if (plain !== undefined) endAs(await run(...plain, usualFlags()));
    else await (await import("./commands.ts")).obey(words);
  } catch (error) {
    if (error instanceof Failure) {
      say(error.message);
      process.exitCode = error.status;
    } else if ((error as NodeJS.ErrnoException).syscall !== undefined) {
      say(describeSystemError(error));
      process.exitCode = EXIT_FAILURE;
    } else {
      say(`internal error, please report it: ${(error as Error).stack ?? error}`);
      process.exitCode = EXIT_FAILURE;
    }
  }
}
