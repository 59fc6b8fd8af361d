/** The guest programs are fit for comparisons: under qemu-user they say the same in every run, and no CHECK fails. */
import { expect, it } from "vitest";
import { listPrograms, processorOf, suits, type Target } from "../../guest-bins/build.mjs";
import { withoutQemuDefects } from "../oracles/guest-programs.ts";
import { compilers, guestCases, guestPath, inTemporaryDirectory } from "../support/guests.ts";
import { runQemu } from "../support/qemu.ts";
import { describeWithTools } from "../support/tools.ts";

const programs = await listPrograms();
const emulators: [Target, string][] = [
  ["ppc32", "qemu-ppc"],
  ["ppc64", "qemu-ppc64"],
];

for (const [target, emulator] of emulators)
  describeWithTools(`guest programs for ${target} under qemu-user`, [compilers[target], emulator], () => {
    for (const { name, variants } of programs.filter(({ targets }) => targets.includes(target)))
      it(`${name} is deterministic and its checks hold`, async () => {
        for (const variant of variants.filter((each) => suits(each, target)))
          for (const run of guestCases(name)) {
            const path = await guestPath(name, target, variant);
            const once = () =>
              inTemporaryDirectory((cwd) =>
                runQemu(target, path, { ...run, cwd, cpu: processorOf(variant) }),
              );
            const [first, second] = [await once(), await once()];
            expect(second).toEqual(first);
            expect(first.status).not.toBe(99);
            expect(withoutQemuDefects(name, target, first.stdout)).not.toBe("");
          }
      });
  });
