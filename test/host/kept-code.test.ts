/** What V8 gives of optimised code is asked for by functions that it may throw away and can't compile again. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { nodeTranslations, optimise } from "../../emu/host/node/kept-code.ts";
import { inTemporaryDirectory } from "../support/guests.ts";

it("has V8 take optimised code that lies among others in what is kept", async () => {
  await inTemporaryDirectory(async (folder) => {
    const { load, save, serialize, deserialize } = nodeTranslations(folder);
    // A function that gives 7.
    const wire = Uint8Array.of(
      ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0],
      ...[7, 5, 1, 1, 0x66, 0, 0, 10, 6, 1, 4, 0, 0x41, 7, 0x0b],
    );
    const module = new WebAssembly.Module(wire);
    const code = new WebAssembly.Instance(module).exports.f as () => unknown;
    code();
    optimise(code);
    const native = serialize(module, code);
    // Not every V8 gives it away.
    if (native === undefined) return;
    save("one", "a program", [new Uint8Array(8), wire, native, new Uint8Array(8)]);
    const kept = load("one")!;
    const [start, end] = [8 + wire.length, 8 + wire.length + native.length];
    expect(kept.byteOffset % 4).toBe(0);
    const found = deserialize(kept.subarray(start, end), kept.subarray(8, start) as Uint8Array<ArrayBuffer>);
    expect(found).toBeInstanceOf(WebAssembly.Module);
  });
});

it("takes and refuses optimised code after V8 has thrown away what it compiled", () => {
  setFlagsFromString("--expose-gc");
  setFlagsFromString("--stress-flush-code");
  const collect = runInNewContext("gc") as () => void;
  const translations = nodeTranslations("/nowhere");
  const wire = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  for (let round = 0; round < 4; round++) {
    expect(translations.deserialize(new Uint8Array(64), wire)).toBeUndefined();
    collect();
  }
});
