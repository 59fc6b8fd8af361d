/** /proc/1: the first process of the system, which is outside. What anybody may see of it is little: it is root's, and sleeps. */
import { cpuList, cpuMask } from "../cpu-sets.ts";
import { ALL_CAPABILITIES } from "../credentials.ts";
import { INIT } from "../errno.ts";
import { NAMESPACE_NAMES } from "./namespace-file.ts";
import {
  directoryOf,
  fail,
  type Synthetic,
  type SyntheticDirectory,
  type SyntheticFile,
  type SyntheticLink,
  textFile,
} from "./synthetic.ts";

const NAME = "init";
/** Fields of /proc/1/stat behind the priority, niceness and number of threads: of its memory nothing is told. */
const REST = 32;
const NO_LIMIT = "18446744073709551615";

const statText = (): string => {
  const begin = [
    INIT,
    `(${NAME})`,
    "S",
    0,
    INIT,
    INIT,
    0,
    -1,
    0x400100,
    ...new Array(8).fill(0),
    20,
    0,
    1,
    0,
  ];
  const rest = new Array(REST).fill(0);
  // Behind start time, size and resident pages: the limit of these.
  rest.splice(3, 0, NO_LIMIT);
  return `${[...begin, ...rest].slice(0, 52).join(" ")}\n`;
};

function statusText(cpus: bigint): string {
  const ids = "0\t0\t0\t0";
  const none = "0".repeat(16);
  const all = ALL_CAPABILITIES.toString(16).padStart(16, "0");
  const rows: [string, string | number][] = [
    ...Object.entries({ Name: NAME, Umask: "0022", State: "S (sleeping)", Tgid: INIT, Ngid: 0, Pid: INIT }),
    ...Object.entries({ PPid: 0, TracerPid: 0, Uid: ids, Gid: ids, FDSize: 64, Groups: " ", Threads: 1 }),
    ...Object.entries({
      SigQ: "0/1024",
      SigPnd: none,
      ShdPnd: none,
      SigBlk: none,
      SigIgn: none,
      SigCgt: none,
    }),
    ...Object.entries({ CapInh: none, CapPrm: all, CapEff: all, CapBnd: all, CapAmb: none }),
    ...Object.entries({ NoNewPrivs: 0, Seccomp: 0, Seccomp_filters: 0 }),
    ...Object.entries({ Cpus_allowed: cpuMask(cpus), Cpus_allowed_list: cpuList(cpus) }),
    ...Object.entries({ Mems_allowed: 1, Mems_allowed_list: 0 }),
    ...Object.entries({ voluntary_ctxt_switches: 0, nonvoluntary_ctxt_switches: 0 }),
  ];
  return rows.map(([name, value]) => `${name}:\t${value}\n`).join("");
}

const denied = (): never => fail("EACCES");
/** What only its owner may open. */
const closed = (mode: number): SyntheticFile => ({
  type: "file",
  mode,
  contents: denied,
  open: denied,
});
const closedLink: SyntheticLink = { type: "link", isMagic: true, target: denied, object: denied };
const closedDirectory: SyntheticDirectory = {
  type: "directory",
  isClosed: true,
  names: () => [],
  lookup: denied,
};

/** /proc/1, or /proc/1/task/1; `shared` are files that say the same of every process. */
function tree(
  cpus: bigint,
  shared: Readonly<Record<string, Synthetic>>,
  isTask: boolean,
): SyntheticDirectory {
  const entries: Record<string, Synthetic> = {
    ...shared,
    comm: textFile(`${NAME}\n`, 0o644),
    cmdline: textFile(`${NAME}\0`),
    stat: textFile(statText),
    statm: textFile("0 0 0 0 0 0 0\n"),
    status: textFile(() => statusText(cpus)),
    schedstat: textFile("0 0 0\n"),
    ...Object.fromEntries(["exe", "cwd", "root"].map((name) => [name, closedLink])),
    ...Object.fromEntries(
      ["maps", "smaps", "smaps_rollup", "numa_maps"].map((name) => [name, closed(0o444)]),
    ),
    ...Object.fromEntries(
      ["environ", "auxv", "pagemap", "syscall", "personality", "stack", "io"].map((name) => [
        name,
        closed(0o400),
      ]),
    ),
    mem: closed(0o600),
    fd: closedDirectory,
    fdinfo: closedDirectory,
    ns: directoryOf(Object.fromEntries(NAMESPACE_NAMES.map((name) => [name, closedLink]))),
  };
  if (!isTask) {
    entries.map_files = closedDirectory;
    entries.task = directoryOf({ [INIT]: tree(cpus, shared, true) });
  }
  return directoryOf(entries);
}

export const outsideTree = (cpus: bigint, shared: Readonly<Record<string, Synthetic>>): SyntheticDirectory =>
  tree(cpus, shared, false);
