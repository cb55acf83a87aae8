/**
 * Grows the subtree below a node of few rows on a copy of its lists that fits the nearest cache: rows are numbered anew from
 * 0, so that a mask says which go left; columns are searched two at a time, without branches; a division writes from one half
 * of the copy to the other. The tree is the one that ./grow.ts would grow on, which leaves to it nodes without missing values.
 */
import { allocate } from "./memory";
import { columns, listOf, MISSING, rows, statsOf } from "./sample";
import { childOf, nodeCount, tooLittle, writeLeaf, writeSplit } from "./tree";
import { beginVisits, firstVisit, nextVisit } from "./visits";

/** The most rows of such a node: a mask's bits. */
export const SMALL: u32 = 32;
/** Bytes of one column's list. */
const LIST: usize = (<usize>SMALL) << 2;

/** Two buffers of u32[columns][SMALL], rank << 16 | number: nodes of even and of odd depth below the first. */
let even: usize = 0;
let odd: usize = 0;
/** v128[SMALL]: (weighted target, weight) of each row. */
let pairs: usize = 0;
/** u8[rows]: the number of each row of the whole sample. */
let numbers: usize = 0;
/** The columns that a node tells apart, by their number: u16[columns] and how many. */
let active: usize = 0;
let activeCount: u32 = 0;
/** f64[columns + 1] and u64[columns + 1]: each active column's best score, or −1, and the border that has it. */
let scores: usize = 0;
let borders: usize = 0;
/** u16[columns]: where an active column stands in `active`. */
let places: usize = 0;

/** Nodes still to do, 48 bytes each: v128 (sum, weight), u32 start, end, node, depth, u64 mask of constant columns. */
let stack: usize = 0;
let top: usize = 0;
const ENTRY: usize = 48;

/** What all nodes of a task have in common. */
let seed: u32 = 0;
let maxDepth: u32 = 0;
let minLeaf: u32 = 0;
let maxFeatures: u32 = 0;
/** Any split of a node of two rows that tells them apart is as good as another. */
let shortcut: bool = true;

export function allocateSmall(): void {
  even = allocate(<usize>columns * LIST);
  odd = allocate(<usize>columns * LIST);
  pairs = allocate((<usize>SMALL) << 4);
  numbers = allocate(rows);
  active = allocate((<usize>columns) << 1);
  places = allocate((<usize>columns) << 1);
  scores = allocate((<usize>columns + 1) << 3);
  borders = allocate((<usize>columns + 1) << 3);
  stack = allocate((<usize>SMALL + 1) * ENTRY);
}

/** Settles what `growSmall` is to keep to. */
export function beginSmall(treeSeed: u32, deepest: u32, leaf: u32, features: u32, anyOfTwo: bool): void {
  seed = treeSeed;
  maxDepth = deepest;
  minLeaf = leaf;
  maxFeatures = features;
  shortcut = anyOfTwo;
}

/** Whether the segment [start, end) can be grown here: columns that are not constant have no missing value in it. */
export function isSmall(start: u32, end: u32, constant: u64): bool {
  if (end - start > SMALL) return false;
  for (let column: u32 = 0; column < columns; column++) {
    if ((constant >>> column) & 1) continue;
    const list = listOf(column);
    const isMissing = load<u32>(list + ((<usize>end) << 2) - 4) >>> 16 == MISSING;
    if (isMissing && load<u32>(list + ((<usize>start) << 2)) >>> 16 != MISSING) return false;
  }
  return true;
}

/** Grows node number `node`, the rows [start, end) of the lists that are not `constant`, to its leaves. */
export function growSmall(
  start: u32,
  end: u32,
  node: u32,
  depth: u32,
  constant: u64,
  total: v128,
  tree: u32,
): void {
  copy(start, end, constant);
  top = stack;
  push(0, end - start, node, depth, constant, total);
  while (top > stack) {
    top -= ENTRY;
    const depthHere = load<u32>(top, 28);
    const isEven = ((depthHere - depth) & 1) == 0;
    if (shortcut && load<u32>(top, 20) - load<u32>(top, 16) == 2) {
      growTwo(isEven ? even : odd, load<u32>(top, 16), load<u32>(top, 24), load<u64>(top, 32), v128.load(top), tree);
      continue;
    }
    growNode(
      isEven ? even : odd,
      isEven ? odd : even,
      load<u32>(top, 16),
      load<u32>(top, 20),
      load<u32>(top, 24),
      depthHere,
      load<u64>(top, 32),
      v128.load(top),
      tree,
    );
  }
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

/** Numbers the segment's rows and copies its lists. */
function copy(start: u32, end: u32, constant: u64): void {
  const bytes = (<usize>(end - start)) << 2;
  let numbered = false;
  for (let column: u32 = 0; column < columns; column++) {
    if ((constant >>> column) & 1) continue;
    const from = listOf(column) + ((<usize>start) << 2);
    const to = even + <usize>column * LIST;
    if (!numbered) {
      for (let at: usize = 0; at < bytes; at += 4) {
        const record = load<u32>(from + at);
        store<u8>(numbers + (record & 0xffff), <u8>(at >>> 2));
        v128.store(pairs + (at << 2), statsOf(record));
      }
      numbered = true;
    }
    for (let at: usize = 0; at < bytes; at += 4) {
      const record = load<u32>(from + at);
      store<u32>(to + at, (record & 0xffff0000) | load<u8>(numbers + (record & 0xffff)));
    }
  }
}

// @ts-ignore: decorator
@inline
function pairOf(record: u32): v128 {
  return v128.load(pairs + ((record & 0xffff) << 4));
}

function targetOf(record: u32): f64 {
  const pair = pairOf(record);
  return f64x2.extract_lane(pair, 0) / f64x2.extract_lane(pair, 1);
}

/** Lists the columns that are not constant in the segment; gives the mask of those that are. */
function listActive(from: usize, start: u32, end: u32, constant: u64): u64 {
  let count: usize = 0;
  let first = from + ((<usize>start) << 2);
  let last = from + ((<usize>end) << 2) - 4;
  for (let column: u32 = 0; column < columns; column++, first += LIST, last += LIST) {
    const isActive = <u64>((load<u32>(first) ^ load<u32>(last)) > 0xffff) & ~(constant >>> column);
    store<u16>(active + (count << 1), <u16>column);
    store<u16>(places + ((<usize>column) << 1), <u16>count);
    count += <usize>isActive;
    constant |= (isActive ^ 1) << column;
  }
  activeCount = <u32>count;
  return constant;
}

function growNode(
  from: usize,
  to: usize,
  start: u32,
  end: u32,
  node: u32,
  depth: u32,
  constant: u64,
  total: v128,
  tree: u32,
): void {
  constant = listActive(from, start, end, constant);
  if (activeCount == 0 || isPure(from, start, end)) {
    writeLeaf(node, total);
    return;
  }
  const best = searchColumns(from, start, end, total);
  beginVisits(seed, tree, node, maxFeatures);
  const place = maxFeatures >= columns ? firstWith(best) : bestVisited(constant);
  const score = load<f64>(scores + (<usize>place << 3));
  if (score < 0 || tooLittle(score, total)) {
    writeLeaf(node, total);
    return;
  }
  const column = <u32>load<u16>(active + ((<usize>place) << 1));
  split(from, to, start, end, node, depth, constant, total, column, load<u32>(borders + (<usize>place << 3)), tree);
}

/** The place of the first column in turn that has this score. */
function firstWith(best: f64): u32 {
  const first = firstVisit();
  let place: u32 = 0;
  while (place < activeCount && <u32>load<u16>(active + ((<usize>place) << 1)) < first) place++;
  for (let left = activeCount; left > 0; left--, place++) {
    if (place >= activeCount) place = 0;
    if (load<f64>(scores + (<usize>place << 3)) == best) return place;
  }
  return 0;
}

/** The place of the best column among those that the node tries. */
function bestVisited(constant: u64): u32 {
  let best: f64 = -1;
  let place: u32 = 0;
  let tried: u32 = 0;
  for (let visited: u32 = 0; visited < columns && (tried < maxFeatures || best < 0); visited++) {
    const column = nextVisit();
    if ((constant >>> column) & 1) continue;
    const at = <u32>load<u16>(places + ((<usize>column) << 1));
    const score = load<f64>(scores + ((<usize>at) << 3));
    if (tried == 0 || score > best) {
      best = score;
      place = at;
    }
    tried++;
  }
  return place;
}

/** A node of two rows: the first column that tells them apart splits it, all that do score the same. */
function growTwo(from: usize, start: u32, node: u32, constant: u64, total: v128, tree: u32): void {
  beginVisits(seed, tree, node, maxFeatures);
  const offset = from + ((<usize>start) << 2);
  for (let visited: u32 = 0; visited < columns; visited++) {
    const column = nextVisit();
    if ((constant >>> column) & 1) continue;
    const first = load<u32>(offset + <usize>column * LIST);
    const second = load<u32>(offset + <usize>column * LIST, 4);
    if ((first ^ second) <= 0xffff) continue;
    if (targetOf(first) == targetOf(second)) break;
    const left = pairOf(first);
    const right = f64x2.sub(total, left);
    const missingLeft = f64x2.extract_lane(left, 1) >= f64x2.extract_lane(right, 1);
    writeSplit(node, column, first >>> 16, second >>> 16, false, 0, missingLeft);
    const child = childOf();
    writeLeaf(child + 1, right);
    writeLeaf(child, left);
    return;
  }
  writeLeaf(node, total);
}

/** Splits a node after the record `border`, counted from its start, of a column's list. */
function split(
  from: usize,
  to: usize,
  start: u32,
  end: u32,
  node: u32,
  depth: u32,
  constant: u64,
  total: v128,
  column: u32,
  border: u32,
  tree: u32,
): void {
  const list = from + <usize>column * LIST + ((<usize>start) << 2);
  const last = list + ((<usize>border) << 2);
  const behind = from + <usize>column * LIST + ((<usize>end) << 2);
  let left = f64x2.splat(0);
  let mask: u32 = 0;
  for (let at = list; at < behind; at += 4) {
    const record = load<u32>(at);
    const bit = <u32>(at <= last);
    left = f64x2.add(left, v128.and(pairOf(record), i64x2.splat(0 - <i64>bit)));
    mask |= bit << (record & 31);
  }
  const right = f64x2.sub(total, left);
  const missingLeft = f64x2.extract_lane(left, 1) >= f64x2.extract_lane(right, 1);
  writeSplit(node, column, load<u32>(last) >>> 16, load<u32>(last, 4) >>> 16, false, 0, missingLeft);
  const child = childOf();
  const middle = start + border + 1;
  const needed: u32 = minLeaf * 2;
  const leftGrows = middle - start >= needed && depth + 1 < maxDepth;
  const rightGrows = end - middle >= needed && depth + 1 < maxDepth;
  if (leftGrows || rightGrows) {
    for (let index: u32 = 0; index < activeCount; index++) {
      divideList(from, to, <usize>load<u16>(active + ((<usize>index) << 1)) * LIST, start, middle, end, mask);
    }
  }
  if (rightGrows) push(middle, end, child + 1, depth + 1, constant, right);
  else writeLeaf(child + 1, right);
  if (!leftGrows) writeLeaf(child, left);
  else if (middle - start == 2 && shortcut) growTwo(to, start, child, constant, left, tree);
  else push(start, middle, child, depth + 1, constant, left);
}

/** Moves the records of rows in the mask before `middle`, the others behind; both sides keep their order. */
// @ts-ignore: decorator
@inline
function divideList(from: usize, to: usize, column: usize, start: u32, middle: u32, end: u32, mask: u32): void {
  let left = to + column + ((<usize>start) << 2);
  let right = to + column + ((<usize>middle) << 2);
  const last = from + column + ((<usize>end) << 2);
  for (let at = from + column + ((<usize>start) << 2); at < last; at += 4) {
    const record = load<u32>(at);
    const bit = (mask >>> (record & 31)) & 1;
    store<u32>(right + ((left - right) & (0 - <usize>bit)), record);
    left += (<usize>bit) << 2;
    right += 4 - ((<usize>bit) << 2);
  }
}

/** Whether all rows of the segment have one target. */
function isPure(from: usize, start: u32, end: u32): bool {
  const list = from + <usize>load<u16>(active) * LIST;
  let at = list + ((<usize>start) << 2);
  const to = list + ((<usize>end) << 2);
  const target = targetOf(load<u32>(at));
  for (at += 4; at < to; at += 4) if (targetOf(load<u32>(at)) != target) return false;
  return true;
}

/** Finds the best border of every active column; gives the best score of all. */
function searchColumns(from: usize, start: u32, end: u32, total: v128): f64 {
  const offset = from + ((<usize>start) << 2);
  let best = f64x2.splat(-1);
  for (let index: u32 = 0; index < activeCount; index += 2) {
    const at = active + ((<usize>index) << 1);
    const a = offset + <usize>load<u16>(at) * LIST;
    const b = index + 1 < activeCount ? offset + <usize>load<u16>(at, 2) * LIST : a;
    best = f64x2.pmax(best, searchPair(a, b, end - start, total, (<usize>index) << 3));
  }
  const first = f64x2.extract_lane(best, 0);
  const second = f64x2.extract_lane(best, 1);
  return first > second ? first : second;
}

/** Tries all borders of two lists of `count` records; each lane of the vectors is one of them. */
// @ts-ignore: decorator
@inline
function searchPair(a: usize, b: usize, count: u32, total: v128, to: usize): v128 {
  const sums = f64x2.splat(f64x2.extract_lane(total, 0));
  const weights = f64x2.splat(f64x2.extract_lane(total, 1));
  let leftA = f64x2.splat(0);
  let leftB = f64x2.splat(0);
  let border: u32 = 0;
  for (; border + 1 < minLeaf; border++, a += 4, b += 4) {
    leftA = f64x2.add(leftA, pairOf(load<u32>(a)));
    leftB = f64x2.add(leftB, pairOf(load<u32>(b)));
  }
  let best = f64x2.splat(-1);
  let bestBorder = i64x2.splat(0);
  let borderHere = i64x2.splat(border);
  let recordA = load<u32>(a);
  let recordB = load<u32>(b);
  for (; border < count - minLeaf; border++, a += 4, b += 4) {
    leftA = f64x2.add(leftA, pairOf(recordA));
    leftB = f64x2.add(leftB, pairOf(recordB));
    const nextA = load<u32>(a, 4);
    const nextB = load<u32>(b, 4);
    const leftSums = v128.shuffle<f64>(leftA, leftB, 0, 2);
    const leftWeights = v128.shuffle<f64>(leftA, leftB, 1, 3);
    const rightSums = f64x2.sub(sums, leftSums);
    const score = f64x2.add(
      f64x2.div(f64x2.mul(leftSums, leftSums), leftWeights),
      f64x2.div(f64x2.mul(rightSums, rightSums), f64x2.sub(weights, leftWeights)),
    );
    const changes = i64x2.replace_lane(i64x2.splat(<i64>(recordA ^ nextA)), 1, <i64>(recordB ^ nextB));
    const better = v128.and(f64x2.gt(score, best), i64x2.gt_s(changes, i64x2.splat(0xffff)));
    best = v128.bitselect(score, best, better);
    bestBorder = v128.bitselect(borderHere, bestBorder, better);
    borderHere = i64x2.add(borderHere, i64x2.splat(1));
    recordA = nextA;
    recordB = nextB;
  }
  v128.store(scores + to, best);
  v128.store(borders + to, bestBorder);
  return best;
}
