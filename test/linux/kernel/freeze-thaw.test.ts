/** A freeze of a thawed kernel is the snapshot that it was thawed from, whatever that is. */
import fs from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { restart } from "../../../cr/index.ts";
import { modelFor } from "../../../emu/cpu/models.ts";
import { ABIS } from "../../../emu/linux/abi.ts";
import { freezeKernel, thawKernel } from "../../../emu/linux/freeze.ts";
import type { Kernel } from "../../../emu/linux/kernel.ts";
import type { MachineSnapshot, OpenFileSnapshot } from "../../../emu/snapshot.ts";
import { imageBytes, sha256, source, withContents } from "../../cr/samples.ts";
import { memoryHost } from "../../support/memory-host.ts";
import { makeFolders } from "../files/harness.ts";
import { fillFolder, thawableSnapshot } from "./thawable-snapshot.ts";

let folders: ReturnType<typeof makeFolders>;
beforeAll(() => {
  folders = makeFolders();
  fillFolder(folders.granted);
});
afterAll(() => folders.clean());

function thaw(snapshot: MachineSnapshot): Kernel {
  const host = memoryHost();
  // Time stands still, so that nothing can have run down.
  const clock = { monotonic: () => 5n, realtime: () => snapshot.clock.realtime };
  return thawKernel(snapshot, {
    host: { ...host, clock: { ...host.clock, ...clock } },
    abi: ABIS[snapshot.abi],
    cpuModel: modelFor(snapshot.cpuModel, snapshot.abi),
    mounts: [{ host: folders.granted, guest: "/area", readOnly: false }],
    cwd: "/area",
  });
}

/** Items of epoll sets in one order: what is ready comes first in a freeze, and who drew the snapshot didn't know what is. */
function inOrder(file: OpenFileSnapshot): OpenFileSnapshot {
  const { state } = file;
  if (state?.kind !== "epoll") return file;
  const place = ({ openFile, fd }: (typeof state.items)[number]) => openFile * 2 ** 31 + fd;
  return { ...file, state: { ...state, items: [...state.items].sort((a, b) => place(a) - place(b)) } };
}

/** Comparable: without the sizes of shared files, which the files have, and with the locks in one order. */
function comparable(snapshot: MachineSnapshot): unknown {
  const { knownFiles: _, locks, sharedObjects, openFiles, ...rest } = snapshot;
  const place = ({ openFile, start }: NonNullable<typeof locks>[number]) =>
    openFile * 2 ** 40 + Number(start);
  return withContents({
    ...rest,
    openFiles: openFiles.map(inOrder),
    sharedObjects: sharedObjects.map((object) => ({
      ...object,
      size: object.file === null ? object.size : 0,
    })),
    ...(locks === undefined ? {} : { locks: [...locks].sort((a, b) => place(a) - place(b)) }),
  });
}

function close({ processes, fileSystem }: Kernel): void {
  for (const { threads } of processes.values()) for (const thread of threads) thread.end();
  fileSystem.close();
}

/** Calls `look` with what a freeze of the thawed snapshot gives, while it can be read. */
function refrozen<T>(snapshot: MachineSnapshot, look: (again: MachineSnapshot) => T): T {
  const kernel = thaw(snapshot);
  try {
    return look(freezeKernel(kernel));
  } finally {
    close(kernel);
  }
}

it("a freeze gives what was thawed, through the kernel and through an image", () => {
  const descriptors = fs.readdirSync("/proc/self/fd").length;
  fc.assert(
    fc.property(fc.gen(), (g) => {
      const snapshot = thawableSnapshot(g);
      const read = restart(source(imageBytes(snapshot)), { sha256 });
      const wanted = comparable(snapshot);
      expect(comparable(read)).toEqual(wanted);
      refrozen(read, (once) => {
        expect(comparable(once)).toEqual(wanted);
        // With all that tells its files again.
        expect(refrozen(once, withContents)).toEqual(withContents(once));
      });
    }),
    { numRuns: 15, endOnFailure: true },
  );
  expect(fs.readdirSync("/proc/self/fd").length).toBe(descriptors);
});
