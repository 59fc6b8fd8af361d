import fc from "fast-check";
import { expect, it } from "vitest";
import { type FileLock, LockTable } from "../../../emu/linux/vfs/locks.ts";
import { syntheticStat } from "../../../emu/linux/vfs/file-status.ts";
import { OpenFile } from "../../../emu/linux/vfs/open-file.ts";

class Plain extends OpenFile {
  readonly kind = "file";
  override stat() {
    return syntheticStat("file", 0o600, 7n);
  }
}

const BYTES = 24;
const byte = fc.nat(BYTES - 1);
const operation = fc.record({
  who: fc.nat(2),
  type: fc.constantFrom("shared", "exclusive", "none"),
  one: byte,
  other: byte,
});

/** The kind of lock on each byte, told as ranges. */
function runs(held: readonly (boolean | undefined)[]) {
  const found: { start: bigint; last: bigint; exclusive: boolean }[] = [];
  held.forEach((exclusive, at) => {
    const before = found.at(-1);
    if (exclusive === undefined) return;
    if (before?.exclusive === exclusive && before.last === BigInt(at - 1)) before.last++;
    else found.push({ start: BigInt(at), last: BigInt(at), exclusive });
  });
  return found;
}

it("locks on ranges are what each byte by itself would have", () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const [file, locks] = [new Plain("/f", 2), new LockTable()];
      const holders = [
        { kind: "posix", owner: { pid: 1 } },
        { kind: "posix", owner: { pid: 2 } },
        { kind: "ofd", owner: file },
      ] as const;
      const held = holders.map(() => Array.from({ length: BYTES }, (): boolean | undefined => undefined));
      for (const { who, type, one, other } of operations) {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        const exclusive = type === "exclusive";
        const lock: FileLock = { ...holders[who], exclusive, start: BigInt(from), last: BigInt(to) };
        if (type === "none") locks.drop(file, lock);
        else {
          const inTheWay = held.flatMap((bytes, holder) =>
            holder === who
              ? []
              : runs(bytes.map((is, at) => (at < from || at > to || !(is || exclusive) ? undefined : is))),
          );
          const conflict = locks.conflict(file, lock);
          expect(conflict !== undefined).toBe(inTheWay.length > 0);
          if (conflict !== undefined) continue;
          locks.take(file, lock);
        }
        held[who].fill(type === "none" ? undefined : exclusive, from, to + 1);
      }
      const expected = holders.flatMap((holder, who) =>
        runs(held[who]).map((part) => ({ ...holder, ...part })),
      );
      const all = locks.all().flatMap((each) => each.locks);
      expect(all).toHaveLength(expected.length);
      expect(all).toEqual(expect.arrayContaining(expected));
    }),
  );
});
