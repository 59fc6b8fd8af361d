/** The guest's /sys: what libraries ask there about processors and memory, and no devices. */
import { allCpus, cpuList, cpuMask } from "../cpu-sets.ts";
import { directoryOf, fail, type SyntheticDirectory, type SyntheticFile, textFile } from "./synthetic.ts";

/** A list of one: processor, core or node 0. */
const ONLY = "0\n";

/** What is shown of the processor and of memory. */
export interface SysMachine {
  /** Bytes of a cache block. */
  readonly cacheBlock: number;
  /** How many there are. */
  readonly count: number;
  /** Memory of the only node, in KiB. */
  memory(): { total: number; free: number };
  /** The DSCR of threads that have set none of their own, where processors have it. */
  readonly dscr?: { value(): bigint; set(value: bigint): void };
}

/** A file of one number in hexadecimal digits, for the administrator. */
const numberFile = ({ value, set }: NonNullable<SysMachine["dscr"]>): SyntheticFile => ({
  ...textFile(() => `${value().toString(16)}\n`, 0o600),
  store: (bytes) => {
    const [, digits] = /^\s*(?:0x)?([0-9a-f]{1,16})/i.exec(new TextDecoder().decode(bytes)) ?? [];
    if (digits === undefined) fail("EINVAL", "no hexadecimal number");
    set(BigInt(`0x${digits}`));
  },
});

/** A node's share of /proc/meminfo. */
function nodeMemory({ total, free }: ReturnType<SysMachine["memory"]>): string {
  const rows = Object.entries({ MemTotal: total, MemFree: free, MemUsed: total - free });
  return rows
    .map(([name, value]) => `Node 0 ${`${name}:`.padEnd(16)}${String(value).padStart(8)} kB\n`)
    .join("");
}

/** The only interface, whose traffic is not counted. */
const loopback = directoryOf({
  address: textFile("00:00:00:00:00:00\n"),
  addr_len: textFile("6\n"),
  broadcast: textFile("00:00:00:00:00:00\n"),
  carrier: textFile("1\n"),
  dev_id: textFile("0x0\n"),
  flags: textFile("0x9\n"),
  ifalias: textFile(""),
  ifindex: textFile("1\n"),
  iflink: textFile("1\n"),
  link_mode: textFile("0\n"),
  mtu: textFile("65536\n"),
  operstate: textFile("unknown\n"),
  tx_queue_len: textFile("1000\n"),
  type: textFile("772\n"),
  statistics: directoryOf(
    Object.fromEntries(
      ["rx", "tx"].flatMap((way) =>
        ["bytes", "dropped", "errors", "packets"].map((what) => [`${way}_${what}`, textFile("0\n")]),
      ),
    ),
  ),
});

/** The tree at /sys. */
export function makeSys({ cacheBlock, count, memory, dscr }: SysMachine): SyntheticDirectory {
  const caches = ["Data", "Instruction"].map((type, index) => [
    `index${index}`,
    directoryOf({
      type: textFile(`${type}\n`),
      level: textFile("1\n"),
      coherency_line_size: textFile(`${cacheBlock}\n`),
      size: textFile("32K\n"),
      shared_cpu_list: textFile(ONLY),
      shared_cpu_map: textFile("1\n"),
    }),
  ]);
  const topology = directoryOf({
    core_id: textFile(ONLY),
    physical_package_id: textFile(ONLY),
    core_siblings: textFile("1\n"),
    core_siblings_list: textFile(ONLY),
    thread_siblings: textFile("1\n"),
    thread_siblings_list: textFile(ONLY),
    core_cpus: textFile("1\n"),
    core_cpus_list: textFile(ONLY),
    package_cpus: textFile("1\n"),
    package_cpus_list: textFile(ONLY),
  });
  const all = `${cpuList(allCpus(count))}\n`;
  const each = directoryOf({
    online: textFile("1\n"),
    topology,
    cache: directoryOf(Object.fromEntries(caches)),
    ...(dscr === undefined ? {} : { dscr: numberFile(dscr) }),
  });
  const cpu = directoryOf({
    online: textFile(all),
    possible: textFile(all),
    present: textFile(all),
    offline: textFile("\n"),
    isolated: textFile("\n"),
    nohz_full: textFile("(null)\n"),
    smt: directoryOf({ active: textFile(ONLY), control: textFile("notsupported\n") }),
    kernel_max: textFile(`${count - 1}\n`),
    ...(dscr === undefined ? {} : { dscr_default: numberFile(dscr) }),
    ...Object.fromEntries(Array.from({ length: count }, (_, n) => [`cpu${n}`, each])),
  });
  const node = directoryOf({
    online: textFile(ONLY),
    possible: textFile(ONLY),
    has_cpu: textFile(ONLY),
    has_memory: textFile(ONLY),
    has_normal_memory: textFile(ONLY),
    node0: directoryOf({
      cpulist: textFile(all),
      cpumap: textFile(`${cpuMask(allCpus(count))}\n`),
      distance: textFile("10\n"),
      meminfo: textFile(() => nodeMemory(memory())),
    }),
  });
  const clocksource = directoryOf({
    clocksource0: directoryOf({
      available_clocksource: textFile("timebase \n"),
      current_clocksource: textFile("timebase\n"),
    }),
  });
  return directoryOf({
    block: directoryOf({}),
    class: directoryOf({ net: directoryOf({ lo: loopback }), tty: directoryOf({}) }),
    devices: directoryOf({
      system: directoryOf({ cpu, node, clocksource }),
      virtual: directoryOf({ net: directoryOf({ lo: loopback }) }),
    }),
    fs: directoryOf({ cgroup: directoryOf({}) }),
    kernel: directoryOf({
      mm: directoryOf({
        transparent_hugepage: directoryOf({
          enabled: textFile("always madvise [never]\n"),
          defrag: textFile("always defer defer+madvise madvise [never]\n"),
          hpage_pmd_size: textFile("16777216\n"),
        }),
        hugepages: directoryOf({}),
      }),
    }),
  });
}
