/** Makes tuples as ../README.md specifies, a batch at a time: their keys as bytes in memory, their values as words. */
import { fourBlocks, highs, lows, mulHigh, word0, word1, word2, word3 } from "../../common/assembly/philox";
import { batch, BATCH_ITEM } from "./batch";
import { addDirectTuples } from "./direct";
import { addBatch, sawTuples, shortKey } from "./keys";
import { allocate, ensure, memoryTop } from "./memory";
import { writeInteger } from "./result";
import { INLINE_BYTES } from "./wide-entry";
import { addWideBatch, storeWideItem, WIDE_BATCH, WIDE_ITEM, wideBatch } from "./wide-batch";
import { addWide } from "./wide-keys";

const BATCH: u32 = 512;
const BLOCK_WORDS: u64 = 4;

let seed: u32 = 0;
let keyLength: usize = 0;
let maxValue: u32 = 0;
let letters: u32 = 0;
let perWord: u32 = 0;
let wordsPerTuple: u32 = 0;
/** The alphabet as the byte of its first letter and, for each gap, (first digit after it, how much more to add). */
let firstLetter: u8 = 0;
let gaps: usize = 0;
let gapCount: u32 = 0;
/** Whether keys may be few and short (see direct.ts): so until it proves otherwise. */
let isDirect: bool = false;
/** Whether a key may need quotes in CSV. */
let hasSpecialLetter: bool = false;

/** For each word of the batch: the letters and the value that it would make. */
let letterWords: usize = 0;
let valueWords: usize = 0;
/** Where the batch's first key and value are in them, and how far apart the next ones. */
let firstKey: usize = 0;
let firstValue: usize = 0;
let keyStride: usize = 0;
let valueStride: usize = 0;

/** `alphabet`: `count` bytes, ascending. */
export function beginTuples(chosenSeed: u32, length: u32, alphabet: usize, count: u32, greatest: u32): void {
  seed = chosenSeed;
  keyLength = length;
  maxValue = greatest;
  letters = count;
  isDirect = true;
  perWord = count <= 32 ? 4 : 3;
  wordsPerTuple = (length + perWord - 1) / perWord + 1;
  readAlphabet(alphabet, count);
  // A batch may begin within a block, and ends with the four blocks that hold its last word.
  const bytes = (<u64>BATCH * wordsPerTuple + 5 * BLOCK_WORDS) * 4;
  letterWords = allocate(bytes);
  valueWords = allocate(bytes);
}

function readAlphabet(alphabet: usize, count: u32): void {
  gaps = allocate(<u64>count * 2);
  gapCount = 0;
  firstLetter = load<u8>(alphabet);
  hasSpecialLetter = false;
  for (let digit: u32 = 0; digit < count; ++digit) {
    const letter = load<u8>(alphabet + digit);
    if (letter == 0x22 || letter == 0x2c) hasSpecialLetter = true;
    if (digit == 0) continue;
    const gap = letter - load<u8>(alphabet + digit - 1) - 1;
    if (gap == 0) continue;
    store<u8>(gaps + gapCount * 2, <u8>digit);
    store<u8>(gaps + gapCount * 2, gap, 1);
    ++gapCount;
  }
}

/** The letters that four words make, the first in the lowest byte. */
// @ts-ignore: decorator
@inline
function lettersOf(words: v128): v128 {
  const base = i32x4.splat(letters);
  let low = i64x2.extmul_low_i32x4_u(words, base);
  let high = i64x2.extmul_high_i32x4_u(words, base);
  let digits = highs(low, high);
  let rest = lows(low, high);
  low = i64x2.extmul_low_i32x4_u(rest, base);
  high = i64x2.extmul_high_i32x4_u(rest, base);
  digits = v128.or(digits, i32x4.shl(highs(low, high), 8));
  rest = lows(low, high);
  low = i64x2.extmul_low_i32x4_u(rest, base);
  high = i64x2.extmul_high_i32x4_u(rest, base);
  digits = v128.or(digits, i32x4.shl(highs(low, high), 16));
  if (perWord == 4 && keyLength > 3) digits = v128.or(digits, i32x4.shl(mulHigh(lows(low, high), base), 24));
  let bytes = i8x16.add(digits, i8x16.splat(firstLetter));
  for (let gap: u32 = 0; gap < gapCount; ++gap) {
    const isAfter = i8x16.ge_u(digits, i8x16.splat(load<u8>(gaps + gap * 2)));
    bytes = i8x16.add(bytes, v128.and(isAfter, i8x16.splat(load<u8>(gaps + gap * 2, 1))));
  }
  return bytes;
}

// @ts-ignore: decorator
@inline
function valuesOf(words: v128): v128 {
  return i32x4.add(mulHigh(words, i32x4.splat(maxValue)), i32x4.splat(1));
}

/** Stores lane j of a … d as four words in a row at `at` + 16 j: blocks in the order of the sequence. */
// @ts-ignore: decorator
@inline
function storeBlocks(at: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab0 = v128.shuffle<u32>(a, b, 0, 4, 1, 5);
  const ab1 = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
  const cd0 = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
  const cd1 = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
  v128.store(at, v128.shuffle<u64>(ab0, cd0, 0, 2));
  v128.store(at, v128.shuffle<u64>(ab0, cd0, 1, 3), 16);
  v128.store(at, v128.shuffle<u64>(ab1, cd1, 0, 2), 32);
  v128.store(at, v128.shuffle<u64>(ab1, cd1, 1, 3), 48);
}

/** Makes `count` tuples (at most a batch) from number `first` on. */
function makeBatch(first: u64, count: u32): void {
  const word = first * wordsPerTuple;
  const end = word + <u64>count * wordsPerTuple;
  let block = word / BLOCK_WORDS;
  if (wordsPerTuple == 2) {
    makePairs(block, end);
    firstKey = firstValue = <usize>(word - block * BLOCK_WORDS) * 2;
    keyStride = valueStride = 4;
    return;
  }
  firstKey = <usize>(word - block * BLOCK_WORDS) * 4;
  firstValue = firstKey + (wordsPerTuple - 1) * 4;
  keyStride = valueStride = wordsPerTuple * 4;
  for (let at: usize = 0; block * BLOCK_WORDS < end; block += 4) {
    fourBlocks(block, seed);
    const a = word0;
    const b = word1;
    const c = word2;
    const d = word3;
    storeBlocks(letterWords + at, lettersOf(a), lettersOf(b), lettersOf(c), lettersOf(d));
    storeBlocks(valueWords + at, valuesOf(a), valuesOf(b), valuesOf(c), valuesOf(d));
    at += 64;
  }
  if (perWord == 3) packLetters(count);
}

/** Where a tuple has two words, the first of each pair makes letters and the second a value. */
function makePairs(block: u64, end: u64): void {
  for (let at: usize = 0; block * BLOCK_WORDS < end; block += 4) {
    fourBlocks(block, seed);
    const values1 = valuesOf(word1);
    const values3 = valuesOf(word3);
    const letters0 = lettersOf(word0);
    const letters2 = lettersOf(word2);
    v128.store(letterWords + at, v128.shuffle<u32>(letters0, letters2, 0, 4, 1, 5));
    v128.store(letterWords + at, v128.shuffle<u32>(letters0, letters2, 2, 6, 3, 7), 16);
    v128.store(valueWords + at, v128.shuffle<u32>(values1, values3, 0, 4, 1, 5));
    v128.store(valueWords + at, v128.shuffle<u32>(values1, values3, 2, 6, 3, 7), 16);
    at += 32;
  }
}

/** Closes the gap after each three letters, so that a key's bytes lie side by side. */
function packLetters(count: u32): void {
  for (let tuple: u32 = 0; tuple < count; ++tuple) {
    const key = keyOf(tuple);
    for (let word: usize = 1; word < wordsPerTuple - 1; ++word) store<u32>(key + word * 3, load<u32>(key + word * 4));
  }
}

// @ts-ignore: decorator
@inline
function keyOf(tuple: u32): usize {
  return letterWords + firstKey + <usize>tuple * keyStride;
}
// @ts-ignore: decorator
@inline
function valueOf(tuple: u32): u32 {
  return load<u32>(valueWords + firstValue + <usize>tuple * valueStride);
}

function addShortKeys(size: u32): void {
  const length = keyLength;
  const nextKey = keyStride;
  const nextValue = valueStride;
  let key = keyOf(0);
  let value = valueWords + firstValue;
  if (isDirect) {
    isDirect = addDirectTuples(key, nextKey, value, nextValue, size, length, <u64>maxValue + 1);
    if (isDirect) return;
  }
  const end = batch + <usize>size * BATCH_ITEM;
  for (let item = batch; item < end; item += BATCH_ITEM) {
    store<u64>(item, shortKey(key, length));
    store<u64>(item, load<u32>(value), 8);
    key += nextKey;
    value += nextValue;
  }
  addBatch(batch, 0, size);
}

function addWideKeys(size: u32): void {
  const length = keyLength;
  for (let tuple: u32 = 0; tuple < size; ) {
    const most = min(size, tuple + WIDE_BATCH);
    let item = wideBatch;
    for (; tuple < most; ++tuple) {
      storeWideItem(item, keyOf(tuple), length, valueOf(tuple));
      item += WIDE_ITEM;
    }
    addWideBatch(<u32>((item - wideBatch) / WIDE_ITEM));
  }
}

/** Counts the tuples [first, first + count). */
export function countTuples(first: f64, count: u32): void {
  let start = <u64>first;
  for (let left = count; left > 0; ) {
    const size = min(left, BATCH);
    makeBatch(start, size);
    const length = keyLength;
    if (length <= 8) {
      addShortKeys(size);
    } else if (length <= INLINE_BYTES) {
      addWideKeys(size);
    } else {
      for (let tuple: u32 = 0; tuple < size; ++tuple) addWide(keyOf(tuple), length, <i64>valueOf(tuple));
    }
    sawTuples(size);
    start += size;
    left -= size;
  }
}

/** Writes the tuples [first, first + count) as CSV lines. Gives where the text begins; it ends at `textEnd`. */
export function writeTuples(first: f64, count: u32): usize {
  const text = memoryTop();
  let start = <u64>first;
  let out = text;
  for (let left = count; left > 0; ) {
    const size = min(left, BATCH);
    makeBatch(start, size);
    // Each key twice as long and in quotes, a value of at most 10 digits, delimiter, line end.
    ensure(out + <usize>size * (2 * keyLength + 16) + 8);
    for (let tuple: u32 = 0; tuple < size; ++tuple) {
      out = hasSpecialLetter ? writeQuoted(out, keyOf(tuple)) : writePlain(out, keyOf(tuple));
      store<u8>(out, 0x2c);
      const value = valueOf(tuple);
      if (value < 10) {
        store<u8>(out, <u8>(0x30 + value), 1);
        out += 2;
      } else out = writeInteger(out + 1, value);
      store<u8>(out++, 10);
    }
    start += size;
    left -= size;
  }
  textEnd = out;
  return text;
}

export let textEnd: usize = 0;

// @ts-ignore: decorator
@inline
function writePlain(out: usize, key: usize): usize {
  if (keyLength <= 8) store<u64>(out, load<u64>(key));
  else memory.copy(out, key, keyLength);
  return out + keyLength;
}

function writeQuoted(out: usize, key: usize): usize {
  let isPlain = true;
  for (let i: usize = 0; i < keyLength; ++i) {
    const byte = load<u8>(key + i);
    if (byte == 0x22 || byte == 0x2c) isPlain = false;
  }
  if (isPlain) return writePlain(out, key);
  store<u8>(out++, 0x22);
  for (let i: usize = 0; i < keyLength; ++i) {
    const byte = load<u8>(key + i);
    if (byte == 0x22) store<u8>(out++, 0x22);
    store<u8>(out++, byte);
  }
  store<u8>(out, 0x22);
  return out + 1;
}
