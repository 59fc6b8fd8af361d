/**
 * Cache management and synchronisation: Power ISA 3.0B, II.4.3 and II.4.6. There are no caches, and one guest thread runs at a time:
 * what is left is dcbz, and the faults of those that touch storage. Stores into code are seen without icbi.
 */
import { addressX } from "../effective-address.ts";
import type { Handler, HandlerTable } from "../handler.ts";
import { cpu } from "../views.ts";

/** As long as the longest cache block. */
const ZEROS = new Uint8Array(128);

const nothing: Handler = () => {};
/** Treated as a load of the byte at EA. */
const touch: Handler = (word) => cpu.memory.checkLoad(addressX(word, false), 1);

export const cacheHandlers: HandlerTable = {
  /** dcbzl too, which has bit 10 set. */
  dcbz: (word) => {
    const { cacheBlock } = cpu.model;
    const ea = addressX(word, true);
    cpu.memory.write(cpu.memory.addressOf(ea) - (ea & (cacheBlock - 1)), ZEROS.subarray(0, cacheBlock));
  },
  dcbst: touch,
  dcbf: touch,
  icbi: touch,
  dcbt: nothing,
  dcbtst: nothing,
  icbt: nothing,
  /** Where processors lack it Linux makes it do nothing, which it may do anyway. */
  dcba: nothing,
  isync: nothing,
  sync: nothing,
  eieio: nothing,
  wait: nothing,
  /** They check return addresses where DEXCR[NPHIE] says so, which Linux before 6.5 leaves clear: Power ISA 3.1B, I.3.3.17. */
  hashst: nothing,
  hashchk: nothing,
};
