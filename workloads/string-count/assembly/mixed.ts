/** Counts plain CSV records of two columns, as batch.ts does, but with keys of up to 24 bytes: frequent ones at once, the others by the batch. */
import { batch, BATCH_ITEM, BLOCK, BYTES, fewDigits } from "./batch";
import { ENTRY, frequent, PLACE_SHIFT, sawMixed } from "./frequent";
import { areDigits, numberOf } from "./integer";
import { addBatch, UPPER_BYTES } from "./keys";
import { hasQuoteOrNul, matches } from "./masks";
import { delimiter } from "./record";
import { isUtf8 } from "./utf8";
import { INLINE_BYTES, WINDOW } from "./wide-entry";
import { addWideBatch, WIDE_BATCH, WIDE_ITEM, wideBatch } from "./wide-batch";
import { hashOf } from "./wide-table";

const LF: u8 = 10;

/** Addresses (u32) of line ends. So many make the list full; a block has 64 more at most, and eight more may be written. */
const FULL_LIST: usize = 448;
const lines = memory.data(4 * (448 + 64 + 8), 64);
let linesEnd: usize = 0;
/** The line that is read next, and where the next items of the two batches lie. */
let line: usize = 0;
let short: usize = 0;
let wide: usize = 0;

/** Records that were read last; and how many of them have keys that are not UTF-8, and were not added. */
export let mixedCount: u32 = 0;
export let badCount: u32 = 0;
/** Those that are in the batch of short keys, and in that of wide ones. */
let shortCount: u32 = 0;
let wideCount: u32 = 0;

/** Counts plain records from `at` on, until a batch or the list of lines is full, or one comes that is not plain. Gives where the first record begins that was not read. */
export function countMixed(at: usize, end: usize): usize {
  const next = readMixed(at, end);
  badCount = addShortKeys() + addWideBatch(wideCount);
  sawMixed(mixedCount);
  return next;
}

/** Gives how many keys are not UTF-8. */
function addShortKeys(): u32 {
  let bad: u32 = 0;
  let done = addBatch(batch, 0, shortCount);
  for (; done < shortCount; ++bad) done = addBatch(batch, done + 1, shortCount);
  return bad;
}

/** Where the records end that goodKeysFrom counted. */
export let goodEnd: usize = 0;

/** Counts plain records up to the first whose key is not UTF-8: there is one. */
export function goodKeysFrom(at: usize): u32 {
  let count: u32 = 0;
  let comma = afterByte(at, delimiter) - 1;
  for (; isUtf8(at, comma - at); ++count) {
    at = afterByte(comma, LF);
    comma = afterByte(at, delimiter) - 1;
  }
  goodEnd = at;
  return count;
}

function afterByte(at: usize, byte: u8): usize {
  while (load<u8>(at) != byte) ++at;
  return at + 1;
}

/**
 * Reads the records, first where their lines end: what is done for one record then waits for nothing of the one before. Whether keys are
 * UTF-8 only those find out who add new ones: all others equal one that is.
 */
function readMixed(at: usize, end: usize): usize {
  short = batch;
  wide = wideBatch;
  listLines(at, end);
  at = readLines(at, true);
  at = readLines(at, false);
  mixedCount = <u32>((line - lines) >> 2);
  shortCount = <u32>((short - batch) / BATCH_ITEM);
  wideCount = <u32>((wide - wideBatch) / WIDE_ITEM);
  return at;
}

/** Lists line ends from `at` on: of whole blocks before `end`, up to one with a quote or NUL. */
function listLines(at: usize, end: usize): void {
  const lineEnds = v128.load_splat<u8>(BYTES);
  const quotes = v128.load_splat<u8>(BYTES, 1);
  let out = lines;
  while (at + BLOCK <= end && out < lines + 4 * FULL_LIST) {
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    const d = v128.load(at, 48);
    if (hasQuoteOrNul(a, b, c, d, quotes)) break;
    let ends = matches(a, b, c, d, lineEnds);
    const outEnd = out + (<usize>popcnt(ends) << 2);
    const start = <u32>at;
    // Six at a time, as many as most blocks have, without asking whether they are there: what is written too much is overwritten.
    for (; out < outEnd; out += 24) {
      store<u32>(out, start + <u32>ctz(ends));
      ends &= ends - 1;
      store<u32>(out, start + <u32>ctz(ends), 4);
      ends &= ends - 1;
      store<u32>(out, start + <u32>ctz(ends), 8);
      ends &= ends - 1;
      store<u32>(out, start + <u32>ctz(ends), 12);
      ends &= ends - 1;
      store<u32>(out, start + <u32>ctz(ends), 16);
      ends &= ends - 1;
      store<u32>(out, start + <u32>ctz(ends), 20);
      ends &= ends - 1;
    }
    out = outEnd;
    at += BLOCK;
  }
  line = lines;
  linesEnd = out;
}

/** Reads lines up to one that is no plain record with a key of 1 … 24 bytes and a value of up to eight digits, or of up to four. */
// @ts-ignore: decorator
@inline
function readLines(key: usize, hasFewDigits: bool): usize {
  const separators = i8x16.splat(delimiter);
  const end = linesEnd;
  let shortAt = short;
  let wideAt = wide;
  let lineAt = line;
  for (; lineAt < end; lineAt += 4) {
    if (wideAt == wideBatch + <usize>WIDE_BATCH * WIDE_ITEM) break;
    const lineEnd = <usize>load<u32>(lineAt);
    const a = v128.load(key);
    const b = v128.load(key, 16);
    const commas = <u32>i8x16.bitmask(i8x16.eq(a, separators)) | (<u32>i8x16.bitmask(i8x16.eq(b, separators)) << 16);
    const length = <usize>ctz(commas);
    if (length - 1 >= INLINE_BYTES) break;
    const digits = lineEnd - key - length - 1;
    if (digits - 1 >= (hasFewDigits ? 4 : 8)) break;
    let value: i64;
    if (hasFewDigits) {
      const word = (load<u32>(lineEnd - 4) ^ 0x30303030) & load<u32>(UPPER_BYTES + (digits << 3), 4);
      if ((((word + 0x76767676) | word) & 0x80808080) != 0) break;
      value = <i64>fewDigits(word);
    } else {
      const word = (load<u64>(lineEnd - 8) ^ 0x3030303030303030) & load<u64>(UPPER_BYTES + (digits << 3));
      if (!areDigits(word)) break;
      value = <i64>numberOf(word);
    }
    const window = WINDOW + INLINE_BYTES - length;
    const key01 = v128.and(a, v128.load(window));
    const key0 = <u64>i64x2.extract_lane(key01, 0);
    const key1 = <u64>i64x2.extract_lane(key01, 1);
    const key2 = <u64>i64x2.extract_lane(b, 0) & load<u64>(window, 16);
    key = lineEnd + 1;
    const hash = hashOf(key0, key1, key2);
    const place = frequent + <usize>(hash >> PLACE_SHIFT) * ENTRY;
    const differs = (load<u64>(place) ^ key0) | (load<u64>(place, 8) ^ key1) | (load<u64>(place, 16) ^ key2);
    const isOther = <usize>(differs != 0);
    // Added here or put into one of the batches: no branch to foresee.
    store<i64>(place, load<i64>(place, 24) + (value & (<i64>isOther - 1)), 24);
    store<u64>(shortAt, key0);
    store<i64>(shortAt, value, 8);
    v128.store(wideAt, key01);
    store<u64>(wideAt, key2, 16);
    store<i64>(wideAt, value, 24);
    store<u64>(wideAt, hash, 32);
    const isShort = <usize>(length <= 8);
    shortAt += (isOther & isShort) * BATCH_ITEM;
    wideAt += (isOther & ~isShort) * WIDE_ITEM;
  }
  short = shortAt;
  wide = wideAt;
  line = lineAt;
  return key;
}
