/**
 * Adds keys of 9 … 24 bytes by the batch. Batches go through the table in steps, so that the memory answers many at once: the buckets of all
 * keys are loaded, then the entries that these tell, and then the values are added.
 */
import { areUtf8Words } from "./utf8";
import { storeWideKey, WIDE_ENTRY, wideLength } from "./wide-entry";
import { addToEntry, addWide, makeRoom } from "./wide-keys";
import { BUCKET, bucketOf, bucketShift, entries, hashOf, index, lowestTag, newEntry, tagOf, tagShift, used, wrapMask } from "./wide-table";

/** Fewer entries than this lie in the core's cache in any case: asking for them ahead would only cost time. */
const FETCH_FROM: u32 = 4096;

/** Keys of 9 … 24 bytes to be added: three words, the value, the hash; in its place then the address of an entry. */
export const WIDE_ITEM: usize = 40;
const HASH: usize = 32;
export const WIDE_BATCH: u32 = 512;
/** With room for the items past the last that are fetched with it. */
export const wideBatch = memory.data(40 * 516, 64);
/** In place of an entry where there is none: no key equals it. And what fetching leaves. */
const noEntry = memory.data(32, 8);
const fetched = memory.data(8, 8);

/** Stores an item; reads 24 bytes of its key. */
// @ts-ignore: decorator
@inline
export function storeWideItem(item: usize, at: usize, length: usize, value: i64): void {
  storeWideKey(item, at, length);
  store<i64>(item, value, 24);
  store<u64>(item, hashOf(load<u64>(item), load<u64>(item, 8), load<u64>(item, 16)), HASH);
}

/** Adds the first `count` items of the batch but those whose keys are not UTF-8. Gives how many these are. */
export function addWideBatch(count: u32): u32 {
  makeRoom(count);
  const end = wideBatch + <usize>count * WIDE_ITEM;
  const isLarge = used >= FETCH_FROM;
  if (isLarge) fetchBuckets(end);
  findEntries(end);
  if (isLarge) fetchEntries(end);
  return addValues(end);
}

/** Loads the buckets of all items, with so few instructions that the memory answers many at once. */
function fetchBuckets(end: usize): void {
  const start = index;
  const shift = bucketShift;
  let all: u64 = 0;
  for (let item = wideBatch; item < end; item += 4 * WIDE_ITEM) {
    all |= load<u64>(start + bucketOf(load<u64>(item, HASH), shift));
    all |= load<u64>(start + bucketOf(load<u64>(item + WIDE_ITEM, HASH), shift));
    all |= load<u64>(start + bucketOf(load<u64>(item + 2 * WIDE_ITEM, HASH), shift));
    all |= load<u64>(start + bucketOf(load<u64>(item + 3 * WIDE_ITEM, HASH), shift));
  }
  store<u64>(fetched, all);
}

/** Gives each item the first entry that has its tag, which is nearly always its own: a new one if there is none, noEntry if its key is not UTF-8. */
function findEntries(end: usize): void {
  const start = index;
  const shift = bucketShift;
  const tagBy = tagShift;
  const lowest = lowestTag;
  const around = wrapMask();
  const all = entries;
  const tags = i32x4.splat(0 - lowest);
  const none = i32x4.splat(0);
  for (let item = wideBatch; item < end; item += WIDE_ITEM) {
    const hash = load<u64>(item, HASH);
    const tag = tagOf(hash, tagBy, lowest);
    const wanted = i32x4.splat(tag);
    let bucket = bucketOf(hash, shift);
    for (;;) {
      const places = v128.load(start + bucket);
      const same = i32x4.bitmask(i32x4.eq(v128.and(places, tags), wanted));
      if (same != 0) {
        const number = load<u32>(start + bucket + (<usize>ctz(same) << 2)) & (lowest - 1);
        store<usize>(item, all + <usize>number * WIDE_ENTRY, HASH);
        break;
      }
      const free = i32x4.bitmask(i32x4.eq(places, none));
      if (free != 0) {
        insert(item, bucket + (<usize>ctz(free) << 2), tag);
        break;
      }
      bucket = (bucket + BUCKET) & around;
    }
  }
}

// @ts-ignore: decorator
@inline
function insert(item: usize, place: usize, tag: u32): void {
  const key0 = load<u64>(item);
  const key1 = load<u64>(item, 8);
  const key2 = load<u64>(item, 16);
  let entry = noEntry;
  if (areUtf8Words(key0, key1, key2)) {
    entry = newEntry(place, tag);
    store<u64>(entry, key0);
    store<u64>(entry, key1, 8);
    store<u64>(entry, key2, 16);
    store<i64>(entry, 0, 24);
  }
  store<usize>(item, entry, HASH);
}

/** Loads the entries of all items. */
function fetchEntries(end: usize): void {
  for (let past = end; past < end + 3 * WIDE_ITEM; past += WIDE_ITEM) store<usize>(past, noEntry, HASH);
  let all: u64 = 0;
  for (let item = wideBatch; item < end; item += 4 * WIDE_ITEM) {
    all |= load<u64>(load<usize>(item, HASH));
    all |= load<u64>(load<usize>(item + WIDE_ITEM, HASH));
    all |= load<u64>(load<usize>(item + 2 * WIDE_ITEM, HASH));
    all |= load<u64>(load<usize>(item + 3 * WIDE_ITEM, HASH));
  }
  store<u64>(fetched, all);
}

/** Adds all items to their entries but those whose keys are not UTF-8. Gives how many these are. */
function addValues(end: usize): u32 {
  let bad: u32 = 0;
  for (let item = wideBatch; item < end; item += WIDE_ITEM) {
    const entry = load<usize>(item, HASH);
    const key0 = load<u64>(item);
    const key1 = load<u64>(item, 8);
    const key2 = load<u64>(item, 16);
    const differs = (load<u64>(entry) ^ key0) | (load<u64>(entry, 8) ^ key1) | (load<u64>(entry, 16) ^ key2);
    const value = load<i64>(item, 24);
    // There is room for all keys that findEntries did not add: no entry moves.
    if (differs == 0) addToEntry(entry, value);
    else if (!addWide(item, wideLength(item), value)) ++bad;
  }
  return bad;
}

/** Adds to a key of up to 24 bytes that is there, or is UTF-8. */
export function addWideWords(key0: u64, key1: u64, key2: u64, value: i64): void {
  store<u64>(wideBatch, key0);
  store<u64>(wideBatch, key1, 8);
  store<u64>(wideBatch, key2, 16);
  store<i64>(wideBatch, value, 24);
  store<u64>(wideBatch, hashOf(key0, key1, key2), HASH);
  addWideBatch(1);
}
