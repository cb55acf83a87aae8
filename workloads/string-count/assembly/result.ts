/** Writes the result file's lines, and finds the keys with the greatest sums on the way. */
import { allocate, ensure, memoryTop } from "./memory";
import { ITEM } from "./sort";
import { INLINE_BYTES } from "./wide-entry";
import { hasOnlyShort, hasOverflow, keyAt, keyLength, keySum, keyWord, nextKey, passShort, shortAt, shortEnd } from "./sorted";

const COMMA: u8 = 0x2c;
const QUOTE: u8 = 0x22;
const LF: u8 = 10;
const CR: u8 = 13;
/** A sum with its sign, delimiter and line end; and two quotes. */
const LINE_BYTES: usize = 32;
/** Smaller sums are written without a loop. */
const EIGHT_DIGITS: u64 = 100_000_000;

/** Best keys so far, a heap whose root is the worst: sum, number of the key, its address in the result, bytes there. */
const PLACE: usize = 24;
let places: usize = 0;
let placed: u32 = 0;
let wanted: u32 = 0;
/** The worst of the best sums, once there are as many as wanted. */
let least: i64 = 0;

export let keys: u32 = 0;
/** The total as high · 2³² + low. */
export let sumHigh: i64 = 0;
export let sumLow: i64 = 0;

/**
 * Writes all keys in order after `headerLength` bytes that are left free. Gives where the result begins; 0 if the sum of a run's key does
 * not fit: it is the current key.
 */
export function writeResult(headerLength: usize, top: u32): usize {
  places = allocate(<u64>top * PLACE + PLACE);
  placed = 0;
  wanted = top;
  least = i64.MAX_VALUE;
  keys = 0;
  sumHigh = 0;
  sumLow = 0;
  const start = memoryTop();
  let out = start + headerLength;
  ensure(out);
  while (nextKey()) {
    ensure(out + 2 * keyLength + LINE_BYTES);
    const field = out;
    out = writeField(out);
    if (placed < wanted || keySum > least) rank(field, out - field, keySum);
    store<u8>(out++, COMMA);
    out = writeSum(out, keySum);
    store<u8>(out++, LF);
    sumHigh += keySum >> 32;
    sumLow += keySum & 0xffffffff;
    ++keys;
    if (hasOnlyShort()) out = writePlain(out);
  }
  resultEnd = out;
  return hasOverflow ? 0 : start;
}

/** Writes short keys that are there already, up to one that may need quotes. */
function writePlain(out: usize): usize {
  let item = shortAt;
  const end = shortEnd;
  ensure(out + ((end - item) / ITEM) * (8 + LINE_BYTES) + LINE_BYTES);
  for (; item < end; item += ITEM) {
    const word = load<u64>(item);
    const sum = load<i64>(item, 8);
    const length: usize = 8 - (<usize>ctz(word) >> 3);
    if (!isPlainWord(word, length)) break;
    if (placed < wanted || sum > least) rank(out, length, sum);
    store<u64>(out, bswap<u64>(word));
    out += length;
    store<u8>(out++, COMMA);
    out = writeSum(out, sum);
    store<u8>(out++, LF);
    sumHigh += sum >> 32;
    sumLow += sum & 0xffffffff;
    ++keys;
  }
  passShort(item);
  return out;
}

export let resultEnd: usize = 0;

/** Bytes that are all above every one that needs quotes. */
// @ts-ignore: decorator
@inline
function isPlainWord(word: u64, length: usize): bool {
  const all = word | (length == 8 ? 0 : <u64>-1 >> (<u64>length << 3));
  return ((all - 0x2d2d2d2d2d2d2d2d) & ~all & 0x8080808080808080) == 0;
}

// @ts-ignore: decorator
@inline
function needQuotes(bytes: v128): v128 {
  return v128.or(
    v128.or(i8x16.eq(bytes, i8x16.splat(COMMA)), i8x16.eq(bytes, i8x16.splat(QUOTE))),
    v128.or(i8x16.eq(bytes, i8x16.splat(LF)), i8x16.eq(bytes, i8x16.splat(CR))),
  );
}

function writeField(out: usize): usize {
  if (keyLength <= 8 && isPlainWord(keyWord, keyLength)) {
    store<u64>(out, bswap<u64>(keyWord));
    return out + keyLength;
  }
  if (keyLength > 8 && keyLength <= INLINE_BYTES) {
    // Zeros follow the key.
    const first = v128.load(keyAt);
    const last = v128.load(keyAt, 8);
    if (!v128.any_true(v128.or(needQuotes(first), needQuotes(last)))) {
      v128.store(out, first);
      v128.store(out, last, 8);
      return out + keyLength;
    }
  }
  let isPlain = true;
  for (let i: usize = 0; i < keyLength; ++i) {
    const byte = load<u8>(keyAt + i);
    store<u8>(out + i, byte);
    if (byte == COMMA || byte == QUOTE || byte == LF || byte == CR) {
      isPlain = false;
      break;
    }
  }
  if (isPlain) return out + keyLength;
  store<u8>(out++, QUOTE);
  for (let i: usize = 0; i < keyLength; ++i) {
    const byte = load<u8>(keyAt + i);
    if (byte == QUOTE) store<u8>(out++, QUOTE);
    store<u8>(out++, byte);
  }
  store<u8>(out, QUOTE);
  return out + 1;
}

export function writeInteger(out: usize, value: i64): usize {
  let rest = <u64>value;
  if (value < 0) {
    store<u8>(out++, 0x2d);
    rest = 0 - rest;
  }
  let digits: usize = 1;
  // 10¹⁹ is beyond any |value|, and fits.
  for (let bound: u64 = 10; rest >= bound; bound *= 10) ++digits;
  let at = out + digits;
  while (rest > 0xffffffff) {
    store<u8>(--at, <u8>(0x30 + (rest % 10)));
    rest /= 10;
  }
  let small = <u32>rest;
  while (at > out) {
    store<u8>(--at, <u8>(0x30 + (small % 10)));
    small /= 10;
  }
  return out + digits;
}

// @ts-ignore: decorator
@inline
function writeSum(out: usize, sum: i64): usize {
  return <u64>sum < EIGHT_DIGITS ? writeEightDigits(out, <u64>sum) : writeInteger(out, sum);
}

/** A number of up to eight digits, all of them at once: halves of four, pairs of two, digits. Stores 8 bytes. */
// @ts-ignore: decorator
@inline
function writeEightDigits(out: usize, value: u64): usize {
  const upper = value / 10000;
  const fours = upper | ((value - 10000 * upper) << 32);
  const hundreds = ((fours * 10486) >> 20) & 0x0000007f0000007f;
  const pairs = hundreds | ((fours - 100 * hundreds) << 16);
  const tens = ((pairs * 103) >> 10) & 0x000f000f000f000f;
  const digits = tens | ((pairs - 10 * tens) << 8);
  const zeros = min<u64>(ctz(digits) & ~7, 56);
  store<u64>(out, (digits | 0x3030303030303030) >> zeros);
  return out + (8 - <usize>(zeros >> 3));
}

/** Keys come in ascending order, so that among equal sums the later key is the worse. */
function rank(field: usize, length: usize, sum: i64): void {
  if (placed == wanted) {
    write(places, field, length, sum);
    siftDown(0);
    least = load<i64>(places);
    return;
  }
  let child = placed++;
  write(places + <usize>child * PLACE, field, length, sum);
  while (child > 0) {
    const parent = (child - 1) / 2;
    if (!isWorse(child, parent)) break;
    swap(child, parent);
    child = parent;
  }
  if (placed == wanted) least = load<i64>(places);
}

function write(place: usize, field: usize, length: usize, sum: i64): void {
  store<i64>(place, sum);
  store<u32>(place, keys, 8);
  store<u32>(place, <u32>field, 12);
  store<u32>(place, <u32>length, 16);
}

function isWorse(a: u32, b: u32): bool {
  const at = places + <usize>a * PLACE;
  const other = places + <usize>b * PLACE;
  const sum = load<i64>(at);
  const otherSum = load<i64>(other);
  return sum != otherSum ? sum < otherSum : load<u32>(at, 8) > load<u32>(other, 8);
}

function swap(a: u32, b: u32): void {
  const at = places + <usize>a * PLACE;
  const other = places + <usize>b * PLACE;
  for (let offset: usize = 0; offset < PLACE; offset += 8) {
    const held = load<u64>(at + offset);
    store<u64>(at + offset, load<u64>(other + offset));
    store<u64>(other + offset, held);
  }
}

function siftDown(parent: u32): void {
  for (;;) {
    let worst = parent;
    const left: u32 = 2 * parent + 1;
    if (left < placed && isWorse(left, worst)) worst = left;
    if (left + 1 < placed && isWorse(left + 1, worst)) worst = left + 1;
    if (worst == parent) return;
    swap(parent, worst);
    parent = worst;
  }
}

export function topPlaces(): usize {
  return places;
}
export function topCount(): u32 {
  return placed;
}
