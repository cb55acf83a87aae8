import { LEAF } from "../forest/forest.ts";
import { visitOrder } from "../forest/visits.ts";
import type { RowFrame } from "./block.ts";
import type { LevelCounts } from "./count.ts";
import { CELL, type Growth, type GrowingTree, type LevelOptions, OPEN, openNodes } from "./growth.ts";

type Cell = { readonly sum: number; readonly weight: number; readonly rows: number };
type Best = {
  readonly column: number;
  readonly below: number;
  /** The next bin that the node has, or `undefined` where only missing values go right. */
  readonly above: number | undefined;
  readonly missingLeft: boolean;
  readonly score: number;
};

/** Splits every open node of a level, or makes it a leaf; the children are the next level. */
export function splitLevel(
  growth: Growth,
  counts: LevelCounts,
  frame: RowFrame,
  options: LevelOptions,
  depth: number,
): Growth {
  let base = 0;
  const trees = growth.trees.map((tree, index) => {
    const grown = splitTree(tree, growth.first + index, base, counts, frame, options, depth);
    base += openNodes(tree);
    return grown;
  });
  return { first: growth.first, trees };
}

function splitTree(
  tree: GrowingTree,
  number: number,
  base: number,
  counts: LevelCounts,
  frame: RowFrame,
  options: LevelOptions,
  depth: number,
): GrowingTree {
  const width = (frame.cellStart[frame.columns] as number) * CELL;
  const column = [...tree.column];
  const border = [...tree.border];
  const missingLeft = [...tree.missingLeft];
  const left = [...tree.left];
  const value = [...tree.value];
  const end = tree.column.length;
  for (let node = tree.open; node < end; node++) {
    const slot = base + node - tree.open;
    const cells = counts.cells.subarray(slot * width, (slot + 1) * width);
    const total = sumOf(cells, 0, frame.cellStart[1] as number);
    const pure = counts.least[slot] === counts.most[slot];
    const best = pure || depth >= options.maxDepth ? undefined : bestSplit(cells, total, number, node, frame, options);
    if (best === undefined) {
      column[node] = LEAF;
      value[node] = Math.floor(total.sum / total.weight + 0.5);
      continue;
    }
    const first = frame.valueStart[best.column] as number;
    const threshold = thresholdOf(frame, best);
    column[node] = best.column;
    missingLeft[node] = best.missingLeft ? 1 : 0;
    value[node] = threshold;
    let last = best.below;
    const bins = (frame.valueStart[best.column + 1] as number) - first;
    while (last + 1 < bins && (frame.values[first + last + 1] as number) <= threshold) last++;
    border[node] = last;
    left[node] = column.length;
    for (let child = 0; child < 2; child++) {
      column.push(OPEN);
      border.push(0);
      missingLeft.push(0);
      left.push(0);
      value.push(0);
    }
  }
  return {
    column: Uint16Array.from(column),
    border: Uint16Array.from(border),
    missingLeft: Uint8Array.from(missingLeft),
    left: Uint32Array.from(left),
    value: Float64Array.from(value),
    open: end,
  };
}

/** As ../forest/grow.ts chooses: the first best of the columns in the node's own order. */
function bestSplit(
  cells: Float64Array,
  total: Cell,
  tree: number,
  node: number,
  frame: RowFrame,
  { seed, minLeaf, maxFeatures, minInfoGain = 0 }: LevelOptions,
): Best | undefined {
  if (total.rows < 2 * minLeaf) return undefined;
  let best: Best | undefined;
  let tried = 0;
  for (const column of visitOrder(frame.columns, maxFeatures >= frame.columns, seed, tree, node)) {
    if (tried >= maxFeatures && best !== undefined) break;
    const from = (frame.cellStart[column] as number) * CELL;
    const to = ((frame.cellStart[column + 1] as number) - 1) * CELL;
    const lostRows = cells[to + 2] as number;
    let occupied = lostRows > 0 ? 1 : 0;
    for (let at = from; at < to && occupied < 2; at += CELL) if ((cells[at + 2] as number) > 0) occupied++;
    if (occupied < 2) continue;
    tried++;
    for (let pass = 0; pass < (lostRows > 0 ? 2 : 1); pass++) {
      let sum = pass === 0 ? 0 : (cells[to] as number);
      let weight = pass === 0 ? 0 : (cells[to + 1] as number);
      let rows = pass === 0 ? 0 : lostRows;
      // The border after the bin at `below` is tried when the next bin that the node has is found.
      let below = -1;
      for (let at = from; at <= to; at += CELL) {
        const isEnd = at === to;
        if (isEnd ? pass === 1 || lostRows === 0 : (cells[at + 2] as number) === 0) continue;
        if (below >= 0 && rows >= minLeaf && total.rows - rows >= minLeaf) {
          const rest = total.sum - sum;
          const restWeight = total.weight - weight;
          const score = (sum * sum) / weight + (rest * rest) / restWeight;
          if (score > (best?.score ?? -1)) {
            const above = isEnd ? undefined : (at - from) / CELL;
            // Where the node has not seen a missing value, one goes with the heavier side.
            const missingLeft = lostRows > 0 ? pass === 1 : weight >= restWeight;
            best = { column, below: (below - from) / CELL, above, missingLeft, score };
          }
        }
        sum += cells[at] as number;
        weight += cells[at + 1] as number;
        rows += cells[at + 2] as number;
        below = at;
      }
    }
  }
  const wanted = minInfoGain * frame.scale * frame.scale * total.weight;
  const gains = best !== undefined && best.score - (total.sum * total.sum) / total.weight >= wanted;
  return minInfoGain === 0 || gains ? best : undefined;
}

function thresholdOf({ values, uppers, valueStart }: RowFrame, { column, below, above }: Best): number {
  if (above === undefined) return Number.MAX_VALUE;
  const first = valueStart[column] as number;
  const low = uppers[first + below] as number;
  const high = values[first + above] as number;
  const half = low / 2 + high / 2;
  return half >= low && half < high ? half : low;
}

function sumOf(cells: Float64Array, from: number, to: number): Cell {
  let sum = 0;
  let weight = 0;
  let rows = 0;
  for (let cell = from; cell < to; cell++) {
    sum += cells[cell * CELL] as number;
    weight += cells[cell * CELL + 1] as number;
    rows += cells[cell * CELL + 2] as number;
  }
  return { sum, weight, rows };
}
