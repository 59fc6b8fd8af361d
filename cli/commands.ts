/** The verbs of the command with their options. A run that has none of these does without (`main.ts`): they take as long as a tenth of a short run. */
import { readFileSync } from "node:fs";
import { Command, CommanderError, Option } from "commander";
import { EXIT_FAILURE, print, say } from "./failure.ts";
import { clearCache, showCache } from "./jit-cache.ts";
import {
  addImageOptions,
  addMachineOptions,
  jitCacheOption,
  parseCount,
  parseFile,
  parseName,
  parseSize,
  parseUser,
  parseVariable,
  Verb,
} from "./options.ts";
import { run } from "./run.ts";
import { endAs } from "./status.ts";
import { isVerb, usualFlags, type VerbName } from "./usual.ts";

/** What package.json says of the command's version. */
function version(): string {
  const about = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(about) as { version: string }).version;
}

/** Help goes to standard output, complaints of options are ppcr's own messages. */
const output = {
  writeOut: print,
  outputError: (text: string) =>
    say(
      `${text
        .replace(/^error: /, "")
        .trim()
        .replace(/\s*\n/g, " ")
        .replace(/\.$/, "")}; see 'ppcr help'`,
    ),
};

const USUAL = usualFlags();

const program = new Command("ppcr")
  .configureOutput(output)
  .description("Runs PowerPC Linux programs, and freezes and thaws them at any instruction.")
  .exitOverride()
  .enablePositionalOptions();

/** A verb of the command, or of one of its verbs. */
const verb = (command: Command): Command => command.exitOverride().configureOutput(output);

/** The verbs. A run makes the one that it is about: they have a hundred options. */
const VERBS: Readonly<Record<VerbName, () => Command>> = {
  run: () =>
    addMachineOptions(new Verb("run"))
      .description("run a PowerPC Linux program")
      .usage("[options] [--] <program> [args...]")
      .argument("[program]", "a ppc32 or ppc64 ELF executable")
      .argument("[args...]", "its arguments")
      .option(
        "-E, --env <name[=value]>",
        "pass a variable to the guest, or set one",
        parseVariable,
        USUAL.env,
      )
      .option("-U, --unset-env <name>", "keep a variable from the guest", parseName, USUAL.unsetEnv)
      .option("--inherit-env", "pass all of ppcr's environment, and not only what is usual and harmless")
      .option("--clear-env", "pass nothing of it")
      .option("-0, --argv0 <name>", "argv[0] of the guest")
      .option("-r, --release <release>", "what uname says the kernel's release is")
      .option("-s, --stack <size>", "limit of the stack's size", parseSize)
      .option(
        "--user <uid[:gid]>",
        "user and group that the guest is to itself; 0 has every capability (default: 1000:1000)",
        parseUser,
      )
      .option("--seed <n>", "deterministic: virtual clock, seeded random numbers", parseCount)
      .option("--cpu <model>", "CPU model; '--cpu help' lists them")
      .passThroughOptions()
      .action(async (path: string | undefined, args: string[], flags) => {
        endAs(await run(path, args, flags));
      }),

  restart: () =>
    addMachineOptions(new Verb("restart"))
      .description("thaw a frozen program and go on from there")
      .argument("<image>", "a checkpoint image; '-' is standard input")
      .addOption(
        new Option(
          "--on-changed <what>",
          "what to do about files that are not what they were when it was frozen",
        )
          .choices(["fail", "warn", "ignore"])
          .default("fail"),
      )
      .action(async (path: string, flags) => {
        const { restart } = await import("./restart.ts");
        endAs(await restart(path, flags));
      }),

  checkpoint: () =>
    addImageOptions(
      new Command("checkpoint")
        .description("freeze the guest of a running ppcr")
        .argument("<pid>", "process id of that ppcr", parseCount)
        .requiredOption("-o, --output <image>", "the image to write; '-' is standard output", parseFile)
        .option("--leave-running", "let the guest go on"),
    ).action(async (pid: bigint, flags) => {
      const { checkpoint } = await import("./checkpoint.ts");
      await checkpoint(Number(pid), flags);
    }),

  image() {
    const image = new Command("image").description("look into checkpoint images");
    for (const [name, description] of [
      ["show", "print what an image holds"],
      ["check", "find out whether an image is sound"],
    ]) {
      const command = new Command(name)
        .description(description)
        .argument("<image>", "a checkpoint image; '-' is standard input")
        .option("--json", "print JSON")
        .option("--strict", "also demand what the 2009 kernel demanded")
        .action(async (path: string, flags) => {
          const { showImage, checkImage } = await import("./image.ts");
          process.exitCode = name === "show" ? showImage(path, flags) : checkImage(path, flags);
        });
      image.addCommand(verb(command));
    }
    return image;
  },

  cache: () =>
    new Command("cache")
      .description("look after translated code that is kept for later runs")
      .addCommand(
        verb(
          new Command("show")
            .description("print what is kept")
            .addOption(jitCacheOption())
            .option("--json", "print JSON")
            .action(async (flags: { jitCache?: string; json?: boolean }) => {
              showCache(flags.jitCache, flags.json === true);
            }),
        ),
      )
      .addCommand(
        verb(
          new Command("clear")
            .description("remove all of it")
            .addOption(jitCacheOption())
            .action(async (flags: { jitCache?: string }) => {
              clearCache(flags.jitCache);
            }),
        ),
      ),

  disasm: () =>
    new Command("disasm")
      .description("print the instructions of a PowerPC ELF file, as objdump -d does")
      .argument("<file>", "an ELF file")
      .action(async (path: string) => {
        const { disasm } = await import("./disasm.ts");
        disasm(path);
      }),
};

/** The command as far as it is about `words`: one verb, or all where they have none. */
function commandFor([first = ""]: readonly string[]): Command {
  if (isVerb(first)) return program.addCommand(verb(VERBS[first]()));
  for (const make of Object.values(VERBS)) program.addCommand(verb(make()));
  return program.version(version());
}

/** Does what the words of a command line say. */
export async function obey(words: readonly string[]): Promise<void> {
  try {
    await commandFor(words).parseAsync(words, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_FAILURE;
  }
}
