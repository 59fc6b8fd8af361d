/** The guest's /sys: what libraries ask there about processors and memory, and no devices. */
import { directoryOf, type SyntheticDirectory, textFile } from "./synthetic.ts";

/** A list of one: processor, core or node 0. */
const ONLY = "0\n";

/** What is shown of the processor. */
export interface SysCpu {
  /** Bytes of a cache block. */
  readonly cacheBlock: number;
  /** How many there are. */
  readonly count: number;
}

const text = (contents: string) => textFile(() => contents);

/** The tree at /sys. */
export function makeSys({ cacheBlock, count }: SysCpu): SyntheticDirectory {
  const caches = ["Data", "Instruction"].map((type, index) => [
    `index${index}`,
    directoryOf({
      type: text(`${type}\n`),
      level: text("1\n"),
      coherency_line_size: text(`${cacheBlock}\n`),
      size: text("32K\n"),
      shared_cpu_list: text(ONLY),
      shared_cpu_map: text("1\n"),
    }),
  ]);
  const topology = directoryOf({
    core_id: text(ONLY),
    physical_package_id: text(ONLY),
    core_siblings: text("1\n"),
    core_siblings_list: text(ONLY),
    thread_siblings: text("1\n"),
    thread_siblings_list: text(ONLY),
  });
  const all = count === 1 ? ONLY : `0-${count - 1}\n`;
  const each = directoryOf({ online: text("1\n"), topology, cache: directoryOf(Object.fromEntries(caches)) });
  const cpu = directoryOf({
    online: text(all),
    possible: text(all),
    present: text(all),
    offline: text("\n"),
    kernel_max: text(`${count - 1}\n`),
    ...Object.fromEntries(Array.from({ length: count }, (_, n) => [`cpu${n}`, each])),
  });
  const node = directoryOf({
    online: text(ONLY),
    possible: text(ONLY),
    has_cpu: text(ONLY),
    has_memory: text(ONLY),
    node0: directoryOf({ cpulist: text(ONLY), cpumap: text("1\n"), distance: text("10\n") }),
  });
  return directoryOf({
    block: directoryOf({}),
    class: directoryOf({ net: directoryOf({}), tty: directoryOf({}) }),
    devices: directoryOf({ system: directoryOf({ cpu, node }) }),
    fs: directoryOf({ cgroup: directoryOf({}) }),
    kernel: directoryOf({
      mm: directoryOf({
        transparent_hugepage: directoryOf({
          enabled: text("always madvise [never]\n"),
          defrag: text("always defer defer+madvise madvise [never]\n"),
          hpage_pmd_size: text("16777216\n"),
        }),
        hugepages: directoryOf({}),
      }),
    }),
  });
}
