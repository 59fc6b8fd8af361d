/**
 * The areas of an address space in order of their addresses.
 *
 * A treap, a search tree by address that is a heap by a random priority, so that its depth grows with the logarithm
 * of the number of areas whatever is mapped and unmapped. Nodes never change: what changes is built anew along the
 * path to it. So a copy of the whole costs nothing, and a list of areas taken before a change stays as it was.
 */
import { continues, isData, isLocked, type Vma } from "./vma.ts";

type Tree = Node | undefined;

interface Node {
  readonly area: Vma;
  readonly priority: number;
  readonly left: Tree;
  readonly right: Tree;
  /** Start of the first area, end of the last one, and the largest gap between areas in between. */
  readonly low: number;
  readonly high: number;
  readonly gap: number;
  readonly count: number;
  readonly bytes: number;
  readonly dataBytes: number;
  readonly lockedBytes: number;
}

/** The map as others see it. */
export type Areas = Omit<AreaMap, "copy" | "insert" | "remove">;

export class AreaMap {
  private root: Tree;
  private seed = 0x9e37_79b9;
  /** Nodes looked at or made so far: tests hold it against the number of areas. */
  private visited = 0;

  /** Number of areas. */
  get count(): number {
    return this.root?.count ?? 0;
  }
  /** Bytes in all areas. */
  get bytes(): number {
    return this.root?.bytes ?? 0;
  }
  /** Bytes in areas that count as data (`isData`). */
  get dataBytes(): number {
    return this.root?.dataBytes ?? 0;
  }
  /** Bytes in areas that are locked. */
  get lockedBytes(): number {
    return this.root?.lockedBytes ?? 0;
  }
  /** How many nodes all operations so far have looked at or made. */
  get visits(): number {
    return this.visited;
  }

  /** All areas, ascending. */
  [Symbol.iterator](): Iterator<Vma> {
    return this.overlapping(0, Number.POSITIVE_INFINITY)[Symbol.iterator]();
  }

  /** Has the same areas as another map from now on. */
  copy(other: AreaMap): void {
    this.root = other.root;
    this.seed = other.seed;
  }

  /** The area that `address` lies in. */
  find(address: number): Vma | undefined {
    const area = this.above(address);
    return area !== undefined && area.start <= address ? area : undefined;
  }

  /** The first area that ends above `address`. */
  above(address: number): Vma | undefined {
    let found: Vma | undefined;
    for (let tree = this.root; tree !== undefined; ) {
      this.visited++;
      if (tree.area.end > address) {
        found = tree.area;
        tree = tree.left;
      } else tree = tree.right;
    }
    return found;
  }

  /** The last area that ends at `address` or below. */
  below(address: number): Vma | undefined {
    let found: Vma | undefined;
    for (let tree = this.root; tree !== undefined; ) {
      this.visited++;
      if (tree.area.end <= address) {
        found = tree.area;
        tree = tree.right;
      } else tree = tree.left;
    }
    return found;
  }

  /** Whether nothing is mapped in the range. */
  isFree(start: number, end: number): boolean {
    const area = this.above(start);
    return area === undefined || area.start >= end;
  }

  /** The areas that have a part in the range, ascending. */
  overlapping(start: number, end: number): Vma[] {
    const areas: Vma[] = [];
    this.collect(this.root, start, end, areas);
    return areas;
  }

  /** The highest free place of `length` bytes within [low, high); undefined if there is none. */
  findFree(length: number, low: number, high: number): number | undefined {
    return this.searchGap(this.root, length, low, high);
  }

  /** Adds an area in a free place; equal neighbours become one with it. */
  insert(area: Vma): void {
    let [lower, upper] = this.split(this.root, area.start);
    let whole = area;
    const below = this.below(area.start);
    if (below !== undefined && continues(below, area)) {
      [lower] = this.split(lower, below.start);
      whole = { ...below, end: area.end };
    }
    const above = this.above(area.start);
    if (above !== undefined && continues(area, above)) {
      [, upper] = this.split(upper, above.end);
      whole = { ...whole, end: above.end };
    }
    this.root = this.join(this.join(lower, this.leaf(whole)), upper);
  }

  /** Takes a range out, cutting areas at its ends; returns what was in it. */
  remove(start: number, end: number): Vma[] {
    if (start >= end) return [];
    const [lower, rest] = this.split(this.root, start);
    const [middle, upper] = this.split(rest, end);
    this.root = this.join(lower, upper);
    const gone: Vma[] = [];
    this.collect(middle, start, end, gone);
    return gone;
  }

  private collect(tree: Tree, start: number, end: number, into: Vma[]): void {
    if (tree === undefined || tree.high <= start || tree.low >= end) return;
    this.visited++;
    this.collect(tree.left, start, end, into);
    if (tree.area.end > start && tree.area.start < end) into.push(tree.area);
    this.collect(tree.right, start, end, into);
  }

  /** `findFree` where `tree` has all areas of the window [low, high), which others enclose. */
  private searchGap(tree: Tree, length: number, low: number, high: number): number | undefined {
    if (high - low < length) return undefined;
    if (tree === undefined) return high - length;
    this.visited++;
    const roomiest = Math.max(tree.gap, tree.low - low, high - tree.high);
    if (roomiest < length) return undefined;
    const { start, end } = tree.area;
    return (
      this.searchGap(tree.right, length, Math.max(low, end), high) ??
      this.searchGap(tree.left, length, low, Math.min(high, start))
    );
  }

  /** The parts below and above `at`; an area across it is cut. */
  private split(tree: Tree, at: number): [Tree, Tree] {
    if (tree === undefined) return [undefined, undefined];
    const { area, priority, left, right } = tree;
    if (area.end <= at) {
      const [lower, upper] = this.split(right, at);
      return [this.node(area, priority, left, lower), upper];
    }
    if (area.start >= at) {
      const [lower, upper] = this.split(left, at);
      return [lower, this.node(area, priority, upper, right)];
    }
    const cut = this.leaf({ ...area, start: at, offset: area.offset + (at - area.start) });
    return [this.node({ ...area, end: at }, priority, left, undefined), this.join(cut, right)];
  }

  /** One tree of two, of which the first lies below the second. */
  private join(lower: Tree, upper: Tree): Tree {
    if (lower === undefined) return upper;
    if (upper === undefined) return lower;
    return lower.priority > upper.priority
      ? this.node(lower.area, lower.priority, lower.left, this.join(lower.right, upper))
      : this.node(upper.area, upper.priority, this.join(lower, upper.left), upper.right);
  }

  private leaf(area: Vma): Node {
    // Marsaglia's xorshift: the same areas make the same tree in every run.
    this.seed ^= this.seed << 13;
    this.seed ^= this.seed >>> 17;
    this.seed ^= this.seed << 5;
    return this.node(area, this.seed, undefined, undefined);
  }

  private node(area: Vma, priority: number, left: Tree, right: Tree): Node {
    this.visited++;
    const length = area.end - area.start;
    const below = left === undefined ? 0 : Math.max(left.gap, area.start - left.high);
    const above = right === undefined ? 0 : Math.max(right.gap, right.low - area.end);
    return {
      area,
      priority,
      left,
      right,
      low: left?.low ?? area.start,
      high: right?.high ?? area.end,
      gap: Math.max(below, above),
      count: 1 + (left?.count ?? 0) + (right?.count ?? 0),
      bytes: length + (left?.bytes ?? 0) + (right?.bytes ?? 0),
      dataBytes: (isData(area) ? length : 0) + (left?.dataBytes ?? 0) + (right?.dataBytes ?? 0),
      lockedBytes: (isLocked(area) ? length : 0) + (left?.lockedBytes ?? 0) + (right?.lockedBytes ?? 0),
    };
  }
}
