/** Where translated code looks whether instructions are left of its budget: where it is entered, at loops' heads, after calls. */
import type { Flow } from "./flow.ts";
import { type Block, End } from "./scan.ts";

/** Finds where the budget is tested, and how many instructions it has to reach for from each node to the next test. */
export function findTests(flow: Flow, blocks: readonly Block[], need: Int32Array, tests: Uint8Array): void {
  const { order, edges, root } = flow;
  for (const node of order) {
    if (flow.isHeader[node] !== 0 && node < root) tests[node] = 1;
    const end = node < root ? blocks[node].end : End.Fall;
    const isCall = end === End.Call || end === End.IndirectCall;
    if (node <= root && !isCall) continue;
    const list = isCall ? edges[node].slice(0, 1) : edges[node];
    for (const edge of list) if (edge.to >= 0) tests[edge.to] = 1;
  }
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i];
    let longest = 0;
    const list = edges[node];
    for (let e = 0; e < list.length; e++) {
      const edge = list[e];
      if (edge.to < 0 || edge.back || tests[edge.to] !== 0) continue;
      longest = Math.max(longest, need[edge.to]);
    }
    need[node] = longest + (node < root ? blocks[node].instructions : 0);
  }
}
