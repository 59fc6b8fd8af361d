/**
 * Address spaces kept for use again: one reserves 10 GiB of the host's addresses and has tables to fill, while clearing
 * one costs what it held.
 */
import { MOST_PAGES_CLEARED, MOST_SPACES_KEPT } from "../tuning.ts";
import { AddressSpace, type AddressSpaceOptions } from "./address-space.ts";
import { FAR_END } from "./far-map.ts";
import { CORNER_SIZE, PAGE_SIZE } from "./layout.ts";
import { noteDropped } from "./wasm-memory.ts";

export class AddressSpacePool {
  private readonly kept: AddressSpace[] = [];

  /** An address space with nothing in it. */
  take(options: AddressSpaceOptions & { size: number }): AddressSpace {
    const at = this.kept.findIndex(
      ({ byteOrder, size }) => byteOrder === options.byteOrder && size === options.size,
    );
    const space = at < 0 ? new AddressSpace(options) : this.kept.splice(at, 1)[0];
    space.limit = options.hasFar ? FAR_END : space.nearLimit;
    space.hasExecuteOnly = options.hasExecuteOnly ?? false;
    return space;
  }

  /** Takes back a space that nobody uses any more, and clears it. */
  give(space: AddressSpace): void {
    space.reset();
    const { clearedPages } = space;
    if (clearedPages > MOST_PAGES_CLEARED || this.kept.length >= MOST_SPACES_KEPT) {
      noteDropped(CORNER_SIZE + clearedPages * PAGE_SIZE);
      return;
    }
    space.clearCorner();
    this.kept.push(space);
  }
}
