/** Grows one regression tree, depth first; the same tree, bit for bit, as ../forest/grow.ts, which explains the steps. */
import { allocateDivision, divide, MASKED } from "./divide";
import { allocatePending, depthOf, endOf, nodeOf, noteOf, pop, push, startOf, top, totalOf } from "./pending";
import { maxDepth, maxFeatures, minLeaf, seed, setRules, tree } from "./rules";
import { allocateLists, columns, drawSample, listOf, MISSING, rows, stats, statsOf } from "./sample";
import { allocateSmall, growSmall, isSmall } from "./small/grow";
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
  allocateSmall(shortcut);
  allocatePending(rows + 1);
}

/** Grows tree number `number` and writes it out, at most 2 rows − 1 nodes; gives their number. */
export function grow(treeSeed: u32, number: u32, deepest: u32, leaf: u32, features: u32): u32 {
  setRules(treeSeed, number, deepest, leaf, features);
  const count = drawSample(seed, tree);
  let total = f64x2.splat(0);
  for (let at = stats; at < stats + ((<usize>count) << 4); at += 16) total = f64x2.add(total, v128.load(at));
  beginTree();
  const bottom = top;
  push(0, count, 0, 0, 0, total);
  while (top > bottom) {
    const entry = pop();
    growNode(startOf(entry), endOf(entry), nodeOf(entry), depthOf(entry), noteOf(entry), totalOf(entry));
  }
  return nodeCount;
}

/** `constant` marks columns that have one value in the node. */
function growNode(start: u32, end: u32, node: u32, depth: u32, constant: u64, total: v128): void {
  const grows = end - start >= 2 * minLeaf && depth < maxDepth;
  if (grows && !random && columns <= MASKED && isSmall(start, end, constant) && !(end - start == 2 && shortcut)) {
    growSmall(start, end, node, depth, constant, total);
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
      if (random) searchRandomly(column, start, end, total, node);
      else searchColumn(column, start, end, total);
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
