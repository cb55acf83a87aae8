/** All keys of a task in order, short and wide ones together, one after the other. */
import {
  asideOfShort,
  asideShortCount,
  listedShort,
  listOfShort,
  pushAside,
} from "./keys";
import { allocate } from "./memory";
import { chunk, chunkSpare, nextChunk } from "./runs";
import { ITEM, keepAll, sortItems, sortPart } from "./sort";
import { sortedWide } from "./sort-wide";
import { wideBytes, wideLength, wideWord } from "./wide-entry";
import { wideCount } from "./wide-keys";
import { mergedHigh, mergedKey, mergedLength, mergedLow, nextWideKey } from "./wide-runs";

/** Items of short keys that are still to come. */
export let shortAt: usize = 0;
export let shortEnd: usize = 0;
let wideAt: usize = 0;
let wideEnd: usize = 0;

/** The current key: where its bytes are (8 may be read), how many, its first eight bytes as an ordering word, its sum. */
export let keyAt: usize = 0;
export let keyLength: usize = 0;
export let keyWord: u64 = 0;
export let keySum: i64 = 0;

/** So many items' entries are asked for at a time. */
const BLOCK: usize = 64 * ITEM;

const scratch = memory.data(16, 8);
let scratchSide: usize = 0;

/** Puts what a counting task has seen in order. A key may come several times: sums that were set aside, then the last. */
export function sortCounted(): void {
  let items = listOfShort();
  let count = itemsBetween(items, sortItems(items, listedShort(), combineCounted));
  const asideCount = asideShortCount();
  if (asideCount > 0) {
    const all = allocate(<u64>(asideCount + count) * ITEM);
    memory.copy(all, asideOfShort(), <usize>asideCount * ITEM);
    memory.copy(all + <usize>asideCount * ITEM, items, <usize>count * ITEM);
    count += asideCount;
    items = all;
    sortItems(items, count, keepAll);
  }
  start(items, count, sortedWide(), wideCount());
}

/** Puts what a merging task has read in order, each key once. False if a sum does not fit: it is the current key. */
export function sortMerged(): bool {
  const items = listOfShort();
  hasOverflow = false;
  const shortCount = itemsBetween(items, sortItems(items, listedShort(), combineShort));
  const wide = sortedWide();
  const wideDistinct = combineWide(wide, wideCount());
  if (!areSumsRight(wideDistinct)) return false;
  start(items, shortCount, wide, wideDistinct);
  return true;
}

// @ts-ignore: decorator
@inline
function itemsBetween(from: usize, to: usize): u32 {
  return <u32>((to - from) / ITEM);
}

function start(items: usize, count: u32, wide: usize, countWide: u32): void {
  shortAt = items;
  shortEnd = items + <usize>count * ITEM;
  wideAt = wide;
  fetchedTo = wide;
  wideEnd = wide + <usize>countWide * ITEM;
}

/** Moves to the next key; false after the last. */
export function nextKey(): bool {
  if (wideAt == wideEnd && shortAt == shortEnd && !mergeChunk()) return mergeKey();
  if (wideAt == wideEnd) {
    takeShort();
    return true;
  }
  // A short key with the same eight bytes is a prefix of the wide one.
  if (shortAt != shortEnd && load<u64>(shortAt) <= wideWord(<usize>load<u32>(wideAt, 8), 0)) takeShort();
  else takeWide();
  return true;
}

/** Makes ready to merge runs of short keys. */
export function startRuns(): void {
  start(0, 0, 0, 0);
  hasOverflow = false;
}

/** Puts the next chunk of runs of short keys in order; false if there is none, or a sum does not fit: then it is the current key. */
function mergeChunk(): bool {
  if (hasOverflow) return false;
  const count = nextChunk();
  if (count == 0) return false;
  shortAt = chunk;
  shortEnd = sortPart(chunk, count, chunkSpare, chunk, combineShort);
  return areSumsRight(0);
}

/** Takes the next key of runs with wide keys; false if there is none, or its sum does not fit. */
function mergeKey(): bool {
  if (hasOverflow || !nextWideKey()) return false;
  keyAt = mergedKey;
  keyLength = mergedLength;
  keyWord = bswap<u64>(load<u64>(mergedKey));
  high = mergedHigh;
  low = mergedLow;
  hasOverflow = !settle();
  return !hasOverflow;
}

/** After combining: whether all sums fit; if not, the first key whose sum does not is the current one. `distinct`: what combineWide gave. */
function areSumsRight(distinct: i32): bool {
  if (distinct >= 0 && !hasOverflow) return true;
  if (distinct >= 0 || (hasOverflow && overflowWord <= keyWord)) {
    keyWord = overflowWord;
    showShort();
  }
  hasOverflow = true;
  return false;
}

/** Whether there are keys at hand that come next, and all of them are short. */
export function hasOnlyShort(): bool {
  return wideAt == wideEnd && shortAt != shortEnd;
}

/** Passes over short keys, up to the item `next`. */
export function passShort(next: usize): void {
  shortAt = next;
}

// @ts-ignore: decorator
@inline
function takeShort(): void {
  keyWord = load<u64>(shortAt);
  keySum = load<i64>(shortAt, 8);
  showShort();
  shortAt += ITEM;
}

function showShort(): void {
  // Two places in turn, so that the key before stays readable.
  scratchSide ^= 8;
  keyAt = scratch + scratchSide;
  store<u64>(keyAt, bswap<u64>(keyWord));
  keyLength = 8 - (<usize>ctz(keyWord) >> 3);
}

/** Up to where items' entries were asked for. */
let fetchedTo: usize = 0;
const fetched = memory.data(8, 8);

/** Asks for the entries of the items from `item` on: they lie anywhere, and with so few instructions the memory answers many at once. */
function fetchBlock(item: usize, end: usize): void {
  fetchedTo = min(item + BLOCK, end);
  const last = end - ITEM;
  let all: u64 = 0;
  for (; item < fetchedTo; item += 4 * ITEM) {
    all |= load<u64>(<usize>load<u32>(item, 8));
    all |= load<u64>(<usize>load<u32>(min(item + ITEM, last), 8));
    all |= load<u64>(<usize>load<u32>(min(item + 2 * ITEM, last), 8));
    all |= load<u64>(<usize>load<u32>(min(item + 3 * ITEM, last), 8));
  }
  store<u64>(fetched, all);
}

function takeWide(): void {
  if (wideAt >= fetchedTo) fetchBlock(wideAt, wideEnd);
  const entry = <usize>load<u32>(wideAt, 8);
  showWide(entry);
  wideAt += ITEM;
}

function showWide(entry: usize): void {
  keyWord = wideWord(entry, 0);
  keySum = load<i64>(entry, 24);
  keyAt = wideBytes(entry);
  keyLength = wideLength(entry);
}

/** Adds up runs of equal keys, setting sums aside that would overflow. */
function combineCounted(items: usize, count: u32, to: usize): usize {
  const end = items + <usize>count * ITEM;
  for (let item = items; item < end; ) {
    const word = load<u64>(item);
    let sum = load<i64>(item, 8);
    item += ITEM;
    while (item < end && load<u64>(item) == word) {
      const value = load<i64>(item, 8);
      const before = sum;
      sum = before + value;
      if (((before ^ sum) & (value ^ sum)) < 0) {
        pushAside(word, before);
        sum = value;
      }
      item += ITEM;
    }
    store<u64>(to, word);
    store<i64>(to, sum, 8);
    to += ITEM;
  }
  return to;
}

/** An exact sum of 64-bit integers as high · 2³² + low. */
let high: i64 = 0;
let low: i64 = 0;

// @ts-ignore: decorator
@inline
function addExactly(value: i64): void {
  high += value >> 32;
  low += value & 0xffffffff;
}

/** Takes the exact sum as the current key's, false if it does not fit. */
function settle(): bool {
  const upper = high + (low >> 32);
  if (upper < <i64>i32.MIN_VALUE || upper > <i64>i32.MAX_VALUE) return false;
  keySum = (upper << 32) | (low & 0xffffffff);
  return true;
}

/** The first short key whose sum does not fit. */
export let hasOverflow: bool = false;
let overflowWord: u64 = 0;

/** Adds up runs of equal keys exactly, up to one whose sum does not fit. */
function combineShort(items: usize, count: u32, to: usize): usize {
  const end = items + <usize>count * ITEM;
  if (hasOverflow) return to;
  for (let item = items; item < end; ) {
    const word = load<u64>(item);
    let sum = load<i64>(item, 8);
    item += ITEM;
    if (item < end && load<u64>(item) == word) {
      high = 0;
      low = 0;
      addExactly(sum);
      do {
        addExactly(load<i64>(item, 8));
        item += ITEM;
      } while (item < end && load<u64>(item) == word);
      if (!settle()) {
        hasOverflow = true;
        overflowWord = word;
        return to;
      }
      sum = keySum;
    }
    store<u64>(to, word);
    store<i64>(to, sum, 8);
    to += ITEM;
  }
  return to;
}

/** Adds up runs of equal wide keys in place. Gives how many items are left, −1 if a sum does not fit: then it is the current key. */
function combineWide(items: usize, count: u32): i32 {
  const end = items + <usize>count * ITEM;
  let to = items;
  fetchedTo = items;
  for (let item = items; item < end; ) {
    const entry = <usize>load<u32>(item, 8);
    if (item >= fetchedTo) fetchBlock(item, end);
    high = 0;
    low = 0;
    do {
      addExactly(load<i64>(<usize>load<u32>(item, 8), 24));
      item += ITEM;
    } while (item < end && isSameWide(entry, <usize>load<u32>(item, 8)));
    if (!settle()) {
      showWide(entry);
      return -1;
    }
    store<u32>(to, <u32>entry, 8);
    store<i64>(entry, keySum, 24);
    to += ITEM;
  }
  return <i32>((to - items) / ITEM);
}

function isSameWide(a: usize, b: usize): bool {
  const length = wideLength(a);
  return wideWord(a, 0) == wideWord(b, 0) && length == wideLength(b) && memory.compare(wideBytes(a), wideBytes(b), length) == 0;
}

