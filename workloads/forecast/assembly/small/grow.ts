/**
 * Grows the subtree below a node of few rows on a copy of its lists that fits the nearest cache: rows are numbered anew from
 * 0, so that a mask says which go left; columns are searched two at a time, without branches; a division writes from one half
 * of the copy to the other. The tree is the one that ../grow.ts would grow on, which leaves to it nodes without missing values.
 */
import { depthOf, endOf, nodeOf, noteOf, pop, push, startOf, top, totalOf } from "../pending";
import { maxDepth, maxFeatures, minLeaf, seed, tree } from "../rules";
import { columns, listOf, MISSING } from "../sample";
import { childOf, tooLittle, writeLeaf, writeSplit } from "../tree";
import { beginVisits, nextVisit } from "../visits";
import { allocateRows, copyRows, even, LIST, odd, pairOf, SMALL, targetOf } from "./rows";
import { activeColumn, activeCount, allocateSearch, borderAt, isPure, listActive, scoreAt, searchColumns } from "./search";

/** Any split of a node of two rows that tells them apart is as good as another. */
let shortcut: bool = true;

/** Begins a task, after allocateLists. */
export function allocateSmall(anyOfTwo: bool): void {
  shortcut = anyOfTwo;
  allocateRows();
  allocateSearch();
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
export function growSmall(start: u32, end: u32, node: u32, depth: u32, constant: u64, total: v128): void {
  copyRows(start, end, constant);
  const bottom = top;
  push(0, end - start, node, depth, constant, total);
  while (top > bottom) {
    const entry = pop();
    const isEven = ((depthOf(entry) - depth) & 1) == 0;
    const from = isEven ? even : odd;
    if (shortcut && endOf(entry) - startOf(entry) == 2) {
      growTwo(from, startOf(entry), nodeOf(entry), noteOf(entry), totalOf(entry));
      continue;
    }
    const to = isEven ? odd : even;
    growNode(from, to, startOf(entry), endOf(entry), nodeOf(entry), depthOf(entry), noteOf(entry), totalOf(entry));
  }
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
): void {
  constant = listActive(from, start, end, constant);
  if (activeCount == 0 || isPure(from, start, end)) {
    writeLeaf(node, total);
    return;
  }
  beginVisits(seed, tree, node, maxFeatures);
  const place = searchColumns(from, start, end, constant, total);
  if (scoreAt(place) < 0 || tooLittle(scoreAt(place), total)) {
    writeLeaf(node, total);
    return;
  }
  split(from, to, start, end, node, depth, constant, total, activeColumn(place), borderAt(place));
}

/** A node of two rows: the first column that tells them apart splits it, all that do score the same. */
function growTwo(from: usize, start: u32, node: u32, constant: u64, total: v128): void {
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
      divideList(from, to, <usize>activeColumn(index) * LIST, start, middle, end, mask);
    }
  }
  if (rightGrows) push(middle, end, child + 1, depth + 1, constant, right);
  else writeLeaf(child + 1, right);
  if (!leftGrows) writeLeaf(child, left);
  else if (middle - start == 2 && shortcut) growTwo(to, start, child, constant, left);
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
