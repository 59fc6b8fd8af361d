/** What differs between two images: registers, memory, descriptors. For a look at what a program did between two freezes. */
import { cpuLayout } from "./arch-ppc.ts";
import type { Image, TaskImage } from "./image.ts";
import { textOf } from "./record-fields.ts";

/** One thing that two images have different. */
export interface Difference {
  pid: number;
  what: "task" | "register" | "mapping" | "page" | "descriptor";
  /** Name of the register, address of the mapping or page (hexadecimal), number of the descriptor. */
  where: string;
  /** Undefined where one image has no such thing. */
  before: string | undefined;
  after: string | undefined;
  /** Of a page that both have: the address of the first byte that differs, and how many do. */
  bytes?: { first: number; count: number };
}

type Facts = Map<string, string>;

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

function registersOf(image: Image, task: TaskImage): Facts {
  const facts: Facts = new Map();
  for (const [name, value] of Object.entries(cpuLayout(image.shape).json(task.cpu.values))) {
    if (!Array.isArray(value)) facts.set(name, String(value));
    else for (const [index, one] of value.entries()) facts.set(`${name}[${index}]`, String(one));
  }
  return facts;
}

const mappingsOf = (task: TaskImage): Facts =>
  new Map(
    task.areas.map(({ vma, name }) => {
      const { vm_start, vm_end, vm_flags, vm_pgoff } = vma.values;
      const file = name === undefined ? "" : ` ${textOf(name.bytes)}+${hex(vm_pgoff)}`;
      return [hex(vm_start), `to ${hex(vm_end)} flags ${hex(vm_flags)}${file}`];
    }),
  );

function descriptorsOf(image: Image, task: TaskImage): Facts {
  const files = new Map<number, string>();
  for (const { entry, file } of image.tasks.flatMap(({ descriptors }) => descriptors)) {
    if (file === undefined) continue;
    const { f_flags, f_pos } = file.data.values;
    files.set(entry.values.objref, `${textOf(file.name.bytes)} flags 0${f_flags.toString(8)} at ${f_pos}`);
  }
  return new Map(
    task.descriptors.map(({ entry }) => [String(entry.values.fd), files.get(entry.values.objref) ?? ""]),
  );
}

/** Reads of the pages that a task has, by address. */
function pagesOf(task: TaskImage): Map<number, () => Uint8Array> {
  const pages = new Map<number, () => Uint8Array>();
  for (const run of task.areas.flatMap(({ runs }) => runs)) {
    for (const [index, address] of run.addresses.entries()) pages.set(address, () => run.read(index));
  }
  return pages;
}

function* compareFacts(
  pid: number,
  what: Difference["what"],
  before: Facts,
  after: Facts,
): Iterable<Difference> {
  for (const where of new Set([...before.keys(), ...after.keys()])) {
    const [one, other] = [before.get(where), after.get(where)];
    if (one !== other) yield { pid, what, where, before: one, after: other };
  }
}

function* comparePages(pid: number, before: TaskImage, after: TaskImage): Iterable<Difference> {
  const [one, other] = [pagesOf(before), pagesOf(after)];
  for (const address of [...new Set([...one.keys(), ...other.keys()])].sort((a, b) => a - b)) {
    const [left, right] = [one.get(address)?.(), other.get(address)?.()];
    const difference = { pid, what: "page" as const, where: hex(address) };
    if (left === undefined || right === undefined) {
      yield {
        ...difference,
        before: left && `${left.length} bytes`,
        after: right && `${right.length} bytes`,
      };
      continue;
    }
    const first = left.findIndex((byte, index) => byte !== right[index]);
    if (first < 0) continue;
    const count = left.reduce((sum, byte, index) => sum + (byte === right[index] ? 0 : 1), 0);
    yield {
      ...difference,
      before: hex(left[first]),
      after: hex(right[first]),
      bytes: { first: address + first, count },
    };
  }
}

const taskOf = (image: Image, pid: number): TaskImage | undefined =>
  image.tasks[image.pids.findIndex(({ values }) => values.vpid === pid)];

/** Everything that differs between the v13 parts of two images, task by task. Registers are compared as the images name them. */
export function* compare(before: Image, after: Image): Iterable<Difference> {
  for (const pid of new Set([...before.pids, ...after.pids].map(({ values }) => values.vpid))) {
    const [one, other] = [taskOf(before, pid), taskOf(after, pid)];
    if (one === undefined || other === undefined) {
      const text = (task: TaskImage | undefined) => task && textOf(task.comm.bytes);
      yield { pid, what: "task", where: String(pid), before: text(one), after: text(other) };
      continue;
    }
    yield* compareFacts(pid, "register", registersOf(before, one), registersOf(after, other));
    yield* compareFacts(pid, "mapping", mappingsOf(one), mappingsOf(other));
    yield* comparePages(pid, one, other);
    yield* compareFacts(pid, "descriptor", descriptorsOf(before, one), descriptorsOf(after, other));
  }
}
