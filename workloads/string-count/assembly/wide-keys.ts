/**
 * Sums of keys with more than 8 bytes: an open-addressed table of 8-byte slots (upper 32 bits of the hash, address of the entry), and
 * entries in the order in which keys came, so that those that come often lie together. An entry has 32 bytes:
 *   9 … 24 bytes: the key's three words, zeros after its bytes; then the sum
 *   more:         56 bits of hash (the top byte is zero: never so above, where it is the key's eighth byte),
 *                 address | length << 32 of the key's copy, its first word; then the sum
 */
import { allocate, allocateZeroed } from "./memory";
import { isUtf8 } from "./utf8";
import { shortKey } from "./keys";

export const WIDE_ENTRY: usize = 32;
const SLOT: usize = 8;
export const INLINE_BYTES: usize = 24;
const FIRST_SLOTS_LOG2: u32 = 12;
const HASH_BITS: u64 = 0x00ffffffffffffff;
const HASH_UPPER: u64 = 0xffffffff00000000;
const ARENA_CHUNK: usize = 1 << 20;

let table: usize = 0;
let shift: u64 = 0;
let mask: usize = 0;

/** Entries lie in chunks of 1 MiB. */
const CHUNK_ENTRIES: u32 = 1 << 15;
const CHUNK_BYTES: usize = <usize>CHUNK_ENTRIES * 32;
const chunks = memory.data(4096 * 4, 8);
let chunkCount: u32 = 0;
let entryAt: usize = 0;
let entriesEnd: usize = 0;
let used: u32 = 0;
let limit: u32 = 0;

/** Copies of long keys, with at least 8 zeros after each. */
let arenaAt: usize = 0;
let arenaEnd: usize = 0;

/** Entries with sums that would have overflowed. */
let aside: usize = 0;
let asideCount: u32 = 0;
let asideCapacity: u32 = 0;

export function resetWideKeys(): void {
  table = 0;
  used = 0;
  limit = 0;
  shift = 64 - FIRST_SLOTS_LOG2 + 2;
  chunkCount = 0;
  entryAt = 0;
  entriesEnd = 0;
  arenaAt = 0;
  arenaEnd = 0;
  asideCount = 0;
  asideCapacity = 0;
}

/** Keys of 9 … 24 bytes to be added: three words, the value, the hash, an address to load ahead, and the slot's. */
export const WIDE_ITEM: usize = 48;
export const WIDE_BATCH: u32 = 256;
/** With room for what `fetchAll` reads past the last item. */
export const wideBatch = memory.data(48 * 260, 64);

/** From WINDOW + 24 − n on, 24 bytes of which the first n are ones. */
const WINDOW = memory.data<u64>([<u64>-1, <u64>-1, <u64>-1, 0, 0, 0, 0]);

/** Stores the three words of a key of at most 24 bytes; reads 24 bytes. */
// @ts-ignore: decorator
@inline
export function storeWideKey(item: usize, at: usize, length: usize): void {
  const window = WINDOW + INLINE_BYTES - length;
  v128.store(item, v128.and(v128.load(at), v128.load(window)));
  store<u64>(item, load<u64>(at, 16) & load<u64>(window, 16), 16);
}

const fetched = memory.data(8, 8);

/** Adds the first `count` items of the batch; their keys are UTF-8. */
export function addWideBatch(count: u32): void {
  while (used + count > limit) grow();
  const end = wideBatch + <usize>count * WIDE_ITEM;
  const start = table;
  const shiftBy = shift;
  const wrap = mask;
  for (let item = wideBatch; item < end; item += WIDE_ITEM) {
    const hash = hashOf(load<u64>(item), load<u64>(item, 8), load<u64>(item, 16));
    store<u64>(item, hash, 32);
    store<u32>(item, <u32>(start + (<usize>(hash >> shiftBy) << 3)), 40);
  }
  // All slots are asked for before any is needed, then all entries, so that the memory answers many at once.
  fetchAll(end);
  for (let item = wideBatch; item < end; item += WIDE_ITEM) {
    const upper = load<u64>(item, 32) & HASH_UPPER;
    let slot = <usize>load<u32>(item, 40);
    let found = load<u64>(slot);
    // Past the slots of other hashes here already: the entry asked for is then nearly always the right one.
    while (found != 0 && (found & HASH_UPPER) != upper) {
      slot = start + ((slot + SLOT - start) & wrap);
      found = load<u64>(slot);
    }
    store<u32>(item, <u32>slot, 44);
    store<u32>(item, <u32>found, 40);
  }
  fetchAll(end);
  for (let item = wideBatch; item < end; item += WIDE_ITEM) {
    const key0 = load<u64>(item);
    const key1 = load<u64>(item, 8);
    const key2 = load<u64>(item, 16);
    const hash = load<u64>(item, 32);
    let slot = <usize>load<u32>(item, 44);
    for (;;) {
      const found = load<u64>(slot);
      const entry = <usize>(found & 0xffffffff);
      if (((load<u64>(entry) ^ key0) | (load<u64>(entry, 8) ^ key1) | (load<u64>(entry, 16) ^ key2)) == 0) {
        addToEntry(entry, load<i64>(item, 24));
        break;
      }
      if (found == 0) {
        const added = newEntry(slot, hash);
        v128.store(added, v128.load(item));
        v128.store(added, v128.load(item, 16), 16);
        break;
      }
      slot = start + ((slot + SLOT - start) & wrap);
    }
  }
}

/** Loads what the addresses of all items point to, with so few instructions that many loads are under way at a time. */
function fetchAll(end: usize): void {
  let all: u64 = 0;
  for (let item = wideBatch; item < end; item += 4 * WIDE_ITEM) {
    all |= load<u64>(<usize>load<u32>(item, 40));
    all |= load<u64>(<usize>load<u32>(item + WIDE_ITEM, 40));
    all |= load<u64>(<usize>load<u32>(item + 2 * WIDE_ITEM, 40));
    all |= load<u64>(<usize>load<u32>(item + 3 * WIDE_ITEM, 40));
  }
  store<u64>(fetched, all);
}

/** Takes an entry and puts it into a free slot. */
// @ts-ignore: decorator
@inline
function newEntry(slot: usize, hash: u64): usize {
  if (entryAt == entriesEnd) newChunk();
  const entry = entryAt;
  entryAt += WIDE_ENTRY;
  store<u64>(slot, (hash & HASH_UPPER) | <u64>entry);
  ++used;
  return entry;
}

function newChunk(): void {
  entryAt = allocate(CHUNK_BYTES);
  entriesEnd = entryAt + CHUNK_BYTES;
  store<u32>(chunks + (<usize>chunkCount << 2), entryAt);
  ++chunkCount;
}

/** Of a key's three words. Their products do not wait for each other. */
// @ts-ignore: decorator
@inline
function hashOf(key0: u64, key1: u64, key2: u64): u64 {
  const mixed = (key0 * 0x9fb21c651e98df25) ^ (key1 * 0xa0761d6478bd642f) ^ (key2 * 0xe7037ed1a0b428db);
  return finish(mixed ^ (mixed >> 32));
}

// @ts-ignore: decorator
@inline
function mix(hash: u64, word: u64): u64 {
  const mixed = (hash ^ word) * 0x9fb21c651e98df25;
  return mixed ^ (mixed >> 32);
}

// @ts-ignore: decorator
@inline
function finish(hash: u64): u64 {
  return hash * 0x9e3779b97f4a7c15;
}

/** Adds a value to a key of more than 8 bytes. False, with nothing added, if the key is not UTF-8. Reads past the key. */
export function addWide(at: usize, length: usize, value: i64): bool {
  if (used >= limit) grow();
  let key0: u64;
  let key1: u64;
  let key2: u64;
  let hash: u64;
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
    hash = hashOf(key0, key1, key2);
  } else {
    hash = length;
    let word = at;
    const lastWord = at + length - 8;
    for (; word <= lastWord; word += 8) hash = mix(hash, load<u64>(word));
    hash = mix(hash, shortKey(word, at + length - word));
    key0 = (hash & HASH_BITS) | 1;
    key1 = <u64>length << 32;
    key2 = load<u64>(at);
    hash = finish(hash);
  }
  let offset = <usize>(hash >> shift) << 3;
  for (;;) {
    const found = load<u64>(table + offset);
    if (found == 0) break;
    const entry = <usize>(found & 0xffffffff);
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
    offset = (offset + SLOT) & mask;
  }
  if (!isUtf8(at, length)) return false;
  const entry = newEntry(table + offset, hash);
  store<u64>(entry, key0);
  store<u64>(entry, isInline ? key1 : key1 | <u64>copyKey(at, length), 8);
  store<u64>(entry, key2, 16);
  store<i64>(entry, value, 24);
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

/** Moves the slots to a table four times the size. */
function grow(): void {
  const old = table;
  const oldEnd = old == 0 ? old : old + mask + 1;
  shift -= 2;
  const slots = <usize>1 << <usize>(64 - shift);
  table = allocateZeroed(<u64>slots * SLOT);
  mask = slots * SLOT - 1;
  limit = <u32>(slots / 2);
  for (let slot = old; slot < oldEnd; slot += SLOT) {
    const found = load<u64>(slot);
    if (found == 0) continue;
    let offset = <usize>(found >> shift) << 3;
    while (load<u64>(table + offset) != 0) offset = (offset + SLOT) & mask;
    store<u64>(table + offset, found);
  }
}

// @ts-ignore: decorator
@inline
function isInlineEntry(entry: usize): bool {
  return load<u64>(entry) >> 56 != 0;
}

/** Where a entry's key has its bytes. */
export function wideBytes(entry: usize): usize {
  return isInlineEntry(entry) ? entry : <usize>load<u32>(entry, 8);
}
export function wideLength(entry: usize): usize {
  if (!isInlineEntry(entry)) return <usize>load<u32>(entry, 12);
  const last = load<u64>(entry, 16);
  return last != 0 ? 24 - (<usize>clz(last) >> 3) : 16 - (<usize>clz(load<u64>(entry, 8)) >> 3);
}

/** Eight bytes of a entry's key from `depth` on (a multiple of 8), as an ordering word; zeros after its end. */
export function wideWord(entry: usize, depth: usize): u64 {
  if (isInlineEntry(entry)) return depth >= INLINE_BYTES ? 0 : bswap<u64>(load<u64>(entry + depth));
  return depth >= <usize>load<u32>(entry, 12) ? 0 : bswap<u64>(load<u64>(<usize>load<u32>(entry, 8) + depth));
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
  for (let chunk: u32 = 0; chunk < chunkCount; ++chunk) {
    const start = <usize>load<u32>(chunks + (<usize>chunk << 2));
    const end = chunk + 1 == chunkCount ? entryAt : start + CHUNK_BYTES;
    for (let entry = start; entry < end; entry += WIDE_ENTRY) to = item(to, entry);
  }
}

// @ts-ignore: decorator
@inline
function item(to: usize, entry: usize): usize {
  store<u64>(to, wideWord(entry, 0));
  store<u64>(to, entry, 8);
  return to + 16;
}
