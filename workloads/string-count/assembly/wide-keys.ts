/** Sums of keys with more than 8 bytes, in a table of entries (see wide-table.ts): keys of any length one by one; batches see wide-batch.ts. */
import { offer } from "./frequent";
import { allocate } from "./memory";
import { isUtf8 } from "./utf8";
import { shortKey } from "./keys";
import { INLINE_BYTES, isInlineEntry, WIDE_ENTRY, wideWord } from "./wide-entry";
import {
  bucketOf,
  bucketShift,
  entries,
  entryAt,
  entryHash,
  growTable,
  limit,
  lowestTag,
  newEntry,
  PLACE,
  placeFrom,
  resetTable,
  tagOf,
  tagShift,
  used,
} from "./wide-table";

/** From so many keys on, the share of the input that was counted tells how many there will be. */
const FORESEEN_FROM: u32 = 1 << 15;
/** Of fewer new keys for each record that was added, later records will bring fewer still. */
const NEW_KEYS: f64 = 0.75;
/** Room for more is made step by step: it is a quarter of what a task can address. */
const MOST_FORESEEN: f64 = 16_000_000;
const HASH_BITS: u64 = 0x00ffffffffffffff;
const ARENA_CHUNK: usize = 1 << 20;

/** Records for which room was made. */
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
  resetTable();
  added = 0;
  counted = 0;
  arenaAt = 0;
  arenaEnd = 0;
  asideCount = 0;
  asideCapacity = 0;
}

/** Offers all keys of up to 24 bytes. */
export function offerWide(): void {
  const end = entries + <usize>used * WIDE_ENTRY;
  for (let entry = entries; entry < end; entry += WIDE_ENTRY) {
    if (isInlineEntry(entry)) offer(load<u64>(entry), load<u64>(entry, 8), load<u64>(entry, 16), load<i64>(entry, 24));
  }
}

// @ts-ignore: decorator
@inline
function mix(hash: u64, word: u64): u64 {
  const mixed = (hash ^ word) * 0x9fb21c651e98df25;
  return mixed ^ (mixed >> 32);
}

/** Makes room for so many records' keys, which will be added. */
export function makeRoom(count: u32): void {
  while (used + count > limit) growTable(foreseenKeys());
  added += count;
}

/** Adds a value to a key of more than 8 bytes. False, with nothing added, if the key is not UTF-8. Reads past the key. */
export function addWide(at: usize, length: usize, value: i64): bool {
  makeRoom(1);
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
  const hash = entryHash(key0, key1, key2);
  const tag = tagOf(hash, tagShift, lowestTag);
  let place = placeFrom(bucketOf(hash, bucketShift), tag);
  for (let entry = entryAt(place); entry != 0; entry = entryAt(place)) {
    if (load<u64>(entry) == key0 && load<u64>(entry, 16) == key2) {
      const found1 = load<u64>(entry, 8);
      const isSame = isInline
        ? found1 == key1
        : found1 >> 32 == length && memory.compare(<usize>(found1 & 0xffffffff), at, length) == 0;
      if (isSame) {
        addToEntry(entry, value);
        return true;
      }
    }
    place = placeFrom(place + PLACE, tag);
  }
  if (!isUtf8(at, length)) return false;
  const entry = newEntry(place, tag);
  store<u64>(entry, key0);
  store<u64>(entry, isInline ? key1 : key1 | <u64>copyKey(at, length), 8);
  store<u64>(entry, key2, 16);
  store<i64>(entry, value, 24);
  return true;
}

// @ts-ignore: decorator
@inline
export function addToEntry(entry: usize, value: i64): void {
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
  const end = entries + <usize>used * WIDE_ENTRY;
  for (let entry = entries; entry < end; entry += WIDE_ENTRY) to = item(to, entry);
}

// @ts-ignore: decorator
@inline
function item(to: usize, entry: usize): usize {
  store<u64>(to, wideWord(entry, 0));
  store<u64>(to, entry, 8);
  return to + 16;
}
