/** The comparison of every guest program with qemu-user, for one ABI; a test file each, so that they run side by side. */
import { expect, it } from "vitest";
import { listPrograms, processorOf, suits } from "../../guest-bins/build.mjs";
import { withoutQemuDefects } from "../oracles/guest-programs.ts";
import { compilers, guestCases, guestPath, inTemporaryDirectory, type Target } from "../support/guests.ts";
import { runPpcr } from "../support/ppcr.ts";
import { runQemu } from "../support/qemu.ts";
import { describeWithTools } from "../support/tools.ts";

/** ppcr names a system call that is not there; qemu-user does not. */
const MISSING_CALL = /^ppcr: system call \w+ is not there: ENOSYS\n/gm;

const programs = await listPrograms();

/** Defines the suite for one ABI. */
export function compareWithQemu(target: Target, emulator: string): void {
  describeWithTools(`guest programs for ${target}`, [compilers[target], emulator], () => {
    for (const { name, variants } of programs.filter(({ targets }) => targets.includes(target)))
      for (const variant of variants.filter((each) => suits(each, target)))
        for (const { label, ...run } of guestCases(name))
          it(`${name} at ${variant}${label && `, ${label},`} ends as under qemu-user`, async () => {
            const path = await guestPath(name, target, variant);
            const cpu = processorOf(variant);
            const theirs = await inTemporaryDirectory((cwd) => runQemu(target, path, { ...run, cwd, cpu }));
            const ours = await inTemporaryDirectory((cwd) =>
              runPpcr(path, { ...run, cwd }, cpu === undefined ? [] : ["--cpu", cpu]),
            );
            expect({ ...ours, stderr: ours.stderr.replace(MISSING_CALL, "") }).toEqual({
              stdout: withoutQemuDefects(name, target, theirs.stdout),
              stderr: theirs.stderr,
              status: theirs.status,
            });
          });
  });
}
