/**
 * Where Linux puts things in a process: a program linked for no fixed place, the stack, the area from which mmap
 * serves. There is no randomisation, so a program sees the same addresses in every run.
 */
import type { AddressSpace } from "../memory/address-space.ts";
import { FAR_START } from "../memory/far-map.ts";
import { PAGE_SIZE } from "../memory/layout.ts";
import type { Vma } from "../memory/vma.ts";
import type { AbiInfo } from "./abi.ts";

/** vm.mmap_min_addr: nothing is mapped below. */
export const MMAP_MIN = 0x1_0000;
/** ELF_ET_DYN_BASE: where position-independent programs go. */
export const ET_DYN_BASE = 0x2000_0000;
/** TASK_SIZE of a 32-bit kernel: user addresses are below. */
const TASK_SIZE_32 = 0xc000_0000;
/** Least and most room (as a part of all addresses) that mmap leaves to the stack, as mmap_base has it. */
const MIN_GAP = 128 * 1024 * 1024;
/** What mmap leaves free at the end of far memory, for a stack. */
const FAR_GAP = 2 ** 32;
/** Pages kept free below a stack (stack_guard_gap). */
export const GUARD_GAP = 256 * PAGE_SIZE;

export const pageDown = (address: number): number => address - (address % PAGE_SIZE);
export const pageUp = (address: number): number => pageDown(address + PAGE_SIZE - 1);

/** Where room for an area begins that an area below must leave free (vm_start_gap). */
export const startGap = ({ start, growsDown }: Vma): number => (growsDown ? start - GUARD_GAP : start);

/**
 * End of the stack and of where mmap begins. 64-bit kernels have both at the end of 47 bits; but near memory is faster, so
 * what fits into it goes there.
 */
export function stackTop(abi: AbiInfo, memory: AddressSpace): number {
  return abi.is64 ? memory.nearLimit : Math.min(memory.nearLimit, TASK_SIZE_32);
}

/** Where mmap begins to search downwards; `stackLimit` is RLIMIT_STACK in bytes. */
function mmapBase(abi: AbiInfo, memory: AddressSpace, stackLimit: bigint): number {
  const top = stackTop(abi, memory);
  const least = Math.min(MIN_GAP, top / 8);
  const wanted = Number(stackLimit) + GUARD_GAP;
  return pageDown(top - Math.min(Math.max(wanted, least), (top / 6) * 5));
}

/**
 * Where there is far memory, mmap leaves this part of the near one below its beginning to the program, its heap, and the places of
 * what is far: 1,000 stacks of 8 MiB, which are near as long as they fit, would otherwise leave no place to those that don't.
 */
const LEFT_FREE = 1 / 4;

/** Areas as long as this go to far memory at once, and leave near memory to those that are likely to be all used. */
const LONG = 2 ** 30;

/** Whether there is no room for `more` bytes of private memory, by what all programs have mapped (vm.overcommit_memory = 2). */
export function isFull({ countsMemory, memorySize, processes }: MemoryLimits, more: number): boolean {
  if (!countsMemory) return false;
  let used = 0;
  const seen = new Set<AddressSpace>();
  for (const { memory } of processes.values()) {
    if (!seen.has(memory)) used += memory.areas.dataBytes;
    seen.add(memory);
  }
  return used + more > memorySize;
}
interface MemoryLimits {
  readonly countsMemory: boolean;
  readonly memorySize: number;
  readonly processes: ReadonlyMap<number, { readonly memory: AddressSpace }>;
}

/**
 * A free place for `length` bytes (page multiple) as mmap finds it: top down, then anywhere; in near memory if it fits.
 * One that goes far gets `farWish`, a free place there.
 */
export function findPlace(
  abi: AbiInfo,
  memory: AddressSpace,
  length: number,
  stackLimit: bigint,
  farWish?: number,
): number | undefined {
  const { areas } = memory;
  const hasFar = memory.limit > FAR_START;
  const far = () =>
    farWish ?? (hasFar ? areas.findFree(length, FAR_START, memory.limit - FAR_GAP) : undefined);
  const base = mmapBase(abi, memory, stackLimit);
  const near = (floor: number) => {
    const found = areas.findFree(length, floor, base) ?? areas.findFree(length, floor, stackTop(abi, memory));
    return found === undefined || memory.hasRoom(found, found + length) ? found : undefined;
  };
  if (length >= LONG) return far() ?? near(MMAP_MIN);
  return near(hasFar ? pageDown(base * LEFT_FREE) : MMAP_MIN) ?? far() ?? near(MMAP_MIN);
}
