/**
 * Stable radix sort of items of 16 bytes (u64 key, u64 payload), by digits that are made only of the bits in which
 * keys differ: letters have five of them in each byte, so that two letters make one digit.
 *
 * Many items are first dealt out by their uppermost digit into parts that fit the cache, each part is sorted from the lowest digit
 * up, and handed on while it is in the cache.
 */
import { differing, sumDensely, surveyItems } from "./dense";
import { allocate } from "./memory";

export const ITEM: usize = 16;
/** Parts up to this many items (128 KiB, and as much to work in) are sorted from the lowest digit up. */
const PART_ITEMS: u32 = 8192;
const MAX_DIGIT_BITS: u32 = 11;
/** Fewer items than this are sorted byte by byte: more digits, but fewer counters. */
const WIDE_DIGIT_ITEMS: u32 = 1024;
const INSERTION_ITEMS: u32 = 24;
/** So many bits more than count the items are sorted by digit; an insertion sort of so many steps an item at most puts the rest right. */
const SPARE_BITS: u32 = 8;
const MOST_STEPS: u32 = 4;

const counts = memory.data(2048 * 4, 64);

/** Where the parts end that are being sorted, one level inside the other: 4 · 2¹¹ bytes each, of 8 levels at most. */
const ends = memory.data(8 * 2048 * 4, 64);
let endsTop: usize = 0;

/** Takes a sorted part, which no other part shares a key with, to `to` or below where it lies; gives the address after what it stored. */
export type Finish = (sorted: usize, count: u32, to: usize) => usize;

/** Sorts `count` items at `items`, finishes them part by part to the same place, and gives where the last one ends. */
export function sortItems(items: usize, count: u32, finish: Finish): usize {
  return sortPart(items, count, count <= INSERTION_ITEMS ? items : allocate(<u64>count * ITEM), items, finish);
}

/** The same, with room for as many items at `spare`, and finished to `to`. */
export function sortPart(items: usize, count: u32, spare: usize, to: usize, finish: Finish): usize {
  surveyItems(items, count);
  const bits = differing;
  if (count <= PART_ITEMS) {
    const added = finish != keepAll && count > INSERTION_ITEMS ? sumDensely(items, count, to) : 0;
    return added != 0 ? added : finish(sortInCache(items, count, spare, bits), count, to);
  }
  if (bits == 0) return finish(items, count, to);
  useUppermost(bits);
  const size = <usize>4 << width;
  const own = ends + endsTop;
  endsTop += size;
  deal(items, count, spare);
  memory.copy(own, counts, size);
  let start = spare;
  for (let part = own; part < own + size; part += 4) {
    const end = <usize>load<u32>(part);
    if (end == start) continue;
    to = sortPart(start, <u32>((end - start) / ITEM), items + (start - spare), to, finish);
    start = end;
  }
  endsTop -= size;
  return to;
}

/** A finish that keeps all items as they are. */
export function keepAll(sorted: usize, count: u32, to: usize): usize {
  if (sorted != to) memory.copy(to, sorted, <usize>count * ITEM);
  return to + <usize>count * ITEM;
}

/** Gives where the items are then: at `items` or at `spare`. */
function sortInCache(items: usize, count: u32, spare: usize, bits: u64): usize {
  if (count <= INSERTION_ITEMS) {
    insertionSort(items, count, u32.MAX_VALUE);
    return items;
  }
  const upper = tellingBits(bits, count);
  const sorted = sortByDigits(items, count, spare, upper);
  if (upper == bits || insertionSort(sorted, count, count * MOST_STEPS)) return sorted;
  return sortByDigits(sorted, count, sorted == items ? spare : items, bits);
}

/** The uppermost bits, whole bytes of them, by which few of so many keys are likely to be left in the wrong order. */
function tellingBits(bits: u64, count: u32): u64 {
  const enough = <u64>(32 - clz(count) + SPARE_BITS);
  let lower = bits;
  while (lower != 0 && popcnt(bits & ~lower) < enough) lower &= (<u64>1 << ((63 - clz(lower)) & ~7)) - 1;
  return bits & ~lower;
}

/** Sorts by these bits alone, from the lowest up. Gives where the items are then. */
function sortByDigits(items: usize, count: u32, spare: usize, bits: u64): usize {
  let from = items;
  let to = spare;
  while (bits != 0) {
    bits = useLowest(bits, count < WIDE_DIGIT_ITEMS ? 8 : MAX_DIGIT_BITS);
    deal(from, count, to);
    const sorted = to;
    to = from;
    from = sorted;
  }
  return from;
}

/** The digit in use: (key >> shift0 & mask0) | (key >> shift1 & mask1), of `width` bits. */
let shift0: u64 = 0;
let mask0: u64 = 0;
let shift1: u64 = 0;
let mask1: u64 = 0;
let width: u32 = 0;

/** Makes a digit of the lowest run of bits within one byte, and of the next byte's if both have room. Gives the bits that are left. */
function useLowest(bits: u64, maxWidth: u32): u64 {
  shift0 = ctz(bits);
  mask0 = (bits >> shift0) & (0xff >> (shift0 & 7));
  bits &= ~(mask0 << shift0);
  width = 64 - <u32>clz(mask0);
  shift1 = 0;
  mask1 = 0;
  if (bits == 0) return 0;
  const next = ctz(bits);
  const nextMask = (bits >> next) & (0xff >> (next & 7));
  const nextWidth = 64 - <u32>clz(nextMask);
  if (width + nextWidth > maxWidth) return bits;
  shift1 = next - width;
  mask1 = nextMask << width;
  width += nextWidth;
  return bits & ~(nextMask << next);
}

/** Makes a digit of the uppermost byte's bits, and of the byte's below that has any if both have room. */
function useUppermost(bits: u64): void {
  const top = (63 - clz(bits)) & ~7;
  const topBits = (bits >> top) & 0xff;
  const below = bits & ((<u64>1 << top) - 1);
  shift0 = top + ctz(topBits);
  mask0 = topBits >> ctz(topBits);
  width = 64 - <u32>clz(mask0);
  shift1 = 0;
  mask1 = 0;
  if (below == 0) return;
  const next = (63 - clz(below)) & ~7;
  const nextBits = (below >> next) & 0xff;
  const nextShift = next + ctz(nextBits);
  const nextMask = nextBits >> ctz(nextBits);
  const nextWidth = 64 - <u32>clz(nextMask);
  if (width + nextWidth > MAX_DIGIT_BITS) return;
  shift1 = nextShift;
  mask1 = nextMask;
  shift0 -= nextWidth;
  mask0 <<= nextWidth;
  width += nextWidth;
}

// @ts-ignore: decorator
@inline
function digit(key: u64, shift0: u64, mask0: u64, shift1: u64, mask1: u64): usize {
  return <usize>(((key >> shift0) & mask0) | ((key >> shift1) & mask1));
}

/** Moves items in order of the digit in use; leaves in `counts` where those of each digit end. */
function deal(from: usize, count: u32, to: usize): void {
  const end = from + <usize>count * ITEM;
  const s0 = shift0;
  const m0 = mask0;
  const s1 = shift1;
  const m1 = mask1;
  const counters = <usize>4 << width;
  memory.fill(counts, 0, counters);
  for (let item = from; item < end; item += ITEM) {
    const at = counts + (digit(load<u64>(item), s0, m0, s1, m1) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
  let start = <u32>to;
  for (let at: usize = counts; at < counts + counters; at += 4) {
    const size = load<u32>(at) * <u32>ITEM;
    store<u32>(at, start);
    start += size;
  }
  for (let item = from; item < end; item += ITEM) {
    const at = counts + (digit(load<u64>(item), s0, m0, s1, m1) << 2);
    const place = load<u32>(at);
    v128.store(place, v128.load(item));
    store<u32>(at, place + <u32>ITEM);
  }
}

/** False if it is given up since more steps than `most` are needed. */
function insertionSort(items: usize, count: u32, most: u32): bool {
  const end = items + <usize>count * ITEM;
  let steps: u32 = 0;
  for (let item = items + ITEM; item < end; item += ITEM) {
    const key = load<u64>(item);
    if (load<u64>(item - ITEM) <= key) continue;
    const moving = v128.load(item);
    let place = item;
    do {
      v128.store(place, v128.load(place - ITEM));
      place -= ITEM;
    } while (place > items && load<u64>(place - ITEM) > key);
    v128.store(place, moving);
    steps += <u32>((item - place) / ITEM);
    if (steps > most) return false;
  }
  return true;
}
