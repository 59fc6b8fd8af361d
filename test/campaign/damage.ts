/**
 * `npm run campaign -- --damage`: images of behaviours and their program, changed here and there and sealed again: each is refused in words, or
 * is a machine that runs on. Its seeds count images; the one under way is in the file that it names, should it never end.
 */
import { mkdtempSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ImageError } from "../../cr/errors.ts";
import { CRITICAL, TRAILER_HEAD_SIZE, TRAILER_HEADER_SIZE, TRAILER_MAGIC } from "../../cr/trailer.ts";
import { defaultMounts, type Machine, ProgramError, ThawError } from "../../emu/machine.ts";
import { behaviours, buildBehaviours } from "../linux/behaviours/harness.ts";
import { seeded } from "../support/file-life.ts";
import { inTemporaryDirectory, type Target } from "../support/guests.ts";
import { freeze, load, thaw } from "../support/machine.ts";
import { memoryHost } from "../support/memory-host.ts";

const { PPCR_CAMPAIGN_SEED = "1", PPCR_CAMPAIGN_MINUTES = "10", PPCR_CAMPAIGN_CASES = "200" } = process.env;
const [SEED, CASES] = [Number(PPCR_CAMPAIGN_SEED), Number(PPCR_CAMPAIGN_CASES)];
const TARGETS: readonly Target[] = ["ppc32", "ppc64", "ppc64le"];
/** Instructions that a machine may run on for: enough for the call that it was frozen in, and some after it. */
const FURTHER = 30_000n;

type Random = (below: number) => number;

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** Values that lie at edges. */
const EDGES = [0, 1, 2, 0x7f, 0x80, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_0000, 0x1000];

/** Changes a few bytes in a range. */
function change(bytes: Uint8Array, from: number, to: number, random: Random): void {
  const at = from + random(Math.max(1, to - from - 8));
  const view = viewOf(bytes);
  switch (random(5)) {
    case 0:
      bytes[at] ^= 1 << random(8);
      break;
    case 1:
      bytes[at] = random(256);
      break;
    case 2:
      view.setUint32(from + ((at - from) & ~3), EDGES[random(EDGES.length)], random(2) === 0);
      break;
    case 3:
      view.setUint32(at, random(2) ? view.getUint32(at) + random(9) - 4 : random(2 ** 32));
      break;
    default:
      bytes.copyWithin(at, from + random(to - from - 8), Math.min(to, at + 1 + random(16)));
  }
}

/** The records of a trailer, without its END. */
function recordsOf(trailer: Uint8Array, little: boolean): Uint8Array[] {
  const records: Uint8Array[] = [];
  const view = viewOf(trailer);
  for (let at = TRAILER_HEAD_SIZE; at < trailer.length; ) {
    const end = at + TRAILER_HEADER_SIZE + view.getUint32(at + 8, little);
    if (end < trailer.length) records.push(trailer.slice(at, end));
    at = end;
  }
  return records;
}

interface Base {
  bytes: Uint8Array;
  /** Where the trailer begins. */
  trailer: number;
  little: boolean;
}

/** A changed image, sealed with the digest that it ought to have. */
function damaged(base: Base, other: Base, random: Random): Uint8Array {
  const stream = base.bytes.slice(0, base.trailer);
  const whole = base.bytes.subarray(base.trailer);
  const records = recordsOf(whole, base.little);
  for (let changes = 1 + random(3); changes > 0; changes--) {
    const any = random(records.length);
    const taken = recordsOf(other.bytes.subarray(other.trailer), other.little);
    switch (random(12)) {
      case 0:
        change(stream, 0, Math.min(4096, stream.length), random);
        break;
      case 1:
        change(stream, Math.max(0, stream.length - 3000), stream.length, random);
        break;
      case 2:
        records.splice(any, 1);
        break;
      case 3:
        records.splice(random(records.length + 1), 0, records[any]);
        break;
      case 4:
        records.splice(any, random(2), taken[random(taken.length)]);
        break;
      case 5: {
        // One of its own kind from elsewhere.
        const kind = viewOf(records[any]).getUint16(0, base.little);
        const twins = taken.filter((record) => viewOf(record).getUint16(0, base.little) === kind);
        if (twins.length > 0) records[any] = twins[random(twins.length)];
        break;
      }
      case 6: {
        const header = viewOf(records[any]);
        header.setUint16(2, random(6), base.little);
        header.setUint32(4, random(2) * CRITICAL, base.little);
        break;
      }
      default:
        if (records[any].length > TRAILER_HEADER_SIZE + 8) {
          change(records[any], TRAILER_HEADER_SIZE, records[any].length, random);
        }
    }
    if (records.length === 0) break;
  }
  const end = whole.slice(whole.length - TRAILER_HEADER_SIZE - 32);
  const body = Buffer.concat([stream, whole.subarray(0, TRAILER_HEAD_SIZE), ...records]);
  const sha = memoryHost("").sha256();
  sha.update(body);
  end.set(sha.digest(), TRAILER_HEADER_SIZE);
  return new Uint8Array(Buffer.concat([body, end]));
}

/** A program whose headers, or whatever else, are not what they were. */
function damagedProgram(whole: Uint8Array, random: Random): Uint8Array {
  const bytes = whole.slice(0, random(8) === 0 ? random(whole.length) : whole.length);
  // The file header and program headers; the section headers; anything, code most of all.
  const ranges = [
    [0, 64 + 56 * 10],
    [0, 64],
    [whole.length - 64 * 40, whole.length],
    [0, whole.length],
  ];
  for (let changes = 1 + random(4); changes > 0; changes--) {
    const [from, to] = ranges[random(ranges.length)];
    if (to <= bytes.length) change(bytes, from, to, random);
  }
  return bytes;
}

/** Whether a failure is one that ppcr has words for. */
const inWords = (error: unknown): boolean =>
  error instanceof ImageError || error instanceof ThawError || error instanceof ProgramError;

it("gives images that are refused or go on", { timeout: 24 * 3600_000 }, async () => {
  const end = Date.now() + Number(PPCR_CAMPAIGN_MINUTES) * 60_000;
  const scratch = mkdtempSync(join(tmpdir(), "ppcr-damage-"));
  const found = new Map<string, string>();
  let [seed, refused, ran] = [SEED, 0, 0];
  process.stdout.write(`images under way: ${scratch}/image\n`);
  const tell = (error: unknown, where: string) => {
    const stack = (error as Error).stack ?? String(error);
    const key = stack.split("\n").slice(0, 3).join("\n").replace(/\d+/g, "#");
    if (found.has(key)) return;
    found.set(key, `${where}: ${stack}`);
    writeFileSync(join(scratch, `found-${found.size}`), readFileSync(join(scratch, "image")));
    process.stdout.write(`${scratch}/found-${found.size}, ${where}:\n${stack}\n`);
  };
  for (let round = 0; Date.now() < end && found.size < 40; round++) {
    const target = TARGETS[(SEED + round) % TARGETS.length];
    const program = await buildBehaviours(target);
    await inTemporaryDirectory(async (folder) => {
      const cwd = realpathSync(folder);
      const mounts = defaultMounts({ program, cwd });
      const options = { cwd, mounts, seed: 5n, input: "", addressSpaceSize: 2 ** 29 };
      const random = seeded(seed);
      const bases: Base[] = [];
      while (bases.length < 6) {
        const name = behaviours[random(behaviours.length)];
        const subject = load(program, { ...options, args: [name] });
        for (let runs = 1 + random(300); runs > 0; runs--) {
          const { reason } = await subject.machine.run(
            subject.machine.instructions + BigInt(1 + random(2_000)),
          );
          if (reason !== "limit") break;
          if (runs > 1) continue;
          const bytes = freeze(subject);
          const trailer = Buffer.from(bytes).lastIndexOf(TRAILER_MAGIC);
          if (trailer > 0) bases.push({ bytes, trailer, little: target === "ppc64le" });
        }
        subject.machine.close();
      }
      for (let cases = 0; cases < CASES && Date.now() < end; cases++, seed++) {
        const random = seeded(seed);
        const isProgram = random(8) === 0;
        const bytes = isProgram
          ? damagedProgram(readFileSync(program), random)
          : damaged(bases[random(bases.length)], bases[random(bases.length)], random);
        writeFileSync(join(scratch, "image"), bytes);
        let machine: Machine;
        try {
          if (isProgram) {
            const path = join(cwd, "program");
            writeFileSync(path, bytes, { mode: 0o755 });
            ({ machine } = load(path, { ...options, args: [behaviours[random(behaviours.length)]] }));
          } else {
            ({ machine } = thaw(bytes, { mounts, input: "" }));
          }
        } catch (error) {
          refused++;
          if (!inWords(error)) tell(error, `seed ${seed}, before it runs`);
          continue;
        }
        ran++;
        const machineEnd = machine.instructions + FURTHER;
        try {
          await machine.run(machineEnd);
          if (random(4) === 0) freeze({ machine, host: memoryHost(""), mounts });
        } catch (error) {
          if (!inWords(error)) tell(error, `seed ${seed}, running`);
        } finally {
          machine.close();
        }
      }
    });
    process.stdout.write(`up to seed ${seed}: ${refused} refused, ${ran} ran, ${found.size} faults\n`);
  }
  expect([...found.values()]).toEqual([]);
});
