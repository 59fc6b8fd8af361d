/** What V8 gives of optimised code is asked for by functions that it may throw away and can't compile again. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { nodeTranslations } from "../../emu/host/node/kept-code.ts";

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
