/**
 * Sums of keys with more than 8 bytes: an open-addressed table of entries, so that a key is mostly one access to memory away. Keys are looked
 * for from the first of the two entries on that a cache line holds. A free entry has a zero in its first word.
 */
import { offer } from "./frequent";
import { allocate, allocateZeroed } from "./memory";
import { areUtf8Words, isUtf8 } from "./utf8";
import { shortKey } from "./keys";
import { INLINE_BYTES, isInlineEntry, storeWideKey, WIDE_ENTRY, wideWord } from "./wide-entry";

const FIRST_PLACES_LOG2: u32 = 12;
/** From so many keys on, the share of the input that was counted tells how many there will be. */
const FORESEEN_FROM: u32 = 1 << 15;
/** Of fewer new keys for each record that was added, later records will bring fewer still. */
const NEW_KEYS: f64 = 0.75;
/** Room for more is made step by step: it is a quarter of what a task can address. */
const MOST_FORESEEN: f64 = 16_000_000;
/** Fewer entries than this lie in the core's cache in any case: asking for them ahead would only cost time. */
const FETCH_FROM: u32 = 4096;
const HASH_BITS: u64 = 0x00ffffffffffffff;
const ARENA_CHUNK: usize = 1 << 20;

let table: usize = 0;
let shift: u64 = 0;
let mask: usize = 0;
let used: u32 = 0;
let limit: u32 = 0;
/** Records that were added, in batches or alone. */
let added: u64 = 0;
/** Which share of the input was counted; 0 if that is not known. */
let counted: f64 = 0;

/** Copies of long keys, with at least 8 zeros after each. */
let arenaAt: usize = 0;
let arenaEnd: usize = 0;

/** Entries with sums that would have overflowed. */
let aside: usize = 0;
let asideCount: u32 = 0;
let asideCapacity: u32 = 0;

export function resetWideKeys(): void {
  table = 0;
  shift = 64 - FIRST_PLACES_LOG2 + 2;
  mask = 0;
  used = 0;
  limit = 0;
  added = 0;
  counted = 0;
  arenaAt = 0;
  arenaEnd = 0;
  asideCount = 0;
  asideCapacity = 0;
}

/** Keys of 9 … 24 bytes to be added: three words, the value, the hash. */
export const WIDE_ITEM: usize = 40;
export const WIDE_BATCH: u32 = 256;
/** With room for what `fetchAll` reads past the last item. */
export const wideBatch = memory.data(40 * 260, 64);

/** Stores an item; reads 24 bytes of its key. */
// @ts-ignore: decorator
@inline
export function storeWideItem(item: usize, at: usize, length: usize, value: i64): void {
  storeWideKey(item, at, length);
  store<i64>(item, value, 24);
  store<u64>(item, hashOf(load<u64>(item), load<u64>(item, 8), load<u64>(item, 16)), 32);
}

/** Adds the first `count` items of the batch but those whose keys are not UTF-8. Gives how many these are. */
export function addWideBatch(count: u32): u32 {
  while (used + count > limit) grow();
  added += count;
  const end = wideBatch + <usize>count * WIDE_ITEM;
  const start = table;
  const shiftBy = shift;
  const wrap = mask;
  let bad: u32 = 0;
  if (used >= FETCH_FROM) fetchAll(end);
  for (let item = wideBatch; item < end; item += WIDE_ITEM) {
    const key0 = load<u64>(item);
    const key1 = load<u64>(item, 8);
    const key2 = load<u64>(item, 16);
    let line = start + (<usize>(load<u64>(item, 32) >> shiftBy) << 6);
    for (;;) {
      const first = load<u64>(line);
      const second = load<u64>(line, 32);
      const isSecond = <usize>(((second ^ key0) | (load<u64>(line, 40) ^ key1) | (load<u64>(line, 48) ^ key2)) == 0);
      const isFirst = <usize>(((first ^ key0) | (load<u64>(line, 8) ^ key1) | (load<u64>(line, 16) ^ key2)) == 0);
      // Which of the two it is cannot be foreseen.
      if ((isFirst | isSecond) != 0) {
        addToEntry(line + isSecond * WIDE_ENTRY, load<i64>(item, 24));
        break;
      }
      if (first == 0 || second == 0) {
        if (areUtf8Words(key0, key1, key2)) insert(first == 0 ? line : line + WIDE_ENTRY, item);
        else ++bad;
        break;
      }
      line = start + ((line + 2 * WIDE_ENTRY - start) & wrap);
    }
  }
  return bad;
}

// @ts-ignore: decorator
@inline
function insert(entry: usize, item: usize): void {
  v128.store(entry, v128.load(item));
  v128.store(entry, v128.load(item, 16), 16);
  ++used;
}

const fetched = memory.data(8, 8);

/** Loads the places of all items, with so few instructions that the memory answers many at once. */
function fetchAll(end: usize): void {
  const start = table;
  const shiftBy = shift;
  let all: u64 = 0;
  for (let item = wideBatch; item < end; item += 4 * WIDE_ITEM) {
    all |= load<u64>(start + (<usize>(load<u64>(item, 32) >> shiftBy) << 6));
    all |= load<u64>(start + (<usize>(load<u64>(item + WIDE_ITEM, 32) >> shiftBy) << 6));
    all |= load<u64>(start + (<usize>(load<u64>(item + 2 * WIDE_ITEM, 32) >> shiftBy) << 6));
    all |= load<u64>(start + (<usize>(load<u64>(item + 3 * WIDE_ITEM, 32) >> shiftBy) << 6));
  }
  store<u64>(fetched, all);
}

/** Adds to a key of up to 24 bytes that is there, or is UTF-8. */
export function addWideWords(key0: u64, key1: u64, key2: u64, value: i64): void {
  store<u64>(wideBatch, key0);
  store<u64>(wideBatch, key1, 8);
  store<u64>(wideBatch, key2, 16);
  store<i64>(wideBatch, value, 24);
  store<u64>(wideBatch, hashOf(key0, key1, key2), 32);
  addWideBatch(1);
}

/** Offers all keys of up to 24 bytes. */
export function offerWide(): void {
  const end = table + mask;
  for (let entry = table; entry < end; entry += WIDE_ENTRY) {
    if (isInlineEntry(entry)) offer(load<u64>(entry), load<u64>(entry, 8), load<u64>(entry, 16), load<i64>(entry, 24));
  }
}

/** Of a key's three words; the uppermost bits are the best. The products do not wait for each other. */
// @ts-ignore: decorator
@inline
export function hashOf(key0: u64, key1: u64, key2: u64): u64 {
  return key0 * 0x9fb21c651e98df25 + key1 * 0xa0761d6478bd642f + key2 * 0xe7037ed1a0b428db;
}

// @ts-ignore: decorator
@inline
function mix(hash: u64, word: u64): u64 {
  const mixed = (hash ^ word) * 0x9fb21c651e98df25;
  return mixed ^ (mixed >> 32);
}

/** Where an entry is looked for. Of long keys the first word is a hash already, and the others are not known before they are found. */
// @ts-ignore: decorator
@inline
function placeOf(key0: u64, key1: u64, key2: u64): usize {
  const hash = key0 >> 56 != 0 ? hashOf(key0, key1, key2) : hashOf(key0, 0, 0);
  return table + (<usize>(hash >> shift) << 6);
}

/** Adds a value to a key of more than 8 bytes. False, with nothing added, if the key is not UTF-8. Reads past the key. */
export function addWide(at: usize, length: usize, value: i64): bool {
  if (used >= limit) grow();
  ++added;
  let key0: u64;
  let key1: u64;
  let key2: u64;
  const isInline = length <= INLINE_BYTES;
  if (isInline) {
    key0 = load<u64>(at);
    if (length <= 16) {
      key1 = shortKey(at + 8, length - 8);
      key2 = 0;
    } else {
      key1 = load<u64>(at, 8);
      key2 = shortKey(at + 16, length - 16);
    }
  } else {
    let hash = <u64>length;
    let word = at;
    const lastWord = at + length - 8;
    for (; word <= lastWord; word += 8) hash = mix(hash, load<u64>(word));
    hash = mix(hash, shortKey(word, at + length - word));
    key0 = (hash & HASH_BITS) | 1;
    key1 = <u64>length << 32;
    key2 = load<u64>(at);
  }
  let entry = placeOf(key0, key1, key2);
  for (;;) {
    const found = load<u64>(entry);
    if (found == 0) break;
    if (found == key0 && load<u64>(entry, 16) == key2) {
      const found1 = load<u64>(entry, 8);
      const isSame = isInline
        ? found1 == key1
        : found1 >> 32 == length && memory.compare(<usize>(found1 & 0xffffffff), at, length) == 0;
      if (isSame) {
        addToEntry(entry, value);
        return true;
      }
    }
    entry = table + ((entry + WIDE_ENTRY - table) & mask);
  }
  if (!isUtf8(at, length)) return false;
  store<u64>(entry, key0);
  store<u64>(entry, isInline ? key1 : key1 | <u64>copyKey(at, length), 8);
  store<u64>(entry, key2, 16);
  store<i64>(entry, value, 24);
  ++used;
  return true;
}

// @ts-ignore: decorator
@inline
function addToEntry(entry: usize, value: i64): void {
  const before = load<i64>(entry, 24);
  const sum = before + value;
  if (((before ^ sum) & (value ^ sum)) < 0) setAside(entry, value);
  else store<i64>(entry, sum, 24);
}

function setAside(entry: usize, value: i64): void {
  if (asideCount == asideCapacity) {
    asideCapacity = max<u32>(64, asideCapacity * 2);
    const grown = allocate(<u64>asideCapacity * WIDE_ENTRY);
    memory.copy(grown, aside, <usize>asideCount * WIDE_ENTRY);
    aside = grown;
  }
  memory.copy(aside + <usize>asideCount * WIDE_ENTRY, entry, WIDE_ENTRY);
  ++asideCount;
  store<i64>(entry, value, 24);
}

function copyKey(at: usize, length: usize): usize {
  const bytes = ((length + 7) & ~7) + 8;
  if (arenaAt + bytes > arenaEnd) {
    const chunk = max<usize>(ARENA_CHUNK, bytes);
    arenaAt = allocate(chunk);
    arenaEnd = arenaAt + chunk;
  }
  const copy = arenaAt;
  memory.copy(copy, at, length);
  memory.fill(copy + length, 0, bytes - length);
  arenaAt += bytes;
  return copy;
}

/** Tells which share of the input was counted. */
export function countedShare(share: f64): void {
  counted = share;
}

/** Moves the entries to a table twice the size, or so large at once that all keys to come have room: what was a table is lost memory. */
function grow(): void {
  const old = table;
  const oldEnd = table + mask;
  const foreseen = foreseenKeys();
  let places: usize;
  do {
    shift -= 1;
    places = <usize>2 << <usize>(64 - shift);
    limit = <u32>((places / 8) * 5);
  } while (limit < foreseen);
  table = allocateZeroed(<u64>places * WIDE_ENTRY);
  mask = places * WIDE_ENTRY - 1;
  for (let from = old; from < oldEnd; from += WIDE_ENTRY) {
    const key0 = load<u64>(from);
    if (key0 == 0) continue;
    let entry = placeOf(key0, load<u64>(from, 8), load<u64>(from, 16));
    while (load<u64>(entry) != 0) entry = table + ((entry + WIDE_ENTRY - table) & mask);
    v128.store(entry, v128.load(from));
    v128.store(entry, v128.load(from, 16), 16);
  }
}

/** How many keys there will be, where nearly all have been new so far; else 0. */
function foreseenKeys(): u32 {
  if (used < FORESEEN_FROM || counted == 0 || <f64>used < <f64>added * NEW_KEYS) return 0;
  return <u32>min<f64>(<f64>used / counted, MOST_FORESEEN);
}

export function wideCount(): u32 {
  return used + asideCount;
}

/** Writes (first ordering word, entry) of every key: those set aside first, in their order. */
export function listWide(to: usize): void {
  const asideEnd = aside + <usize>asideCount * WIDE_ENTRY;
  if (asideCount > 0) {
    for (let entry = aside; entry < asideEnd; entry += WIDE_ENTRY) to = item(to, entry);
  }
  const end = table + mask;
  for (let entry = table; entry < end; entry += WIDE_ENTRY) if (load<u64>(entry) != 0) to = item(to, entry);
}

// @ts-ignore: decorator
@inline
function item(to: usize, entry: usize): usize {
  store<u64>(to, wideWord(entry, 0));
  store<u64>(to, entry, 8);
  return to + 16;
}
