/** What threads have been forbidden to call, in a snapshot and out of it. */
import type { FilterSnapshot, MachineSnapshot } from "../snapshot.ts";
import { isSoundProgram } from "./classic-bpf.ts";
import { type Confinement, DATA_SIZE, type Filter, filtersOf } from "./call-filters.ts";
import type { System } from "./system.ts";

const STRICT = -1;

/** The filters of all threads, each once. */
export class FilterTable {
  readonly list: FilterSnapshot[] = [];
  /** Whether a thread is confined, be it without a filter. */
  isNeeded = false;
  private readonly indices = new Map<Filter, number>();

  /** What a thread's snapshot has for a confinement. */
  indexOf(confinement: Confinement): number {
    this.isNeeded = true;
    let previous = STRICT;
    for (const filter of [...filtersOf(confinement)].reverse()) {
      const known = this.indices.get(filter);
      if (known === undefined) {
        this.indices.set(filter, this.list.length);
        this.list.push({ previous, program: filter.program.map((instruction) => ({ ...instruction })) });
      }
      previous = this.indices.get(filter)!;
    }
    return previous;
  }
}

/** Confines the threads of a snapshot, when all are there. Throws RangeError. */
export function thawConfinements(kernel: System, { processes, filters = [] }: MachineSnapshot): void {
  const made: Filter[] = [];
  const filterAt = (index: number): Filter => {
    const filter = made[index];
    if (filter === undefined) throw new RangeError(`filter ${index} of system calls is missing`);
    return filter;
  };
  for (const { previous, program } of filters) {
    if (!isSoundProgram(program, DATA_SIZE)) throw new RangeError("a filter of system calls makes no sense");
    made.push({ program, previous: previous < 0 ? undefined : filterAt(previous) });
  }
  for (const { tid, confinement } of processes.flatMap(({ threads }) => threads)) {
    if (confinement === undefined) continue;
    kernel.thread(tid)!.confinement =
      confinement === STRICT ? { mode: "strict" } : { mode: "filter", filter: filterAt(confinement) };
  }
}
