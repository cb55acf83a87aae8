import { philox4x32 } from "../../../shared/math/philox.ts";
import { type ForestOptions, LEAF, MISSING_LEFT, type Tree } from "./forest.ts";
import { drawSample, type Sample } from "./sample.ts";
import { type Split, searchColumn, searchRandomly, type Total, totalOf } from "./search.ts";
import { MISSING_RANK, type TrainingSet } from "./training-set.ts";
import { visitOrder } from "./visits.ts";

/** A border between known and missing values: every known value goes left. */
const ALL_KNOWN = Number.MAX_VALUE;

interface Node {
  readonly number: number;
  readonly depth: number;
  /** [columns] The node's rows, sorted by each column. */
  readonly order: readonly Uint16Array[];
  readonly total: Total;
}

/**
 * Grows tree number `tree` on its sample: Breiman's regression tree (the split with the smallest squared error,
 * thresholds halfway between neighbours), to leaves that are pure, cannot be told apart, or meet the limits. The
 * reference for ../assembly/grow.ts: nodes are numbered as they are split, both children at once, left subtree first.
 */
export function growTree(set: TrainingSet, options: ForestOptions, tree: number): Tree {
  const sample = drawSample(set, options, tree);
  const stepSize = options.stepSize ?? 1;
  const column: number[] = [];
  const value: number[] = [];
  const left: number[] = [];
  let nodes = 1;
  const first = sample.order[0] as Uint16Array;
  const waiting: Node[] = [{ number: 0, depth: 0, order: sample.order, total: totalOf(sample, first) }];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    const split = bestSplit(set, sample, options, tree, node);
    if (split === undefined) {
      column[node.number] = LEAF;
      value[node.number] = Math.floor(stepSize * (node.total.sum / node.total.weight) + 0.5);
      left[node.number] = 0;
      continue;
    }
    const right = { sum: node.total.sum - split.left.sum, weight: node.total.weight - split.left.weight };
    const sides = divide(sample, node, split);
    // Where the node has not seen a missing value, one would go with the heavier side.
    const missingLeft = sides.sawMissing ? split.missingLeft : split.left.weight >= right.weight;
    column[node.number] = split.column | (missingLeft ? MISSING_LEFT : 0);
    value[node.number] = split.threshold ?? halfway(set, split);
    left[node.number] = nodes;
    const depth = node.depth + 1;
    waiting.push({ number: nodes + 1, depth, order: sides.right, total: right });
    waiting.push({ number: nodes, depth, order: sides.left, total: split.left });
    nodes += 2;
  }
  return { column: Uint16Array.from(column), value: Float64Array.from(value), left: Uint32Array.from(left) };
}

/** Tries the columns in the node's own order, until `maxFeatures` that are not constant were tried and one could split. */
function bestSplit(
  set: TrainingSet,
  sample: Sample,
  options: ForestOptions,
  tree: number,
  node: Node,
): Split | undefined {
  const { seed, minLeaf, maxFeatures, maxDepth, minInfoGain = 0 } = options;
  const { sum, weight } = node.total;
  const columns = node.order.length;
  const rows = node.order[0] as Uint16Array;
  if (rows.length < 2 * minLeaf || node.depth >= maxDepth || isPure(sample, rows)) return undefined;
  let best: Split | undefined;
  let tried = 0;
  for (const column of visitOrder(columns, maxFeatures >= columns, seed, tree, node.number)) {
    if (tried >= maxFeatures && best !== undefined) break;
    const sorted = node.order[column] as Uint16Array;
    const ranks = sample.ranks[column] as Uint16Array;
    if (ranks[sorted[0] as number] === ranks[sorted[sorted.length - 1] as number]) continue;
    tried++;
    const floor = best?.score ?? -1;
    const found = options.randomThresholds
      ? searchRandomly(
          sample,
          column,
          sorted,
          node.total,
          minLeaf,
          floor,
          (rank) => set.values[(set.valueStart[column] as number) + rank] as number,
          randomUnit(seed, tree, node.number, column),
        )
      : searchColumn(sample, column, sorted, node.total, minLeaf, floor);
    best = found ?? best;
  }
  const wanted = minInfoGain * set.scale * set.scale * weight;
  return best !== undefined && minInfoGain > 0 && best.score - (sum * sum) / weight < wanted ? undefined : best;
}

/** In [0, 1): the first word of the Philox block (column, node, 2, 0) under the key (seed, tree). */
function randomUnit(seed: number, tree: number, node: number, column: number): number {
  const words = new Uint32Array(4);
  philox4x32(words, 0, [column, node, 2, 0], [seed, tree]);
  return (words[0] as number) / 2 ** 32;
}

const isPure = (sample: Sample, rows: Uint16Array): boolean =>
  rows.every((row) => sample.targets[row] === sample.targets[rows[0] as number]);

/** Halfway between both values, or the lower one where no double lies there. */
function halfway(set: TrainingSet, { column, below, above }: Split): number {
  if (above === MISSING_RANK) return ALL_KNOWN;
  const start = set.valueStart[column] as number;
  const low = (set.uppers ?? set.values)[start + below] as number;
  const high = set.values[start + above] as number;
  const half = low / 2 + high / 2;
  return half >= low && half < high ? half : low;
}

function divide(sample: Sample, node: Node, split: Split) {
  const ranks = sample.ranks[split.column] as Uint16Array;
  const rows = node.order[split.column] as Uint16Array;
  const goesLeft = (row: number): boolean => {
    const rank = ranks[row] as number;
    return rank === MISSING_RANK ? split.missingLeft : rank <= split.below;
  };
  let size = 0;
  for (const row of rows) size += goesLeft(row) ? 1 : 0;
  return {
    left: node.order.map((sorted) => take(sorted, size, goesLeft)),
    right: node.order.map((sorted) => take(sorted, rows.length - size, (row) => !goesLeft(row))),
    sawMissing: ranks[rows[rows.length - 1] as number] === MISSING_RANK,
  };
}

/** The `size` rows that belong to one side, in their order. */
function take(rows: Uint16Array, size: number, belongs: (row: number) => boolean): Uint16Array {
  const taken = new Uint16Array(size);
  let at = 0;
  for (const row of rows) if (belongs(row)) taken[at++] = row;
  return taken;
}
