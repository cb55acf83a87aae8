/** Counts plain CSV records as batch.ts reads them, but with keys of up to 24 bytes: frequent ones at once, and the others by the batch. */
import { batch, BATCH_ITEM, BLOCK, BYTES, FULL_BATCH, valueBetween } from "./batch";
import { ENTRY, frequent, PLACE_SHIFT, sawMixed } from "./frequent";
import { addBatch } from "./keys";
import { digits, hasQuoteOrNul, matches } from "./masks";
import { delimiter } from "./record";
import { isUtf8 } from "./utf8";
import { INLINE_BYTES, WINDOW } from "./wide-entry";
import { addWideBatch, WIDE_BATCH, WIDE_ITEM, wideBatch } from "./wide-batch";
import { hashOf } from "./wide-table";

const BLOCK_RECORDS: u32 = 16;

const LF: u8 = 10;

/** Records that were read last; and how many of them have keys that are not UTF-8, and were not added. */
export let mixedCount: u32 = 0;
export let badCount: u32 = 0;
/** Those that are in the batch of short keys, and in that of wide ones. */
let shortCount: u32 = 0;
let wideCount: u32 = 0;

/** Counts plain records from `at` on, until a batch is full or a block comes that readBatch would not read. Gives where the first record begins that was not read. */
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

/** Reads the records. Whether keys are UTF-8 only those find out who add new ones: all others equal one that is. */
function readMixed(at: usize, end: usize): usize {
  const separators = i8x16.splat(delimiter);
  const lineEnds = v128.load_splat<u8>(BYTES);
  const quotes = v128.load_splat<u8>(BYTES, 1);
  const toTop = v128.load_splat<u8>(BYTES, 2);
  const belowDigits = v128.load_splat<u8>(BYTES, 3);
  let short = batch;
  let wide = wideBatch;
  let count: u32 = 0;
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
    let ends = matches(a, b, c, d, lineEnds);
    if (ends == 0) break;
    const whole = <u64>-1 >> clz(ends);
    let commas =
      whole &
      matches(a, b, c, d, separators);
    const isDigit = digits(a, b, c, d, toTop, belowDigits);
    const values = ends - commas;
    const structure = ends | commas;
    // Nine in a row within a value, 25 in a row within a key.
    const fields = whole & ~structure;
    let long = fields & (fields << 1);
    long &= long << 2;
    const four = long;
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
    if (hasQuoteOrNul(a, b, c, d, quotes)) break;
    count += <u32>popcnt(ends);
    // Five digits: four in a row, and one before them.
    const hasFewDigits = (four & (values & (fields << 4))) == 0;
    let key = at;
    do {
      const comma = at + <usize>ctz(commas);
      const lineEnd = at + <usize>ctz(ends);
      commas &= commas - 1;
      ends &= ends - 1;
      const value = <i64>valueBetween(comma, lineEnd, hasFewDigits);
      const length = comma - key;
      const window = WINDOW + INLINE_BYTES - length;
      const key0 = load<u64>(key) & load<u64>(window);
      const key1 = load<u64>(key, 8) & load<u64>(window, 8);
      const key2 = load<u64>(key, 16) & load<u64>(window, 16);
      key = lineEnd + 1;
      const hash = hashOf(key0, key1, key2);
      const place = frequent + <usize>(hash >> PLACE_SHIFT) * ENTRY;
      const differs = (load<u64>(place) ^ key0) | (load<u64>(place, 8) ^ key1) | (load<u64>(place, 16) ^ key2);
      const isOther = <usize>(differs != 0);
      // Added here or put into one of the batches: no branch to foresee.
      store<i64>(place, load<i64>(place, 24) + (value & (<i64>isOther - 1)), 24);
      store<u64>(short, key0);
      store<i64>(short, value, 8);
      store<u64>(wide, key0);
      store<u64>(wide, key1, 8);
      store<u64>(wide, key2, 16);
      store<i64>(wide, value, 24);
      store<u64>(wide, hash, 32);
      const isShort = <usize>(length <= 8);
      short += (isOther & isShort) * BATCH_ITEM;
      wide += (isOther & ~isShort) * WIDE_ITEM;
    } while (ends != 0);
    at = key;
  }
  mixedCount = count;
  shortCount = <u32>((short - batch) / BATCH_ITEM);
  wideCount = <u32>((wide - wideBatch) / WIDE_ITEM);
  return at;
}
