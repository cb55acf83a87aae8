/** One block's rows: their part of a level's histograms. */
import { addRow, cells, columns, pairOf } from "./frame";
import { COUNTED, kindOf, nodeOf, NOTED, placeOf } from "./top";
import { drawWeights } from "./weights";

/** In place of a target: the row is none to train on. */
export const NO_TARGET: i32 = i32.MIN_VALUE;

export let firstRow: u32 = 0;
export let rows: u32 = 0;
/** u8[rows][columns] */
export let codes: usize = 0;
/** i32[rows] */
export let targets: usize = 0;

export function loadBlock(first: u32, count: u32, codesAt: usize, targetsAt: usize): void {
  firstRow = first;
  rows = count;
  codes = codesAt;
  targets = targetsAt;
}

/** Draws from the multiple of 4 before the first row on; gives where the first row's weight is. */
function draw(seed: u32, tree: u32, weights: usize): usize {
  const before = firstRow & 3;
  drawWeights(seed, tree, firstRow - before, rows + before, weights);
  return weights + before;
}

/**
 * Adds the rows that a tree draws to the histograms of its open nodes, by the histogram's number in `node`; i32 least and most target of each open
 * node go to `extremes`, by its place. `weights` is room for rows + 32 bytes.
 */
export function countTree(
  seed: u32,
  tree: u32,
  nodes: usize,
  histograms: usize,
  extremes: usize,
  weights: usize,
): void {
  let weight = draw(seed, tree, weights);
  let row = codes;
  let target = targets;
  for (let index: u32 = 0; index < rows; index++, row += columns, target += 4, weight++) {
    const times = <u32>load<u8>(weight);
    const units = load<i32>(target);
    if (times == 0 || units == NO_TARGET) continue;
    const node = nodeOf(nodes, row);
    const kind = kindOf(node);
    if (kind < NOTED) continue;
    const extreme = extremes + (<usize>placeOf(node) << 3);
    if (units < load<i32>(extreme)) store<i32>(extreme, units);
    if (units > load<i32>(extreme, 4)) store<i32>(extreme, units, 4);
    if (kind == COUNTED) {
      const histogram = histograms + (<usize>load<u16>(node, 10) * cells << 4);
      addRow(histogram, row, pairOf(units, times));
    }
  }
}
