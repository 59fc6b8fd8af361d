/**
 * Puts translated functions where they can be called: the function table of an address space, the small module through which JavaScript
 * enters, and the table by which indirect calls find a slot.
 */
import type { AddressSpace } from "../memory/address-space.ts";
import { BUDGET_OFFSET, LOOKUP_ENTRIES, LOOKUP_OFFSET, NO_ADDRESS } from "./corner.ts";
import { buildModule, Code, type FunctionBody, I32, Op } from "./wasm.ts";

/** (slot, budget, stack, address) -> next address; the budget that is left is in the corner. */
type Enter = (slot: number, budget: number, stack: number, address: number) => number;

export class Linker {
  private readonly memory: AddressSpace;
  private readonly table: WebAssembly.Table;
  private readonly stub: () => unknown;
  readonly enter: Enter;
  private readonly slots = new Map<number, number>();
  private readonly lookup: Int32Array;
  private readonly budget: Int32Array;
  private readonly step: (address: number) => number;
  /** Bytes of all modules so far, and their number. */
  bytes = 0;
  modules = 0;

  constructor(memory: AddressSpace, slots: number, step: (address: number) => number) {
    this.memory = memory;
    this.step = step;
    this.table = new WebAssembly.Table({ element: "anyfunc", initial: slots });
    const { buffer } = memory.memory;
    this.lookup = new Int32Array(buffer, memory.corner + LOOKUP_OFFSET, 2 * LOOKUP_ENTRIES);
    for (let i = 0; i < LOOKUP_ENTRIES; i++) this.lookup[2 * i] = NO_ADDRESS;
    this.budget = new Int32Array(buffer, memory.corner + BUDGET_OFFSET, 1);
    const module = new WebAssembly.Module(entryModule(memory.corner + BUDGET_OFFSET, this.pages));
    const { enter, stub } = new WebAssembly.Instance(module, this.imports).exports;
    this.enter = enter as Enter;
    this.stub = stub as () => unknown;
    for (let i = 0; i < slots; i++) this.table.set(i, this.stub);
  }

  private get pages(): number {
    return this.memory.memory.buffer.byteLength / 65536;
  }
  private get imports(): WebAssembly.Imports {
    return { m: { memory: this.memory.memory, table: this.table, step: this.step } };
  }
  /** Instructions that translated code has left of its budget. */
  get budgetLeft(): number {
    return this.budget[0];
  }

  /** The slot of the function at an address; until there is one, calling it gives the address back. */
  slotOf(address: number): number {
    let slot = this.slots.get(address);
    if (slot === undefined) {
      slot = this.slots.size;
      this.slots.set(address, slot);
      if (slot >= this.table.length) {
        const more = this.table.length;
        this.table.grow(more);
        for (let i = 0; i < more; i++) this.table.set(more + i, this.stub);
      }
    }
    return slot;
  }
  /** Whether something calls the address. */
  isCalled(address: number): boolean {
    return this.slots.has(address);
  }

  /** Compiles a function. */
  compile(body: FunctionBody): unknown {
    const bytes = buildModule([body], this.pages);
    this.bytes += bytes.length;
    this.modules++;
    return new WebAssembly.Instance(new WebAssembly.Module(bytes), this.imports).exports["0"];
  }
  /** Has calls of an address go to a function; undefined takes it away again. */
  link(address: number, code: unknown): void {
    const slot = this.slotOf(address);
    this.table.set(slot, (code as () => unknown) ?? this.stub);
    const at = 2 * ((address >>> 2) & (LOOKUP_ENTRIES - 1));
    if (code !== undefined) {
      this.lookup[at] = address;
      this.lookup[at + 1] = slot;
    } else if (this.lookup[at] === address) {
      this.lookup[at] = NO_ADDRESS;
    }
  }
}

/** The module with `enter` and `stub`, the function of addresses that have none. */
function entryModule(budget: number, pages: number): Uint8Array<ArrayBuffer> {
  const enter = new Code();
  // Parameters: slot 0, budget 1, stack 2, address 3.
  for (const parameter of [1, 2, 3, 0]) enter.get(parameter);
  enter.op(Op.call_indirect);
  enter.u32(0);
  enter.u32(0);
  enter.set(1);
  enter.set(3);
  enter.i32Const(0);
  enter.get(1);
  enter.access(Op.i32_store, budget);
  enter.get(3);
  const stub = new Code();
  stub.get(2);
  stub.get(0);
  return buildModule(
    [
      {
        locals: [],
        body: enter,
        signature: { parameters: [I32, I32, I32, I32], results: [I32] },
        name: "enter",
      },
      { locals: [], body: stub, name: "stub" },
    ],
    pages,
  );
}
