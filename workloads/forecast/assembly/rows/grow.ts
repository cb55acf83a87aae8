/**
 * Grows a subtree from the records of its rows (../../rows/subtree.ts), which are moved so that those of a node lie side by side. The smaller
 * child's histogram is counted, the larger one's is what remains of the parent's.
 */
import { allocate } from "../memory";
import { allocatePending, depthOf, endOf, nodeOf, noteOf, pop, push, startOf, top, totalOf } from "../pending";
import { allocateSlots, giveSlot, histogramOf, takeSlot } from "../slots";
import { beginVisits, nextVisit } from "../visits";
import { addRow, cellAt, cells, columns, missingBin, pairOf, TARGET_LIMIT, upperOf, valueOf } from "./frame";

const LEAF: u16 = 0xffff;
const MISSING_LEFT: u16 = 0x8000;
const ALL_KNOWN: f64 = f64.MAX_VALUE;

/** Bytes of a record. */
let size: u32 = 0;
/** Records lie in either of two places, from one of which a split moves them to the other. */
let here: usize = 0;
let there: usize = 0;

export let columnOut: usize = 0;
export let valueOut: usize = 0;
export let leftOut: usize = 0;
let nodeCount: u32 = 0;

let bestScore: f64 = 0;
let bestColumn: u32 = 0;
let bestBelow: u32 = 0;
/** The next bin that the node has, or −1. */
let bestAbove: i32 = 0;
let bestMissingLeft: bool = false;
let bestLeft: v128 = i64x2.splat(0);

/** Makes room for subtrees of `rows` rows in all and of at most `levels` levels, from records at `recordsAt`. */
export function beginSubtrees(rows: u32, levels: u32, recordSize: u32, recordsAt: usize): void {
  size = recordSize;
  here = recordsAt;
  there = allocate(<usize>rows * size);
  // At most one node of each level waits, and two are at hand.
  const slots = levels + 2;
  allocateSlots(slots, cells);
  allocatePending(slots);
  const nodes = levels < 31 ? min<usize>(2 * <usize>rows, (<usize>2 << levels)) : 2 * <usize>rows;
  columnOut = allocate((nodes + 1) << 1);
  valueOut = allocate((nodes + 1) << 3);
  leftOut = allocate((nodes + 1) << 2);
}

/** Grows tree `tree` from node number `id`, `depth` levels below its root, from the records from `start` to `end`. Gives the number of nodes. */
export function growSubtree(
  seed: u32,
  tree: u32,
  id: u32,
  depth: u32,
  start: u32,
  end: u32,
  maxDepth: u32,
  minLeaf: u32,
  maxFeatures: u32,
  minGain: f64,
): u32 {
  nodeCount = 1;
  const bottom = top;
  const slot = takeSlot();
  count(histogramOf(slot), here, start, end);
  push(start, end, 0, depth, noted(id, slot, false), totalIn(slot));
  while (top > bottom) {
    growNode(pop(), seed, tree, maxDepth, minLeaf, maxFeatures, minGain);
  }
  return nodeCount;
}

/** Of all rows: what the first column's cells have. */
function totalIn(slot: u32): v128 {
  let total = i64x2.splat(0);
  const from = histogramOf(slot);
  const to = from + (<usize>(missingBin(0) + 1) << 4);
  for (let at = from; at < to; at += 16) total = i64x2.add(total, v128.load(at));
  return total;
}

/** What a waiting node has beside its rows: its number in a full tree, its histogram's slot, and whether its records lie there. */
// @ts-ignore: decorator
@inline
function noted(id: u32, slot: u32, isThere: bool): u64 {
  return (<u64>id << 32) | (slot << 1) | <u32>isThere;
}

function count(histogram: usize, records: usize, start: u32, end: u32): void {
  memory.fill(histogram, 0, <usize>cells << 4);
  const to = records + <usize>end * size;
  for (let record = records + <usize>start * size; record < to; record += size) {
    const word = load<u32>(record + size - 4);
    addRow(histogram, record, pairOf(<i32>(word >>> 6) - TARGET_LIMIT, word & 63));
  }
}

function subtract(histogram: usize, part: usize): void {
  for (let at: usize = 0; at < <usize>cells << 4; at += 16) {
    v128.store(histogram + at, i64x2.sub(v128.load(histogram + at), v128.load(part + at)));
  }
}

function isPure(records: usize, start: u32, end: u32): bool {
  const to = records + <usize>end * size;
  let record = records + <usize>start * size;
  const first = load<u32>(record + size - 4) >>> 6;
  for (record += size; record < to; record += size) if (load<u32>(record + size - 4) >>> 6 != first) return false;
  return true;
}

// @ts-ignore: decorator
@inline
function sumOf(pair: v128): f64 {
  return <f64>i64x2.extract_lane(pair, 0);
}

// @ts-ignore: decorator
@inline
function weightOf(pair: v128): f64 {
  return <f64>(<u32>i32x4.extract_lane(pair, 3));
}

// @ts-ignore: decorator
@inline
function rowsOf(pair: v128): u32 {
  return <u32>i32x4.extract_lane(pair, 2);
}

function writeLeaf(node: u32, total: v128): void {
  const weight = weightOf(total);
  store<u16>(columnOut + (<usize>node << 1), LEAF);
  store<f64>(valueOut + (<usize>node << 3), weight == 0 ? 0 : Math.floor(sumOf(total) / weight + 0.5));
  store<u32>(leftOut + (<usize>node << 2), 0);
}

function growNode(
  entry: usize,
  seed: u32,
  tree: u32,
  maxDepth: u32,
  minLeaf: u32,
  maxFeatures: u32,
  minGain: f64,
): void {
  const total = totalOf(entry);
  const start = startOf(entry);
  const end = endOf(entry);
  const node = nodeOf(entry);
  const depth = depthOf(entry);
  const id = <u32>(noteOf(entry) >>> 32);
  const slot = <u32>noteOf(entry) >>> 1;
  const isThere = (noteOf(entry) & 1) != 0;
  const records = isThere ? there : here;
  bestScore = -1;
  if (end - start >= 2 * minLeaf && end > start && depth < maxDepth && !isPure(records, start, end)) {
    beginVisits(seed, tree, id, maxFeatures);
    let tried: u32 = 0;
    for (let visited: u32 = 0; visited < columns && (tried < maxFeatures || bestScore < 0); visited++) {
      tried += <u32>searchColumn(nextVisit(), slot, minLeaf, total);
    }
  }
  const gain = bestScore - (sumOf(total) * sumOf(total)) / weightOf(total);
  if (bestScore < 0 || (minGain != 0 && !(gain >= minGain * weightOf(total)))) {
    giveSlot(slot);
    writeLeaf(node, total);
    return;
  }
  const left = bestLeft;
  const right = i64x2.sub(total, left);
  const child = nodeCount;
  nodeCount += 2;
  const threshold = bestAbove < 0 ? ALL_KNOWN : between(bestColumn, bestBelow, <u32>bestAbove);
  store<u16>(columnOut + (<usize>node << 1), <u16>bestColumn | (bestMissingLeft ? MISSING_LEFT : 0));
  store<f64>(valueOut + (<usize>node << 3), threshold);
  store<u32>(leftOut + (<usize>node << 2), child);
  if (depth + 1 == maxDepth) {
    giveSlot(slot);
    writeLeaf(child, left);
    writeLeaf(child + 1, right);
    return;
  }
  const middle = start + rowsOf(left);
  divide(records, isThere ? here : there, start, end, middle);
  const moved = isThere ? here : there;
  const other = takeSlot();
  const leftSmaller = middle - start <= end - middle;
  if (leftSmaller) count(histogramOf(other), moved, start, middle);
  else count(histogramOf(other), moved, middle, end);
  subtract(histogramOf(slot), histogramOf(other));
  push(middle, end, child + 1, depth + 1, noted(2 * id + 1, leftSmaller ? slot : other, !isThere), right);
  push(start, middle, child, depth + 1, noted(2 * id, leftSmaller ? other : slot, !isThere), left);
}

/** Moves the records of [start, end) to the same part of the other place, those that go left first. */
function divide(from: usize, to: usize, start: u32, end: u32, middle: u32): void {
  const missing = missingBin(bestColumn);
  const missingLeft = <u32>bestMissingLeft;
  // Bins that the node has not may lie between both sides: none of its rows is there.
  const border = bestBelow;
  const last = from + <usize>end * size;
  let left = to + <usize>start * size;
  let right = to + <usize>middle * size;
  for (let record = from + <usize>start * size; record < last; record += size) {
    const code = <u32>load<u8>(record + bestColumn);
    const isLeft = <u32>(code <= border) | (<u32>(code == missing) & missingLeft);
    const target = isLeft ? left : right;
    for (let at: usize = 0; at < <usize>size; at += 8) store<u64>(target + at, load<u64>(record + at));
    left += isLeft * size;
    right += (1 - isLeft) * size;
  }
}

function between(column: u32, below: u32, above: u32): f64 {
  const low = upperOf(column, below);
  const high = valueOf(column, above);
  const half = low / 2 + high / 2;
  return half >= low && half < high ? half : low;
}

/** Tries every border between occupied bins, as ../../rows/split.ts does; whether there were two bins. */
function searchColumn(column: u32, slot: u32, minLeaf: u32, total: v128): bool {
  const from = histogramOf(slot) + <usize>load<u32>(cellAt + (<usize>column << 2));
  const missingAt = from + (<usize>missingBin(column) << 4);
  const lost = v128.load(missingAt);
  const hasLost = rowsOf(lost) > 0;
  const known = scan(column, from, missingAt, i64x2.splat(0), minLeaf, total, hasLost, false);
  if (hasLost && known > 0) scan(column, from, missingAt, lost, minLeaf, total, true, true);
  return known + <u32>hasLost > 1;
}

function scan(
  column: u32,
  from: usize,
  to: usize,
  left: v128,
  minLeaf: u32,
  total: v128,
  hasLost: bool,
  missingLeft: bool,
): u32 {
  let occupied: u32 = 0;
  let below: usize = from;
  for (let at = from; at < to; at += 16) {
    const pair = v128.load(at);
    if (rowsOf(pair) == 0) continue;
    if (occupied > 0) consider(column, from, below, <i32>((at - from) >>> 4), left, minLeaf, total, hasLost, missingLeft);
    occupied++;
    left = i64x2.add(left, pair);
    below = at;
  }
  if (hasLost && !missingLeft && occupied > 0) {
    consider(column, from, below, -1, left, minLeaf, total, hasLost, missingLeft);
  }
  return occupied;
}

// @ts-ignore: decorator
@inline
function consider(
  column: u32,
  from: usize,
  below: usize,
  above: i32,
  left: v128,
  minLeaf: u32,
  total: v128,
  hasLost: bool,
  missingLeft: bool,
): void {
  const right = i64x2.sub(total, left);
  const sums = f64x2.replace_lane(f64x2.splat(sumOf(left)), 1, sumOf(right));
  // The weights are the lanes' upper halves.
  const weights = f64x2.convert_low_i32x4_u(v128.shuffle<i32>(left, right, 3, 7, 3, 7));
  const terms = f64x2.div(f64x2.mul(sums, sums), weights);
  const score = f64x2.extract_lane(terms, 0) + f64x2.extract_lane(terms, 1);
  if (!(score > bestScore)) return;
  if (rowsOf(left) < minLeaf || rowsOf(right) < minLeaf) return;
  bestScore = score;
  bestColumn = column;
  bestBelow = <u32>((below - from) >>> 4);
  bestAbove = above;
  // Where the node has not seen a missing value, one goes with the heavier side.
  bestMissingLeft = hasLost ? missingLeft : f64x2.extract_lane(weights, 0) >= f64x2.extract_lane(weights, 1);
  bestLeft = left;
}
