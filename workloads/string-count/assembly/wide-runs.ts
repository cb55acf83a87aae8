/**
 * Merges buckets with keys of up to 24 bytes as runs.ts does those of up to 8. A chunk's short keys become items, the longer ones entries as
 * in wide-entry.ts.
 */
import { HEADER_BYTES, LONG } from "./entries";
import { allocate } from "./memory";
import { unfold } from "./read-entries";
import { ITEM } from "./sort";
import { storeWideKey, WIDE_ENTRY } from "./wide-entry";

/** So many entries at a time, about. */
const CHUNK: u64 = 2048;
/** A run: its current key as three words, its sum, address after its current entry, entries from that on, the key's length, and its bytes. */
const SUM: usize = 24;
const AT: usize = 32;
const LEFT: usize = 36;
const LENGTH: usize = 40;
const BYTES: usize = 48;
/** Copying a key's rest writes up to 24 bytes from where it begins. */
const RUN: usize = BYTES + 48;

let runs: usize = 0;
let runsEnd: usize = 0;
let left: u64 = 0;
let entries: usize = 0;

/** The chunk at hand: items of short keys; items of longer ones (first ordering word, entry); as much room to sort each. */
export let shortItems: usize = 0;
export let shortSpare: usize = 0;
export let shortItemCount: u32 = 0;
export let wideItems: usize = 0;
export let wideSpare: usize = 0;
export let wideItemCount: u32 = 0;

export function resetWideRuns(): void {
  left = 0;
}

/** Prepares for so many runs with so many entries in all: room for all of them, though little of it is used at a time. */
export function beginWideRuns(count: u32, total: u32): void {
  runs = allocate(<u64>count * RUN);
  runsEnd = runs;
  left = total;
  shortItems = allocate(<u64>total * ITEM);
  shortSpare = allocate(<u64>total * ITEM);
  wideItems = allocate(<u64>total * ITEM);
  wideSpare = allocate(<u64>total * ITEM);
  entries = allocate(<u64>total * WIDE_ENTRY);
}

/** Takes a bucket, which stays where it is; 24 bytes after it are read too. */
export function addWideRun(at: usize): void {
  const count = load<u32>(at);
  if (count == 0) return;
  store<u32>(runsEnd, at + HEADER_BYTES, AT);
  store<u32>(runsEnd, count, LEFT);
  readEntry(runsEnd);
  runsEnd += RUN;
}

/** Takes the next chunk; false if there is none. All items of a key are in one chunk. */
export function nextWideChunk(): bool {
  if (left == 0) return false;
  let longest = runs;
  for (let run = runs; run < runsEnd; run += RUN) if (load<u32>(run, LEFT) > load<u32>(longest, LEFT)) longest = run;
  shortItemCount = 0;
  wideItemCount = 0;
  for (let share = 1 + (CHUNK * <u64>load<u32>(longest, LEFT)) / left; share > 0 && load<u32>(longest, LEFT) > 0; --share) {
    bound0 = bswap<u64>(load<u64>(longest));
    bound1 = bswap<u64>(load<u64>(longest, 8));
    bound2 = bswap<u64>(load<u64>(longest, 16));
    take(longest);
  }
  for (let run = runs; run < runsEnd; run += RUN) while (load<u32>(run, LEFT) > 0 && !isAfterBound(run)) take(run);
  left -= <u64>(shortItemCount + wideItemCount);
  return true;
}

/** The last key of the chunk, as ordering words. */
let bound0: u64 = 0;
let bound1: u64 = 0;
let bound2: u64 = 0;

// @ts-ignore: decorator
@inline
function isAfterBound(run: usize): bool {
  const word0 = bswap<u64>(load<u64>(run));
  if (word0 != bound0) return word0 > bound0;
  const word1 = bswap<u64>(load<u64>(run, 8));
  return word1 != bound1 ? word1 > bound1 : bswap<u64>(load<u64>(run, 16)) > bound2;
}

/** Puts a run's current entry into the chunk, and moves to the next one. */
// @ts-ignore: decorator
@inline
function take(run: usize): void {
  const word = bswap<u64>(load<u64>(run));
  if (load<u32>(run, LENGTH) <= 8) {
    const item = shortItems + <usize>shortItemCount * ITEM;
    store<u64>(item, word);
    store<i64>(item, load<i64>(run, SUM), 8);
    ++shortItemCount;
  } else {
    const item = wideItems + <usize>wideItemCount * ITEM;
    const entry = entries + <usize>wideItemCount * WIDE_ENTRY;
    store<u64>(item, word);
    store<u64>(item, entry, 8);
    v128.store(entry, v128.load(run));
    v128.store(entry, v128.load(run, 16), 16);
    ++wideItemCount;
  }
  const rest = load<u32>(run, LEFT) - 1;
  store<u32>(run, rest, LEFT);
  if (rest > 0) readEntry(run);
}

let readAt: usize = 0;

/** Reads a run's next entry. */
function readEntry(run: usize): void {
  readAt = <usize>load<u32>(run, AT);
  const head = <usize>load<u8>(readAt++);
  let shared = head >> 4;
  let rest = head & 15;
  if (shared == LONG) shared += <usize>readVarint();
  if (rest == LONG) rest += <usize>readVarint();
  const bytes = run + BYTES;
  v128.store(bytes + shared, v128.load(readAt));
  store<u64>(bytes + shared, load<u64>(readAt, 16), 16);
  readAt += rest;
  const length = shared + rest;
  storeWideKey(run, bytes, length);
  store<i64>(run, unfold(readVarint()), SUM);
  store<u32>(run, <u32>readAt, AT);
  store<u32>(run, <u32>length, LENGTH);
}

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
