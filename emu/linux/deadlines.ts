/**
 * Things that are due at some time, the first of them at hand: a binary heap in which each thing can be found again.
 * Of those that are due at once the one of the lowest rank comes first, so that the order tells nothing of the past.
 */
export class Deadlines<T> {
  private readonly rank: (item: T) => number;
  private readonly heap: { readonly item: T; at: bigint }[] = [];
  private readonly places = new Map<T, number>();

  constructor(rank: (item: T) => number) {
    this.rank = rank;
  }

  get size(): number {
    return this.heap.length;
  }

  /** What is due first. */
  get first(): { readonly item: T; readonly at: bigint } | undefined {
    return this.heap[0];
  }

  has(item: T): boolean {
    return this.places.has(item);
  }

  /** Adds a thing, or gives it another time. */
  set(item: T, at: bigint): void {
    const place = this.places.get(item) ?? this.heap.length;
    if (place === this.heap.length) this.put(place, { item, at });
    else this.heap[place].at = at;
    this.settle(place);
  }

  delete(item: T): void {
    const place = this.places.get(item);
    if (place === undefined) return;
    this.places.delete(item);
    const last = this.heap.pop()!;
    if (place === this.heap.length) return;
    this.put(place, last);
    this.settle(place);
  }

  clear(): void {
    this.heap.length = 0;
    this.places.clear();
  }

  private isBefore(one: { item: T; at: bigint }, other: { item: T; at: bigint }): boolean {
    return one.at === other.at ? this.rank(one.item) < this.rank(other.item) : one.at < other.at;
  }

  private put(place: number, entry: { readonly item: T; at: bigint }): void {
    this.heap[place] = entry;
    this.places.set(entry.item, place);
  }

  /** Moves the entry at `place` up or down to where it belongs. */
  private settle(place: number): void {
    const { heap } = this;
    const entry = heap[place];
    for (
      let above = (place - 1) >> 1;
      place > 0 && this.isBefore(entry, heap[above]);
      above = (place - 1) >> 1
    ) {
      this.put(place, heap[above]);
      place = above;
    }
    for (;;) {
      let below = 2 * place + 1;
      if (below + 1 < heap.length && this.isBefore(heap[below + 1], heap[below])) below++;
      if (below >= heap.length || !this.isBefore(heap[below], entry)) break;
      this.put(place, heap[below]);
      place = below;
    }
    this.put(place, entry);
  }
}
