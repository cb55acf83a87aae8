import { type Forest, LEAF, MISSING_LEFT } from "../forest/forest.ts";
import type { Rows } from "./sum-leaves.ts";

/**
 * A forest and rows as small whole numbers, for GPUs, which have no doubles: a value is told by its rank among the column's
 * thresholds. With the thresholds t₀ < t₁ < …, a value's rank is 1 + how many of them are below it, a missing one's 0; then
 * value ≤ tₖ exactly if rank ≤ k + 1. So a node sends left what lies between two ranks: from 0 or, if missing values go right, 1.
 */
export interface RankedForest {
  /** Ascending, of each column. */
  readonly thresholds: readonly Float64Array[];
  /** [nodes × 4] Column or LEAF, least and greatest rank that goes left, left child within the tree. */
  readonly nodes: Uint32Array;
}

export const NODE_WORDS = 4;

export function rankForest(forest: Forest, columns: number): RankedForest {
  const { column, value, left } = forest;
  const thresholds = thresholdsOf(forest, columns);
  const nodes = new Uint32Array(column.length * NODE_WORDS);
  for (let node = 0; node < column.length; node++) {
    const code = column[node] as number;
    const at = node * NODE_WORDS;
    nodes[at] = code === LEAF ? LEAF : code & ~MISSING_LEFT;
    if (code === LEAF) continue;
    const threshold = value[node] as number;
    nodes[at + 1] = code >= MISSING_LEFT ? 0 : 1;
    // Nothing is up to a threshold that is no number.
    const bound = threshold === threshold ? below(thresholds[code & ~MISSING_LEFT], threshold) + 1 : 0;
    nodes[at + 2] = bound;
    nodes[at + 3] = left[node] as number;
  }
  return { thresholds, nodes };
}

function thresholdsOf({ column, value }: Forest, columns: number): Float64Array[] {
  const counts = new Uint32Array(columns);
  const visit = (take: (column: number, threshold: number) => void): void => {
    column.forEach((code, node) => {
      const threshold = value[node] as number;
      if (code !== LEAF && threshold === threshold) take(code & ~MISSING_LEFT, threshold);
    });
  };
  visit((of) => {
    counts[of] = (counts[of] as number) + 1;
  });
  const all = Array.from(counts, (count) => new Float64Array(count));
  counts.fill(0);
  visit((of, threshold) => {
    (all[of] as Float64Array)[counts[of] as number] = threshold;
    counts[of] = (counts[of] as number) + 1;
  });
  return all.map((list) => {
    list.sort();
    let kept = 0;
    for (const threshold of list) {
      if (kept === 0 || threshold !== list[kept - 1]) list[kept++] = threshold;
    }
    return list.subarray(0, kept);
  });
}

/** How many of an ascending list are below a value. */
function below(list: Float64Array | undefined, value: number): number {
  if (list === undefined) return 0;
  let from = 0;
  let to = list.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((list[middle] as number) < value) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** [rows × columns] Ranks. */
export function rankRows({ thresholds }: RankedForest, { features, columns }: Rows): Uint32Array {
  return Uint32Array.from(features, (value, at) => (value === value ? below(thresholds[at % columns], value) + 1 : 0));
}

/** Consecutive trees, with at most so many nodes together; undefined if one tree alone has more. */
export function treeGroups(sizes: Uint32Array, mostNodes: number): readonly TreeGroup[] | undefined {
  const groups: { firstNode: number; nodes: number; roots: number[] }[] = [];
  let node = 0;
  for (const size of sizes) {
    if (size > mostNodes) return undefined;
    let group = groups.at(-1);
    if (group === undefined || group.nodes + size > mostNodes) {
      group = { firstNode: node, nodes: 0, roots: [] };
      groups.push(group);
    }
    group.roots.push(group.nodes);
    group.nodes += size;
    node += size;
  }
  return groups;
}

export interface TreeGroup {
  readonly firstNode: number;
  readonly nodes: number;
  /** Each tree's root, as a node of the group. */
  readonly roots: readonly number[];
}
