/**
 * Counts plain CSV records of two columns whose keys all have the same one to four bytes, with few different pairs of bytes, and values
 * of one or two digits: what codes and ids often are. Each pair of a key's bytes has a number, given when it is first seen, and the two
 * numbers are the place of the key's sum: nothing is hashed or compared, and the sums of 17,576 keys fit a core's cache.
 */
import { addShort, endTable } from "./keys";
import { matches } from "./masks";
import { delimiter } from "./record";
import { append } from "./short-list";

const BLOCK: usize = 64;
const MAX_KEY: usize = 4;
/** Sums: the number of records above 40 bits of their values' sum. So many records at most, before they are moved to the table of keys. */
const ONE: u64 = 1 << 40;
const SUM: u64 = ONE - 1;
const MOST_RECORDS: u32 = 1 << 23;
/** Values that come one by one are smaller than this, so that their sum has room. */
const SMALL: u64 = 1 << 17;

/** Sums of known keys; beyond them lies what is added to for unknown ones, and taken away again. */
const PLACES: u32 = 1 << 16;
const UNKNOWN: u32 = PLACES << 3;
const sums = memory.data((2 * 65536 + 1) * 8, 64);

/** By pair of bytes: what it adds to the place of a key that has it first, or last. Offsets in bytes, UNKNOWN where it has no number. */
const firsts = memory.data(65536 * 4, 64);
const lasts = memory.data(65536 * 4, 64);
/** By number: the pair. */
const firstPairs = memory.data(65536 * 2, 64);
const lastPairs = memory.data(65536 * 2, 64);
let firstCount: u32 = 0;
let lastCount: u32 = 0;

/** By the last two bytes before a line end: ONE and the value, zero where they are neither a delimiter and a digit nor two digits. */
const values = memory.data(65536 * 8, 64);
let valuesDelimiter: u8 = 0;

/** The keys' length, 0 before the first; which bits of their two pairs of bytes count; and how many numbers (log₂) there are for each. */
let keyBytes: usize = 0;
let firstMask: u32 = 0;
let lastMask: u32 = 0;
let lastBits: u32 = 0;

/** Records in `sums`, and those of the last call. */
let held: u32 = 0;
export let directCount: u32 = 0;

/** Forgets sums that nobody asked for. */
export function resetDirect(): void {
  if (held > 0) memory.fill(sums, 0, <usize>UNKNOWN);
  held = 0;
}

/** Moves the sums to the table of keys; at the end, when nothing more will be counted, past it. */
export function flushDirect(isEnd: bool): void {
  if (held == 0) return;
  held = 0;
  if (isEnd) endTable(firstCount * lastCount);
  for (let first: u32 = 0; first < firstCount; ++first) {
    const row = sums + ((<usize>first << lastBits) << 3);
    const pair = <u64>load<u16>(firstPairs + (<usize>first << 1));
    for (let last: u32 = 0; last < lastCount; ++last) {
      const at = row + (<usize>last << 3);
      const found = load<u64>(at);
      if (found == 0) continue;
      store<u64>(at, 0);
      const key = pair | (<u64>load<u16>(lastPairs + (<usize>last << 1)) << 16);
      if (isEnd) append(bswap<u64>(key), found & SUM);
      else addShort(key, found & SUM);
    }
  }
}

/**
 * Counts records from `at` on, up to a block of 64 bytes that is not whole before `end` or has other records. Gives where the first record
 * begins that was not counted. Up to two bytes before `at` and four after `end` are looked at.
 */
export function countDirect(at: usize, end: usize): usize {
  directCount = 0;
  if (at + BLOCK > end || !isPrepared(at)) return at;
  const separators = i8x16.splat(delimiter);
  const lineEnds = i8x16.splat(10);
  const length = <u64>keyBytes;
  let count: u32 = 0;
  const most = MOST_RECORDS - held;
  // Of each block as many records as any had: a number that stays the same is foreseen.
  let step: u32 = BLOCK;
  while (at + BLOCK <= end && count < most) {
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    const d = v128.load(at, 48);
    const ends = matches(a, b, c, d, lineEnds);
    if (ends == 0) break;
    const whole = <u64>-1 >> clz(ends);
    const commas =
      whole & matches(a, b, c, d, separators);
    const wanted = (((ends << 1) | 1) << length) & whole;
    const wrong = (commas ^ wanted) | (ends & ~((wanted << 2) | (wanted << 3))) | (ends & (ends << 1));
    if (wrong != 0) break;
    step = min(step, <u32>popcnt(ends));
    const next = addRecords(at, ends, step, false);
    if (isKnown) {
      count += step;
      at = next;
      continue;
    }
    addRecords(at, ends, step, true);
    if (!learn(at, ends, step)) break;
  }
  directCount = count;
  held += count;
  return at;
}

/**
 * Adds `count` tuples of keys of `length` bytes and values (u32), which lie so far apart; false, with nothing added, if they are not such keys
 * or if a value may reach `limit` and that is too large.
 */
export function addDirectTuples(
  key: usize,
  keyStride: usize,
  value: usize,
  valueStride: usize,
  count: u32,
  length: usize,
  limit: u64,
): bool {
  // Half of it, since the last batch may be more than there is room for.
  if (length - 1 >= MAX_KEY || limit > SMALL / 2) return false;
  if (length != keyBytes) prepareKeys(length);
  if (held >= MOST_RECORDS) flushDirect(false);
  if (addTuples(key, keyStride, value, valueStride, count, false) >= UNKNOWN) {
    addTuples(key, keyStride, value, valueStride, count, true);
    for (let tuple: u32 = 0; tuple < count; ++tuple) {
      if (!learnKey(load<u32>(key + <usize>tuple * keyStride))) return false;
    }
    addTuples(key, keyStride, value, valueStride, count, false);
  }
  held += count;
  return true;
}

/** Adds tuples, or takes them away. Gives all offsets, ored together. */
// @ts-ignore: decorator
@inline
function addTuples(key: usize, keyStride: usize, value: usize, valueStride: usize, count: u32, isUndone: bool): u32 {
  const forFirst = firstMask;
  const forLast = lastMask;
  let allOffsets: u32 = 0;
  for (; count > 0; --count) {
    const word = load<u32>(key);
    const offset = firstOffset(word & forFirst) + lastOffset((word >> 16) & forLast);
    const added = ONE | <u64>load<u32>(value);
    const before = load<u64>(sums + <usize>offset);
    store<u64>(sums + <usize>offset, isUndone ? before - added : before + added);
    allOffsets |= offset;
    key += keyStride;
    value += valueStride;
  }
  return allOffsets;
}

/** Whether all records that were added had known keys and plain values; if not they are to be taken away. */
let isKnown: bool = false;

/** Adds the first `count` records at `at`, or takes them away. Gives the address after them. */
// @ts-ignore: decorator
@inline
function addRecords(at: usize, ends: u64, count: u32, isUndone: bool): usize {
  const forFirst = firstMask;
  const forLast = lastMask;
  let allOffsets: u32 = 0;
  let allValues: u64 = ONE;
  let key = at;
  do {
    const lineEnd = at + <usize>ctz(ends);
    ends &= ends - 1;
    const offset = firstOffset(<u32>load<u16>(key) & forFirst) + lastOffset(<u32>load<u16>(key, 2) & forLast);
    const value = valueBefore(lineEnd);
    allOffsets |= offset;
    allValues &= value;
    const before = load<u64>(sums + <usize>offset);
    store<u64>(sums + <usize>offset, isUndone ? before - value : before + value);
    key = lineEnd + 1;
  } while (--count > 0);
  isKnown = allOffsets < UNKNOWN && allValues != 0;
  return key;
}

// @ts-ignore: decorator
@inline
function firstOffset(pair: u32): u32 {
  return load<u32>(firsts + (<usize>pair << 2));
}

// @ts-ignore: decorator
@inline
function lastOffset(pair: u32): u32 {
  return load<u32>(lasts + (<usize>pair << 2));
}

// @ts-ignore: decorator
@inline
function valueBefore(lineEnd: usize): u64 {
  return load<u64>(values + (<usize>load<u16>(lineEnd - 2) << 3));
}

/** Gives numbers to the pairs of bytes of a block's keys. False if the block is not plain, or they are too many. */
function learn(at: usize, ends: u64, count: u32): bool {
  let key = at;
  for (; count > 0; --count) {
    const lineEnd = at + <usize>ctz(ends);
    ends &= ends - 1;
    if (valueBefore(lineEnd) == 0 || !learnKey(load<u32>(key))) return false;
    key = lineEnd + 1;
  }
  return true;
}

/** Gives numbers to the pairs of the key that begins a word. False if it has a byte that is not plain, or there are too many pairs. */
function learnKey(word: u32): bool {
  for (let byte: usize = 0; byte < keyBytes; ++byte) {
    const found = (word >> (<u32>byte << 3)) & 0xff;
    if (found == 0 || found == 0x22 || found >= 0x80) return false;
  }
  const first = word & firstMask;
  const last = (word >> 16) & lastMask;
  if (firstOffset(first) == UNKNOWN) {
    if (firstCount << lastBits == PLACES) return false;
    store<u32>(firsts + (<usize>first << 2), (firstCount << lastBits) << 3);
    store<u16>(firstPairs + (<usize>firstCount << 1), <u16>first);
    ++firstCount;
  }
  if (lastOffset(last) == UNKNOWN) {
    if (lastCount >> lastBits != 0) return false;
    store<u32>(lasts + (<usize>last << 2), lastCount << 3);
    store<u16>(lastPairs + (<usize>lastCount << 1), <u16>last);
    ++lastCount;
  }
  return true;
}

/** Adds a small value to a key given as a word (see keys.ts); false, with nothing added, if it is not such a key or value. */
export function addDirect(key: u64, length: usize, value: i64): bool {
  // An empty key is as long as the keys of which none has come yet.
  if (length - 1 >= MAX_KEY) return false;
  if (length != keyBytes) {
    if (keyBytes > 0) return false;
    prepareKeys(length);
  }
  if (<u64>value >= SMALL) return false;
  const word = <u32>key;
  let offset = firstOffset(word & firstMask) + lastOffset((word >> 16) & lastMask);
  if (offset >= UNKNOWN) {
    if (!learnKey(word)) return false;
    offset = firstOffset(word & firstMask) + lastOffset((word >> 16) & lastMask);
  }
  if (held >= MOST_RECORDS) flushDirect(false);
  ++held;
  store<u64>(sums + <usize>offset, load<u64>(sums + <usize>offset) + (ONE | <u64>value));
  return true;
}

/** Makes ready for keys as long as the one at `at`; false if it is too long. */
function isPrepared(at: usize): bool {
  if (delimiter != valuesDelimiter) prepareValues();
  if (held >= MOST_RECORDS) flushDirect(false);
  if (keyBytes > 0 && load<u8>(at + keyBytes) == delimiter) return true;
  let length: usize = 0;
  while (length <= MAX_KEY && load<u8>(at + length) != delimiter) ++length;
  if (length == 0 || length > MAX_KEY) return false;
  prepareKeys(length);
  return true;
}

function prepareKeys(length: usize): void {
  flushDirect(false);
  keyBytes = length;
  firstMask = length == 1 ? 0xff : 0xffff;
  lastMask = length < 3 ? 0 : length == 3 ? 0xff : 0xffff;
  lastBits = length < 3 ? 0 : length == 3 ? 6 : 8;
  firstCount = 0;
  lastCount = 0;
  const unknown = i32x4.splat(UNKNOWN);
  for (let offset: usize = 0; offset < 4 * 65536; offset += 16) {
    v128.store(firsts + offset, unknown);
    v128.store(lasts + offset, unknown);
  }
}

function prepareValues(): void {
  flushDirect(false);
  keyBytes = 0;
  memory.fill(values, 0, 8 * 65536);
  for (let digit: u32 = 0; digit < 10; ++digit) {
    const byte = (0x30 + digit) << 8;
    for (let tens: u32 = 0; tens < 10; ++tens) {
      store<u64>(values + (<usize>(byte | (0x30 + tens)) << 3), ONE | <u64>(tens * 10 + digit));
    }
    store<u64>(values + (<usize>(byte | <u32>delimiter) << 3), ONE | <u64>digit);
  }
  valuesDelimiter = delimiter;
}
