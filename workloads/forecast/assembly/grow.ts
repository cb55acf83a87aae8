/** Grows one regression tree, depth first; the same tree, bit for bit, as ../forest/grow.ts, which explains the steps. */
import { allocate } from "./memory";
import { allocateDivision, divide, MASKED } from "./divide";
import { allocateLists, columns, drawSample, listOf, MISSING, rows, stats, statsOf } from "./sample";
import { allocateSmall, beginSmall, growSmall, isSmall } from "./small";
import { begin as beginTree, childOf, nodeCount, tooLittle, writeLeaf, writeSplit } from "./tree";
import {
  beginSearch,
  bestBorder,
  bestColumn,
  bestLeft,
  bestMissingLeft,
  bestScore,
  bestThreshold,
  isConstant,
  searchColumn,
  searchRandomly,
  takeOnlyBorder,
} from "./search";
import { allocateVisits, beginVisits, nextVisit } from "./visits";

/** Nodes still to do, 48 bytes each: v128 (sum, weight), u32 start, end, node, depth, u64 mask of constant columns. */
let stack: usize = 0;
let top: usize = 0;
const ENTRY: usize = 48;

/** Thresholds are drawn, not searched. */
let random: bool = false;
/** Any split of a node of two rows that tells them apart is as good as another. */
let shortcut: bool = true;

/** Begins a task that grows trees on sorted lists, after loadTrainingSet. */
export function beginLists(randomThresholds: bool, minGain: f64): void {
  random = randomThresholds;
  shortcut = !randomThresholds && minGain == 0;
  allocateLists();
  allocateVisits(columns);
  allocateDivision();
  allocateSmall();
  stack = allocate((<usize>rows + 1) * ENTRY);
}

/** Grows tree number `tree` and writes it out, at most 2 rows − 1 nodes; gives their number. */
export function grow(
  seed: u32,
  tree: u32,
  maxDepth: u32,
  minLeaf: u32,
  maxFeatures: u32,
): u32 {
  const count = drawSample(seed, tree);
  let total = f64x2.splat(0);
  for (let at = stats; at < stats + ((<usize>count) << 4); at += 16) total = f64x2.add(total, v128.load(at));
  beginTree();
  beginSmall(seed, maxDepth, minLeaf, maxFeatures, shortcut);
  top = stack;
  push(0, count, 0, 0, 0, total);
  while (top > stack) {
    top -= ENTRY;
    growNode(
      load<u32>(top, 16),
      load<u32>(top, 20),
      load<u32>(top, 24),
      load<u32>(top, 28),
      load<u64>(top, 32),
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

function push(start: u32, end: u32, node: u32, depth: u32, constant: u64, total: v128): void {
  v128.store(top, total);
  store<u32>(top, start, 16);
  store<u32>(top, end, 20);
  store<u32>(top, node, 24);
  store<u32>(top, depth, 28);
  store<u64>(top, constant, 32);
  top += ENTRY;
}

function growNode(
  start: u32,
  end: u32,
  node: u32,
  depth: u32,
  constant: u64,
  total: v128,
  seed: u32,
  tree: u32,
  maxDepth: u32,
  minLeaf: u32,
  maxFeatures: u32,
): void {
  const grows = end - start >= 2 * minLeaf && depth < maxDepth;
  if (grows && !random && columns <= MASKED && isSmall(start, end, constant) && !(end - start == 2 && shortcut)) {
    growSmall(start, end, node, depth, constant, total, tree);
    return;
  }
  beginSearch();
  if (grows) {
    beginVisits(seed, tree, node, maxFeatures);
    let tried: u32 = 0;
    // With a mask, columns found constant are left alone in all nodes below; their lists are not divided any more.
    for (let visited: u32 = 0; visited < columns && (tried < maxFeatures || bestScore < 0); visited++) {
      const column = nextVisit();
      if (columns <= MASKED && (constant >>> column) & 1) continue;
      if (isConstant(column, start, end)) {
        if (columns <= MASKED) constant |= (<u64>1) << column;
        continue;
      }
      if (tried == 0 && isPure(column, start, end)) break;
      tried++;
      if (end - start == 2 && shortcut) {
        takeOnlyBorder(column, start);
        break;
      }
      if (random) searchRandomly(column, start, end, minLeaf, total, seed, tree, node);
      else searchColumn(column, start, end, minLeaf, total);
    }
  }
  if (bestScore < 0 || tooLittle(bestScore, total)) {
    writeLeaf(node, total);
    return;
  }
  const left = bestLeft;
  const right = f64x2.sub(total, left);
  const list = listOf(bestColumn);
  const border = list + ((<usize>(start + bestBorder)) << 2);
  const seenMissing = load<u32>(list + ((<usize>end) << 2) - 4) >>> 16 == MISSING;
  const missingLeft = seenMissing ? bestMissingLeft : f64x2.extract_lane(left, 1) >= f64x2.extract_lane(right, 1);
  writeSplit(
    node,
    bestColumn,
    load<u32>(border) >>> 16,
    load<u32>(border, 4) >>> 16,
    random,
    bestThreshold,
    missingLeft,
  );
  const middle = end - start == 2 ? start + 1 : divide(start, end, constant);
  const child = childOf();
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
