/**
 * The page that signal handlers return to. Linux keeps it in its vdso; here it is a page of its own, an ordinary
 * anonymous mapping, so that images of any kind carry it.
 */
import type { AddressSpace } from "../../memory/address-space.ts";
import { PAGE_SIZE } from "../../memory/layout.ts";
import { PROT_EXEC, PROT_READ } from "../../memory/vma.ts";
import { GuestBytes } from "./bytes.ts";
import type { TaskModel } from "./mcontext.ts";

export const TRAMPOLINE_NAME = "[sigpage]";
/** Where 32-bit and early 64-bit kernels have their vdso. */
const PREFERRED = 0x10_0000;

const SC = 0x4400_0002;
const li0 = (value: number): number => 0x3800_0000 | value;
const NR_SIGRETURN = 119;
const NR_RT_SIGRETURN = 172;
/** addi r1,r1,128: the 64-bit trampoline pops the dummy frame. */
const POP_FRAME = 0x3821_0080;

/** Offsets of the return points in the page. */
export const SIGRETURN = 0;
export const RT_SIGRETURN = 8;
export const RT_SIGRETURN_64 = 64;

/** Offset of the return point for handlers of one kind. */
export const returnPoint = (model: TaskModel, rt: boolean): number =>
  model.is64 ? RT_SIGRETURN_64 : rt ? RT_SIGRETURN : SIGRETURN;

/**
 * Contents of the page. After the 64-bit trampoline stands what an unwinder that still knows on-stack trampolines
 * looks for: five words on, a pointer to the ucontext, chosen as the kernel does so that it finds none there.
 */
export function trampolineCode(model: TaskModel): Uint8Array<ArrayBuffer> {
  const code = new GuestBytes(model, 128);
  const words = (at: number, ...values: number[]): void =>
    values.forEach((value, i) => {
      code.setU32(at + 4 * i, value);
    });
  words(SIGRETURN, li0(NR_SIGRETURN), SC);
  words(RT_SIGRETURN, li0(NR_RT_SIGRETURN), SC);
  words(RT_SIGRETURN_64, POP_FRAME, li0(NR_RT_SIGRETURN), SC);
  code.setU64(RT_SIGRETURN_64 + 32, -168n);
  return code.bytes as Uint8Array<ArrayBuffer>;
}

/**
 * Finds the page in `memory` or maps it, and returns its address: by name, or by its contents in a process
 * restarted from an image that does not carry names. Undefined when there is no room for it.
 */
export function trampolinePage(memory: AddressSpace, model: TaskModel): number | undefined {
  const code = trampolineCode(model);
  for (const area of memory.vmas) {
    if (area.name === TRAMPOLINE_NAME) return area.start;
    const candidate = area.name === undefined && area.file === undefined && area.shared === undefined;
    if (!candidate || area.prot !== (PROT_READ | PROT_EXEC)) continue;
    const found = memory.peek(area.start, code.length);
    if (found.every((byte, i) => byte === code[i])) return area.start;
  }
  const free = memory.isFree(PREFERRED, PREFERRED + PAGE_SIZE)
    ? PREFERRED
    : memory.findFree(PAGE_SIZE, PREFERRED, memory.limit);
  if (free === undefined) return undefined;
  memory.map({
    start: free,
    end: free + PAGE_SIZE,
    prot: PROT_READ | PROT_EXEC,
    offset: 0,
    name: TRAMPOLINE_NAME,
  });
  const page = new Uint8Array(PAGE_SIZE);
  page.set(code);
  memory.restorePage(free, page);
  return free;
}
