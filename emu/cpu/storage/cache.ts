/**
 * Cache management and synchronisation: Power ISA 3.0B, II.4.3 and II.4.6. There are no caches, and one guest thread runs at a time:
 * what is left is dcbz, and the faults of those that touch storage. Stores into code are seen without icbi.
 */
import { effectiveAddresses } from "../effective-address.ts";
import type { HandlerTable } from "../handler-table.ts";
import type { Cpu, Handler } from "../interpreter.ts";

export function cacheHandlers(cpu: Cpu): HandlerTable {
  const { memory, model } = cpu;
  const ea = effectiveAddresses(cpu);
  const zeros = new Uint8Array(model.cacheBlock);

  const nothing: Handler = () => {};
  /** Treated as a load of the byte at EA. */
  const touch: Handler = (word) => memory.checkLoad(ea.x(word, false), 1);

  return {
    /** dcbzl too, which has bit 10 set. */
    dcbz: (word) => memory.write((ea.x(word, true) & -model.cacheBlock) >>> 0, zeros),
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
  };
}
