/** What is known of the command line without its options: the verbs' names, and what goes for a run to which nothing is said. */

const VERBS = ["run", "restart", "checkpoint", "image", "cache", "disasm"] as const;
export type VerbName = (typeof VERBS)[number];

export const isVerb = (word: string): word is VerbName => VERBS.some((verb) => verb === word);

/** The environment's variables that stand for options. */
export const OPTION_VARIABLES = { jitCache: "PPCR_JIT_CACHE", sysroot: "PPCR_SYSROOT" } as const;

/** What options are that are not given, those apart of which there is nothing then. */
export const usualFlags = () => ({
  engine: "jit" as const,
  flavour: "seed" as const,
  dir: [],
  traceOnly: [],
  env: [],
  unsetEnv: [],
});
