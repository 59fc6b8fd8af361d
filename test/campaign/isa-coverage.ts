/**
 * `npm run isa-coverage`: of the instruction table, by facility, what has a handler, what tests compare with qemu-user, with exact
 * arithmetic or with what the manual says, and what the guest programs execute; and by name what is left.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { handled } from "../../emu/cpu/dispatch.ts";
import { prefixedHandled } from "../../emu/cpu/prefixed.ts";
import { decode } from "../../emu/isa/decoder.ts";
import { asm } from "../../emu/isa/encoder.ts";
import type { Facility } from "../../emu/isa/instruction.ts";
import { PREFIXED } from "../../emu/isa/prefixed-table.ts";
import { INSTRUCTIONS } from "../../emu/isa/table.ts";
import { listPrograms, processorOf, suits, type Target } from "../../guest-bins/build.mjs";
import { FAMILIES } from "../cpu/floating-point/families.ts";
import { campaignRows } from "../oracles/campaign.ts";
import { guestCases, guestPath } from "../support/guests.ts";
import { load, runToEnd } from "../support/machine.ts";
import { root } from "../support/ppcr.ts";

const ABIS = ["ppc32", "ppc64", "ppc64le"] as const satisfies Target[];

const executed = vi.hoisted(() => new Set<string>());
// The interpreter asks for a handler when it first executes a word, and for the row of a prefixed instruction then.
vi.mock("../../emu/cpu/dispatch.ts", async (original) => {
  const dispatch = await original<typeof import("../../emu/cpu/dispatch.ts")>();
  return {
    ...dispatch,
    handlerOf: (...args: Parameters<typeof dispatch.handlerOf>) => {
      executed.add(decode(args[0])?.name ?? "");
      return dispatch.handlerOf(...args);
    },
  };
});
vi.mock("../../emu/isa/prefixed-table.ts", async (original) => {
  const table = await original<typeof import("../../emu/isa/prefixed-table.ts")>();
  return {
    ...table,
    decodePrefixed: (prefix: number, suffix: number) => {
      const row = table.decodePrefixed(prefix, suffix);
      executed.add(row?.name ?? "");
      return row;
    },
  };
});

/** Facilities for the disassembler only: programs get SIGILL. */
const NOT_FOR_PROGRAMS: readonly Facility[] = ["supervisor", "tm", "ebb", "copy", "spe"];

/** The instructions that tests of behaviour are written with: what of their texts assembles. */
function assembledInTests(): string[] {
  const folder = join(root, "test", "cpu");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((each) =>
    each.endsWith(".test.ts"),
  );
  return files.flatMap((file) =>
    [...readFileSync(join(folder, file), "utf8").matchAll(/["`]([^"`\n]+)["`]/g)].flatMap(([, text]) => {
      try {
        return decode(asm(text))?.name ?? [];
      } catch {
        return [];
      }
    }),
  );
}

async function runGuestPrograms(): Promise<void> {
  for (const { name, variants, targets } of await listPrograms()) {
    for (const target of targets) {
      for (const variant of variants.filter((each) => each !== "O0" && suits(each, target))) {
        const path = await guestPath(name, target, variant);
        for (const { args, env, stdin } of guestCases(name)) {
          const subject = load(path, {
            args,
            env,
            input: stdin,
            seed: 1n,
            engine: "interp",
            cpuModel: processorOf(variant),
          });
          await runToEnd(subject);
        }
      }
    }
  }
}

it("says what of the instruction table is there", { timeout: 3600_000 }, async () => {
  const rows = [
    ...INSTRUCTIONS().filter(({ facility }) => !NOT_FOR_PROGRAMS.includes(facility)),
    ...PREFIXED(),
  ];
  const implemented = new Set([...handled(), ...prefixedHandled()]);
  const compared = [...ABIS.flatMap((abi) => campaignRows(abi)), ...PREFIXED()].map(({ name }) => name);
  const inReference = FAMILIES.flatMap((family) => family.rows.map((row) => row.split(" ")[0]));
  const tested = new Set([...compared, ...inReference, ...assembledInTests()]);
  await runGuestPrograms();

  const sets = [implemented, tested, executed];
  const line = (label: string, of: readonly { name: string }[]): string =>
    [of.length, ...sets.map((set) => of.filter(({ name }) => set.has(name)).length)]
      .map((count) => String(count).padStart(12))
      .reduce((text, count) => text + count, label.padEnd(10));
  const names = ["rows", "implemented", "tested", "executed"].map((name) => name.padStart(12)).join("");
  const lines = [
    `facility  ${names}`,
    ...[...new Set(rows.map((row) => row.facility))].map((facility) =>
      line(
        facility,
        rows.filter((row) => row.facility === facility),
      ),
    ),
    line("all", rows),
    ...["without a handler", "not tested", "not executed"].map((what, i) => {
      const missing = rows.filter(({ name }) => !sets[i].has(name)).map(({ name }) => name);
      return `${what}: ${missing.length === 0 ? "none" : missing.join(" ")}`;
    }),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  expect(rows.filter(({ name }) => !implemented.has(name))).toEqual([]);
});
