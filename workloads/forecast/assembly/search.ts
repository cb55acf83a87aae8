/** Looks for a node's best split: the borders of one column's list, each scored from running sums. */
import { philox, word0 } from "./philox";
import { minLeaf, seed, tree } from "./rules";
import { listOf, MISSING, statsOf, valueOf } from "./sample";

/** sum² / weight of the left side plus that of the right; negative until a split is found. */
export let bestScore: f64 = -1;
export let bestColumn: u32 = 0;
/** The last record of the left side, counted from the segment's start. */
export let bestBorder: u32 = 0;
export let bestMissingLeft: bool = false;
/** Where a threshold was drawn. */
export let bestThreshold: f64 = 0;
/** (sum, weight) of the left side. */
export let bestLeft: v128 = f64x2.splat(0);

export function beginSearch(): void {
  bestScore = -1;
}

/** Whether the column has one value only in the segment [start, end), or none. */
export function isConstant(column: u32, start: u32, end: u32): bool {
  const list = listOf(column);
  return load<u32>(list + ((<usize>start) << 2)) >>> 16 == load<u32>(list + ((<usize>end) << 2) - 4) >>> 16;
}

/** Tries every border of a column that is not constant in the node's segment [start, end). */
export function searchColumn(column: u32, start: u32, end: u32, total: v128): void {
  const from = listOf(column) + ((<usize>start) << 2);
  const to = listOf(column) + ((<usize>end) << 2);
  const margin = (<usize>minLeaf) << 2;
  let left = f64x2.splat(0);
  let at = from;
  for (; at < from + margin - 4; at += 4) left = f64x2.add(left, statsOf(load<u32>(at)));
  scan(column, from, at, to - margin, left, total, false);
  if (load<u32>(to - 4) >>> 16 == MISSING) searchMissingLeft(column, from, to, margin, total);
}

/** Tries the borders between known values again, with the missing ones (at the list's end) on the left side. */
function searchMissingLeft(column: u32, from: usize, to: usize, margin: usize, total: v128): void {
  let left = f64x2.splat(0);
  let known = to;
  for (; load<u32>(known - 4) >>> 16 == MISSING; known -= 4) left = f64x2.add(left, statsOf(load<u32>(known - 4)));
  let at = from;
  for (; at - from + (to - known) + 4 < margin; at += 4) left = f64x2.add(left, statsOf(load<u32>(at)));
  scan(column, from, at, known - margin, left, total, true);
}

/** A score that is above the best by the formula of `scoreOf` is not below this share of it by that of `scan`. */
const SURELY: f64 = 1 - 1.0 / 562949953421312.0;

/**
 * Tries the borders after the records at first … end − 4; `left` is the (sum, weight) of what lies before them. Two borders at a
 * time are held against the best without a division (both sides times both weights), rounding in their favour.
 */
function scan(column: u32, from: usize, first: usize, end: usize, left: v128, total: v128, missingLeft: bool): void {
  if (first >= end) return;
  const sums = f64x2.splat(f64x2.extract_lane(total, 0));
  const weights = f64x2.splat(f64x2.extract_lane(total, 1));
  let best = bestScore;
  let nearly = f64x2.splat(best * SURELY);
  let found: usize = 0;
  let foundLeft = left;
  let record = load<u32>(first);
  for (let at = first; at < end; at += 8) {
    const second = load<u32>(at, 4);
    const pair = statsOf(record);
    const leftA = f64x2.add(left, pair);
    // Sums are exact: this shortens the chain of additions.
    left = f64x2.add(left, f64x2.add(pair, statsOf(second)));
    const leftSums = v128.shuffle<f64>(leftA, left, 0, 2);
    const leftWeights = v128.shuffle<f64>(leftA, left, 1, 3);
    const rightSums = f64x2.sub(sums, leftSums);
    const rightWeights = f64x2.sub(weights, leftWeights);
    const leftSquares = f64x2.mul(leftSums, leftSums);
    const rightSquares = f64x2.mul(rightSums, rightSums);
    const products = f64x2.add(f64x2.mul(leftSquares, rightWeights), f64x2.mul(rightSquares, leftWeights));
    // What lies behind an odd last border is read and not taken.
    const next = load<u32>(at, 8);
    if (v128.any_true(f64x2.ge(products, f64x2.mul(f64x2.mul(leftWeights, rightWeights), nearly)))) {
      const scores = f64x2.add(f64x2.div(leftSquares, leftWeights), f64x2.div(rightSquares, rightWeights));
      const scoreA = f64x2.extract_lane(scores, 0);
      const scoreB = f64x2.extract_lane(scores, 1);
      if (scoreA > best && (record ^ second) > 0xffff) {
        best = scoreA;
        found = at;
        foundLeft = leftA;
      }
      if (scoreB > best && (second ^ next) > 0xffff && at + 4 < end) {
        best = scoreB;
        found = at + 4;
        foundLeft = left;
      }
      nearly = f64x2.splat(best * SURELY);
    }
    record = next;
  }
  if (found == 0) return;
  bestScore = best;
  bestColumn = column;
  bestBorder = <u32>((found - from) >>> 2);
  bestMissingLeft = missingLeft;
  bestLeft = foundLeft;
}

/** In place of a search in a node of two rows, which the column tells apart: any such column scores the same. */
export function takeOnlyBorder(column: u32, start: u32): void {
  bestScore = 0;
  bestColumn = column;
  bestBorder = 0;
  bestMissingLeft = false;
  bestLeft = statsOf(load<u32>(listOf(column) + ((<usize>start) << 2)));
}

/** Draws a threshold for a column that is not constant in the node's segment, and tries it; see ../forest/search.ts. */
export function searchRandomly(column: u32, start: u32, end: u32, total: v128, node: u32): void {
  const from = listOf(column) + ((<usize>start) << 2);
  const to = listOf(column) + ((<usize>end) << 2);
  let known = to;
  let lost = f64x2.splat(0);
  for (; load<u32>(known - 4) >>> 16 == MISSING; known -= 4) lost = f64x2.add(lost, statsOf(load<u32>(known - 4)));
  const low = valueOf(column, load<u32>(from) >>> 16);
  const high = valueOf(column, load<u32>(known - 4) >>> 16);
  philox(column, node, 2, seed, tree);
  const unit = <f64>word0 / 4294967296.0;
  const drawn = low * (1 - unit) + high * unit;
  const threshold = low == high ? f64.MAX_VALUE : drawn >= low && drawn < high ? drawn : low;
  // The first record above the threshold.
  let at = from;
  for (let length = (known - from) >>> 2; length > 0; ) {
    const half = length >>> 1;
    const middle = at + (half << 2);
    if (valueOf(column, load<u32>(middle) >>> 16) <= threshold) {
      at = middle + 4;
      length -= half + 1;
    } else {
      length = half;
    }
  }
  let left = f64x2.splat(0);
  // Sums are exact, so the shorter side may be summed.
  if (at - from <= known - at) {
    for (let record = from; record < at; record += 4) left = f64x2.add(left, statsOf(load<u32>(record)));
  } else {
    for (let record = at; record < known; record += 4) left = f64x2.add(left, statsOf(load<u32>(record)));
    left = f64x2.sub(f64x2.sub(total, lost), left);
  }
  const border = <u32>((at - from) >>> 2) - 1;
  const size = end - start;
  tryRandom(column, border, border + 1, size, left, total, false, threshold);
  if (known < to && at < known) {
    const count = border + 1 + <u32>((to - known) >>> 2);
    tryRandom(column, border, count, size, f64x2.add(left, lost), total, true, threshold);
  }
}

function tryRandom(
  column: u32,
  border: u32,
  count: u32,
  size: u32,
  left: v128,
  total: v128,
  missingLeft: bool,
  threshold: f64,
): void {
  if (count < minLeaf || size - count < minLeaf) return;
  const score = scoreOf(left, f64x2.sub(total, left));
  if (score <= bestScore) return;
  bestScore = score;
  bestColumn = column;
  bestBorder = border;
  bestMissingLeft = missingLeft;
  bestThreshold = threshold;
  bestLeft = left;
}

// @ts-ignore: decorator
@inline
function scoreOf(left: v128, right: v128): f64 {
  const sums = v128.shuffle<f64>(left, right, 0, 2);
  const terms = f64x2.div(f64x2.mul(sums, sums), v128.shuffle<f64>(left, right, 1, 3));
  return f64x2.extract_lane(terms, 0) + f64x2.extract_lane(terms, 1);
}
