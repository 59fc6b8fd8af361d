/**
 * Where a program spends its instructions: every so many of them, which functions were being executed. Counted and not timed, so that a seeded run
 * has the same profile each time, whatever engine runs it.
 */
import type { AddressSpace } from "../memory/address-space.ts";
import { PROFILE_INTERVAL } from "../tuning.ts";
import type { AbiInfo } from "./abi.ts";
import type { Mm } from "./mm.ts";
import { GuestBytes } from "./signals/bytes.ts";
import { SymbolTables } from "./symbol-tables.ts";
import type { Thread } from "./thread.ts";

/** Frames of a stack that are looked at. */
const DEEPEST = 128;

export class Profiler {
  /** Instructions by stack: names from the outermost function to the innermost one, the program's first, with ";" between. */
  readonly stacks = new Map<string, number>();
  private readonly tables = new SymbolTables();
  /** Names of the functions at addresses. */
  private names = new WeakMap<Mm, Map<number, string>>();
  private left = PROFILE_INTERVAL;

  /** Instructions until the next sample. */
  get due(): number {
    return this.left;
  }

  /** A thread has executed some instructions, at most `due`. */
  ran(thread: Thread, count: number): void {
    this.left -= count;
    if (this.left > 0) return;
    this.left = PROFILE_INTERVAL;
    const stack = [thread.process.comm.replaceAll(/[;\s]/g, "_"), ...this.stackOf(thread).reverse()].join(
      ";",
    );
    this.stacks.set(stack, (this.stacks.get(stack) ?? 0) + PROFILE_INTERVAL);
  }

  /** Names of the functions on a thread's stack, the innermost one first. */
  private stackOf({ registers, process }: Thread): string[] {
    const { memory, abi } = process;
    const nameOf = (address: number) => this.nameOf(process.mm, address);
    const address = (value: bigint) => Number(BigInt.asUintN(8 * abi.wordSize, value));
    const frames = [nameOf(address(registers.nia))];
    const next = chain(memory, abi, address(registers.gpr(1)));
    // The link register has the caller unless the function has saved it and called another one since: then it points into the function itself.
    const link = address(registers.lr) - 4;
    const saved = next === undefined ? undefined : returnAddress(memory, abi, next);
    const caller = nameOf(link);
    if (caller !== frames[0] && (saved === undefined || nameOf(saved - 4) !== caller)) frames.push(caller);
    for (let up = next; up !== undefined && frames.length < DEEPEST; up = chain(memory, abi, up)) {
      const back = returnAddress(memory, abi, up);
      if (back === undefined || back === 0) break;
      frames.push(nameOf(back - 4));
    }
    return frames;
  }

  private nameOf(mm: Mm, address: number): string {
    let names = this.names.get(mm);
    if (names === undefined) this.names.set(mm, (names = new Map()));
    let name = names.get(address);
    if (name === undefined) {
      name = this.find(mm, address);
      names.set(address, name);
    }
    return name;
  }

  private find({ memory }: Mm, address: number): string {
    const area = memory.areas.find(address);
    if (area === undefined) return "[nowhere]";
    const file = area.file;
    if (file === undefined) return area.name ?? "[anonymous]";
    const name = this.tables.of(file)?.nameAt(address, area);
    return name ?? `[${file.path.slice(file.path.lastIndexOf("/") + 1)}]`;
  }
}

/** The frame above one: its back chain, which leads to higher addresses. */
function chain(memory: AddressSpace, abi: AbiInfo, frame: number): number | undefined {
  const up = word(memory, abi, frame);
  return up === undefined || up <= frame ? undefined : up;
}

/** The return address that the function below a frame has saved in it: the LR save word of the ABIs. */
const returnAddress = (memory: AddressSpace, abi: AbiInfo, frame: number): number | undefined =>
  word(memory, abi, frame + (abi.is64 ? 16 : 4));

/** A word of the ABI's width on the stack, as it lies: nothing happens to memory for it. */
function word(memory: AddressSpace, abi: AbiInfo, address: number): number | undefined {
  const area = memory.areas.find(address);
  if (area === undefined || address + abi.wordSize > area.end || address % 4 !== 0) return undefined;
  return Number(new GuestBytes(abi, memory.peek(address, abi.wordSize)).ulong(0));
}
