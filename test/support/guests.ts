/** The guest programs of guest-bins/, built when they are first wanted and kept in a cache. */
import { realpathSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Built, buildGuests, type Target, type Variant } from "../../guest-bins/build.mjs";

export type { Built, Target, Variant };

/** What building for an ABI needs on PATH. */
export const compilers: Record<Target, string> = {
  ppc32: "powerpc-linux-gnu-gcc",
  ppc64: "powerpc64-linux-gnu-gcc",
  ppc64le: "powerpc64le-linux-gnu-gcc",
};

/** Path of one guest program, built if need be. Rejects when there is no such program or variant. */
export async function guestPath(program: string, target: Target, variant: Variant = "O2"): Promise<string> {
  const [built] = await buildGuests({ only: [program], targets: [target], variants: [variant] });
  if (built === undefined) throw new Error(`${program} has no variant ${variant}`);
  // Without symbolic links, so that a folder that is granted with --dir leads to it.
  return realpathSync(built.path);
}

/** Runs `use` with a fresh, empty directory that is gone afterwards. */
export async function inTemporaryDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "ppcr-test-"));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** How a program is run when it is compared: with which arguments, environment and input. */
export interface GuestCase {
  /** Says what is special about the run; empty for the plain one. */
  label: string;
  args: string[];
  env: Record<string, string>;
  stdin: string;
}

const plain: GuestCase = {
  label: "",
  args: [],
  env: { GUEST_GREETING: "good morning" },
  stdin: "words and 12 numbers 30\nlike -5 or 7th, 0x10\n\tand 99999\nno newline at the end",
};

const special: Record<string, GuestCase[]> = {
  death: [
    plain,
    { ...plain, label: "SIGTERM", args: ["15"] },
    { ...plain, label: "SIGKILL", args: ["9"] },
    { ...plain, label: "SIGCHLD, which is ignored", args: ["17"] },
    { ...plain, label: "SIGSEGV raised", args: ["11"] },
  ],
  environment: [
    plain,
    { ...plain, label: "arguments", args: ["one", "two words", "", "-x"] },
    { ...plain, label: "bare", env: {}, stdin: "" },
  ],
  progress: [{ ...plain, label: "four steps", args: ["4"] }],
  scanf: [plain, { ...plain, label: "empty input", stdin: "" }],
};

/** The runs in which a program is compared with the reference. */
export function guestCases(program: string): GuestCase[] {
  return special[program] ?? [plain];
}
