/**
 * Sums by key. A key of at most 8 bytes is one word, with zeros after its bytes: no key has a NUL, so that nothing is lost.
 * Words are loaded as little-endian; `bswap` of a word orders as its bytes do.
 *
 * Short keys live in an open-addressed table of (word, sum). When that outgrows the cache and most keys are new, tuples
 * are appended to a list instead, which sorting will combine. Longer keys are in wide-keys.ts.
 */
import { offer } from "./frequent";
import { allocate, allocateZeroed } from "./memory";
import { append, appendAscii, appendChecked, endOfList, isList, resetList, startOfList, useList } from "./short-list";
import { areUtf8Words } from "./utf8";

const SLOT: usize = 16;
const SMALL_SLOTS_LOG2: u32 = 12;
/**
 * The table's size after that, 4 MiB. A probe that is not the first costs more than any other step, since it is not foreseen; and of
 * keys that are few so large a table touches no more than a small one.
 */
const LARGE_SLOTS_LOG2: u32 = 18;
const LARGE_SHIFT: u64 = 46;
const LARGE_MASK: usize = 0x3fffff;
/** Fewer entries than this, 256 KiB, lie in the core's cache in any case: asking for them ahead would only cost time. */
const FETCH_FROM: u32 = 16384;
/** Below this many tuples for each key, a table that misses the cache is worse than a list. */
const LIST_RATIO: u32 = 3;
const MULTIPLIER: u64 = 0x9e3779b97f4a7c15;

/** LOW_BYTES[n]: a word's first n bytes. */
const LOW_BYTES = memory.data<u64>([
  0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0xffffffffff, 0xffffffffffff, 0xffffffffffffff, 0xffffffffffffffff,
]);

/** UPPER_BYTES[n]: a word's last n bytes, the uppermost. */
export const UPPER_BYTES = memory.data<u64>([
  0, 0xff00000000000000, 0xffff000000000000, 0xffffff0000000000, 0xffffffff00000000, 0xffffffffff000000, 0xffffffffffff0000,
  0xffffffffffffff00, 0xffffffffffffffff,
]);

let table: usize = 0;
let shift: u64 = 0;
let mask: usize = 0;
let used: u32 = 0;
let limit: u32 = 0;
let hasEmptyKey: bool = false;
let emptyKeySum: i64 = 0;
/** Tuples with short keys, while the table is in use. */
let seen: u64 = 0;

/** About how many tuples there will be: room for a list, which costs nothing before it is used. */
let expected: u32 = 0;

/** Sums of short keys that would have overflowed, as (big-endian word, sum). */
let aside: usize = 0;
let asideCount: u32 = 0;
let asideCapacity: u32 = 0;

export function resetShortKeys(): void {
  newTable(SMALL_SLOTS_LOG2);
  used = 0;
  hasEmptyKey = false;
  emptyKeySum = 0;
  seen = 0;
  expected = 0;
  resetList();
  asideCount = 0;
  asideCapacity = 0;
}

/** The word of a key of at most 8 bytes; reads 8 bytes. */
// @ts-ignore: decorator
@inline
export function shortKey(at: usize, length: usize): u64 {
  return load<u64>(at) & load<u64>(LOW_BYTES + (length << 3));
}

/** Adds a value to a short key. False, with nothing added, if the key is not UTF-8. */
// @ts-ignore: decorator
@inline
export function addShort(key: u64, value: i64): bool {
  if (isList) return appendChecked(key, value);
  let slot = table + (<usize>((key * MULTIPLIER) >> shift) << 4);
  let found = load<u64>(slot);
  if (found != key || key == 0) {
    if (key == 0) return addEmptyKey(value);
    while (found != 0 && found != key) {
      slot = table + ((slot + SLOT - table) & mask);
      found = load<u64>(slot);
    }
    if (found == 0) return insert(slot, key, value);
  }
  const before = load<i64>(slot, 8);
  const sum = before + value;
  if (((before ^ sum) & (value ^ sum)) < 0) setAside(bswap<u64>(key), before, slot + 8, value);
  else store<i64>(slot, sum, 8);
  return true;
}

/** Adds a value ≥ 0 to a short key that the table has; else false, and addShort is the way. All but key and value are constant in a loop. */
// @ts-ignore: decorator
@inline
function addFound(at: usize, shiftBy: u64, wrap: usize, key: u64, value: i64): bool {
  let offset = <usize>((key * MULTIPLIER) >> shiftBy) << 4;
  for (;;) {
    const found = load<u64>(at + offset);
    if (found == key) break;
    if (found == 0) return false;
    offset = (offset + SLOT) & wrap;
  }
  const before = load<i64>(at + offset, 8);
  const sum = before + value;
  if (sum < before) return false;
  store<i64>(at + offset, sum, 8);
  return true;
}

/**
 * Adds a batch's (key, value ≥ 0) from number `from` on. Gives how many were added in all: fewer than `count` if the next key is not UTF-8.
 */
export function addBatch(batch: usize, from: u32, count: u32): u32 {
  const end = batch + (<usize>count << 4);
  let item = batch + (<usize>from << 4);
  if (!isList && used >= FETCH_FROM) fetchAll(item, end);
  while (item < end) {
    if (!isList) {
      item =
        shift == LARGE_SHIFT
          ? addAllFound(item, end, table, LARGE_SHIFT, LARGE_MASK)
          : addAllFound(item, end, table, shift, mask);
    }
    else item = appendAscii(item, end);
    if (item == end) break;
    if (!addShort(load<u64>(item), load<i64>(item, 8))) break;
    item += SLOT;
  }
  return <u32>((item - batch) >> 4);
}

const fetched = memory.data(8, 8);

/** Loads the slots of all keys, with so few instructions that many loads are under way at a time. May look at three items more. */
function fetchAll(item: usize, end: usize): void {
  const at = table;
  const shiftBy = shift;
  let all: u64 = 0;
  for (; item < end; item += 4 * SLOT) {
    all |= load<u64>(at + (<usize>((load<u64>(item) * MULTIPLIER) >> shiftBy) << 4));
    all |= load<u64>(at + (<usize>((load<u64>(item, 16) * MULTIPLIER) >> shiftBy) << 4));
    all |= load<u64>(at + (<usize>((load<u64>(item, 32) * MULTIPLIER) >> shiftBy) << 4));
    all |= load<u64>(at + (<usize>((load<u64>(item, 48) * MULTIPLIER) >> shiftBy) << 4));
  }
  store<u64>(fetched, all);
}

/** Adds what the table has keys for, up to the first key that it has not. */
// @ts-ignore: decorator
@inline
function addAllFound(item: usize, end: usize, at: usize, shiftBy: u64, wrap: usize): usize {
  for (; item < end; item += SLOT) {
    if (!addFound(at, shiftBy, wrap, load<u64>(item), load<i64>(item, 8))) break;
  }
  return item;
}

function insert(slot: usize, key: u64, value: i64): bool {
  if (!areUtf8Words(key, 0, 0)) return false;
  store<u64>(slot, key);
  store<i64>(slot, value, 8);
  if (++used > limit) grow();
  return true;
}

function addEmptyKey(value: i64): bool {
  const sum = emptyKeySum + value;
  if (((emptyKeySum ^ sum) & (value ^ sum)) < 0) {
    pushAside(0, emptyKeySum);
    emptyKeySum = value;
  } else emptyKeySum = sum;
  hasEmptyKey = true;
  return true;
}

function setAside(word: u64, before: i64, at: usize, value: i64): void {
  pushAside(word, before);
  store<i64>(at, value);
}

export function pushAside(word: u64, sum: i64): void {
  if (asideCount == asideCapacity) {
    asideCapacity = max<u32>(64, asideCapacity * 2);
    const grown = allocate(<u64>asideCapacity * SLOT);
    memory.copy(grown, aside, <usize>asideCount * SLOT);
    aside = grown;
  }
  store<u64>(aside + <usize>asideCount * SLOT, word);
  store<i64>(aside + <usize>asideCount * SLOT, sum, 8);
  ++asideCount;
}

/** Tells about how many tuples there will be in all. */
export function expectTuples(count: f64): void {
  expected = <u32>min(count, 32_000_000);
}

/** Tells how many tuples came since the last call, for the choice between table and list. */
export function sawTuples(count: u64): void {
  seen += count;
}

/** Offers all keys that have a slot. */
export function offerShort(): void {
  if (isList) return;
  const end = table + mask + 1;
  for (let slot = table; slot < end; slot += SLOT) {
    const key = load<u64>(slot);
    if (key != 0) offer(key, 0, 0, load<i64>(slot, 8));
  }
}

function newTable(slotsLog2: u32): void {
  const slots = <u32>1 << slotsLog2;
  table = allocateZeroed(<u64>slots * SLOT);
  mask = <usize>slots * SLOT - 1;
  shift = 64 - slotsLog2;
  limit = slotsLog2 <= LARGE_SLOTS_LOG2 ? slots / 3 : (slots / 8) * 5;
}

function grow(): void {
  const slotsLog2: u32 = 64 - <u32>shift;
  if (slotsLog2 >= LARGE_SLOTS_LOG2 && seen < <u64>used * LIST_RATIO) {
    switchToList();
    return;
  }
  const old = table;
  const oldEnd = table + mask + 1;
  newTable(slotsLog2 == SMALL_SLOTS_LOG2 ? LARGE_SLOTS_LOG2 : slotsLog2 + 2);
  for (let slot = old; slot < oldEnd; slot += SLOT) {
    const key = load<u64>(slot);
    if (key == 0) continue;
    let to = table + (<usize>((key * MULTIPLIER) >> shift) << 4);
    while (load<u64>(to) != 0) to = table + ((to + SLOT - table) & mask);
    v128.store(to, v128.load(slot));
  }
}

function switchToList(): void {
  useList(max(used * 8, expected));
  moveTableToList();
}

function moveTableToList(): void {
  const end = table + mask + 1;
  for (let slot = table; slot < end; slot += SLOT) {
    const key = load<u64>(slot);
    if (key != 0) append(bswap<u64>(key), load<i64>(slot, 8));
  }
  used = 0;
  if (hasEmptyKey) append(0, emptyKeySum);
  hasEmptyKey = false;
}

/** From now on short keys are a list, with room for so many more. */
export function endTable(more: u32): void {
  if (isList) return;
  useList(used + 1 + more);
  moveTableToList();
}

/** All short keys as a list of (big-endian word, value), in the order in which values came for each key. */
export function listOfShort(): usize {
  endTable(0);
  return startOfList();
}
export function listedShort(): u32 {
  return <u32>((endOfList() - startOfList()) / SLOT);
}
export function asideOfShort(): usize {
  return aside;
}
export function asideShortCount(): u32 {
  return asideCount;
}
