/**
 * Merges buckets of short keys alone, which are sorted runs in the format of ../entries.ts, a few thousand entries at a time: so many of one
 * run, and of all others what comes no later. They are put in order and added up while they are in the cache.
 */
import { HEADER_BYTES } from "./entries";
import { UPPER_BYTES } from "./keys";
import { allocate } from "./memory";
import { unfold } from "./read-entries";
import { ITEM } from "./sort";

/** So many entries at a time, about. */
const CHUNK: u64 = 4096;
/** A run: address after its current entry, entries from the current one on, the current key as an ordering word, its sum. */
const RUN: usize = 24;

let runs: usize = 0;
let runsEnd: usize = 0;
let left: u64 = 0;

/** Items of the chunk at hand, and room to sort them: for all entries, though few places are used unless keys are spread very unevenly. */
export let chunk: usize = 0;
export let chunkSpare: usize = 0;

export function resetRuns(): void {
  left = 0;
}

/** Prepares for so many runs with so many entries in all. */
export function beginRuns(count: u32, entries: u32): void {
  runs = allocate(<u64>count * RUN);
  runsEnd = runs;
  chunk = allocate(<u64>entries * ITEM);
  chunkSpare = allocate(<u64>entries * ITEM);
  left = entries;
}

/** Takes a bucket, which stays where it is; 16 bytes after it are read too. */
export function addRun(at: usize): void {
  const entries = load<u32>(at);
  if (entries == 0) return;
  store<u32>(runsEnd, at + HEADER_BYTES);
  store<u32>(runsEnd, entries, 4);
  store<u64>(runsEnd, 0, 8);
  readEntry(at + HEADER_BYTES, 0);
  store<u32>(runsEnd, <u32>entryEnd);
  store<u64>(runsEnd, entryWord, 8);
  store<i64>(runsEnd, entrySum, 16);
  runsEnd += RUN;
}

/** Takes the next chunk; gives how many items it has. A key's items are all in one chunk, in the order of the runs. */
export function nextChunk(): u32 {
  if (left == 0) return 0;
  let longest = runs;
  for (let run = runs; run < runsEnd; run += RUN) if (load<u32>(run, 4) > load<u32>(longest, 4)) longest = run;
  // The last key of what is to come of the longest run.
  const share = (CHUNK * <u64>load<u32>(longest, 4)) / left;
  const bound = keyAfter(longest, <u32>share);
  let out = chunk;
  for (let run = runs; run < runsEnd; run += RUN) {
    if (load<u32>(run, 4) > 0 && load<u64>(run, 8) <= bound) out = take(run, bound, out);
  }
  const count = <u32>((out - chunk) / ITEM);
  left -= count;
  return count;
}

/** The key so many entries after a run's current one, or its last. */
function keyAfter(run: usize, entries: u32): u64 {
  entryEnd = <usize>load<u32>(run);
  entryWord = load<u64>(run, 8);
  for (let count = min(entries, load<u32>(run, 4) - 1); count > 0; --count) readEntry(entryEnd, entryWord);
  return entryWord;
}

/** Writes the run's entries up to the key `bound`. */
function take(run: usize, bound: u64, out: usize): usize {
  let entries = load<u32>(run, 4);
  entryEnd = <usize>load<u32>(run);
  entryWord = load<u64>(run, 8);
  entrySum = load<i64>(run, 16);
  do {
    store<u64>(out, entryWord);
    store<i64>(out, entrySum, 8);
    out += ITEM;
    if (--entries == 0) break;
    readEntry(entryEnd, entryWord);
  } while (entryWord <= bound);
  store<u32>(run, <u32>entryEnd);
  store<u32>(run, entries, 4);
  store<u64>(run, entryWord, 8);
  store<i64>(run, entrySum, 16);
  return out;
}

/** What readEntry read: the key as an ordering word, its sum, and the address after them. */
let entryWord: u64 = 0;
let entrySum: i64 = 0;
let entryEnd: usize = 0;

/** Reads the entry at `at`; `before` is the key before it. */
// @ts-ignore: decorator
@inline
function readEntry(at: usize, before: u64): void {
  const head = <usize>load<u8>(at);
  const shared = head >> 4;
  const rest = head & 15;
  const kept = before & upperBytes(shared);
  const fresh = bswap<u64>(load<u64>(at, 1)) & upperBytes(rest);
  entryWord = kept | (shared == 8 ? 0 : fresh >> (<u64>shared << 3));
  at += 1 + rest;
  let folded = <u64>load<u8>(at++);
  if (folded >= 0x80) {
    folded &= 0x7f;
    let shift: u64 = 7;
    let byte: u64;
    do {
      byte = <u64>load<u8>(at++);
      folded |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte >= 0x80);
  }
  entrySum = unfold(folded);
  entryEnd = at;
}

// @ts-ignore: decorator
@inline
function upperBytes(n: usize): u64 {
  return load<u64>(UPPER_BYTES + (n << 3));
}
