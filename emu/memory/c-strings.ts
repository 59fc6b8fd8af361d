/** Strings that end with a NUL. */
import { GuestFault } from "../cpu/fault.ts";
import type { AddressSpace } from "./address-space.ts";
import { FAR_START } from "./far-map.ts";
import { PAGE_SIZE } from "./layout.ts";

const NOTHING = new Uint8Array(0);

/** The bytes up to a NUL, at most `limit` of them; undefined when there is no NUL within. */
export function readCString(memory: AddressSpace, address: number, limit: number): Uint8Array | undefined {
  const length = lengthOfCString(memory, address, limit);
  // Of an array of no bytes V8 clears none, in a way that takes processors as long as a short call.
  return length === 0 ? NOTHING : length === undefined ? undefined : memory.peek(address, length);
}

/** How many bytes `readCString` would read. */
export function lengthOfCString(memory: AddressSpace, address: number, limit: number): number | undefined {
  for (let length = 0; length < limit; ) {
    const at = address + length;
    if (at >= memory.limit) throw new GuestFault("data-unmapped", BigInt(at));
    // Page by page: the string may end before the next one, which need not be there.
    const rest = Math.min(limit - length, PAGE_SIZE - (at % PAGE_SIZE));
    memory.checkLoad(at, 1);
    const found = lengthOf(memory, at, rest);
    length += found;
    if (found === rest) continue;
    memory.checkLoad(address, length + 1);
    return length;
  }
  return undefined;
}

/** How many of the bytes of a page that is here come before a NUL. */
function lengthOf(memory: AddressSpace, address: number, most: number): number {
  if (address < FAR_START) return memory.storage.lengthOf(address, most);
  const length = memory.peek(address, most).indexOf(0);
  return length < 0 ? most : length;
}
