/** Sets of CPUs, bit n being CPU n, and how files of /proc and /sys show them. */

/** As many as a machine has. */
export const allCpus = (count: number): bigint => (1n << BigInt(count)) - 1n;

/** The numbers of those in a set, ascending. */
export function cpusOf(set: bigint): number[] {
  const bits = [...set.toString(2)].reverse();
  return bits.flatMap((bit, cpu) => (bit === "1" ? [cpu] : []));
}

/** A set as a list of ranges. */
export function cpuList(set: bigint): string {
  const ranges: [first: number, last: number][] = [];
  for (const cpu of cpusOf(set)) {
    const range = ranges.at(-1);
    if (range?.[1] === cpu - 1) range[1] = cpu;
    else ranges.push([cpu, cpu]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
}

/** A set as a mask: hexadecimal, 32 bits between commas. */
export const cpuMask = (set: bigint): string => set.toString(16).replace(/(?<=.)(?=(.{8})+$)/g, ",");
