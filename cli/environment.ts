/** Which variables of ppcr's environment the guest gets. Images carry the environment, and people attach images to reports. */
import { hostEnvironment, splitVariable } from "./surroundings.ts";

/** What programs need to speak to the user; nothing in them is secret. */
const PASSED = ["HOME", "USER", "LANG", "TZ", "TERM", "PATH", "TMPDIR", "COLUMNS", "LINES"];

const isPassed = (name: string): boolean => PASSED.includes(name) || /^LC_\w+$/.test(name);

export interface EnvironmentFlags {
  /** -E: NAME passes a variable through, NAME=VALUE sets one; in order, later ones win. */
  env: string[];
  /** -U: names of variables to leave out, after all others. */
  unsetEnv: string[];
  inheritEnv?: boolean;
  clearEnv?: boolean;
  seed?: bigint;
}

/**
 * The guest's environment as NAME=VALUE. A seeded run gets nothing that isn't asked for, so that it is the same on two hosts.
 */
export function guestEnvironment({ env, unsetEnv, inheritEnv, clearEnv, seed }: EnvironmentFlags): string[] {
  const outside = hostEnvironment();
  const startsEmpty = clearEnv || (seed !== undefined && !inheritEnv);
  const variables = new Map(startsEmpty ? [] : [...outside].filter(([name]) => inheritEnv || isPassed(name)));
  for (const text of env) {
    if (text.includes("=")) {
      variables.set(...splitVariable(text));
      continue;
    }
    const value = outside.get(text);
    if (value !== undefined) variables.set(text, value);
  }
  for (const name of unsetEnv) variables.delete(name);
  return [...variables].map(([name, value]) => `${name}=${value}`);
}
