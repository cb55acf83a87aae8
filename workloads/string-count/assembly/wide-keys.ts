/**
 * Sums of keys with more than 8 bytes, in an open-addressed table of 32-byte slots:
 *   9 … 24 bytes: the key's three words, zeros after its bytes; then the sum
 *   more:         56 bits of hash (the top byte is zero: never so above, where it is the key's eighth byte),
 *                 address | length << 32 of the key's copy, its first word; then the sum
 */
import { allocate, allocateZeroed } from "./memory";
import { isUtf8 } from "./utf8";
import { shortKey } from "./keys";

export const WIDE_SLOT: usize = 32;
export const INLINE_BYTES: usize = 24;
const FIRST_SLOTS_LOG2: u32 = 10;
const HASH_BITS: u64 = 0x00ffffffffffffff;
const ARENA_CHUNK: usize = 1 << 20;

let table: usize = 0;
let shift: u64 = 0;
let mask: usize = 0;
let used: u32 = 0;
let limit: u32 = 0;

/** Copies of long keys, with at least 8 zeros after each. */
let arenaAt: usize = 0;
let arenaEnd: usize = 0;

/** Slots with sums that would have overflowed. */
let aside: usize = 0;
let asideCount: u32 = 0;
let asideCapacity: u32 = 0;

export function resetWideKeys(): void {
  table = 0;
  used = 0;
  limit = 0;
  shift = 64 - FIRST_SLOTS_LOG2 + 2;
  arenaAt = 0;
  arenaEnd = 0;
  asideCount = 0;
  asideCapacity = 0;
}

/** Keys of 9 … 24 bytes to be added: three words, the value, and their slot's address. */
export const WIDE_ITEM: usize = 40;
export const WIDE_BATCH: u32 = 256;
export const wideBatch = memory.data(40 * 260, 64);

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
  // All slots are asked for before any is needed, so that the memory answers many at once.
  let touched: u64 = 0;
  for (let item = wideBatch; item < end; item += WIDE_ITEM) {
    const hash = mix(mix(mix(0, load<u64>(item)), load<u64>(item, 8)), load<u64>(item, 16));
    const slot = start + (<usize>((hash * 0x9e3779b97f4a7c15) >> shiftBy) << 5);
    store<u32>(item, slot, 32);
    touched |= load<u64>(slot);
  }
  store<u64>(fetched, touched);
  for (let item = wideBatch; item < end; item += WIDE_ITEM) {
    const key0 = load<u64>(item);
    const key1 = load<u64>(item, 8);
    const key2 = load<u64>(item, 16);
    let slot = <usize>load<u32>(item, 32);
    for (;;) {
      const found = load<u64>(slot);
      if (((found ^ key0) | (load<u64>(slot, 8) ^ key1) | (load<u64>(slot, 16) ^ key2)) == 0) {
        addToSlot(slot, load<i64>(item, 24));
        break;
      }
      if (found == 0) {
        v128.store(slot, v128.load(item));
        v128.store(slot, v128.load(item, 16), 16);
        ++used;
        break;
      }
      slot = start + ((slot + WIDE_SLOT - start) & mask);
    }
  }
}

// @ts-ignore: decorator
@inline
function mix(hash: u64, word: u64): u64 {
  const mixed = (hash ^ word) * 0x9fb21c651e98df25;
  return mixed ^ (mixed >> 32);
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
    hash = mix(mix(mix(0, key0), key1), key2);
  } else {
    hash = length;
    let word = at;
    const lastWord = at + length - 8;
    for (; word <= lastWord; word += 8) hash = mix(hash, load<u64>(word));
    hash = mix(hash, shortKey(word, at + length - word));
    key0 = (hash & HASH_BITS) | 1;
    key1 = <u64>length << 32;
    key2 = load<u64>(at);
  }
  let slot = table + (<usize>((hash * 0x9e3779b97f4a7c15) >> shift) << 5);
  for (;;) {
    const found = load<u64>(slot);
    if (found == 0) break;
    if (found == key0 && load<u64>(slot, 16) == key2) {
      const found1 = load<u64>(slot, 8);
      const isSame = isInline
        ? found1 == key1
        : found1 >> 32 == length && memory.compare(<usize>(found1 & 0xffffffff), at, length) == 0;
      if (isSame) {
        addToSlot(slot, value);
        return true;
      }
    }
    slot = table + ((slot + WIDE_SLOT - table) & mask);
  }
  if (!isUtf8(at, length)) return false;
  store<u64>(slot, key0);
  store<u64>(slot, isInline ? key1 : key1 | <u64>copyKey(at, length), 8);
  store<u64>(slot, key2, 16);
  store<i64>(slot, value, 24);
  ++used;
  return true;
}

// @ts-ignore: decorator
@inline
function addToSlot(slot: usize, value: i64): void {
  const before = load<i64>(slot, 24);
  const sum = before + value;
  if (((before ^ sum) & (value ^ sum)) < 0) setAside(slot, value);
  else store<i64>(slot, sum, 24);
}

function setAside(slot: usize, value: i64): void {
  if (asideCount == asideCapacity) {
    asideCapacity = max<u32>(64, asideCapacity * 2);
    const grown = allocate(<u64>asideCapacity * WIDE_SLOT);
    memory.copy(grown, aside, <usize>asideCount * WIDE_SLOT);
    aside = grown;
  }
  memory.copy(aside + <usize>asideCount * WIDE_SLOT, slot, WIDE_SLOT);
  ++asideCount;
  store<i64>(slot, value, 24);
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

/** Rehashes into a table four times the size. */
function grow(): void {
  const old = table;
  const oldEnd = old == 0 ? old : old + mask + 1;
  shift -= 2;
  const slots = <usize>1 << <usize>(64 - shift);
  table = allocateZeroed(<u64>slots * WIDE_SLOT);
  mask = slots * WIDE_SLOT - 1;
  limit = <u32>(slots / 2);
  for (let slot = old; slot < oldEnd; slot += WIDE_SLOT) {
    if (load<u64>(slot) == 0) continue;
    let to = table + (<usize>((hashOf(slot) * 0x9e3779b97f4a7c15) >> shift) << 5);
    while (load<u64>(to) != 0) to = table + ((to + WIDE_SLOT - table) & mask);
    v128.store(to, v128.load(slot));
    v128.store(to, v128.load(slot, 16), 16);
  }
}

function hashOf(slot: usize): u64 {
  if (isInlineSlot(slot)) return mix(mix(mix(0, load<u64>(slot)), load<u64>(slot, 8)), load<u64>(slot, 16));
  let hash = <u64>wideLength(slot);
  const at = wideBytes(slot);
  const end = at + wideLength(slot);
  let word = at;
  for (; word + 8 <= end; word += 8) hash = mix(hash, load<u64>(word));
  return mix(hash, shortKey(word, end - word));
}

// @ts-ignore: decorator
@inline
function isInlineSlot(slot: usize): bool {
  return load<u64>(slot) >> 56 != 0;
}

/** Where a slot's key has its bytes. */
export function wideBytes(slot: usize): usize {
  return isInlineSlot(slot) ? slot : <usize>load<u32>(slot, 8);
}
export function wideLength(slot: usize): usize {
  if (!isInlineSlot(slot)) return <usize>load<u32>(slot, 12);
  const last = load<u64>(slot, 16);
  return last != 0 ? 24 - (<usize>clz(last) >> 3) : 16 - (<usize>clz(load<u64>(slot, 8)) >> 3);
}

/** Eight bytes of a slot's key from `depth` on (a multiple of 8), as an ordering word; zeros after its end. */
export function wideWord(slot: usize, depth: usize): u64 {
  if (isInlineSlot(slot)) return depth >= INLINE_BYTES ? 0 : bswap<u64>(load<u64>(slot + depth));
  return depth >= <usize>load<u32>(slot, 12) ? 0 : bswap<u64>(load<u64>(<usize>load<u32>(slot, 8) + depth));
}

export function wideCount(): u32 {
  return used + asideCount;
}

/** Writes (first ordering word, slot) of every key: those set aside first, in their order. */
export function listWide(to: usize): void {
  const asideEnd = aside + <usize>asideCount * WIDE_SLOT;
  if (asideCount > 0) {
    for (let slot = aside; slot < asideEnd; slot += WIDE_SLOT) to = item(to, slot);
  }
  if (used == 0) return;
  const end = table + mask + 1;
  for (let slot = table; slot < end; slot += WIDE_SLOT) if (load<u64>(slot) != 0) to = item(to, slot);
}

// @ts-ignore: decorator
@inline
function item(to: usize, slot: usize): usize {
  store<u64>(to, wideWord(slot, 0));
  store<u64>(to, slot, 8);
  return to + 16;
}
