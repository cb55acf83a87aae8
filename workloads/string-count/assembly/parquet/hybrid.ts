/**
 * Parquet's hybrid of run lengths and bit-packed groups, for levels and dictionary indices.
 * A cursor is 32 bytes of memory: what is left of the run at hand, and where the next one begins.
 */

const AT: usize = 0; // u32: next run's header
const END: usize = 4; // u32
const WIDTH: usize = 8; // u32: bits of a number
const LEFT: usize = 12; // u32: numbers left in the run at hand
const PACKED: usize = 16; // u32: its bytes; 0 if the run repeats one value
const BIT: usize = 20; // u32: the next number's first bit, from the bytes' first
const VALUE: usize = 24; // u32: the value that is repeated
export const CURSOR_BYTES: usize = 32;

export const MAX_WIDTH: u32 = 32;

export function openRuns(cursor: usize, at: usize, end: usize, width: u32): void {
  store<u32>(cursor, <u32>at, AT);
  store<u32>(cursor, <u32>end, END);
  store<u32>(cursor, width, WIDTH);
  store<u32>(cursor, 0, LEFT);
}

/** Whether all that comes are at least `count` times `value` in one run. */
export function isOneRun(cursor: usize, value: u32, count: u32): bool {
  if (load<u32>(cursor, LEFT) == 0 && !nextRun(cursor)) return false;
  return load<u32>(cursor, PACKED) == 0 && load<u32>(cursor, VALUE) == value && load<u32>(cursor, LEFT) >= count;
}

/** Writes the next `count` numbers (u32) to `out`; false if there are not so many. May read 8 bytes after the end. */
export function readRuns(cursor: usize, out: usize, count: u32): bool {
  while (count > 0) {
    const left = load<u32>(cursor, LEFT);
    if (left == 0) {
      if (!nextRun(cursor)) return false;
      continue;
    }
    const taken = min(left, count);
    const bytes = <usize>load<u32>(cursor, PACKED);
    if (bytes != 0) {
      const width = load<u32>(cursor, WIDTH);
      const bit = load<u32>(cursor, BIT);
      unpack(bytes, bit, width, out, taken);
      store<u32>(cursor, bit + taken * width, BIT);
    } else {
      const value = load<u32>(cursor, VALUE);
      for (let i: usize = 0; i < <usize>taken; ++i) store<u32>(out + (i << 2), value);
    }
    store<u32>(cursor, left - taken, LEFT);
    out += <usize>taken << 2;
    count -= taken;
  }
  return true;
}

function nextRun(cursor: usize): bool {
  let at = <usize>load<u32>(cursor, AT);
  const end = <usize>load<u32>(cursor, END);
  const width = load<u32>(cursor, WIDTH);
  let header: u64 = 0;
  let shift: u64 = 0;
  for (;;) {
    if (at >= end || shift > 28) return false;
    const byte = <u64>load<u8>(at++);
    header |= (byte & 0x7f) << shift;
    shift += 7;
    if (byte < 0x80) break;
  }
  if ((header & 1) == 0) {
    const bytes = <usize>((width + 7) >> 3);
    if (end - at < bytes) return false;
    store<u32>(cursor, 0, PACKED);
    store<u32>(cursor, width == 0 ? 0 : load<u32>(at) & (<u32>0xffffffff >> (32 - (<u32>bytes << 3))), VALUE);
    store<u32>(cursor, <u32>min<u64>(header >> 1, 0xffffffff), LEFT);
    store<u32>(cursor, <u32>(at + bytes), AT);
    return true;
  }
  if (width == 0) {
    store<u32>(cursor, 0, PACKED);
    store<u32>(cursor, 0, VALUE);
    store<u32>(cursor, <u32>min<u64>((header >> 1) << 3, 0xffffffff), LEFT);
    store<u32>(cursor, <u32>at, AT);
    return true;
  }
  // Some writers leave out the last group's unused bytes.
  const bytes = min<u64>((header >> 1) * width, <u64>(end - at));
  const count = min<u64>((header >> 1) << 3, (bytes << 3) / width);
  if (count == 0) return false;
  store<u32>(cursor, <u32>at, PACKED);
  store<u32>(cursor, 0, BIT);
  store<u32>(cursor, <u32>count, LEFT);
  store<u32>(cursor, <u32>(at + <usize>bytes), AT);
  return true;
}

function unpack(bytes: usize, bit: u32, width: u32, out: usize, count: u32): void {
  const mask = (<u64>1 << width) - 1;
  const end = out + (<usize>count << 2);
  let next = <u64>bit;
  const step = <u64>width;
  // Four numbers a word where they fit beside the up to 7 bits before the first.
  if (width <= 14) {
    const last = end - 12;
    for (; out < last; out += 16) {
      let word = load<u64>(bytes + <usize>(next >> 3)) >> (next & 7);
      store<u32>(out, <u32>(word & mask));
      word >>= step;
      store<u32>(out, <u32>(word & mask), 4);
      word >>= step;
      store<u32>(out, <u32>(word & mask), 8);
      word >>= step;
      store<u32>(out, <u32>(word & mask), 12);
      next += step << 2;
    }
  } else if (width <= 19) {
    const last = end - 8;
    for (; out < last; out += 12) {
      let word = load<u64>(bytes + <usize>(next >> 3)) >> (next & 7);
      store<u32>(out, <u32>(word & mask));
      word >>= step;
      store<u32>(out, <u32>(word & mask), 4);
      word >>= step;
      store<u32>(out, <u32>(word & mask), 8);
      next += step * 3;
    }
  }
  for (; out < end; out += 4) {
    store<u32>(out, <u32>((load<u64>(bytes + <usize>(next >> 3)) >> (next & 7)) & mask));
    next += step;
  }
}
