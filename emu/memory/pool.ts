/**
 * Address spaces kept for use again: making one costs some milliseconds and reserves 10 GiB of the host's addresses,
 * clearing one costs what it held.
 */
import { MOST_PAGES_CLEARED, MOST_SPACES_KEPT } from "../tuning.ts";
import { AddressSpace, type AddressSpaceOptions } from "./address-space.ts";
import { FAR_END } from "./far-map.ts";

export class AddressSpacePool {
  private readonly kept: AddressSpace[] = [];

  /** An address space with nothing in it. */
  take(options: AddressSpaceOptions & { size: number }): AddressSpace {
    const at = this.kept.findIndex(
      ({ byteOrder, size }) => byteOrder === options.byteOrder && size === options.size,
    );
    const space = at < 0 ? new AddressSpace(options) : this.kept.splice(at, 1)[0];
    space.limit = options.hasFar ? FAR_END : space.nearLimit;
    return space;
  }

  /** Takes back a space that nobody uses any more, and clears it. */
  give(space: AddressSpace): void {
    space.reset();
    if (space.clearedPages <= MOST_PAGES_CLEARED && this.kept.length < MOST_SPACES_KEPT)
      this.kept.push(space);
  }
}
