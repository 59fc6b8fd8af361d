/** What the vdso's functions know of clocks: a page of data before their own. */
import type { AddressSpace } from "../../memory/address-space.ts";
import { PAGE_SIZE } from "../../memory/layout.ts";
import { NANOSECONDS } from "../clock.ts";
import { type DataModel, GuestBytes } from "../signals/bytes.ts";
import { DATA_NAME, PREFERRED } from "./vdso-places.ts";

/**
 * The page of data: a number that is another one whenever anything is, and zero while nothing is said; the time base at a moment that is a
 * whole number of ticks and of nanoseconds; seconds and nanoseconds of both clocks then. All but the first are doublewords.
 */
export const CLOCK_DATA = { sequence: 0, timeBase: 8, monotonic: 16, realtime: 32, size: 48 } as const;

/** For how many ticks of the time base they hold: two to this power. A product with 125 has 32 bits. */
export const VALID_TICKS = 25;
/** As many nanoseconds, which is a whole number: 64 ticks are 125. */
export const CLOCK_DATA_LIFE = (2 ** VALID_TICKS * 125) / 64;

/** Where the data are, if they are. */
function dataPage(memory: AddressSpace): number | undefined {
  if (memory.areas.find(PREFERRED - PAGE_SIZE)?.name === DATA_NAME) return PREFERRED - PAGE_SIZE;
  return [...memory.areas].find(({ name }) => name === DATA_NAME)?.start;
}

/** Has the vdso's functions tell the time by themselves for CLOCK_DATA_LIFE nanoseconds, given both clocks at one moment. */
export function showClocks(
  memory: AddressSpace,
  model: DataModel,
  { monotonic, realtime }: { monotonic: bigint; realtime: bigint },
): void {
  const at = dataPage(memory);
  if (at === undefined) return;
  const data = new GuestBytes(model, CLOCK_DATA.size);
  const past = monotonic % 125n;
  // A number that nobody who is reading has seen, whether before a thaw or after it.
  const sequence = Number((monotonic / 125n) & 0x3fff_ffffn) + 1;
  data.setU32(CLOCK_DATA.sequence, sequence);
  data.setU64(CLOCK_DATA.timeBase, ((monotonic - past) / 125n) * 64n);
  const put = (offset: number, time: bigint): void => {
    data.setU64(offset, time / NANOSECONDS);
    data.setU64(offset + 8, time % NANOSECONDS);
  };
  put(CLOCK_DATA.monotonic, monotonic - past);
  put(CLOCK_DATA.realtime, realtime - past);
  memory.force(at, data.bytes);
}
