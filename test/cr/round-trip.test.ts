import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FLAVOUR_NAMES, readImage, restart, writeImage } from "../../cr/index.ts";
import { snapshots } from "./arbitrary-snapshot.ts";
import { imageBytes, machine, sha256, source, withContents } from "./samples.ts";

const rewritten = (bytes: Uint8Array): Buffer => {
  const pieces: Uint8Array[] = [];
  writeImage(
    readImage(source(bytes), { sha256 }),
    { write: (piece) => void pieces.push(piece.slice()) },
    sha256,
  );
  return Buffer.concat(pieces);
};

describe("any stopped machine", () => {
  it("comes back from its image as it was", () => {
    fc.assert(
      fc.property(snapshots, fc.constantFrom(...FLAVOUR_NAMES), (snapshot, flavour) => {
        const bytes = imageBytes(snapshot, { flavour });
        expect(withContents(restart(source(bytes), { sha256 }))).toEqual(withContents(snapshot));
      }),
      { numRuns: 150 },
    );
  });

  it("has an image that is read and written again as the same bytes", () => {
    fc.assert(
      fc.property(snapshots, (snapshot) => {
        const bytes = imageBytes(snapshot);
        expect(rewritten(bytes).equals(bytes)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it("of 32 bits comes back from the image of a 64-bit kernel", () => {
    fc.assert(
      fc.property(
        snapshots.filter(({ abi }) => abi === "ppc32"),
        fc.constantFrom<1 | 2>(1, 2),
        (snapshot, fpWidth) => {
          const bytes = imageBytes(snapshot, { kernel: "ppc64", fpWidth });
          expect(withContents(restart(source(bytes), { sha256 }))).toEqual(withContents(snapshot));
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("a plain image", () => {
  /** Makes every byte of padding a random one, as stale kernel memory would. */
  function withNoise(bytes: Uint8Array, noise: Uint8Array): Uint8Array {
    const noisy = bytes.slice();
    const image = readImage(source(bytes));
    const [task] = image.tasks;
    const holes: [number, number][] = [
      [image.tree.offset! + 8 + 4, 4],
      [image.pids[0].offset! + 12, 4],
      [task.task.offset! + 8 + 20, 4],
      [task.areas[0].vma.offset! + 8 + 4, 4],
      [task.descriptors[0].entry.offset! + 8 + 12, 4],
      [task.cpu.offset! + 8 + 444, 4],
    ];
    let used = 0;
    for (const [at, length] of holes) {
      for (let n = 0; n < length; n++) noisy[at + n] = noise[used++ % noise.length];
    }
    return noisy;
  }

  it("may have anything in its padding and after its end; both are kept", () => {
    const bytes = imageBytes(machine("ppc32"), { strict: true });
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 24, maxLength: 24 }),
        fc.uint8Array({ maxLength: 30 }).filter((rest) => rest[0] !== 0x89),
        (noise, rest) => {
          const noisy = Buffer.concat([withNoise(bytes, noise), rest]);
          expect(rewritten(noisy).equals(noisy)).toBe(true);
          const plain = withContents(restart(source(bytes)));
          expect(withContents(restart(source(noisy)))).toEqual(plain);
        },
      ),
    );
  });

  it("restarts with a fresh program's state where v13 says nothing", () => {
    const snapshot = machine("ppc64");
    const again = restart(source(imageBytes(snapshot, { strict: true })), { defaults: { cwd: "/home" } });
    const [before] = snapshot.processes;
    const [after] = again.processes;
    expect(again.cpuModel).toBe("power8");
    expect(again.clock.seed).toBeNull();
    expect(after).toMatchObject({
      pid: 1234,
      comm: "self",
      exe: "/tmp/self",
      cwd: "/home",
      exitStatus: null,
    });
    expect(after.signalActions).toEqual(before.signalActions);
    expect(after.threads).toHaveLength(1);
    const { gpr, nia, cr, xer, ctr, lr } = before.threads[0].registers;
    expect(after.threads[0].registers).toMatchObject({
      gpr,
      nia,
      cr,
      xer,
      ctr,
      lr,
      msr: 0xb000_0000_0000_d032n,
    });
    expect(again.openFiles.map(({ kind, path, inherited }) => [kind, path, inherited])).toEqual([
      ["file", "/tmp/out.self", -1],
      ["inherited", "", 1],
      ["inherited", "", 2],
    ]);
  });

  it("restarts a 32-bit task from every shape with the MSR of that kernel's users", () => {
    const msr = (options: Parameters<typeof imageBytes>[1]) => {
      const again = restart(source(imageBytes(machine("ppc32"), { strict: true, ...options })));
      expect(again.abi).toBe("ppc32");
      return again.processes[0].threads[0].registers.msr;
    };
    expect(msr({})).toBe(0xd032n);
    expect(msr({ kernel: "ppc64" })).toBe(0x3000_0000_0000_d032n);
    expect(msr({ kernel: "ppc64", fpWidth: 2 })).toBe(0x3000_0000_0000_d032n);
    expect(msr({ fpWidth: 2 })).toBe(0xd032n);
  });
});
