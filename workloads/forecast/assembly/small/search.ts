/** Looks for a small node's best split: two columns at a time, without branches. */
import { allocate } from "../memory";
import { maxFeatures, minLeaf } from "../rules";
import { columns } from "../sample";
import { firstVisit, nextVisit } from "../visits";
import { LIST, pairOf, targetOf } from "./rows";

/** The columns that a node tells apart, by their number: u16[columns] and how many. */
let active: usize = 0;
export let activeCount: u32 = 0;
/** f64[columns + 1] and u64[columns + 1]: each active column's best score, or −1, and the border that has it. */
let scores: usize = 0;
let borders: usize = 0;
/** u16[columns]: where an active column stands in `active`. */
let places: usize = 0;

export function allocateSearch(): void {
  active = allocate((<usize>columns) << 1);
  places = allocate((<usize>columns) << 1);
  scores = allocate((<usize>columns + 1) << 3);
  borders = allocate((<usize>columns + 1) << 3);
}

/** The column at a place among the active. */
// @ts-ignore: decorator
@inline
export function activeColumn(place: u32): u32 {
  return load<u16>(active + ((<usize>place) << 1));
}

/** The best score of the column at a place, negative where none of its borders will do. */
// @ts-ignore: decorator
@inline
export function scoreAt(place: u32): f64 {
  return load<f64>(scores + ((<usize>place) << 3));
}

/** The last record of the left side at that score, counted from the node's start. */
// @ts-ignore: decorator
@inline
export function borderAt(place: u32): u32 {
  return load<u32>(borders + ((<usize>place) << 3));
}

/** Lists the columns that are not constant in the segment; gives the mask of those that are. */
export function listActive(from: usize, start: u32, end: u32, constant: u64): u64 {
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

/** Whether all rows of the segment have one target. */
export function isPure(from: usize, start: u32, end: u32): bool {
  const list = from + <usize>activeColumn(0) * LIST;
  let at = list + ((<usize>start) << 2);
  const to = list + ((<usize>end) << 2);
  const target = targetOf(load<u32>(at));
  for (at += 4; at < to; at += 4) if (targetOf(load<u32>(at)) != target) return false;
  return true;
}

/** Finds every active column's best border; gives the place of the column that splits the node, after beginVisits. */
export function searchColumns(from: usize, start: u32, end: u32, constant: u64, total: v128): u32 {
  const offset = from + ((<usize>start) << 2);
  let best = f64x2.splat(-1);
  for (let index: u32 = 0; index < activeCount; index += 2) {
    const a = offset + <usize>activeColumn(index) * LIST;
    const b = index + 1 < activeCount ? offset + <usize>activeColumn(index + 1) * LIST : a;
    best = f64x2.pmax(best, searchPair(a, b, end - start, total, (<usize>index) << 3));
  }
  if (maxFeatures < columns) return bestVisited(constant);
  const first = f64x2.extract_lane(best, 0);
  const second = f64x2.extract_lane(best, 1);
  return firstWith(first > second ? first : second);
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

/** The place of the first column in turn that has this score. */
function firstWith(best: f64): u32 {
  const first = firstVisit();
  let place: u32 = 0;
  while (place < activeCount && activeColumn(place) < first) place++;
  for (let left = activeCount; left > 0; left--, place++) {
    if (place >= activeCount) place = 0;
    if (scoreAt(place) == best) return place;
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
    const score = scoreAt(at);
    if (tried == 0 || score > best) {
      best = score;
      place = at;
    }
    tried++;
  }
  return place;
}
