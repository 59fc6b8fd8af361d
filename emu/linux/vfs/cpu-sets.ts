/** The machine's CPUs as files of /proc and /sys tell of them. */

/** All of them as a list. */
export const cpuList = (count: number): string => (count === 1 ? "0" : `0-${count - 1}`);

/** As a mask: hexadecimal, 32 bits between commas. */
export function cpuMask(count: number): string {
  const digits = ((1n << BigInt(count)) - 1n).toString(16);
  return digits.replace(/(?<=.)(?=(.{8})+$)/g, ",");
}
