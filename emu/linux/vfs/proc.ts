/** The guest's /proc: what programs commonly read there, made from the machine's own state. */
import { allCpus } from "../cpu-sets.ts";
import { INIT } from "../errno.ts";
import { outsideTree } from "./proc-outside.ts";
import { processTree, SAME_FILES, sharedFiles } from "./proc-process.ts";
import { systemFiles } from "./proc-system.ts";
import type { ProcMachine } from "./proc-view.ts";
import { linkTo, type Synthetic, type SyntheticDirectory } from "./synthetic.ts";

/** The tree at /proc as process `self` sees it. */
export function makeProc(machine: ProcMachine, self: { pid: number; tid: number }): SyntheticDirectory {
  const fixed: Record<string, Synthetic> = {
    self: linkTo(String(self.pid)),
    "thread-self": linkTo(`${self.pid}/task/${self.tid}`),
    mounts: linkTo("self/mounts"),
    net: linkTo("self/net"),
    ...systemFiles(machine),
  };
  /** The first process of the system, where none of the machine's has its number. */
  const outside = (): SyntheticDirectory => {
    const own = machine.process(self.pid);
    const shared = own === undefined ? {} : sharedFiles(own);
    return outsideTree(allCpus(machine.cpus), { ...SAME_FILES, ...shared });
  };
  return {
    type: "directory",
    names: () => [
      ...Object.keys(fixed),
      ...(machine.process(INIT) === undefined ? [String(INIT)] : []),
      ...machine.pids().map(String),
    ],
    lookup: (name) => {
      if (Object.hasOwn(fixed, name)) return fixed[name];
      const pid = Number(name);
      const process = String(pid) === name ? machine.process(pid) : undefined;
      if (process !== undefined) return processTree(process);
      return name === String(INIT) ? outside() : undefined;
    },
  };
}
