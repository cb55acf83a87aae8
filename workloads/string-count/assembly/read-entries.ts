/** Reads the format of ../entries.ts, of buckets that have long keys (short ones alone: see runs.ts). */
import { copyBytes, HEADER_BYTES, LONG } from "./entries";
import { shortKey } from "./keys";
import { allocate } from "./memory";
import { append, useList } from "./short-list";
import { INLINE_BYTES } from "./wide-entry";
import { addWideBatch, storeWideItem, WIDE_BATCH, WIDE_ITEM, wideBatch } from "./wide-batch";
import { addWide } from "./wide-keys";

let readAt: usize = 0;

// @ts-ignore: decorator
@inline
function readVarint(): u64 {
  let byte = <u64>load<u8>(readAt++);
  if (byte < 0x80) return byte;
  let value = byte & 0x7f;
  let shift: u64 = 7;
  do {
    byte = <u64>load<u8>(readAt++);
    value |= (byte & 0x7f) << shift;
    shift += 7;
  } while (byte >= 0x80);
  return value;
}

// @ts-ignore: decorator
@inline
export function unfold(value: u64): i64 {
  return <i64>(value >> 1) ^ -(<i64>(value & 1));
}

/** Prepares for `entries` entries in all. */
export function beginMerge(entries: u32): void {
  useList(max<u32>(entries, 16));
}

/** Takes the entries of one bucket; 24 bytes after them are read too. */
export function readEntries(at: usize): void {
  readAt = at + HEADER_BYTES;
  readAll(load<u32>(at), <usize>load<u32>(at, 4));
}

function readAll(count: u32, longest: usize): void {
  const key = allocate(longest + 64);
  let item = wideBatch;
  const full = wideBatch + <usize>WIDE_BATCH * WIDE_ITEM;
  for (let i: u32 = 0; i < count; ++i) {
    const head = <usize>load<u8>(readAt++);
    let shared = head >> 4;
    let rest = head & 15;
    if (shared == LONG) shared += <usize>readVarint();
    if (rest == LONG) rest += <usize>readVarint();
    copyBytes(key + shared, readAt, rest);
    readAt += rest;
    const length = shared + rest;
    const sum = unfold(readVarint());
    if (length <= 8) append(bswap<u64>(shortKey(key, length)), sum);
    else if (length <= INLINE_BYTES) {
      storeWideItem(item, key, length, sum);
      item += WIDE_ITEM;
      if (item == full) {
        addWideBatch(WIDE_BATCH);
        item = wideBatch;
      }
    } else addWide(key, length, sum);
  }
  addWideBatch(<u32>((item - wideBatch) / WIDE_ITEM));
}
