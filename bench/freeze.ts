/** What freezing and thawing resident guest memory costs, beside writing and reading a plain file. */
import { closeSync, fsyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withImage } from "../cli/image-file.ts";
import { saveImage } from "../cli/images.ts";
import { restart } from "../cr/restart.ts";
import { nodeHost } from "../emu/host/node/index.ts";
import { defaultMounts, Machine } from "../emu/machine.ts";
import { median } from "./measure.ts";

export interface FreezeResult {
  /** Median seconds. */
  freeze: number;
  plainWrite: number;
  thaw: number;
  plainRead: number;
}

const timed = async (work: () => void | Promise<void>): Promise<number> => {
  const start = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - start) / 1e9;
};

/** Freezes (fsync included) and thaws a guest of so many MiB `rounds` times, in turn with a plain file of the same bytes. */
export async function measureFreeze(
  binary: string,
  mebibytes: number,
  rounds: number,
): Promise<FreezeResult> {
  const folder = mkdtempSync(join(tmpdir(), "ppcr-bench-"));
  const image = join(folder, "image");
  const plain = join(folder, "plain");
  const host = nodeHost();
  const options = { host, mounts: defaultMounts({ program: binary, cwd: folder }) };
  const load = () =>
    Machine.load({
      ...options,
      program: binary,
      argv: ["resident", `${mebibytes}`],
      env: [],
      cwd: folder,
      seed: 1n,
    });
  const whole = load();
  await whole.run();
  const machine = load();
  await machine.run(whole.instructions - 1000n);
  const times = {
    freeze: [] as number[],
    plainWrite: [] as number[],
    thaw: [] as number[],
    plainRead: [] as number[],
  };
  try {
    for (let round = -1; round < rounds; round++) {
      const freeze = await timed(() => saveImage(machine.freeze(), image, host, { flavour: "seed" }));
      const bytes = readFileSync(image);
      const plainWrite = await timed(() => {
        const fd = openSync(plain, "w");
        for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
        fsyncSync(fd);
        closeSync(fd);
      });
      let thawed: Machine | undefined;
      const thaw = await timed(() => {
        thawed = withImage(image, 2, (source) =>
          Machine.thaw(restart(source, { sha256: () => host.sha256() }), options),
        );
      });
      thawed?.close();
      const plainRead = await timed(() => void readFileSync(plain));
      if (round < 0) continue;
      times.freeze.push(freeze);
      times.plainWrite.push(plainWrite);
      times.thaw.push(thaw);
      times.plainRead.push(plainRead);
    }
    return {
      freeze: median(times.freeze),
      plainWrite: median(times.plainWrite),
      thaw: median(times.thaw),
      plainRead: median(times.plainRead),
    };
  } finally {
    for (const each of [whole, machine]) each.close();
    rmSync(folder, { recursive: true });
  }
}
