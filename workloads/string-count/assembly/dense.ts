/**
 * Adds up the items of a part whose keys differ in few bits: these bits are the place of a key's sum in a table, from which the keys come
 * out in order. Where most places are taken it does less than a sort.
 */

const ITEM: usize = 16;
const MAX_BITS: u32 = 15;
/** A table may have so many places for each item. */
const MAX_SPARSE_LOG2: u32 = 4;
/** Smaller values cannot overflow in a part (of 2¹³ items at most). */
const SMALL: u64 = <u64>1 << 48;

const sums = memory.data((1 << 15) * 8, 64);
/** One byte for each place: whether a key has it. */
const taken = memory.data(1 << 15, 64);

/** Bits in which the part's keys differ, and the magnitude of its values: set by surveyItems. */
export let differing: u64 = 0;
let magnitude: u64 = 0;

/** Looks at all items of a part. */
export function surveyItems(items: usize, count: u32): void {
  const end = items + <usize>count * ITEM;
  const first = load<u64>(items);
  let bits: u64 = 0;
  let values: u64 = 0;
  for (let item = items; item < end; item += ITEM) {
    const value = load<i64>(item, 8);
    bits |= load<u64>(item) ^ first;
    values |= <u64>(value ^ (value >> 63));
  }
  differing = bits;
  magnitude = values;
}

/** The lowest run of bits, filled up within its byte; sets where it begins in `runAt`. */
let runAt: u64 = 0;
function lowestRun(bits: u64): u64 {
  if (bits == 0) return 0;
  runAt = ctz(bits);
  const within = (bits >> runAt) & (0xff >> (runAt & 7));
  return ((<u64>1 << (64 - clz(within))) - 1) << runAt;
}

/**
 * Adds up the items that were surveyed last into distinct, sorted ones at `to`, which may lie where they do or below. Gives the address
 * after them, 0 with nothing done if this is no way for them.
 */
export function sumDensely(items: usize, count: u32, to: usize): usize {
  if (magnitude >= SMALL) return 0;
  const run0 = lowestRun(differing);
  const shift0 = runAt;
  const run1 = lowestRun(differing & ~run0);
  const width0 = <u64>popcnt(run0);
  const shift1 = runAt - width0;
  const run2 = lowestRun(differing & ~(run0 | run1));
  const width1 = width0 + <u64>popcnt(run1);
  const shift2 = runAt - width1;
  const all = run0 | run1 | run2;
  const width = <u32>width1 + <u32>popcnt(run2);
  if ((differing & ~all) != 0 || width > MAX_BITS || (<u32>1 << width) > count << MAX_SPARSE_LOG2) return 0;
  const mask0 = run0 >> shift0;
  const mask1 = run1 >> shift1;
  const mask2 = run2 >> shift2;
  const end = items + <usize>count * ITEM;
  for (let item = items; item < end; item += ITEM) {
    const key = load<u64>(item);
    const place = <usize>(((key >> shift0) & mask0) | ((key >> shift1) & mask1) | ((key >> shift2) & mask2));
    const at = sums + (place << 3);
    store<i64>(at, load<i64>(at) + load<i64>(item, 8));
    store<u8>(taken + place, 1);
  }
  const common = load<u64>(items) & ~all;
  const none = i64x2.splat(0);
  const places = <usize>1 << <usize>width;
  for (let group: usize = 0; group < places; group += 16) {
    let found = i8x16.bitmask(i8x16.ne(v128.load(taken + group), none));
    v128.store(taken + group, none);
    for (; found != 0; found &= found - 1) {
      const place = <u64>(group + <usize>ctz(found));
      const at = sums + (<usize>place << 3);
      const key = ((place & mask0) << shift0) | ((place & mask1) << shift1) | ((place & mask2) << shift2);
      store<u64>(to, common | key);
      store<i64>(to, load<i64>(at), 8);
      store<i64>(at, 0);
      to += ITEM;
    }
  }
  return to;
}
