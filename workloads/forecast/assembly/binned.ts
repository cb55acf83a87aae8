/**
 * Grows trees from histograms: every node holds the (sum, weight) of each bin of each column, the smaller child counts its
 * rows, and the larger one's histogram is what remains of the parent's. Sums are exact, so the trees are those of ./grow.ts
 * bit for bit, wherever a leaf's least number of rows is one of weight: `minLeaf` is 1, or no row is drawn twice.
 */
import { allocate } from "./memory";
import { columns, drawRows, drawn, MISSING, order, ranks, rows, stats, targets, valueOf, valueStart } from "./sample";
import { begin as beginTree, childOf, nodeCount, tooLittle, valueOut, writeLeaf, writeSplit } from "./tree";
import { allocateVisits, beginVisits, nextVisit } from "./visits";

/** u16[rows][columns]: the bin of each row; missing values have the one after the column's last. */
let bins: usize = 0;
/** u32[columns + 1]: the first cell of each column in a histogram. */
let cellStart: usize = 0;
let cells: u32 = 0;
/** u32[rows]: drawn rows, those of a node side by side, and behind them the rows that were not drawn. */
export let list: usize = 0;
export let drawnCount: u32 = 0;
let spare: usize = 0;
/** u16[2 rows]: the last bin that goes left, drawn or not, of each node that is split. */
export let borderOut: usize = 0;

/** Nodes still to do, 48 bytes each: v128 (sum, weight), u32 start, end, node, depth, histogram. */
let stack: usize = 0;
let top: usize = 0;
const ENTRY: usize = 48;
/** Histograms, (sum, weight) by cell, and a stack of those that are free. */
let histograms: usize = 0;
let free: usize = 0;
let freeCount: u32 = 0;

let bestScore: f64 = 0;
let bestColumn: u32 = 0;
let bestBelow: u32 = 0;
let bestAbove: u32 = 0;
let bestMissingLeft: bool = false;
let seenMissing: bool = false;
let bestLeft: v128 = f64x2.splat(0);

/** Begins a task, after loadTrainingSet; no tree is deeper than `depth`. */
export function beginBinned(depth: u32): void {
  cellStart = allocate((<usize>columns + 1) << 2);
  for (let column: u32 = 0; column <= columns; column++) {
    store<u32>(cellStart + (<usize>column << 2), load<u32>(valueStart + (<usize>column << 2)) + column);
  }
  cells = load<u32>(cellStart + (<usize>columns << 2));
  bins = allocate((<usize>rows * columns) << 1);
  for (let column: u32 = 0; column < columns; column++) fillBins(column);
  list = allocate(<usize>rows << 2);
  spare = allocate(<usize>rows << 2);
  borderOut = allocate(<usize>rows << 2);
  // At most one node of each depth waits, and two are at hand.
  const slots = depth + 2;
  histograms = allocate((<usize>slots * cells) << 4);
  free = allocate(<usize>slots << 2);
  for (let slot: u32 = 0; slot < slots; slot++) store<u32>(free + (<usize>slot << 2), slots - 1 - slot);
  freeCount = slots;
  stack = allocate((<usize>depth + 2) * ENTRY);
  allocateVisits(columns);
  resetStats();
}

/** Every row with its target, and weight 1. */
function resetStats(): void {
  for (let row: usize = 0; row < rows; row++) {
    store<f64>(stats + (row << 4), load<f64>(targets + (row << 3)));
    store<f64>(stats + (row << 4), 1, 8);
  }
}

function fillBins(column: u32): void {
  const from = (<usize>column * rows) << 1;
  const missing = <u16>(cellOf(column + 1) - cellOf(column) - 1);
  for (let index: usize = 0; index < <usize>rows << 1; index += 2) {
    const rank = load<u16>(ranks + from + index);
    const row = <usize>load<u16>(order + from + index);
    store<u16>(bins + ((row * columns + column) << 1), rank == <u16>MISSING ? missing : rank);
  }
}

// @ts-ignore: decorator
@inline
function cellOf(column: u32): u32 {
  return load<u32>(cellStart + (<usize>column << 2));
}

// @ts-ignore: decorator
@inline
export function binOf(row: u32, column: u32): u32 {
  return load<u16>(bins + ((<usize>row * columns + column) << 1));
}

/** The bin of missing values. */
// @ts-ignore: decorator
@inline
export function missingBin(column: u32): u32 {
  return cellOf(column + 1) - cellOf(column) - 1;
}

/** Grows tree number `tree`, as grow of ./grow.ts does. With `keep`, targets are what earlier trees left in `stats`. */
export function growBinned(
  seed: u32,
  tree: u32,
  maxDepth: u32,
  minLeaf: u32,
  maxFeatures: u32,
  keep: bool,
): u32 {
  drawRows(seed, tree);
  const total = listRows(keep);
  beginTree();
  top = stack;
  const slot = takeSlot();
  count(histogramOf(slot), 0, drawnCount);
  push(0, drawnCount, 0, 0, slot, total);
  while (top > stack) {
    top -= ENTRY;
    growNode(
      load<u32>(top, 16),
      load<u32>(top, 20),
      load<u32>(top, 24),
      load<u32>(top, 28),
      load<u32>(top, 32),
      v128.load(top),
      seed,
      tree,
      maxDepth,
      minLeaf,
      maxFeatures,
    );
  }
  return nodeCount;
}

/** Lists the drawn rows, then the others; gives the (sum, weight) of the drawn. */
function listRows(keep: bool): v128 {
  let total = f64x2.splat(0);
  let to = list;
  let others = spare;
  for (let row: u32 = 0; row < rows; row++) {
    const times = load<u16>(drawn + (<usize>row << 1));
    const at = stats + (<usize>row << 4);
    if (!keep) {
      store<f64>(at, load<f64>(targets + (<usize>row << 3)) * <f64>times);
      store<f64>(at, <f64>times, 8);
    }
    store<u32>(to, row);
    store<u32>(others, row);
    const step = <usize>(times > 0) << 2;
    to += step;
    others += 4 - step;
    if (times > 0) total = f64x2.add(total, v128.load(at));
  }
  drawnCount = <u32>((to - list) >>> 2);
  memory.copy(to, spare, others - spare);
  return total;
}

function histogramOf(slot: u32): usize {
  return histograms + ((<usize>slot * cells) << 4);
}

function takeSlot(): u32 {
  freeCount--;
  return load<u32>(free + (<usize>freeCount << 2));
}

function giveSlot(slot: u32): void {
  store<u32>(free + (<usize>freeCount << 2), slot);
  freeCount++;
}

function push(start: u32, end: u32, node: u32, depth: u32, slot: u32, total: v128): void {
  v128.store(top, total);
  store<u32>(top, start, 16);
  store<u32>(top, end, 20);
  store<u32>(top, node, 24);
  store<u32>(top, depth, 28);
  store<u32>(top, slot, 32);
  top += ENTRY;
}

/** Fills a histogram with the rows of a segment. */
function count(histogram: usize, start: u32, end: u32): void {
  memory.fill(histogram, 0, <usize>cells << 4);
  const to = list + (<usize>end << 2);
  for (let at = list + (<usize>start << 2); at < to; at += 4) {
    const row = <usize>load<u32>(at);
    const pair = v128.load(stats + (row << 4));
    let bin = bins + ((row * columns) << 1);
    for (let start = cellStart; start < cellStart + (<usize>columns << 2); start += 4) {
      const cell = histogram + ((<usize>load<u32>(start) + load<u16>(bin)) << 4);
      v128.store(cell, f64x2.add(v128.load(cell), pair));
      bin += 2;
    }
  }
}

function subtract(histogram: usize, part: usize): void {
  for (let at: usize = 0; at < <usize>cells << 4; at += 16) {
    v128.store(histogram + at, f64x2.sub(v128.load(histogram + at), v128.load(part + at)));
  }
}

function growNode(
  start: u32,
  end: u32,
  node: u32,
  depth: u32,
  slot: u32,
  total: v128,
  seed: u32,
  tree: u32,
  maxDepth: u32,
  minLeaf: u32,
  maxFeatures: u32,
): void {
  bestScore = -1;
  if (end - start >= 2 * minLeaf && depth < maxDepth && !isPure(start, end)) {
    beginVisits(seed, tree, node, maxFeatures);
    let tried: u32 = 0;
    for (let visited: u32 = 0; visited < columns && (tried < maxFeatures || bestScore < 0); visited++) {
      tried += <u32>searchColumn(nextVisit(), slot, <f64>minLeaf, total);
    }
  }
  if (bestScore < 0 || tooLittle(bestScore, total)) {
    giveSlot(slot);
    writeLeaf(node, total);
    return;
  }
  const left = bestLeft;
  const right = f64x2.sub(total, left);
  const missingLeft = seenMissing ? bestMissingLeft : f64x2.extract_lane(left, 1) >= f64x2.extract_lane(right, 1);
  writeSplit(node, bestColumn, bestBelow, bestAbove, false, 0, missingLeft);
  store<u16>(borderOut + (<usize>node << 1), <u16>lastLeft(load<f64>(valueOut + (<usize>node << 3))));
  const middle = divide(start, end);
  const child = childOf();
  if (depth + 1 == maxDepth) {
    giveSlot(slot);
    writeLeaf(child, left);
    writeLeaf(child + 1, right);
    return;
  }
  const other = takeSlot();
  const leftSmaller = middle - start <= end - middle;
  if (leftSmaller) count(histogramOf(other), start, middle);
  else count(histogramOf(other), middle, end);
  subtract(histogramOf(slot), histogramOf(other));
  push(middle, end, child + 1, depth + 1, leftSmaller ? slot : other, right);
  push(start, middle, child, depth + 1, leftSmaller ? other : slot, left);
}

/** Whether all rows of the segment have one target. */
function isPure(start: u32, end: u32): bool {
  const target = targetOf(start);
  for (let at = start + 1; at < end; at++) if (targetOf(at) != target) return false;
  return true;
}

function targetOf(at: u32): f64 {
  const pair = stats + (<usize>load<u32>(list + (<usize>at << 2)) << 4);
  return load<f64>(pair) / load<f64>(pair, 8);
}

/** Tries every border between occupied bins; whether there were two of them. */
function searchColumn(column: u32, slot: u32, minLeaf: f64, total: v128): bool {
  const from = histogramOf(slot) + (<usize>cellOf(column) << 4);
  const missingAt = from + (<usize>missingBin(column) << 4);
  const lost = v128.load(missingAt);
  const hasLost = f64x2.extract_lane(lost, 1) > 0;
  const before = bestScore;
  const known = scan(column, from, missingAt, f64x2.splat(0), minLeaf, total, hasLost, false);
  if (hasLost && known > 1) scan(column, from, missingAt, lost, minLeaf, total, false, true);
  if (bestScore > before) seenMissing = hasLost;
  return known + <u32>hasLost > 1;
}

/** Tries the borders of one column's bins; `left` is what lies left of them. Gives how many bins are occupied. */
function scan(
  column: u32,
  from: usize,
  to: usize,
  left: v128,
  minLeaf: f64,
  total: v128,
  lastToo: bool,
  missingLeft: bool,
): u32 {
  const totalWeight = f64x2.extract_lane(total, 1);
  let occupied: u32 = 0;
  let below: usize = from;
  for (let at = from; at < to; at += 16) {
    const pair = v128.load(at);
    if (f64x2.extract_lane(pair, 1) == 0) continue;
    if (occupied > 0) consider(column, from, below, at, left, total, totalWeight, minLeaf, missingLeft);
    occupied++;
    left = f64x2.add(left, pair);
    below = at;
  }
  if (lastToo && occupied > 0) consider(column, from, below, 0, left, total, totalWeight, minLeaf, missingLeft);
  return occupied;
}

// @ts-ignore: decorator
@inline
function consider(
  column: u32,
  from: usize,
  below: usize,
  above: usize,
  left: v128,
  total: v128,
  totalWeight: f64,
  minLeaf: f64,
  missingLeft: bool,
): void {
  const right = f64x2.sub(total, left);
  const sums = v128.shuffle<f64>(left, right, 0, 2);
  const weights = v128.shuffle<f64>(left, right, 1, 3);
  const terms = f64x2.div(f64x2.mul(sums, sums), weights);
  const score = f64x2.extract_lane(terms, 0) + f64x2.extract_lane(terms, 1);
  if (score <= bestScore) return;
  if (f64x2.extract_lane(weights, 0) < minLeaf || f64x2.extract_lane(weights, 1) < minLeaf) return;
  bestScore = score;
  bestColumn = column;
  bestBelow = <u32>((below - from) >>> 4);
  bestAbove = above == 0 ? MISSING : <u32>((above - from) >>> 4);
  bestMissingLeft = missingLeft;
  bestLeft = left;
}

/** The last bin up to the threshold: bins that no drawn row of the node has may lie between both sides. */
function lastLeft(threshold: f64): u32 {
  const end = bestAbove == MISSING ? missingBin(bestColumn) : bestAbove;
  let bin = bestBelow;
  while (bin + 1 < end && valueOf(bestColumn, bin + 1) <= threshold) bin++;
  return bin;
}

/** Moves the rows that go left to the front of the segment; both sides keep their order. Gives where the right begins. */
function divide(start: u32, end: u32): u32 {
  const missing = missingBin(bestColumn);
  const to = list + (<usize>end << 2);
  let left = list + (<usize>start << 2);
  let right = spare;
  for (let at = left; at < to; at += 4) {
    const row = load<u32>(at);
    const bin = binOf(row, bestColumn);
    store<u32>(left, row);
    store<u32>(right, row);
    const step = <usize>(bin == missing ? bestMissingLeft : bin <= bestBelow) << 2;
    left += step;
    right += 4 - step;
  }
  memory.copy(left, spare, to - left);
  return <u32>((left - list) >>> 2);
}
