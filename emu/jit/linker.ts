/**
 * Puts translated functions where they can be called. Each module has a table of the functions that it calls, with stubs for those that are
 * not there; one large table has all functions, for JavaScript to enter and for calls through registers, which find a function's slot by its address.
 */
import type { AddressSpace } from "../memory/address-space.ts";
import { BUDGET_OFFSET, LOOKUP_ENTRIES, LOOKUP_OFFSET, NO_ADDRESS } from "./corner.ts";
import { buildModule, Code, I32, Op, STEP } from "./wasm.ts";

/** (slot, budget, stack, address) -> next address; the budget that is left is in the corner. */
type Enter = (slot: number, budget: number, stack: number, address: number) => number;

interface Way {
  readonly enter: Enter;
  readonly stub: () => unknown;
  /** `Linker.step` as a function of WebAssembly: V8 compiles something for every module that imports one of JavaScript. */
  readonly step: (address: number) => number;
}

/** What a module with one translated function asks of the linker. */
export interface Linkable {
  /** Addresses of the functions that it calls, by their place in its table. */
  readonly callees: readonly number[];
  readonly looksUp: boolean;
}

/** A function in this address space. */
export interface Linked {
  /** What the module exports. */
  readonly code: () => unknown;
  readonly callees: readonly number[];
  readonly table: WebAssembly.Table;
}

export class Linker {
  private readonly memory: AddressSpace;
  /** Every function, by its slot. */
  readonly all: WebAssembly.Table;
  /** Of modules that call nothing. */
  private readonly none = newTable(0);
  /** The way in, and what stands for functions that are not there: made when there is a first function. */
  private way: Way | undefined;
  /** Where functions are in the table of all, once they have been there. */
  private readonly slots = new Map<number, number>();
  private readonly functions = new Map<number, () => unknown>();
  private readonly callers = new Map<number, Set<Linked>>();
  private readonly lookup: Int32Array;
  /** The budget that is left, and whether something was thrown. */
  private readonly left: Int32Array;
  private readonly step: (address: number) => number;

  constructor(memory: AddressSpace, slots: number, step: (address: number) => number) {
    this.memory = memory;
    this.step = step;
    this.all = newTable(slots);
    const { buffer } = memory.memory;
    this.lookup = new Int32Array(buffer, LOOKUP_OFFSET, 2 * LOOKUP_ENTRIES);
    new BigUint64Array(buffer, this.lookup.byteOffset, LOOKUP_ENTRIES).fill(BigInt(NO_ADDRESS));
    this.left = new Int32Array(buffer, BUDGET_OFFSET, 2);
  }

  private get entry(): Way {
    this.way ??= new WebAssembly.Instance(
      entryModuleOf(BUDGET_OFFSET, this.pages),
      this.imports(this.all, this.step),
    ).exports as unknown as Way;
    return this.way;
  }
  get enter(): Enter {
    return this.entry.enter;
  }
  private get stub(): () => unknown {
    return this.entry.stub;
  }

  /** Size of the memory that modules import. */
  get pages(): number {
    return this.memory.memory.buffer.byteLength / 65536;
  }
  private imports(callees: WebAssembly.Table, step: Way["step"]): WebAssembly.Imports {
    return { m: { memory: this.memory.memory, callees, all: this.all, step } };
  }
  /** Instructions that translated code has left of its budget. */
  get budgetLeft(): number {
    return this.left[0];
  }
  /** Says whether an instruction executed for translated code has thrown, which the quick loop asks. */
  set hasThrown(thrown: boolean) {
    this.left[1] = Number(thrown);
  }

  /** The slot of an address in the table of all functions. */
  slotOf(address: number): number {
    let slot = this.slots.get(address);
    if (slot === undefined) {
      slot = this.slots.size;
      this.slots.set(address, slot);
      if (slot >= this.all.length) this.all.grow(this.all.length);
      this.all.set(slot, this.stub);
    }
    return slot;
  }
  /** Whether translated code calls the address. */
  isCalled(address: number): boolean {
    return this.callers.has(address);
  }

  /** Gives all slots back, when no function is left. */
  reset(): void {
    this.slots.clear();
    this.callers.clear();
  }

  /** Makes a module's function part of this address space. Calls of what is not there come back with the address that was called. */
  instantiate(module: WebAssembly.Module, { callees }: Linkable): Linked {
    const table = callees.length === 0 ? this.none : newTable(callees.length);
    const code = new WebAssembly.Instance(module, this.imports(table, this.entry.step)).exports[
      "0"
    ] as () => unknown;
    const linked = { code, callees, table };
    callees.forEach((address, i) => {
      table.set(i, this.functions.get(address) ?? this.stub);
      let callers = this.callers.get(address);
      if (callers === undefined) this.callers.set(address, (callers = new Set()));
      callers.add(linked);
    });
    return linked;
  }
  /** Forgets a function that nothing leads to any more. */
  forget(linked: Linked): void {
    for (const address of linked.callees) this.callers.get(address)?.delete(linked);
  }

  /** Has calls of an address go to a function; undefined takes it away again. */
  link(address: number, code: (() => unknown) | undefined): void {
    const slot = this.slotOf(address);
    const target = code ?? this.stub;
    this.all.set(slot, target);
    for (const { callees, table } of this.callers.get(address) ?? []) {
      table.set(callees.indexOf(address), target);
    }
    const at = 2 * ((address >>> 2) & (LOOKUP_ENTRIES - 1));
    if (code !== undefined) {
      this.functions.set(address, code);
      this.lookup[at] = address;
      this.lookup[at + 1] = slot;
    } else {
      this.functions.delete(address);
      if (this.lookup[at] === address) this.lookup[at] = NO_ADDRESS;
    }
  }
}

const newTable = (initial: number) => new WebAssembly.Table({ element: "anyfunc", initial });

const entryModules = new Map<string, WebAssembly.Module>();

/** The module of the way in, which address spaces of one kind share. */
function entryModuleOf(budget: number, pages: number): WebAssembly.Module {
  const key = `${budget} ${pages}`;
  let module = entryModules.get(key);
  if (module === undefined)
    entryModules.set(key, (module = new WebAssembly.Module(entryModule(budget, pages))));
  return module;
}

/** The module with `enter`, `stub`, the function of addresses that have none, and `step`. */
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
  const step = new Code();
  step.get(0);
  step.op(Op.call);
  step.u32(STEP);
  return buildModule(
    [
      {
        locals: [],
        body: enter,
        signature: { parameters: [I32, I32, I32, I32], results: [I32] },
        name: "enter",
      },
      { locals: [], body: stub, name: "stub" },
      { locals: [], body: step, signature: { parameters: [I32], results: [I32] }, name: "step" },
    ],
    pages,
  );
}
