/**
 * The areas of an address space in order of their addresses.
 *
 * A treap, a search tree by address that is a heap by a random priority, so that its depth grows with the logarithm
 * of the number of areas whatever is mapped and unmapped. Nodes never change: what changes is built anew along the
 * path to it. So a copy of the whole costs nothing, and a list of areas taken before a change stays as it was.
 */
import { clip, continues, isData, isLocked, type Vma, withEnds } from "./vma.ts";

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
    const [below, above] = [this.below(area.start), this.above(area.start)];
    const goesOn = below !== undefined && continues(below, area);
    const isContinued = above !== undefined && continues(area, above);
    if (goesOn && isContinued) this.root = this.without(this.root!, above.start);
    const end = isContinued ? above.end : area.end;
    if (goesOn) this.root = this.replaced(this.root!, below.start, withEnds(below, below.start, end));
    else if (isContinued) this.root = this.replaced(this.root!, above.start, withEnds(area, area.start, end));
    else this.root = this.added(this.root, this.leaf(withEnds(area, area.start, area.end)));
  }

  /** Takes a range out, cutting areas at its ends; returns what was in it. */
  remove(start: number, end: number): Vma[] {
    const first = start < end ? this.above(start) : undefined;
    if (first === undefined || first.start >= end) return [];
    if (first.start <= start && end <= first.end) return this.removeWithin(first, start, end);
    const [lower, rest] = this.split(this.root, start);
    const [middle, upper] = this.split(rest, end);
    this.root = this.join(lower, upper);
    const gone: Vma[] = [];
    this.collect(middle, start, end, gone);
    return gone;
  }

  /** The same where the range lies in one area: only the path to that is built anew. */
  private removeWithin(area: Vma, start: number, end: number): Vma[] {
    const root = this.root!;
    if (area.start === start && area.end === end) {
      this.root = this.without(root, start);
      return [area];
    }
    const gone = clip(area, start, end);
    const rest = area.end > end ? clip(area, end, area.end) : undefined;
    if (area.start === start) this.root = this.replaced(root, start, rest!);
    else {
      this.root = this.replaced(root, area.start, withEnds(area, area.start, start));
      if (rest !== undefined) this.root = this.added(this.root, this.leaf(rest));
    }
    return [gone];
  }

  /** The tree with another area, in about the same place, for the one that starts at `at`. */
  private replaced(tree: Node, at: number, by: Vma): Node {
    const { area, priority, left, right } = tree;
    if (area.start === at) return this.node(by, priority, left, right);
    return at < area.start
      ? this.node(area, priority, this.replaced(left!, at, by), right)
      : this.node(area, priority, left, this.replaced(right!, at, by));
  }

  /** The tree without the area that starts at `at`. */
  private without(tree: Node, at: number): Tree {
    const { area, priority, left, right } = tree;
    if (area.start === at) return this.join(left, right);
    return at < area.start
      ? this.node(area, priority, this.without(left!, at), right)
      : this.node(area, priority, left, this.without(right!, at));
  }

  /** The tree with a further leaf, whose area overlaps none. */
  private added(tree: Tree, leaf: Node): Node {
    if (tree === undefined) return leaf;
    const { area, priority, left, right } = tree;
    if (leaf.priority > priority) {
      const [lower, upper] = this.split(tree, leaf.area.start);
      return this.node(leaf.area, leaf.priority, lower, upper);
    }
    return leaf.area.start < area.start
      ? this.node(area, priority, this.added(left, leaf), right)
      : this.node(area, priority, left, this.added(right, leaf));
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
    const cut = this.leaf(clip(area, at, area.end));
    return [this.node(clip(area, area.start, at), priority, left, undefined), this.join(cut, right)];
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
