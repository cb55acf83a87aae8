/** Grows one regression tree, depth first; the same tree, bit for bit, as ../forest/grow.ts, which explains the steps. */
import { allocate } from "./memory";
import { allocateDivision, divide, MASKED } from "./divide";
import { bootstrap, columns, listOf, loadTrainingSet, MISSING, rows, stats, statsOf, valueOf } from "./sample";
import {
  beginSearch,
  bestBorder,
  bestColumn,
  bestLeft,
  bestMissingLeft,
  bestScore,
  isConstant,
  searchColumn,
  takeOnlyBorder,
} from "./search";
import { allocateVisits, beginVisits, nextVisit } from "./visits";

/** In place of a column's number: the node is a leaf. */
const LEAF: u16 = 0xffff;
/** Added to a column's number: missing values go left. */
const MISSING_LEFT: u16 = 0x8000;
/** A border between known and missing values: every known value is below. */
const ALL_KNOWN: f64 = f64.MAX_VALUE;

/** Nodes still to do, 48 bytes each: v128 (sum, weight), u32 start, end, node, depth, mask of constant columns. */
let stack: usize = 0;
let top: usize = 0;
const ENTRY: usize = 48;

/** Where the tree goes: each node's column or LEAF (u16), threshold or leaf value (f64), left child (u32). */
let columnOut: usize = 0;
let valueOut: usize = 0;
let leftOut: usize = 0;
let nodes: u32 = 0;

/** Begins a task; see loadTrainingSet. */
export function begin(
  rowCount: u32,
  columnCount: u32,
  order: usize,
  ranks: usize,
  values: usize,
  valueStart: usize,
  targets: usize,
): void {
  loadTrainingSet(rowCount, columnCount, order, ranks, values, valueStart, targets);
  allocateVisits();
  allocateDivision();
  stack = allocate((<usize>rows + 1) * ENTRY);
}

/** Grows tree number `tree` and writes it out, at most 2 rows − 1 nodes; gives their number. */
export function grow(
  seed: u32,
  tree: u32,
  maxDepth: u32,
  minLeaf: u32,
  maxFeatures: u32,
  columnAt: usize,
  valueAt: usize,
  leftAt: usize,
): u32 {
  columnOut = columnAt;
  valueOut = valueAt;
  leftOut = leftAt;
  const count = bootstrap(seed, tree);
  let total = f64x2.splat(0);
  for (let at = stats; at < stats + ((<usize>count) << 4); at += 16) total = f64x2.add(total, v128.load(at));
  nodes = 1;
  top = stack;
  push(0, count, 0, 0, 0, total);
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
  return nodes;
}

function push(start: u32, end: u32, node: u32, depth: u32, constant: u32, total: v128): void {
  v128.store(top, total);
  store<u32>(top, start, 16);
  store<u32>(top, end, 20);
  store<u32>(top, node, 24);
  store<u32>(top, depth, 28);
  store<u32>(top, constant, 32);
  top += ENTRY;
}

function growNode(
  start: u32,
  end: u32,
  node: u32,
  depth: u32,
  constant: u32,
  total: v128,
  seed: u32,
  tree: u32,
  maxDepth: u32,
  minLeaf: u32,
  maxFeatures: u32,
): void {
  beginSearch();
  if (end - start >= 2 * minLeaf && depth < maxDepth) {
    beginVisits(seed, tree, node, maxFeatures);
    let tried: u32 = 0;
    // With a mask, columns found constant are left alone in all nodes below; their lists are not divided any more.
    for (let visited: u32 = 0; visited < columns && (tried < maxFeatures || bestScore < 0); visited++) {
      const column = nextVisit();
      if (columns <= MASKED && (constant >>> column) & 1) continue;
      if (isConstant(column, start, end)) {
        if (columns <= MASKED) constant |= 1 << column;
        continue;
      }
      if (tried == 0 && isPure(column, start, end)) break;
      tried++;
      if (end - start == 2) {
        takeOnlyBorder(column, start);
        break;
      }
      searchColumn(column, start, end, minLeaf, total);
    }
  }
  if (bestScore < 0) {
    writeLeaf(node, total);
    return;
  }
  const left = bestLeft;
  const right = f64x2.sub(total, left);
  writeSplit(node, start, end, left, right);
  const middle = end - start == 2 ? start + 1 : divide(start, end, constant);
  const child = nodes;
  nodes += 2;
  // The right child waits on the stack while the left one grows.
  if (end - middle == 1) writeLeaf(child + 1, right);
  else push(middle, end, child + 1, depth + 1, constant, right);
  if (middle - start == 1) writeLeaf(child, left);
  else push(start, middle, child, depth + 1, constant, left);
}

/** Whether all rows of the segment have one target. A row's target is its weighted target ÷ weight, an exact division. */
function isPure(column: u32, start: u32, end: u32): bool {
  const from = listOf(column) + ((<usize>start) << 2);
  const to = listOf(column) + ((<usize>end) << 2);
  const target = targetOf(from);
  let at = from + 4;
  while (at < to && targetOf(at) == target) at += 4;
  return at == to;
}

function targetOf(at: usize): f64 {
  const pair = statsOf(load<u32>(at));
  return f64x2.extract_lane(pair, 0) / f64x2.extract_lane(pair, 1);
}

/** The mean target, rounded to an integer. */
function writeLeaf(node: u32, total: v128): void {
  store<u16>(columnOut + (node << 1), LEAF);
  store<f64>(valueOut + (node << 3), Math.floor(f64x2.extract_lane(total, 0) / f64x2.extract_lane(total, 1) + 0.5));
  store<u32>(leftOut + (node << 2), 0);
}

function writeSplit(node: u32, start: u32, end: u32, left: v128, right: v128): void {
  const list = listOf(bestColumn);
  const border = list + ((<usize>(start + bestBorder)) << 2);
  const above = load<u32>(border, 4) >>> 16;
  const seenMissing = load<u32>(list + ((<usize>end) << 2) - 4) >>> 16 == MISSING;
  const missingLeft = seenMissing ? bestMissingLeft : f64x2.extract_lane(left, 1) >= f64x2.extract_lane(right, 1);
  store<u16>(columnOut + (node << 1), <u16>bestColumn | (missingLeft ? MISSING_LEFT : 0));
  store<f64>(
    valueOut + (node << 3),
    above == MISSING ? ALL_KNOWN : between(bestColumn, load<u32>(border) >>> 16, above),
  );
  store<u32>(leftOut + (node << 2), nodes);
}

/** The threshold: halfway, or the lower value where that is no number strictly below the upper one. */
function between(column: u32, below: u32, above: u32): f64 {
  const low = valueOf(column, below);
  const high = valueOf(column, above);
  const half = low / 2 + high / 2;
  return half >= low && half < high ? half : low;
}
