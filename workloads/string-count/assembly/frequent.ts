/**
 * Sums of frequent keys of up to 24 bytes. Of words as texts have them a few thousand are most of the tuples: they are counted in a table
 * that a core's cache holds, with one place for each hash, which the key with the greatest sum so far has. The tables of all keys count
 * the others. They have the frequent keys, too, which come from there, and whose sums go there in the end.
 */
import { addShort, offerShort } from "./keys";
import { addWideWords } from "./wide-batch";
import { offerWide } from "./wide-keys";
import { hashOf } from "./wide-table";

/** A key's three words, zeros where there is none (no key here is empty), and its sum. */
export const ENTRY: usize = 32;
const BYTES: usize = 32 << 12;
/** Takes the number of a key's place from its hash. */
export const PLACE_SHIFT: u64 = 64 - 12;
export const frequent = memory.data(32 << 12, 64);

/** After so many records keys are chosen for the first time, and again after so many times as many. */
const FIRST_CHOICE: u64 = 1 << 13;
const NEXT_CHOICE: u64 = 16;
const LAST_CHOICE: u64 = 1 << 21;
const NEVER: u64 = -1;

let seen: u64 = 0;
let nextChoice: u64 = FIRST_CHOICE;

export function resetFrequent(): void {
  if (nextChoice != FIRST_CHOICE) memory.fill(frequent, 0, BYTES);
  seen = 0;
  nextChoice = FIRST_CHOICE;
}

/** Tells how many records were read since the last call. When many more are known than at the last choice, keys are chosen anew. */
export function sawMixed(count: u32): void {
  seen += count;
  if (seen < nextChoice) return;
  flushFrequent();
  nextChoice = nextChoice < LAST_CHOICE ? nextChoice * NEXT_CHOICE : NEVER;
  offerShort();
  offerWide();
  // Their sums so far stay in the tables of all keys.
  for (let place = frequent; place < frequent + BYTES; place += ENTRY) store<i64>(place, 0, 24);
}

/** A key and its sum in the table of all keys: it gets its place if that has a lesser one. */
export function offer(key0: u64, key1: u64, key2: u64, sum: i64): void {
  const place = frequent + <usize>(hashOf(key0, key1, key2) >> PLACE_SHIFT) * ENTRY;
  if (load<i64>(place, 24) >= sum) return;
  store<u64>(place, key0);
  store<u64>(place, key1, 8);
  store<u64>(place, key2, 16);
  store<i64>(place, sum, 24);
}

/** From now on all keys are counted in the tables of all keys. */
export function endFrequent(): void {
  flushFrequent();
  nextChoice = NEVER;
}

function flushFrequent(): void {
  if (nextChoice == FIRST_CHOICE) return;
  for (let place = frequent; place < frequent + BYTES; place += ENTRY) {
    const sum = load<i64>(place, 24);
    if (sum == 0) continue;
    if (load<u64>(place, 8) == 0) addShort(load<u64>(place), sum);
    else addWideWords(load<u64>(place), load<u64>(place, 8), load<u64>(place, 16), sum);
  }
  memory.fill(frequent, 0, BYTES);
}
