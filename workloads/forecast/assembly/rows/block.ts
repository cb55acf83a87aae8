/** One block's rows: their part of a level's histograms, and where they are sent when few are left in a node. */
import { addRow, cells, columns, pairOf, TARGET_LIMIT } from "./frame";
import { drawWeights } from "./weights";

/** In place of a target: the row is none to train on. */
const NO_TARGET: i32 = i32.MIN_VALUE;

let firstRow: u32 = 0;
let rows: u32 = 0;
/** u8[rows][columns] */
let codes: usize = 0;
/** i32[rows] */
let targets: usize = 0;
/** u8[rows + 20]: what one tree draws, from the multiple of 4 before the first row on. */
let weights: usize = 0;

/**
 * A node of the trees that are loaded, 16 bytes: u32 left child; u16 column; u8 border, missing code, whether missing values go left,
 * what becomes of a row that ends here (a kind below); then u32 place: of the node among the open or handed ones.
 */
const NODE: usize = 16;
const INNER: u32 = 0;
/** The row counts for least and most alone. */
const NOTED: u32 = 2;
const COUNTED: u32 = 3;

export function loadBlock(first: u32, count: u32, codesAt: usize, targetsAt: usize, weightsAt: usize): void {
  firstRow = first;
  rows = count;
  codes = codesAt;
  targets = targetsAt;
  weights = weightsAt;
}

/** Gives where the first row's weight is. */
function draw(seed: u32, tree: u32): usize {
  const before = firstRow & 3;
  drawWeights(seed, tree, firstRow - before, rows + before, weights);
  return weights + before;
}

// @ts-ignore: decorator
@inline
function nodeOf(nodes: usize, row: usize): usize {
  let node = nodes;
  while (load<u8>(node, 9) == INNER) {
    const code = <u32>load<u8>(row + load<u16>(node, 4));
    const isLeft = <u32>(code <= <u32>load<u8>(node, 6)) | (<u32>(code == <u32>load<u8>(node, 7)) & <u32>load<u8>(node, 8));
    node = nodes + <usize>(load<u32>(node) + 1 - isLeft) * NODE;
  }
  return node;
}

/**
 * Adds the rows that a tree draws to the histograms of its open nodes, by the histogram's number in `node`; i32 least and most target of each open
 * node go to `extremes`, by its place.
 */
export function countTree(seed: u32, tree: u32, nodes: usize, histograms: usize, extremes: usize): void {
  let weight = draw(seed, tree);
  let row = codes;
  let target = targets;
  for (let index: u32 = 0; index < rows; index++, row += columns, target += 4, weight++) {
    const times = <u32>load<u8>(weight);
    const units = load<i32>(target);
    if (times == 0 || units == NO_TARGET) continue;
    const node = nodeOf(nodes, row);
    const kind = <u32>load<u8>(node, 9);
    if (kind < NOTED) continue;
    const extreme = extremes + (<usize>load<u32>(node, 12) << 3);
    if (units < load<i32>(extreme)) store<i32>(extreme, units);
    if (units > load<i32>(extreme, 4)) store<i32>(extreme, units, 4);
    if (kind == COUNTED) {
      const histogram = histograms + (<usize>load<u16>(node, 10) * cells << 4);
      addRow(histogram, row, pairOf(units, times));
    }
  }
}

/** Writes a histogram's cells as f64 sum, weight, rows, which is what tasks exchange. */
export function writeCells(histogram: usize, count: u32, out: usize): void {
  for (let end = histogram + (<usize>count << 4); histogram < end; histogram += 16, out += 24) {
    store<f64>(out, <f64>load<i64>(histogram));
    store<f64>(out, <f64>load<u32>(histogram, 12), 8);
    store<f64>(out, <f64>load<u32>(histogram, 8), 16);
  }
}

/**
 * Notes for each row that a tree draws, and that ends in a handed node, (place + 1) × 64 + weight in u32 `marks`, 0 for all others; counts rows
 * by place in u32 `counts`.
 */
export function markTree(seed: u32, tree: u32, nodes: usize, marks: usize, counts: usize): void {
  let weight = draw(seed, tree);
  let row = codes;
  let target = targets;
  for (let index: u32 = 0; index < rows; index++, row += columns, target += 4, weight++, marks += 4) {
    store<u32>(marks, 0);
    const times = <u32>load<u8>(weight);
    if (times == 0 || load<i32>(target) == NO_TARGET) continue;
    const node = nodeOf(nodes, row);
    if (<u32>load<u8>(node, 9) < NOTED) continue;
    const place = load<u32>(node, 12);
    store<u32>(marks, ((place + 1) << 6) | times);
    const count = counts + (<usize>place << 2);
    store<u32>(count, load<u32>(count) + 1);
  }
}

/** Writes the marked rows, `size` bytes each, to where u32 `next` points by place. */
export function sendTree(marks: usize, next: usize, size: u32): void {
  let row = codes;
  for (let index: usize = 0; index < <usize>rows; index++, row += columns) {
    const mark = load<u32>(marks + (index << 2));
    if (mark == 0) continue;
    const pointer = next + (<usize>((mark >>> 6) - 1) << 2);
    const to = <usize>load<u32>(pointer);
    store<u32>(pointer, <u32>to + size);
    copyCodes(to, row);
    const units = <u32>(load<i32>(targets + (index << 2)) + TARGET_LIMIT);
    store<u32>(to + size - 4, (units << 6) | (mark & 63));
  }
}

/** Eight at a time where that many are left; what follows the codes is 0 already. */
// @ts-ignore: decorator
@inline
function copyCodes(to: usize, row: usize): void {
  const end = row + columns;
  while (row + 8 <= end) {
    store<u64>(to, load<u64>(row));
    row += 8;
    to += 8;
  }
  while (row < end) store<u8>(to++, load<u8>(row++));
}
