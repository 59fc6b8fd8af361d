/** The vdso in an address space: an ordinary anonymous mapping, so that images of any kind carry it, and the page of data before it, which none does. */
import type { AddressSpace } from "../../memory/address-space.ts";
import { PAGE_SIZE } from "../../memory/layout.ts";
import { PROT_EXEC, PROT_READ } from "../../memory/vma.ts";
import { DATA_NAME, PREFERRED } from "./vdso-places.ts";
import { type VdsoModel, vdsoImage } from "./vdso-image.ts";

const NAME = "[vdso]";
/** Where a program is in the way, it goes below this, which leaves the top to the stack. */
const LOW = 0x4000_0000;

/** The pages made so far. Every program that is executed has one, and few look at it. */
const images = new WeakMap<VdsoModel, Uint8Array>();

function imageFor(model: VdsoModel): Uint8Array {
  let image = images.get(model);
  if (image === undefined) images.set(model, (image = vdsoImage(model)));
  return image;
}

/**
 * Address of the vdso in `memory`: it is found by name, or by its contents in a process restarted from an image that does not
 * carry names, and mapped where there is none. Undefined when there is no room for it.
 */
export function vdsoPage(memory: AddressSpace, model: VdsoModel): number | undefined {
  // Where it nearly always is: every signal asks.
  if (memory.areas.find(PREFERRED)?.name === NAME) return PREFERRED;
  const named = [...memory.areas].find(({ name }) => name === NAME);
  if (named !== undefined) return named.start;
  for (const area of memory.areas) {
    const candidate = area.name === undefined && area.file === undefined && area.shared === undefined;
    if (!candidate || area.prot !== (PROT_READ | PROT_EXEC)) continue;
    const found = memory.peek(area.start, PAGE_SIZE);
    const image = imageFor(model);
    if (found.every((byte, i) => byte === image[i])) return area.start;
  }
  const data = memory.areas.isFree(PREFERRED - PAGE_SIZE, PREFERRED + PAGE_SIZE)
    ? PREFERRED - PAGE_SIZE
    : (memory.areas.findFree(2 * PAGE_SIZE, PREFERRED, LOW) ??
      memory.areas.findFree(2 * PAGE_SIZE, PREFERRED, memory.nearLimit));
  if (data === undefined) return undefined;
  const start = data + PAGE_SIZE;
  memory.map({ start: data, end: start, prot: PROT_READ, offset: 0, name: DATA_NAME });
  memory.map({ start, end: start + PAGE_SIZE, prot: PROT_READ | PROT_EXEC, offset: 0, name: NAME });
  memory.restorePageLater(start, () => imageFor(model));
  return start;
}
