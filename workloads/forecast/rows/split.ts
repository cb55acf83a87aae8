import { LEAF } from "../forest/forest.ts";
import { visitOrder } from "../forest/visits.ts";
import { cellsOf, type RowFrame } from "./block.ts";
import type { LevelSums } from "./count.ts";
import { CELL, type Growth, type GrowingTree, HANDED, type LevelOptions, OPEN } from "./growth.ts";

/** What a node, or a part of it, has. */
export type Cell = { readonly sum: number; readonly weight: number; readonly rows: number };
export type Best = {
  readonly column: number;
  readonly below: number;
  /** The next bin that the node has, or `undefined` where only missing values go right. */
  readonly above: number | undefined;
  readonly missingLeft: boolean;
  /** What goes left. */
  readonly left: Cell;
  readonly score: number;
};

/**
 * Splits every open node of a level, or makes it a leaf. Children of at most `small` rows are handed to tasks that grow what is
 * below them; larger ones are the next level.
 */
export function splitLevel(
  growth: Growth,
  sums: LevelSums,
  frame: RowFrame,
  options: LevelOptions,
  depth: number,
  small: number,
): Growth {
  let base = 0;
  const trees = growth.trees.map((tree, index) => {
    const grown = splitTree(tree, growth.first + index, base, sums, frame, options, depth, small);
    base += tree.open.length;
    return grown;
  });
  return { first: growth.first, trees };
}

function splitTree(
  tree: GrowingTree,
  number: number,
  base: number,
  sums: LevelSums,
  frame: RowFrame,
  options: LevelOptions,
  depth: number,
  small: number,
): GrowingTree {
  const width = cellsOf(frame) * CELL;
  const column = [...tree.column];
  const border = [...tree.border];
  const missingLeft = [...tree.missingLeft];
  const left = [...tree.left];
  const value = [...tree.value];
  const id = [...tree.id];
  const rows = [...tree.rows];
  const open: number[] = [];
  const parent: number[] = [];
  tree.open.forEach((node, at) => {
    const place = base + at;
    const cells = sums.cells.subarray(place * width, (place + 1) * width);
    const total = sumOf(cells, frame.cellStart[1] as number);
    const pure = sums.least[place] === sums.most[place];
    rows[node] = total.rows;
    const own = id[node] as number;
    const best = pure || depth >= options.maxDepth ? undefined : bestSplit(cells, total, number, own, frame, options);
    if (best === undefined) {
      column[node] = LEAF;
      value[node] = leafValue(total);
      return;
    }
    const chosen = placeSplit(frame, best);
    column[node] = best.column;
    missingLeft[node] = best.missingLeft ? 1 : 0;
    value[node] = chosen.threshold;
    border[node] = chosen.border;
    left[node] = column.length;
    const sides = [best.left, minus(total, best.left)] as const;
    const opens = sides.map((side) => side.rows > small && depth + 1 < options.maxDepth);
    sides.forEach((side, right) => {
      const child = column.length;
      const isLeaf = depth + 1 >= options.maxDepth;
      column.push(isLeaf ? LEAF : opens[right] ? OPEN : HANDED);
      border.push(0);
      missingLeft.push(0);
      left.push(0);
      value.push(isLeaf ? leafValue(side) : 0);
      id.push(2 * own + right);
      rows.push(side.rows);
      if (!opens[right]) return;
      open.push(child);
      const other = sides[1 - right] as Cell;
      const isLarger = side.rows > other.rows || (side.rows === other.rows && right === 1);
      parent.push(opens[1 - right] && isLarger ? place : -1);
    });
  });
  return {
    column: Uint16Array.from(column),
    border: Uint8Array.from(border),
    missingLeft: Uint8Array.from(missingLeft),
    left: Uint32Array.from(left),
    value: Float64Array.from(value),
    id: Uint32Array.from(id),
    rows: Uint32Array.from(rows),
    open: Uint32Array.from(open),
    parent: Int32Array.from(parent),
  };
}

/** The mean target, rounded to a whole number; 0 where no row was drawn. */
export const leafValue = ({ sum, weight }: Cell): number => (weight === 0 ? 0 : Math.floor(sum / weight + 0.5));

/** A split's threshold, and the last bin up to it: bins that the node has not may lie between both sides. */
export function placeSplit(frame: RowFrame, best: Best): { readonly threshold: number; readonly border: number } {
  const first = frame.valueStart[best.column] as number;
  const threshold = thresholdOf(frame, best);
  let border = best.below;
  const bins = (frame.valueStart[best.column + 1] as number) - first;
  while (border + 1 < bins && (frame.values[first + border + 1] as number) <= threshold) border++;
  return { threshold, border };
}

const minus = (a: Cell, b: Cell): Cell => ({
  sum: a.sum - b.sum,
  weight: a.weight - b.weight,
  rows: a.rows - b.rows,
});

/** As ../forest/grow.ts chooses: the first best of the columns in the node's own order. */
export function bestSplit(
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
            best = { column, below: (below - from) / CELL, above, missingLeft, left: { sum, weight, rows }, score };
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

/** The sum of the first `count` cells: all of one column. */
export function sumOf(cells: Float64Array, count: number): Cell {
  let sum = 0;
  let weight = 0;
  let rows = 0;
  for (let at = 0; at < count * CELL; at += CELL) {
    sum += cells[at] as number;
    weight += cells[at + 1] as number;
    rows += cells[at + 2] as number;
  }
  return { sum, weight, rows };
}
