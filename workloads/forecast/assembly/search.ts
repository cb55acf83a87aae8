/** Looks for a node's best split: the borders of one column's list, each scored from running sums. */
import { listOf, MISSING, statsOf } from "./sample";

/** sum² / weight of the left side plus that of the right; negative until a split is found. */
export let bestScore: f64 = -1;
export let bestColumn: u32 = 0;
/** The last record of the left side, counted from the segment's start. */
export let bestBorder: u32 = 0;
export let bestMissingLeft: bool = false;
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
export function searchColumn(column: u32, start: u32, end: u32, minLeaf: u32, total: v128): void {
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

/** Tries the borders after the records at first … end − 4; `left` is the (sum, weight) of what lies before them. */
function scan(column: u32, from: usize, first: usize, end: usize, left: v128, total: v128, missingLeft: bool): void {
  let best = bestScore;
  if (first >= end) return;
  let record = load<u32>(first);
  for (let at = first; at < end; at += 4) {
    left = f64x2.add(left, statsOf(record));
    const next = load<u32>(at, 4);
    const right = f64x2.sub(total, left);
    const sums = v128.shuffle<f64>(left, right, 0, 2);
    const terms = f64x2.div(f64x2.mul(sums, sums), v128.shuffle<f64>(left, right, 1, 3));
    const score = f64x2.extract_lane(terms, 0) + f64x2.extract_lane(terms, 1);
    if (score > best && (record ^ next) > 0xffff) {
      best = score;
      bestColumn = column;
      bestBorder = <u32>((at - from) >>> 2);
      bestMissingLeft = missingLeft;
      bestLeft = left;
    }
    record = next;
  }
  bestScore = best;
}

/** In place of a search in a node of two rows, which the column tells apart: any such column scores the same. */
export function takeOnlyBorder(column: u32, start: u32): void {
  bestScore = 0;
  bestColumn = column;
  bestBorder = 0;
  bestMissingLeft = false;
  bestLeft = statsOf(load<u32>(listOf(column) + ((<usize>start) << 2)));
}
