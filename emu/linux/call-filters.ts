/** What a thread may call, as seccomp(2) has it: nothing but the plainest, or what filters let pass. */
import type { BpfInstruction } from "./classic-bpf.ts";

/** A program that is asked of every call, and those that were there before it. */
export interface Filter {
  readonly program: readonly BpfInstruction[];
  readonly previous: Filter | undefined;
}

/** Reading, writing and going alone, or what filters let pass. */
export type Confinement = { readonly mode: "strict" } | { readonly mode: "filter"; readonly filter: Filter };

/** SECCOMP_MODE_*. */
export const MODE_STRICT = 1;
export const MODE_FILTER = 2;

/** The mode as prctl(2) and /proc tell it. */
export const modeOf = (confinement: Confinement | undefined): number =>
  confinement === undefined ? 0 : confinement.mode === "strict" ? MODE_STRICT : MODE_FILTER;

/** Bytes of struct seccomp_data: number, architecture, address of the next instruction, six arguments. */
export const DATA_SIZE = 64;

/** All filters, the latest first. */
export function* filtersOf(confinement: Confinement | undefined): Generator<Filter> {
  if (confinement?.mode !== "filter") return;
  for (let each: Filter | undefined = confinement.filter; each !== undefined; each = each.previous)
    yield each;
}
