/** V8's flags, while it runs. */
import { builtins } from "./builtins.ts";

type SetFlag = (flag: string) => void;
let set: SetFlag | undefined;

/**
 * Node 20 gives what its node:v8 does this with to those who ask in its old way, of which it warns: to load the module, which brings streams
 * along, takes 4 ms.
 */
function findSetter(): SetFlag {
  const { noDeprecation } = process;
  process.noDeprecation = true;
  try {
    const { binding } = process as unknown as { binding(name: string): { setFlagsFromString: SetFlag } };
    return binding("v8").setFlagsFromString;
  } catch {
    return builtins.v8.setFlagsFromString;
  } finally {
    process.noDeprecation = noDeprecation;
  }
}

/** Sets a flag of V8's. */
export function setEngineFlag(flag: string): void {
  set ??= findSetter();
  set(flag);
}
