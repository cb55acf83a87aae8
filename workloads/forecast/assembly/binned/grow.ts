/**
 * Grows trees from histograms: every node holds the (sum, weight) of each bin of each column, the smaller child counts its
 * rows, and the larger one's histogram is what remains of the parent's. Sums are exact, so the trees are those of ../grow.ts
 * bit for bit, wherever a leaf's least number of rows is one of weight: `minLeaf` is 1, or no row is drawn twice.
 */
import { allocate } from "../memory";
import { allocatePending, depthOf, endOf, nodeOf, noteOf, pop, push, startOf, top, totalOf } from "../pending";
import { maxDepth, maxFeatures, minLeaf, seed, setRules, tree } from "../rules";
import { columns, drawRows, drawn, MISSING, rows, stats, targets, valueOf } from "../sample";
import { allocateSlots, giveSlot, histogramOf, takeSlot } from "../slots";
import { begin as beginTree, childOf, nodeCount, tooLittle, valueOut, writeLeaf, writeSplit } from "../tree";
import { allocateVisits, beginVisits, nextVisit } from "../visits";
import { allocateBins, binOf, cellOf, cells, missingBin } from "./bins";
import { countRows, subtract } from "./histograms";

/** u32[rows]: drawn rows, those of a node side by side, and behind them the rows that were not drawn. */
let list: usize = 0;
let drawnCount: u32 = 0;
let spare: usize = 0;
/** u16[2 rows]: the last bin that goes left, drawn or not, of each node that is split. */
export let borderOut: usize = 0;

let bestScore: f64 = 0;
let bestColumn: u32 = 0;
let bestBelow: u32 = 0;
let bestAbove: u32 = 0;
let bestMissingLeft: bool = false;
let seenMissing: bool = false;
let bestLeft: v128 = f64x2.splat(0);

/** Begins a task, after loadTrainingSet; no tree is deeper than `depth`. */
export function beginBinned(depth: u32): void {
  allocateBins();
  list = allocate(<usize>rows << 2);
  spare = allocate(<usize>rows << 2);
  borderOut = allocate(<usize>rows << 2);
  // At most one node of each depth waits, and two are at hand.
  allocateSlots(depth + 2, cells);
  allocatePending(depth + 2);
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

/** Grows tree number `number`, as grow of ../grow.ts does. With `keep`, targets are what earlier trees left in `stats`. */
export function growBinned(treeSeed: u32, number: u32, deepest: u32, leaf: u32, features: u32, keep: bool): u32 {
  setRules(treeSeed, number, deepest, leaf, features);
  drawRows(seed, tree);
  const total = listRows(keep);
  beginTree();
  const bottom = top;
  const slot = takeSlot();
  countRows(histogramOf(slot), rowAt(0), rowAt(drawnCount));
  push(0, drawnCount, 0, 0, slot, total);
  while (top > bottom) {
    const entry = pop();
    growNode(startOf(entry), endOf(entry), nodeOf(entry), depthOf(entry), <u32>noteOf(entry), totalOf(entry));
  }
  return nodeCount;
}

/** Where the number of a drawn row stands. */
// @ts-ignore: decorator
@inline
function rowAt(index: u32): usize {
  return list + (<usize>index << 2);
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

/** `slot` has the node's histogram. */
function growNode(start: u32, end: u32, node: u32, depth: u32, slot: u32, total: v128): void {
  bestScore = -1;
  if (end - start >= 2 * minLeaf && depth < maxDepth && !isPure(start, end)) {
    beginVisits(seed, tree, node, maxFeatures);
    let tried: u32 = 0;
    for (let visited: u32 = 0; visited < columns && (tried < maxFeatures || bestScore < 0); visited++) {
      tried += <u32>searchColumn(nextVisit(), slot, total);
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
  if (leftSmaller) countRows(histogramOf(other), rowAt(start), rowAt(middle));
  else countRows(histogramOf(other), rowAt(middle), rowAt(end));
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
  const pair = stats + (<usize>load<u32>(rowAt(at)) << 4);
  return load<f64>(pair) / load<f64>(pair, 8);
}

/** Tries every border between occupied bins; whether there were two of them. */
function searchColumn(column: u32, slot: u32, total: v128): bool {
  const from = histogramOf(slot) + (<usize>cellOf(column) << 4);
  const missingAt = from + (<usize>missingBin(column) << 4);
  const lost = v128.load(missingAt);
  const hasLost = f64x2.extract_lane(lost, 1) > 0;
  const before = bestScore;
  const known = scan(column, from, missingAt, f64x2.splat(0), total, hasLost, false);
  if (hasLost && known > 1) scan(column, from, missingAt, lost, total, false, true);
  if (bestScore > before) seenMissing = hasLost;
  return known + <u32>hasLost > 1;
}

/** Tries the borders of one column's bins; `left` is what lies left of them. Gives how many bins are occupied. */
function scan(
  column: u32,
  from: usize,
  to: usize,
  left: v128,
  total: v128,
  lastToo: bool,
  missingLeft: bool,
): u32 {
  let occupied: u32 = 0;
  let below: usize = from;
  for (let at = from; at < to; at += 16) {
    const pair = v128.load(at);
    if (f64x2.extract_lane(pair, 1) == 0) continue;
    if (occupied > 0) consider(column, from, below, at, left, total, missingLeft);
    occupied++;
    left = f64x2.add(left, pair);
    below = at;
  }
  if (lastToo && occupied > 0) consider(column, from, below, 0, left, total, missingLeft);
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
  missingLeft: bool,
): void {
  const right = f64x2.sub(total, left);
  const sums = v128.shuffle<f64>(left, right, 0, 2);
  const weights = v128.shuffle<f64>(left, right, 1, 3);
  const terms = f64x2.div(f64x2.mul(sums, sums), weights);
  const score = f64x2.extract_lane(terms, 0) + f64x2.extract_lane(terms, 1);
  if (score <= bestScore) return;
  if (f64x2.extract_lane(weights, 0) < <f64>minLeaf || f64x2.extract_lane(weights, 1) < <f64>minLeaf) return;
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
  const to = rowAt(end);
  let left = rowAt(start);
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
