/** Writes the format of ../entries.ts. */
import { allocate, ensure, memoryTop } from "./memory";
import { hasOnlyShort, keyAt, keyLength, keySum, keyWord, nextKey, shortAt, shortEnd, passShort } from "./sorted";
import { ITEM } from "./sort";
import { shortKey } from "./keys";

export const LONG: usize = 15;
export const HEADER_BYTES: usize = 8;
/** First byte, two lengths of at most 5 bytes, a sum of at most 10; and what copyBytes writes too much. */
const ENTRY_BYTES: usize = 64;
const SHORT_ENTRY_BYTES: usize = 19;

/** Splitters: u32 length and bytes of each. */
let splitter: usize = 0;
let splittersLeft: u32 = 0;

/** Where each bucket begins, and where the last ends (u32). */
let bounds: usize = 0;
let boundCount: u32 = 0;

export function setSplitters(at: usize, count: u32): void {
  splitter = at;
  splittersLeft = count;
}

/** Encodes all keys in order, cut at the splitters. Gives where the buckets' bounds are. */
export function encodeBuckets(): usize {
  bounds = allocate((<u64>splittersLeft + 2) * 4);
  boundCount = 0;
  const start = memoryTop();
  let bucket = start;
  let out = openBucket(bucket);
  let count: u32 = 0;
  let longest: usize = 0;
  let before: usize = 0;
  let beforeLength: usize = 0;
  let beforeWord: u64 = 0;
  let isBucketsFirst = true;
  while (nextKey()) {
    while (splittersLeft > 0 && isFromSplitter()) {
      closeBucket(bucket, count, longest);
      bucket = out;
      out = openBucket(bucket);
      count = 0;
      longest = 0;
      isBucketsFirst = true;
    }
    ensure(out + keyLength + ENTRY_BYTES);
    let shared: usize = 0;
    if (!isBucketsFirst) {
      shared = min(<usize>clz(keyWord ^ beforeWord) >> 3, min(keyLength, beforeLength));
      if (shared == 8) shared = commonPrefix(before, beforeLength);
    }
    const rest = keyLength - shared;
    store<u8>(out++, <u8>((min(shared, LONG) << 4) | min(rest, LONG)));
    if (shared >= LONG) out = writeVarint(out, shared - LONG);
    if (rest >= LONG) out = writeVarint(out, rest - LONG);
    copyBytes(out, keyAt + shared, rest);
    out = writeVarint(out + rest, (keySum << 1) ^ (keySum >> 63));
    before = keyAt;
    beforeLength = keyLength;
    beforeWord = keyWord;
    isBucketsFirst = false;
    longest = max(longest, keyLength);
    ++count;
    if (hasOnlyShort()) {
      const from = shortAt;
      out = encodeShort(out, beforeWord);
      count += <u32>((shortAt - from) / ITEM);
      longest = max(longest, longestShort);
      beforeWord = lastShort;
      beforeLength = 8 - (<usize>ctz(lastShort) >> 3);
    }
  }
  closeBucket(bucket, count, longest);
  for (; splittersLeft > 0; --splittersLeft) {
    bucket = out;
    out = openBucket(bucket);
    closeBucket(bucket, 0, 0);
  }
  store<u32>(bounds + <usize>boundCount * 4, <u32>out);
  return bounds;
}

/** What encodeShort met: the last key as an ordering word, the longest key's length. */
let lastShort: u64 = 0;
let longestShort: usize = 0;

/** Encodes short keys up to the next splitter, after the key `before` of the same bucket. Gives where they end. */
function encodeShort(out: usize, before: u64): usize {
  let item = shortAt;
  const end = shortEnd;
  const stop = splittersLeft > 0 ? splitterWord() : 0;
  const isBounded = splittersLeft > 0;
  ensure(out + ((end - item) / ITEM) * SHORT_ENTRY_BYTES + ENTRY_BYTES);
  let longest: usize = 0;
  for (; item < end; item += ITEM) {
    const word = load<u64>(item);
    if (isBounded && word >= stop) break;
    const sum = load<i64>(item, 8);
    const length: usize = 8 - (<usize>ctz(word) >> 3);
    const shared = min(<usize>clz(word ^ before) >> 3, length);
    const rest = length - shared;
    store<u8>(out, <u8>((shared << 4) | rest));
    // With all eight bytes shared the shift is none, and what is stored is overwritten.
    store<u64>(out, bswap<u64>(word << (<u64>shared << 3)), 1);
    out += rest + 1;
    const folded = <u64>((sum << 1) ^ (sum >> 63));
    if (folded < 0x80) store<u8>(out++, <u8>folded);
    else out = writeVarint(out, folded);
    longest = max(longest, length);
    before = word;
  }
  passShort(item);
  lastShort = before;
  longestShort = longest;
  return out;
}

/** The least ordering word of a short key that is not before the next splitter. */
function splitterWord(): u64 {
  const length = <usize>load<u32>(splitter);
  const word = bswap<u64>(shortKey(splitter + 4, min<usize>(length, 8)));
  // A key of eight bytes that begin a longer splitter is before it. No UTF-8 is all ones, so that one more is no overflow.
  return length > 8 ? word + 1 : word;
}

/** Copies bytes; may read and write up to 24 from the start. A memory.copy of a few bytes costs far more than these stores. */
// @ts-ignore: decorator
@inline
export function copyBytes(to: usize, from: usize, length: usize): void {
  if (length > 24) {
    memory.copy(to, from, length);
    return;
  }
  store<u64>(to, load<u64>(from));
  if (length > 8) v128.store(to, v128.load(from, 8), 8);
}

function openBucket(at: usize): usize {
  ensure(at + HEADER_BYTES + ENTRY_BYTES);
  return at + HEADER_BYTES;
}

function closeBucket(at: usize, count: u32, longest: usize): void {
  store<u32>(at, count);
  store<u32>(at, <u32>longest, 4);
  store<u32>(bounds + <usize>boundCount * 4, <u32>at);
  ++boundCount;
}

/** Whether the current key is not before the next splitter; then that splitter is passed. */
function isFromSplitter(): bool {
  const length = <usize>load<u32>(splitter);
  const bytes = splitter + 4;
  const common = min(length, keyLength);
  const order = memory.compare(keyAt, bytes, common);
  if (order < 0 || (order == 0 && keyLength < length)) return false;
  splitter = bytes + length;
  --splittersLeft;
  return true;
}

function commonPrefix(before: usize, beforeLength: usize): usize {
  const most = min(keyLength, beforeLength);
  let shared: usize = 8;
  while (shared < most && load<u8>(before + shared) == load<u8>(keyAt + shared)) ++shared;
  return min(shared, most);
}

// @ts-ignore: decorator
@inline
function writeVarint(at: usize, value: u64): usize {
  while (value >= 0x80) {
    store<u8>(at++, <u8>(value | 0x80));
    value >>= 7;
  }
  store<u8>(at, <u8>value);
  return at + 1;
}
