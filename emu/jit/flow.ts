/**
 * The control flow of a region in the form that structured code is emitted from: loops (all with one header), a reverse postorder,
 * dominators. N. Ramsey, "Beyond Relooper: recursive translation of unstructured control flow to structured control flow" (2022).
 *
 * A loop with several entries gets a node of its own as header, which goes on to one of them by a selector that every edge into the loop
 * sets. Mid-function entries of translated code are such entries too, for they are edges from the root.
 *
 * Of interpreters each operation ends with a jump through one table to all the others. Where these are many they become one node, a switch:
 * edges are as many as operations then, and not as many as pairs of them.
 */
import { LEAST_SHARED_JUMPS } from "../tuning.ts";
import { type Block, End, endsWithCall, nodeAt, type Region, successors } from "./scan.ts";

/** An edge; `selector` says to which of its targets a dispatch node is to go on, -1 for edges to other nodes. */
export interface Edge {
  to: number;
  selector: number;
  back: boolean;
}

/** An edge, and where it comes from. */
interface Incoming {
  readonly from: number;
  readonly edge: Edge;
}

export interface Loop {
  readonly header: number;
  readonly nodes: Set<number>;
  readonly parent: Loop | undefined;
}

export interface Flow {
  /** Blocks are nodes of their own index; the root follows them, then the switches and the dispatch nodes. */
  readonly root: number;
  /** The targets in the tables of the switches, by node. */
  readonly switches: ReadonlyMap<number, readonly number[]>;
  /** The blocks that go to a switch at their ends. */
  readonly switching: ReadonlySet<number>;
  readonly edges: Edge[][];
  /** Dispatch nodes' selectors are numbered through the region; the root's are the entries' order. */
  readonly order: number[];
  readonly position: Int32Array;
  readonly idom: Int32Array;
  /** The innermost loop of a node. */
  readonly loopOf: (Loop | undefined)[];
  readonly loops: Loop[];
  readonly isHeader: Uint8Array;
  /** Forward edges into a node. */
  readonly forward: Int32Array;
}

/**
 * The flow of `region`, entered at the blocks `entries`. Targets outside the region have no edge. A loop with several entries is cut at the
 * one that comes first in `heads`, as a rule: its edges within the loop go through the dispatch node, the others' stay as they are.
 */
export function buildFlow(region: Region, entries: readonly number[], heads: readonly number[] = []): Flow {
  const { blocks, at } = region;
  const root = blocks.length;
  const edges: Edge[][] = blocks.map((block) =>
    successors(block).map((address) => {
      const to = block.copies?.get(address) ?? at.get(address);
      return { to: to ?? -1, selector: -1, back: false };
    }),
  );
  edges.push(entries.map((to) => ({ to, selector: -1, back: false })));
  const { switches, switching } = shareJumps(blocks, edges);

  const loops: Loop[] = [];
  const loopOf: (Loop | undefined)[] = new Array(edges.length).fill(undefined);
  const ranks = new Map<number, number>();
  for (const head of heads) if (!ranks.has(head)) ranks.set(head, ranks.size);
  const rank = (node: number) => (switches.has(node) ? -1 : (ranks.get(node) ?? heads.length));
  const first = new Set<number>();
  depthFirst(edges, [root], (node) => first.add(node));
  // The edges that lead to a node: looking for them among all those of where they come from takes the fourth power of the number of blocks
  // where each jumps to all the others, as the operations of an interpreter do.
  const incoming: Incoming[][] = edges.map(() => []);
  for (const from of first) {
    for (const edge of edges[from]) if (edge.to >= 0) incoming[edge.to].push({ from, edge });
  }
  const parts = new Components(edges);
  /** The component of a node, of those that are looked at. */
  const memberOf: number[] = new Array(edges.length).fill(-1);
  findLoops([...first]);

  /** Finds the loops among `nodes`, ignoring back edges of loops found already, and theirs within. */
  function findLoops(nodes: readonly number[], parent?: Loop): void {
    const isLoop = (component: readonly number[]) =>
      component.length > 1 || edges[component[0]].some((e) => e.to === component[0] && !e.back);
    const found = parts.of(nodes).filter(isLoop);
    if (found.length === 0) return;
    const entered = entriesOf(found);
    found.forEach((component, i) => {
      const inside = new Set(component);
      const entrances = headFirst(
        component,
        entered[i].sort((a, b) => rank(a) - rank(b) || a - b),
      );
      const header = entrances.length === 1 ? entrances[0] : addDispatch(inside, entrances);
      for (let outer = parent; outer !== undefined; outer = outer.parent) outer.nodes.add(header);
      const loop: Loop = { header, nodes: inside, parent };
      loops.push(loop);
      for (const node of inside) {
        loopOf[node] = loop;
        const list = edges[node];
        for (let i = 0; i < list.length; i++) if (list[i].to === header) list[i].back = true;
      }
      findLoops(
        [...inside].filter((node) => node !== header),
        loop,
      );
    });
  }

  /** Of each component the nodes that are entered from outside it. */
  function entriesOf(found: readonly (readonly number[])[]): number[][] {
    found.forEach((component, i) => {
      for (const node of component) memberOf[node] = i;
    });
    const isEntered = (node: number, i: number) => incoming[node].some(({ from }) => memberOf[from] !== i);
    const heads = found.map((component, i) => component.filter((node) => isEntered(node, i)));
    for (const component of found) for (const node of component) memberOf[node] = -1;
    return heads;
  }

  /**
   * Where the first entrance is within an inner loop, as that of a region is which got hot there, the two would be one: the head is that of
   * the outer one then, entered or not.
   */
  function headFirst(component: readonly number[], entrances: readonly number[]): readonly number[] {
    if (switches.has(entrances[0])) return entrances;
    const head = headByPlace(component);
    if (head === undefined || head === entrances[0]) return entrances;
    const others = component.filter((node) => node !== head);
    const inner = parts.of(others).find((nodes) => nodes.includes(entrances[0]))!;
    if (inner.length === 1 && !edges[inner[0]].some(({ to, back }) => to === inner[0] && !back))
      return entrances;
    return [head, ...entrances.filter((node) => node !== head)];
  }
  /** The first block that a jump backward leads to: what lies out of line comes after a loop, and leads back into its middle. */
  function headByPlace(component: readonly number[]): number | undefined {
    const inside = new Set(component);
    let head: number | undefined;
    for (let n = 0; n < component.length; n++) {
      const node = component[n];
      const list = edges[node];
      for (let i = 0; i < list.length; i++) {
        const { to, back } = list[i];
        if (to > node || node >= root || back || !inside.has(to)) continue;
        if (head === undefined || to < head) head = to;
      }
    }
    return head;
  }

  function addDispatch(inside: Set<number>, entrances: readonly number[]): number {
    const dispatch = edges.length;
    const moved: Incoming[] = [];
    entrances.forEach((entrance, selector) => {
      const kept: Incoming[] = [];
      for (const way of incoming[entrance]) {
        const { from, edge } = way;
        if (edge.back || (selector > 0 && inside.has(from))) {
          kept.push(way);
          continue;
        }
        edge.to = dispatch;
        edge.selector = selector;
        moved.push(way);
      }
      incoming[entrance] = kept;
    });
    const out = entrances.map((to) => ({ to, selector: -1, back: false }));
    edges.push(out);
    for (const edge of out) incoming[edge.to].push({ from: dispatch, edge });
    incoming.push(moved);
    loopOf.push(undefined);
    memberOf.push(-1);
    inside.add(dispatch);
    return dispatch;
  }

  const postorder: number[] = [];
  depthFirst(
    edges,
    [root],
    () => {},
    (node) => postorder.push(node),
  );
  const order = postorder.reverse();
  const position = new Int32Array(edges.length).fill(-1);
  order.forEach((node, i) => {
    position[node] = i;
  });
  const isHeader = new Uint8Array(edges.length);
  for (const { header } of loops) isHeader[header] = 1;
  const forward = new Int32Array(edges.length);
  for (let n = 0; n < order.length; n++) {
    const list = edges[order[n]];
    for (let i = 0; i < list.length; i++) if (list[i].to >= 0 && !list[i].back) forward[list[i].to]++;
  }
  const idom = dominators(edges, order, position);
  return { root, switches, switching, edges, order, position, idom, loopOf, loops, isHeader, forward };
}

/** Makes one node of jumps through the same table to the same nodes, where they are many. */
function shareJumps(blocks: readonly Block[], edges: Edge[][]): Pick<Flow, "switches" | "switching"> {
  const alike = new Map<string, number[]>();
  blocks.forEach(({ end, table, guesses }, node) => {
    if (end !== End.Indirect || table === undefined || guesses !== undefined) return;
    const key = `${table.targets} ${edges[node].map(({ to }) => to)}`;
    const nodes = alike.get(key);
    if (nodes === undefined) alike.set(key, [node]);
    else nodes.push(node);
  });
  const switches = new Map<number, readonly number[]>();
  const switching = new Set<number>();
  for (const nodes of alike.values()) {
    const [first] = nodes;
    if (nodes.length * edges[first].length < LEAST_SHARED_JUMPS) continue;
    switches.set(edges.length, blocks[first].table!.targets);
    const cases = edges[first];
    for (const node of nodes) {
      switching.add(node);
      edges[node] = [{ to: edges.length, selector: -1, back: false }];
    }
    edges.push(cases);
  }
  return { switches, switching };
}

let latest: { region: Region; start: number; flow: Flow } | undefined;

/** The flow of a region that is entered at one place alone. The latest is kept: two want it, one after the other. */
export function flowFrom(region: Region, start: number): Flow {
  if (latest?.region !== region || latest.start !== start) {
    latest = { region, start, flow: buildFlow(region, [nodeAt(region, start)!]) };
  }
  return latest.flow;
}

/** Where a region is entered, the root first, and the heads of the loops that it has when it is entered at the root alone, outer ones first. */
export interface Entries {
  readonly addresses: readonly number[];
  readonly heads: readonly number[];
}

/**
 * The entries that are wanted, then the heads of loops and the places after calls, so that code which was left for the end of a turn, or
 * called by the interpreter, is soon entered again.
 */
export function chooseEntries(region: Region, wanted: readonly number[], most: number): Entries {
  const { blocks, at } = region;
  const addresses = new Set(wanted.filter((address) => at.has(address)));
  const { loops, edges, root, switches } = flowFrom(region, wanted[0]);
  const headOf = (header: number) => (header < root || switches.has(header) ? header : edges[header][0].to);
  const heads = loops.map(({ header }) => headOf(header)).filter((header) => header < root);
  const add = (address: number) => {
    if (addresses.size < most && at.has(address)) addresses.add(address);
  };
  for (const head of heads) add(blocks[head].start);
  for (const block of blocks) {
    const { end, start, words } = block;
    const isCall = end === End.Call || end === End.IndirectCall || endsWithCall(block);
    if (isCall) add((start + 4 * words.length) | 0);
  }
  return { addresses: [...addresses], heads };
}

/** Of what nodes of a loop `set`, that which most edges back to its header come with: most further turns begin with it. */
export function mostBrought<T>(loop: Loop, flow: Flow, set: (node: number) => T | undefined): T | undefined {
  const before = new Map<number, T | undefined>();
  const votes = new Map<T | undefined, number>();
  for (const node of flow.order) {
    if (!loop.nodes.has(node)) continue;
    const after = set(node) ?? before.get(node);
    for (const { to, back } of flow.edges[node]) {
      if (back && to === loop.header) votes.set(after, (votes.get(after) ?? 0) + 1);
      else if (!before.has(to)) before.set(to, after);
    }
  }
  return [...votes].sort((a, b) => b[1] - a[1])[0]?.[0];
}

/** Walks all nodes reachable from `roots` along edges that are not marked as back edges by `skip`. */
function depthFirst(
  edges: readonly Edge[][],
  roots: readonly number[],
  enter: (node: number) => void,
  leave: (node: number) => void = () => {},
): void {
  const seen = new Uint8Array(edges.length);
  const stack: number[] = [];
  const next: number[] = [];
  const push = (node: number) => {
    seen[node] = 1;
    enter(node);
    stack.push(node);
    // The last successor first, so that the first one comes first in reverse postorder.
    next.push(edges[node].length - 1);
  };
  for (const root of roots) {
    if (seen[root]) continue;
    push(root);
    while (stack.length > 0) {
      const top = stack.length - 1;
      const i = next[top]--;
      if (i < 0) {
        leave(stack[top]);
        stack.pop();
        next.pop();
        continue;
      }
      const { to } = edges[stack[top]][i];
      if (to >= 0 && !seen[to]) push(to);
    }
  }
}

/** Strongly connected components of subgraphs without their back edges (R. Tarjan 1972). */
class Components {
  private readonly edges: readonly Edge[][];
  /** By node: when it was come to, 0 if it was not yet, -1 if it is not looked at; the least that it leads to; and whether its component is open. */
  private readonly index: number[] = [];
  private readonly low: number[] = [];
  private readonly isOpen: boolean[] = [];

  constructor(edges: readonly Edge[][]) {
    this.edges = edges;
  }

  of(nodes: readonly number[]): number[][] {
    const { edges, index, low, isOpen } = this;
    while (index.length < edges.length) {
      index.push(-1);
      low.push(0);
      isOpen.push(false);
    }
    for (let i = 0; i < nodes.length; i++) index[nodes[i]] = 0;
    const stack: number[] = [];
    const result: number[][] = [];
    let counter = 0;
    const path: number[] = [];
    const next: number[] = [];
    const push = (node: number) => {
      index[node] = low[node] = ++counter;
      isOpen[node] = true;
      stack.push(node);
      path.push(node);
      next.push(0);
    };
    for (let i = 0; i < nodes.length; i++) {
      const start = nodes[i];
      if (index[start] !== 0) continue;
      push(start);
      while (path.length > 0) {
        const top = path.length - 1;
        const node = path[top];
        const edge = edges[node][next[top]++];
        if (edge === undefined) {
          path.pop();
          next.pop();
          if (top > 0) low[path[top - 1]] = Math.min(low[path[top - 1]], low[node]);
          if (low[node] === index[node]) {
            const component: number[] = [];
            for (;;) {
              const member = stack.pop()!;
              isOpen[member] = false;
              component.push(member);
              if (member === node) break;
            }
            result.push(component);
          }
          continue;
        }
        if (edge.to < 0 || edge.back || index[edge.to] < 0) continue;
        if (index[edge.to] === 0) push(edge.to);
        else if (isOpen[edge.to]) low[node] = Math.min(low[node], index[edge.to]);
      }
    }
    for (let i = 0; i < nodes.length; i++) index[nodes[i]] = -1;
    return result;
  }
}

/** Immediate dominators (K. Cooper, T. Harvey, K. Kennedy, "A simple, fast dominance algorithm", 2001). */
function dominators(edges: readonly Edge[][], order: readonly number[], position: Int32Array): Int32Array {
  const idom = new Int32Array(edges.length).fill(-1);
  // The edges into a node follow each other in `from`.
  const first = new Int32Array(edges.length + 1);
  const each = (visit: (from: number, to: number) => void) => {
    for (let n = 0; n < order.length; n++) {
      const list = edges[order[n]];
      for (let i = 0; i < list.length; i++) if (list[i].to >= 0) visit(order[n], list[i].to);
    }
  };
  each((_, to) => first[to + 1]++);
  for (let node = 0; node < edges.length; node++) first[node + 1] += first[node];
  const from = new Int32Array(first[edges.length]);
  const filled = first.slice();
  each((node, to) => {
    from[filled[to]++] = node;
  });
  idom[order[0]] = order[0];
  for (let changed = true; changed; ) {
    changed = false;
    for (let n = 1; n < order.length; n++) {
      const node = order[n];
      let common = -1;
      for (let i = first[node]; i < first[node + 1]; i++) {
        let other = from[i];
        if (idom[other] < 0) continue;
        if (common < 0) {
          common = other;
          continue;
        }
        while (common !== other) {
          while (position[common] > position[other]) common = idom[common];
          while (position[other] > position[common]) other = idom[other];
        }
      }
      if (idom[node] !== common) {
        idom[node] = common;
        changed = true;
      }
    }
  }
  return idom;
}
