/** The guest's own checkpoint and restart system calls, and the image that they leave. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { crSyscalls } from "../../cli/images.ts";
import { parseDirectory } from "../../cli/options.ts";
import { readImage, sourceOf } from "../../cr/index.ts";
import { defaultMounts, Machine } from "../../emu/machine.ts";
import { compilers, guestPath, inTemporaryDirectory, type Target } from "../support/guests.ts";
import { thaw } from "../support/machine.ts";
import { memoryHost } from "../support/memory-host.ts";
import { describeWithTools } from "../support/tools.ts";

/** Runs a program that knows the calls by the numbers 319 and 320, in `cwd`. */
async function run(
  program: string,
  args: readonly string[],
  cwd: string,
  { strict = false, other }: { strict?: boolean; other?: string } = {},
) {
  const host = memoryHost();
  const flags = {
    engine: "interp",
    dir: parseDirectory("/tmp"),
    flavour: "seed",
    strict,
    crSyscalls: [319, 320] as [number, number],
  } as const;
  // `other`: a program of which it may see the file as well.
  const extra = other === undefined ? [] : [{ host: other, guest: other, readOnly: true }];
  const mounts = defaultMounts({ program, cwd, extra });
  const machine = Machine.load({
    host,
    mounts,
    program,
    argv: [program, ...args],
    env: [],
    cwd,
    crSyscalls: crSyscalls(host, flags, flags.crSyscalls),
  });
  const stop = await machine.run();
  return { stop, stdout: host.stdout.text, warnings: host.warnings, mounts };
}

for (const target of ["ppc32", "ppc64"] satisfies Target[])
  describeWithTools(`a ${target} program with the checkpoint call`, [compilers[target]], () => {
    it("leaves an image that holds its own descriptor as far as it had been written", async () => {
      const program = await guestPath("selfcheckpoint", target);
      await inTemporaryDirectory(async (cwd) => {
        const first = await run(program, ["319", "self.image"], cwd);
        expect(first.stop).toEqual({ reason: "exit", status: 10 });
        const image = new Uint8Array(readFileSync(join(cwd, "self.image")));
        const { pids, tasks } = readImage(sourceOf(image));
        const own = tasks[0].descriptors.find(
          ({ file }) => file !== undefined && Buffer.from(file.name.bytes).includes("self.image"),
        );
        expect(own!.file!.data.values.f_pos).toBe(BigInt(own!.file!.data.offset!));
        const { trap, orig_gpr3, gpr, ccr } = tasks[0].cpu.values;
        expect({ trap, orig_gpr3, gpr3: gpr[3], so: ccr & 0x1000_0000n }).toEqual({
          trap: 0xc00n,
          orig_gpr3: BigInt(pids[0].values.vpid),
          gpr3: 0n,
          so: 0n,
        });
        const second = thaw(image, first);
        expect(await second.machine.run()).toEqual({ reason: "exit", status: 20 });
        const after = first.stdout.split("\n")[2];
        expect(second.host.stdout.text).toBe(`restarted from the image\n${after}\n`);
      });
    });

    it("gets an error, and the reasons are told, when its state fits no plain image", async () => {
      const program = await guestPath("selfcheckpoint", target);
      await inTemporaryDirectory(async (cwd) => {
        const refused = await run(program, ["319", "self.image"], cwd, { strict: true });
        expect(refused.stop).toEqual({ reason: "exit", status: 30 });
        expect(refused.stdout).toContain("no checkpoint\n");
        expect(refused.warnings).toEqual([
          expect.stringMatching(
            /^checkpoint: a plain v13 image .*\n {2}- descriptor 0 is an inherited stream/s,
          ),
        ]);
      });
    });

    it("is gone for good when it restarts an image", async () => {
      const writer = await guestPath("selfcheckpoint", target);
      const restarter = await guestPath("restarter", target);
      await inTemporaryDirectory(async (cwd) => {
        const first = await run(writer, ["319", "self.image"], cwd);
        const after = first.stdout.split("\n")[2];
        const second = await run(restarter, ["320", "self.image", "319"], cwd, { other: writer });
        expect(second.stdout).toBe(
          "checkpoint of a closed descriptor: EBADF\n" +
            "checkpoint to a read-only file: EBADF\n" +
            "checkpoint with flags: EINVAL\n" +
            "checkpoint of nobody: ESRCH\n" +
            "restart with flags: EINVAL\n" +
            "restart of a closed descriptor: EBADF\n" +
            "restart of no image: EINVAL\n" +
            `restarted from the image\n${after}\n`,
        );
        expect(second.stop).toEqual({ reason: "exit", status: 20 });
        expect(second.warnings).toEqual([expect.stringMatching(/^restart: /)]);
      });
    });
  });
