/**
 * Reads plain CSV records of two columns, key and value, 64 bytes at a time into a batch of (key, value): what nearly every record
 * of nearly every file is. Whole blocks are judged by bit masks, so that the loop over their records asks nothing.
 */
import { numberOf } from "./integer";
import { shortKey } from "./keys";
import { delimiter } from "./record";
import { isUtf8 } from "./utf8";
import { storeWideKey, WIDE_BATCH, WIDE_ITEM, wideBatch } from "./wide-keys";

const BLOCK: usize = 64;
const BLOCK_RECORDS: u32 = 16;
export const BATCH_ITEM: usize = 16;
/** So many records make a batch full. A block has 16 more at most. */
export const FULL_BATCH: u32 = 496;

/** Of each record its key as a word (see keys.ts), and its value; four more may be written. */
export const batch = memory.data(520 * 16, 64);
export let batchCount: u32 = 0;

/** Bytes to compare with. They are loaded since engines keep in a register what was loaded, but make a literal anew at each use. */
const BYTES = memory.data<u8>([10, 0x22, 0x46, 0x75]);

/** DIGITS[n]: takes the values of n − 1 digits from the upper bytes of a word. */
const DIGITS = memory.data<u64>([
  0, 0, 0x0f00000000000000, 0x0f0f000000000000, 0x0f0f0f0000000000, 0x0f0f0f0f00000000, 0x0f0f0f0f0f000000,
  0x0f0f0f0f0f0f0000, 0x0f0f0f0f0f0f0f00, 0x0f0f0f0f0f0f0f0f,
]);

// @ts-ignore: decorator
@inline
function bits(a: v128, b: v128, c: v128, d: v128): u64 {
  return (
    <u64>(<u32>i8x16.bitmask(a) | (<u32>i8x16.bitmask(b) << 16)) |
    (<u64>(<u32>i8x16.bitmask(c) | (<u32>i8x16.bitmask(d) << 16)) << 32)
  );
}

/** The value of up to four digits that end before `end`; `entry` is their mask in DIGITS. */
// @ts-ignore: decorator
@inline
function fewDigits(end: usize, entry: usize): u64 {
  const word = load<u32>(end - 4) & load<u32>(entry, 4);
  return <u64>((((word * 10 + (word >> 8)) & 0x00ff00ff) * 0x00640001) >> 16);
}

/** Stores the record at `key`; gives where the next one begins. */
// @ts-ignore: decorator
@inline
function storeRecord(out: usize, key: usize, comma: usize, lineEnd: usize, hasFewDigits: bool): usize {
  const entry = DIGITS + ((lineEnd - comma) << 3);
  store<u64>(out, shortKey(key, comma - key));
  store<u64>(out, hasFewDigits ? fewDigits(lineEnd, entry) : numberOf(load<u64>(lineEnd - 8) & load<u64>(entry)), 8);
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
  // With this added, nothing but '0' … '9' comes to lie above the other.
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
    const ends = bits(i8x16.eq(a, lineEnds), i8x16.eq(b, lineEnds), i8x16.eq(c, lineEnds), i8x16.eq(d, lineEnds));
    if (ends == 0) break;
    const rest = clz(ends);
    const whole = <u64>-1 >> rest;
    const commas =
      whole &
      bits(i8x16.eq(a, separators), i8x16.eq(b, separators), i8x16.eq(c, separators), i8x16.eq(d, separators));
    const isDigit = bits(
      i8x16.gt_s(i8x16.add(a, toTop), belowDigits),
      i8x16.gt_s(i8x16.add(b, toTop), belowDigits),
      i8x16.gt_s(i8x16.add(c, toTop), belowDigits),
      i8x16.gt_s(i8x16.add(d, toTop), belowDigits),
    );
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
    // The least byte, and the least difference from a quote: zero where there is one.
    const special = i8x16.min_u(
      i8x16.min_u(i8x16.min_u(a, b), i8x16.min_u(c, d)),
      i8x16.min_u(
        i8x16.min_u(v128.xor(a, quotes), v128.xor(b, quotes)),
        i8x16.min_u(v128.xor(c, quotes), v128.xor(d, quotes)),
      ),
    );
    if (!i8x16.all_true(special)) break;
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

/** Items that readMixed put into the batch, and into that of wide keys. */
export let shortCount: u32 = 0;
export let wideCount: u32 = 0;

/**
 * Reads records as readBatch does, but with keys of up to 24 bytes: short ones into the batch, longer ones into that of wide keys. All
 * keys read are UTF-8.
 */
export function readMixed(at: usize, end: usize): usize {
  const separators = i8x16.splat(delimiter);
  const lineEnds = v128.load_splat<u8>(BYTES);
  const quotes = v128.load_splat<u8>(BYTES, 1);
  const toTop = v128.load_splat<u8>(BYTES, 2);
  const belowDigits = v128.load_splat<u8>(BYTES, 3);
  let short = batch;
  let wide = wideBatch;
  const shortFull = batch + <usize>FULL_BATCH * BATCH_ITEM;
  const wideFull = wideBatch + <usize>(WIDE_BATCH - BLOCK_RECORDS) * WIDE_ITEM;
  for (;;) {
    if (at + BLOCK > end) break;
    if (short >= shortFull) break;
    if (wide >= wideFull) break;
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    const d = v128.load(at, 48);
    let ends = bits(i8x16.eq(a, lineEnds), i8x16.eq(b, lineEnds), i8x16.eq(c, lineEnds), i8x16.eq(d, lineEnds));
    if (ends == 0) break;
    const whole = <u64>-1 >> clz(ends);
    let commas =
      whole &
      bits(i8x16.eq(a, separators), i8x16.eq(b, separators), i8x16.eq(c, separators), i8x16.eq(d, separators));
    const isDigit = bits(
      i8x16.gt_s(i8x16.add(a, toTop), belowDigits),
      i8x16.gt_s(i8x16.add(b, toTop), belowDigits),
      i8x16.gt_s(i8x16.add(c, toTop), belowDigits),
      i8x16.gt_s(i8x16.add(d, toTop), belowDigits),
    );
    const values = ends - commas;
    const structure = ends | commas;
    // Nine in a row within a value, 25 in a row within a key.
    const fields = whole & ~structure;
    let long = fields & (fields << 1);
    long &= long << 2;
    long &= long << 4;
    const nine = long & (fields << 8);
    long &= long << 8;
    long &= nine << 16;
    const wrong =
      ((values & structure) ^ commas) |
      (values & ~(commas | isDigit)) |
      (structure & ((structure << 1) | 1)) |
      (nine & values) |
      long;
    if (wrong != 0) break;
    const special = i8x16.min_u(
      i8x16.min_u(i8x16.min_u(a, b), i8x16.min_u(c, d)),
      i8x16.min_u(
        i8x16.min_u(v128.xor(a, quotes), v128.xor(b, quotes)),
        i8x16.min_u(v128.xor(c, quotes), v128.xor(d, quotes)),
      ),
    );
    if (!i8x16.all_true(special)) break;
    const isAscii = i8x16.bitmask(v128.or(v128.or(a, b), v128.or(c, d))) == 0;
    if (!isAscii && !isPlainUtf8(a, b, c, d, whole) && !areKeysUtf8(at, commas, ends)) break;
    let key = at;
    do {
      const comma = at + <usize>ctz(commas);
      const lineEnd = at + <usize>ctz(ends);
      commas &= commas - 1;
      ends &= ends - 1;
      const length = comma - key;
      const value = numberOf(load<u64>(lineEnd - 8) & load<u64>(DIGITS + ((lineEnd - comma) << 3)));
      // Into both, of which one takes it: no branch to foresee.
      storeWideKey(wide, key, length);
      store<u64>(wide, value, 24);
      store<u64>(short, load<u64>(wide));
      store<u64>(short, value, 8);
      const isShort = <usize>(length <= 8);
      short += isShort * BATCH_ITEM;
      wide += (isShort ^ 1) * WIDE_ITEM;
      key = lineEnd + 1;
    } while (ends != 0);
    at = key;
  }
  shortCount = <u32>((short - batch) / BATCH_ITEM);
  wideCount = <u32>((wide - wideBatch) / WIDE_ITEM);
  return at;
}

/**
 * Whether the bytes of `whole`, which end with a line end, are UTF-8 of one to three bytes each for certain: every lead byte has its
 * continuation bytes, and there are no others. False also for those lead bytes after which not every continuation byte may come.
 */
// @ts-ignore: decorator
@inline
function isPlainUtf8(a: v128, b: v128, c: v128, d: v128, whole: u64): bool {
  const firstLead = i8x16.splat(<i8>0xc0);
  const following =
    whole & bits(i8x16.lt_s(a, firstLead), i8x16.lt_s(b, firstLead), i8x16.lt_s(c, firstLead), i8x16.lt_s(d, firstLead));
  const firstOfThree = i8x16.splat(<i8>0xe0);
  const three =
    whole &
    bits(
      i8x16.ge_u(a, firstOfThree),
      i8x16.ge_u(b, firstOfThree),
      i8x16.ge_u(c, firstOfThree),
      i8x16.ge_u(d, firstOfThree),
    );
  const odd = v128.or(v128.or(oddLeads(a), oddLeads(b)), v128.or(oddLeads(c), oddLeads(d)));
  const leads = whole & bits(a, b, c, d) & ~following;
  return !v128.any_true(odd) && following == ((leads << 1) | (three << 2));
}

/** Bytes that lead overlong forms, surrogates or four bytes, or are never in UTF-8: C0, C1, E0, ED, F0 and above. */
// @ts-ignore: decorator
@inline
function oddLeads(bytes: v128): v128 {
  const overlong = i8x16.eq(v128.and(bytes, i8x16.splat(<i8>0xfe)), i8x16.splat(<i8>0xc0));
  const special = v128.or(i8x16.eq(bytes, i8x16.splat(<i8>0xe0)), i8x16.eq(bytes, i8x16.splat(<i8>0xed)));
  return v128.or(v128.or(overlong, special), i8x16.ge_u(bytes, i8x16.splat(<i8>0xf0)));
}

function areKeysUtf8(at: usize, commas: u64, ends: u64): bool {
  let key = at;
  for (; ends != 0; ends &= ends - 1) {
    if (!isUtf8(key, at + <usize>ctz(commas) - key)) return false;
    commas &= commas - 1;
    key = at + <usize>ctz(ends) + 1;
  }
  return true;
}
