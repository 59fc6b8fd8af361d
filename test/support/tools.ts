/** Suites that need tools from outside: cross compilers, qemu-user, gdb. */
import { describe, it } from "vitest";
import { findTool, packageOf } from "../../scripts/tools.mjs";

export { findTool };

/** As `findTool`, but a tool that is not there is an error that names its package. */
export function requireTool(name: string): string {
  const path = findTool(name);
  if (path === undefined) throw new Error(missingMessage([name]));
  return path;
}

function missingMessage(names: readonly string[]): string {
  const wanted = [...new Set(names.map((name) => packageOf[name] ?? name))];
  return `${names.join(", ")} not found; on Debian: apt-get install ${wanted.join(" ")}`;
}

/**
 * A suite that needs tools from outside. Where one is missing the suite fails if CI is "true" and is left out
 * otherwise, with the reason on stderr.
 */
export function describeWithTools(name: string, tools: readonly string[], body: () => void): void {
  const missing = tools.filter((tool) => findTool(tool) === undefined);
  if (missing.length === 0) {
    describe(name, body);
  } else if (process.env.CI === "true") {
    describe(name, () => {
      it("finds its tools", () => {
        throw new Error(missingMessage(missing));
      });
    });
  } else {
    console.error(`${name}: left out, ${missingMessage(missing)}`);
    // biome-ignore lint/suspicious/noSkippedTests: outside CI a machine without the tools may run the rest
    describe.skip(name, () => {
      it(`needs ${missing.join(", ")}`, () => {});
    });
  }
}
