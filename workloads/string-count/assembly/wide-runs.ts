/**
 * Merges buckets with keys of up to 24 bytes, which are sorted runs in the format of ../entries.ts: the least of the runs' current keys comes
 * next, and each run that has it gives its sum. Most keys are in most of the runs, so that this does little for each entry.
 */
import { HEADER_BYTES, LONG } from "./entries";
import { allocate } from "./memory";
import { unfold } from "./read-entries";
import { INLINE_BYTES, WINDOW } from "./wide-entry";

/** A run: its current key's first eight bytes as an ordering word, the key's three words, its sum, address after the entry, entries from it on, the key's length. */
const WORDS: usize = 8;
const SUM: usize = 32;
const AT: usize = 40;
const LEFT: usize = 44;
const LENGTH: usize = 48;
const RUN: usize = 64;
/** Runs that are looked at together: of many runs only those of some groups are. */
const GROUP: usize = 16 * RUN;
/** In place of a current key's first word: the run has ended. No key has it, since it is not UTF-8. */
const NONE: u64 = u64.MAX_VALUE;

let runs: usize = 0;
let runsEnd: usize = 0;
/** The least of each group's first words (u64). */
let groups: usize = 0;
let groupsEnd: usize = 0;
/** Addresses of the runs that have the least key. */
let least: usize = 0;

/** The merged key: its three words in memory, its length; and its exact sum as high · 2³² + low. */
export const mergedKey = memory.data(24, 8);
export let mergedLength: usize = 0;
export let mergedHigh: i64 = 0;
export let mergedLow: i64 = 0;

export function resetWideRuns(): void {
  groups = 0;
  groupsEnd = 0;
}

/** Prepares for so many runs. */
export function beginWideRuns(count: u32): void {
  runs = allocate(<u64>count * RUN);
  runsEnd = runs;
  groups = allocate(((<u64>count + 15) / 16) * 8);
  groupsEnd = groups;
  least = allocate(<u64>count * 4);
}

/** Takes a bucket, which stays where it is; 24 bytes after it and before it are read too. */
export function addWideRun(at: usize): void {
  const count = load<u32>(at);
  if (count == 0) return;
  memory.fill(runsEnd, 0, RUN);
  store<u32>(runsEnd, at + HEADER_BYTES, AT);
  store<u32>(runsEnd, count, LEFT);
  readEntry(runsEnd);
  if ((runsEnd - runs) % GROUP == 0) {
    store<u64>(groupsEnd, NONE);
    groupsEnd += 8;
  }
  store<u64>(groupsEnd - 8, min(load<u64>(groupsEnd - 8), load<u64>(runsEnd)));
  runsEnd += RUN;
}

/** Merges the next key; false if there is none. */
export function nextWideKey(): bool {
  let word = NONE;
  for (let group = groups; group < groupsEnd; group += 8) word = min(word, load<u64>(group));
  if (word == NONE) return false;
  const end = runsWithLeastKey(word);
  const first = <usize>load<u32>(least);
  v128.store(mergedKey, v128.load(first, WORDS));
  store<u64>(mergedKey, load<u64>(first, WORDS + 16), 16);
  mergedLength = <usize>load<u32>(first, LENGTH);
  mergedHigh = 0;
  mergedLow = 0;
  for (let place = least; place < end; place += 4) passKey(<usize>load<u32>(place));
  refreshGroups(word);
  return true;
}

/** Finds the least words of the groups that had this one. */
function refreshGroups(word: u64): void {
  for (let group = groups, from = runs; group < groupsEnd; group += 8, from += GROUP) {
    if (load<u64>(group) != word) continue;
    const to = min(from + GROUP, runsEnd);
    let next = NONE;
    for (let run = from; run < to; run += RUN) next = min(next, load<u64>(run));
    store<u64>(group, next);
  }
}

/** Lists the runs with the least key, which begins with the least word; gives where the list ends. */
function runsWithLeastKey(word: u64): usize {
  let end = least;
  for (let group = groups, from = runs; group < groupsEnd; group += 8, from += GROUP) {
    if (load<u64>(group) != word) continue;
    const to = min(from + GROUP, runsEnd);
    for (let run = from; run < to; run += RUN) {
      store<u32>(end, <u32>run);
      end += <usize>(load<u64>(run) == word) << 2;
    }
  }
  const first = <usize>load<u32>(least);
  let differing: u64 = 0;
  for (let place = least + 4; place < end; place += 4) differing |= difference(first, <usize>load<u32>(place));
  return differing == 0 ? end : keepLeast(end);
}

/** Of keys with the same first word: zero if they are the same. */
// @ts-ignore: decorator
@inline
function difference(run: usize, other: usize): u64 {
  return (
    (load<u64>(run, WORDS + 8) ^ load<u64>(other, WORDS + 8)) | (load<u64>(run, WORDS + 16) ^ load<u64>(other, WORDS + 16))
  );
}

/** Keeps the listed runs with the least key, by its second and third words; gives where the list ends then. */
function keepLeast(end: usize): usize {
  let first = <usize>load<u32>(least);
  for (let place = least + 4; place < end; place += 4) {
    const run = <usize>load<u32>(place);
    if (isBefore(run, first)) first = run;
  }
  let to = least;
  for (let place = least; place < end; place += 4) {
    const run = <usize>load<u32>(place);
    store<u32>(to, <u32>run);
    to += <usize>(difference(run, first) == 0) << 2;
  }
  return to;
}

function isBefore(run: usize, other: usize): bool {
  const word1 = bswap<u64>(load<u64>(run, WORDS + 8));
  const other1 = bswap<u64>(load<u64>(other, WORDS + 8));
  if (word1 != other1) return word1 < other1;
  return bswap<u64>(load<u64>(run, WORDS + 16)) < bswap<u64>(load<u64>(other, WORDS + 16));
}

/** Adds up the sums of a run's current key, of which there are several if some were set aside, and goes to the next key. */
// @ts-ignore: decorator
@inline
function passKey(run: usize): void {
  let left = load<u32>(run, LEFT);
  let fresh: usize;
  do {
    const sum = load<i64>(run, SUM);
    mergedHigh += sum >> 32;
    mergedLow += sum & 0xffffffff;
    if (--left == 0) break;
    fresh = readEntry(run);
  } while (fresh == 0);
  store<u32>(run, left, LEFT);
  if (left == 0) store<u64>(run, NONE);
}

/** Reads a run's next entry. Gives how many bytes of its key are new: none if it is the key before once more. */
// @ts-ignore: decorator
@inline
function readEntry(run: usize): usize {
  let at = <usize>load<u32>(run, AT);
  const head = <usize>load<u8>(at++);
  let shared = head >> 4;
  let fresh = head & 15;
  // Lengths of up to 24 need one byte more at most.
  if (shared == LONG) shared += <usize>load<u8>(at++);
  const isLong = <usize>(fresh == LONG);
  fresh += <usize>load<u8>(at) & (0 - isLong);
  at += isLong;
  const length = shared + fresh;
  const kept = WINDOW + INLINE_BYTES - shared;
  const whole = WINDOW + INLINE_BYTES - length;
  // New bytes lie where the whole key would if it began here.
  const key = at - shared;
  const word0 = joined(load<u64>(run, WORDS), load<u64>(key), load<u64>(kept)) & load<u64>(whole);
  store<u64>(run, bswap<u64>(word0));
  store<u64>(run, word0, WORDS);
  store<u64>(
    run,
    joined(load<u64>(run, WORDS + 8), load<u64>(key, 8), load<u64>(kept, 8)) & load<u64>(whole, 8),
    WORDS + 8,
  );
  store<u64>(
    run,
    joined(load<u64>(run, WORDS + 16), load<u64>(key, 16), load<u64>(kept, 16)) & load<u64>(whole, 16),
    WORDS + 16,
  );
  store<u32>(run, <u32>length, LENGTH);
  at += fresh;
  // Most sums take one or two bytes.
  const two = <u64>load<u16>(at);
  const hasTwo = (two >> 7) & 1;
  let folded = (two & 0x7f) | ((two >> 1) & 0x3f80 & (0 - hasTwo));
  at += 1 + <usize>hasTwo;
  if ((two & 0x8080) == 0x8080) {
    let byte: u64;
    let shift: u64 = 14;
    do {
      byte = <u64>load<u8>(at++);
      folded |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte >= 0x80);
  }
  store<i64>(run, unfold(folded), SUM);
  store<u32>(run, <u32>at, AT);
  return fresh;
}

/** The bits of `before` where `kept` has ones, those of `after` elsewhere. */
// @ts-ignore: decorator
@inline
function joined(before: u64, after: u64, kept: u64): u64 {
  return ((before ^ after) & kept) ^ after;
}
