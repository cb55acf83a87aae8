/**
 * Parquet's hybrid of run lengths and bit-packed groups, for levels and dictionary indices.
 * A cursor is 32 bytes of memory: what is left of the run at hand, and where the next one begins.
 */

const AT: usize = 0; // u32: next run's header
const END: usize = 4; // u32
const WIDTH: usize = 8; // u32: bits of a number
const LEFT: usize = 12; // u32: numbers left in the run at hand
const PACKED: usize = 16; // u32: the byte in which the next number begins; 0 if the run repeats one value
const BIT: usize = 20; // u32: the bit of it
const VALUE: usize = 24; // u32: the value that is repeated
export const CURSOR_BYTES: usize = 32;

export const MAX_WIDTH: u32 = 32;

/** Four bytes have all of such a number, wherever in a byte it begins. */
const MAX_QUAD_WIDTH: u32 = 25;
const QUAD_BYTES: usize = 64;
/** By width, as long as it was used: see prepareQuads. */
const quadSteps = memory.data(64 * 26, 16);

export function openRuns(cursor: usize, at: usize, end: usize, width: u32): void {
  store<u32>(cursor, <u32>at, AT);
  store<u32>(cursor, <u32>end, END);
  store<u32>(cursor, width, WIDTH);
  store<u32>(cursor, 0, LEFT);
  if (width - 1 < MAX_QUAD_WIDTH) prepareQuads(width);
}

/** Whether all that comes are at least `count` times `value` in one run. */
export function isOneRun(cursor: usize, value: u32, count: u32): bool {
  if (load<u32>(cursor, LEFT) == 0 && !nextRun(cursor)) return false;
  return load<u32>(cursor, PACKED) == 0 && load<u32>(cursor, VALUE) == value && load<u32>(cursor, LEFT) >= count;
}

/** Writes the next `count` numbers (u32) to `out`; false if there are not so many below `limit`. May read 16 bytes after the end. */
export function readRuns(cursor: usize, out: usize, count: u32, limit: u32): bool {
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
      if (unpack(bytes, bit, width, out, taken) >= limit) return false;
      const next = bit + taken * width;
      store<u32>(cursor, <u32>bytes + (next >> 3), PACKED);
      store<u32>(cursor, next & 7, BIT);
    } else {
      const value = load<u32>(cursor, VALUE);
      if (value >= limit) return false;
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

/** Unpacks numbers that begin with a bit of the byte at `at` to `out` (u32); gives the greatest. */
function unpack(at: usize, bit: u32, width: u32, out: usize, count: u32): u32 {
  const end = out + (<usize>count << 2);
  let greatest: u32 = 0;
  if (width <= MAX_QUAD_WIDTH && bit == 0) {
    const groups = <usize>count >> 3;
    greatest = unpackGroups(at, width, out, groups);
    out += groups << 5;
    at += groups * width;
  }
  const mask = (<u64>1 << width) - 1;
  for (let next = bit; out < end; out += 4) {
    const number = <u32>((load<u64>(at + <usize>(next >> 3)) >> (next & 7)) & mask);
    store<u32>(out, number);
    greatest = max<u32>(greatest, number);
    next += width;
  }
  return greatest;
}

/** Unpacks groups of eight numbers, which begin with a byte, as two quads each; gives the greatest number. */
function unpackGroups(at: usize, width: u32, out: usize, groups: usize): u32 {
  const steps = quadSteps + <usize>width * QUAD_BYTES;
  const bytes = v128.load(steps);
  const factors = v128.load(steps, 16);
  const secondBytes = v128.load(steps, 32);
  const secondFactors = v128.load(steps, 48);
  const second = <usize>width >> 1;
  const unused = 32 - width;
  let most = i32x4.splat(0);
  for (const end = out + (groups << 5); out < end; out += 32) {
    const a = i32x4.shr_u(i32x4.mul(i8x16.swizzle(v128.load(at), bytes), factors), unused);
    const b = i32x4.shr_u(i32x4.mul(i8x16.swizzle(v128.load(at + second), secondBytes), secondFactors), unused);
    v128.store(out, a);
    v128.store(out, b, 16);
    most = i32x4.max_u(most, i32x4.max_u(a, b));
    at += <usize>width;
  }
  return max<u32>(
    max<u32>(i32x4.extract_lane(most, 0), i32x4.extract_lane(most, 1)),
    max<u32>(i32x4.extract_lane(most, 2), i32x4.extract_lane(most, 3)),
  );
}

/**
 * How four numbers side by side become four words: which bytes hold each number (16), and by what to multiply them (four u32) so that it is
 * in the word's uppermost bits. Once for four that begin with a byte, once for the four that follow them.
 */
function prepareQuads(width: u32): void {
  const steps = quadSteps + <usize>width * QUAD_BYTES;
  if (load<u32>(steps, 16) != 0) return;
  for (let number: u32 = 0; number < 8; ++number) {
    const isSecond = number >= 4;
    const bit = (number & 3) * width + (isSecond ? (width & 1) << 2 : 0);
    const quad = steps + (isSecond ? 32 : 0) + (<usize>(number & 3) << 2);
    for (let byte: u32 = 0; byte < 4; ++byte) store<u8>(quad + <usize>byte, <u8>((bit >> 3) + byte));
    store<u32>(quad, 1 << (32 - width - (bit & 7)), 16);
  }
}
