/**
 * Reads plain CSV records of two columns, key and value, 64 bytes at a time into a batch of (key, value): what nearly every record
 * of nearly every file is. Whole blocks are judged by bit masks, so that the loop over their records asks nothing.
 */
import { numberOf } from "./integer";
import { shortKey } from "./keys";
import { digits, hasQuoteOrNul, matches } from "./masks";
import { delimiter } from "./record";

export const BLOCK: usize = 64;
export const BATCH_ITEM: usize = 16;
/** So many records make a batch full. A block has 16 more at most. */
export const FULL_BATCH: u32 = 496;

/** Of each record its key as a word (see keys.ts), and its value; four more may be written. */
export const batch = memory.data(520 * 16, 64);
export let batchCount: u32 = 0;

/** Bytes to compare with. They are loaded since engines keep in a register what was loaded, but make a literal anew at each use. */
export const BYTES = memory.data<u8>([10, 0x22, 0x46, 0x75]);

/** DIGITS[n]: takes the values of n − 1 digits from the upper bytes of a word. */
const DIGITS = memory.data<u64>([
  0, 0, 0x0f00000000000000, 0x0f0f000000000000, 0x0f0f0f0000000000, 0x0f0f0f0f00000000, 0x0f0f0f0f0f000000,
  0x0f0f0f0f0f0f0000, 0x0f0f0f0f0f0f0f00, 0x0f0f0f0f0f0f0f0f,
]);

/** The number that the digits of a word of four bytes make. */
// @ts-ignore: decorator
@inline
export function fewDigits(word: u32): u64 {
  return <u64>((((word * 10 + (word >> 8)) & 0x00ff00ff) * 0x00640001) >> 16);
}

/** The value of up to eight digits between a comma and a line end, or of up to four. */
// @ts-ignore: decorator
@inline
function valueBetween(comma: usize, lineEnd: usize, hasFewDigits: bool): u64 {
  const entry = DIGITS + ((lineEnd - comma) << 3);
  return hasFewDigits ? fewDigits(load<u32>(lineEnd - 4) & load<u32>(entry, 4)) : numberOf(load<u64>(lineEnd - 8) & load<u64>(entry));
}

/** Stores the record at `key`; gives where the next one begins. */
// @ts-ignore: decorator
@inline
function storeRecord(out: usize, key: usize, comma: usize, lineEnd: usize, hasFewDigits: bool): usize {
  store<u64>(out, shortKey(key, comma - key));
  store<u64>(out, valueBetween(comma, lineEnd, hasFewDigits), 8);
  return lineEnd + 1;
}

/**
 * Stores the records of the block at `at` whose commas and line ends are given, four at a time without asking whether they are there:
 * what is written too much is overwritten.
 */
// @ts-ignore: decorator
@inline
function storeRecords(out: usize, outEnd: usize, at: usize, commas: u64, ends: u64, hasFewDigits: bool): void {
  let key = at;
  for (; out < outEnd; out += 4 * BATCH_ITEM) {
    key = storeRecord(out, key, at + <usize>ctz(commas), at + <usize>ctz(ends), hasFewDigits);
    commas &= commas - 1;
    ends &= ends - 1;
    key = storeRecord(out + BATCH_ITEM, key, at + <usize>ctz(commas), at + <usize>ctz(ends), hasFewDigits);
    commas &= commas - 1;
    ends &= ends - 1;
    key = storeRecord(out + 2 * BATCH_ITEM, key, at + <usize>ctz(commas), at + <usize>ctz(ends), hasFewDigits);
    commas &= commas - 1;
    ends &= ends - 1;
    key = storeRecord(out + 3 * BATCH_ITEM, key, at + <usize>ctz(commas), at + <usize>ctz(ends), hasFewDigits);
    commas &= commas - 1;
    ends &= ends - 1;
  }
}

/**
 * Reads records from `at` on into the batch, until it is full or a block comes that is not whole before `end` or not plain: one
 * with a quote or NUL, without a line end, with keys or values of no or more than eight bytes, or values that are not digits alone.
 * Gives where the first record begins that was not read. Up to eight bytes before `at` are looked at.
 */
export function readBatch(at: usize, end: usize): usize {
  const separators = i8x16.splat(delimiter);
  const lineEnds = v128.load_splat<u8>(BYTES);
  const quotes = v128.load_splat<u8>(BYTES, 1);
  const toTop = v128.load_splat<u8>(BYTES, 2);
  const belowDigits = v128.load_splat<u8>(BYTES, 3);
  let out = batch;
  const full = batch + <usize>FULL_BATCH * BATCH_ITEM;
  for (;;) {
    if (at + BLOCK > end) break;
    if (out >= full) break;
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    const d = v128.load(at, 48);
    const ends = matches(a, b, c, d, lineEnds);
    if (ends == 0) break;
    const rest = clz(ends);
    const whole = <u64>-1 >> rest;
    const commas =
      whole &
      matches(a, b, c, d, separators);
    const isDigit = digits(a, b, c, d, toTop, belowDigits);
    // Where commas and line ends alternate, the difference is what lies from a comma up to its line end; where they do not, it has
    // a line end, or lacks a comma.
    const values = ends - commas;
    const structure = ends | commas;
    // Nine in a row that are neither.
    const fields = whole & ~structure;
    let long = fields & (fields << 1);
    long &= long << 2;
    const four = long;
    long &= long << 4;
    long &= fields << 8;
    const wrong =
      ((values & structure) ^ commas) | (values & ~(commas | isDigit)) | (structure & ((structure << 1) | 1)) | long;
    if (wrong != 0) break;
    if (hasQuoteOrNul(a, b, c, d, quotes)) break;
    const outEnd = out + (<usize>popcnt(ends) << 4);
    // Five digits: four in a row, and one before them.
    if ((four & (values & (fields << 4))) == 0) storeRecords(out, outEnd, at, commas, ends, true);
    else storeRecords(out, outEnd, at, commas, ends, false);
    at += BLOCK - <usize>rest;
    out = outEnd;
  }
  batchCount = <u32>((out - batch) / BATCH_ITEM);
  return at;
}
