/**
 * Stable radix sort of items of 16 bytes (u64 key, u64 payload), by digits that are made only of the bits in which
 * keys differ: letters have five of them in each byte, so that two letters make one digit.
 */
import { allocate } from "./memory";

export const ITEM: usize = 16;
const MAX_DIGIT_BITS: u32 = 11;
const INSERTION_ITEMS: u32 = 24;

const counts = memory.data(2048 * 4, 64);

/** Sorts `count` items at `items`, with as many at `spare` to work in. Gives where they are then: one or the other. */
export function sortItems(items: usize, count: u32, spare: usize): usize {
  if (count <= INSERTION_ITEMS) {
    insertionSort(items, count);
    return items;
  }
  let bits = differingBits(items, count);
  let from = items;
  let to = spare;
  while (bits != 0) {
    // The lowest run of bits that differ within one byte, and the next byte's if both make one digit.
    const shift0 = ctz(bits);
    const mask0 = (bits >> shift0) & (0xff >> (shift0 & 7));
    bits &= ~(mask0 << shift0);
    const width0 = 64 - clz(mask0);
    let shift1: u64 = 0;
    let mask1: u64 = 0;
    let width = width0;
    if (bits != 0) {
      const next = ctz(bits);
      const nextMask = (bits >> next) & (0xff >> (next & 7));
      const nextWidth = 64 - clz(nextMask);
      if (width0 + nextWidth <= MAX_DIGIT_BITS) {
        shift1 = next - width0;
        mask1 = nextMask << width0;
        width = width0 + nextWidth;
        bits &= ~(nextMask << next);
      }
    }
    pass(from, count, to, shift0, mask0, shift1, mask1, <u32>width);
    const sorted = to;
    to = from;
    from = sorted;
  }
  return from;
}

function differingBits(items: usize, count: u32): u64 {
  const end = items + <usize>count * ITEM;
  const first = load<u64>(items);
  let bits: u64 = 0;
  for (let item = items; item < end; item += ITEM) bits |= load<u64>(item) ^ first;
  return bits;
}

// @ts-ignore: decorator
@inline
function digit(key: u64, shift0: u64, mask0: u64, shift1: u64, mask1: u64): usize {
  return <usize>(((key >> shift0) & mask0) | ((key >> shift1) & mask1));
}

function pass(from: usize, count: u32, to: usize, shift0: u64, mask0: u64, shift1: u64, mask1: u64, width: u32): void {
  const end = from + <usize>count * ITEM;
  memory.fill(counts, 0, <usize>4 << width);
  for (let item = from; item < end; item += ITEM) {
    const at = counts + (digit(load<u64>(item), shift0, mask0, shift1, mask1) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
  let start = <u32>to;
  for (let at: usize = counts; at < counts + (<usize>4 << width); at += 4) {
    const size = load<u32>(at) * <u32>ITEM;
    store<u32>(at, start);
    start += size;
  }
  for (let item = from; item < end; item += ITEM) {
    const at = counts + (digit(load<u64>(item), shift0, mask0, shift1, mask1) << 2);
    const place = load<u32>(at);
    v128.store(place, v128.load(item));
    store<u32>(at, place + <u32>ITEM);
  }
}

function insertionSort(items: usize, count: u32): void {
  const end = items + <usize>count * ITEM;
  for (let item = items + ITEM; item < end; item += ITEM) {
    const moving = v128.load(item);
    const key = load<u64>(item);
    let place = item;
    while (place > items && load<u64>(place - ITEM) > key) {
      v128.store(place, v128.load(place - ITEM));
      place -= ITEM;
    }
    v128.store(place, moving);
  }
}

/** Sorts a list and gives where it is then; needs room for a copy. */
export function sortList(items: usize, count: u32): usize {
  return sortItems(items, count, count <= INSERTION_ITEMS ? items : allocate(<u64>count * ITEM));
}
