/** Paths that programs have named lately. They name the same ones again, and to make a string of bytes takes V8 as long as a short call. */
import { decodeName } from "../host/names.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { FAR_START } from "../memory/far-map.ts";

const PLACES = 256;
/** Longer ones are few. */
const LONGEST = 128;

class RecentNames {
  private readonly names: (string | undefined)[] = new Array(PLACES).fill(undefined);

  /** The text of `length` bytes that can be loaded. */
  at(memory: AddressSpace, address: number, length: number): string {
    if (length > LONGEST || address + length >= FAR_START) return decodeName(memory.peek(address, length));
    const { storage } = memory;
    const place = storage.digest(address, length) & (PLACES - 1);
    const known = this.names[place];
    if (known?.length === length && storage.holds(address, known)) return known;
    const name = decodeName(memory.peek(address, length));
    // Of others than ASCII one character stands for several bytes, or for one that no character has.
    if (name.length === length) this.names[place] = name;
    return name;
  }
}

export const recentNames = new RecentNames();
