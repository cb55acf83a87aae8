/** Adds the values of two columns' rows to their keys: by dictionary index where there is one, so that a key is looked up once a row group. */
import { addDirect, addDirectTuples, flushDirect } from "../direct";
import { addShort, shortKey } from "../keys";
import { addWide } from "../wide-keys";
import {
  BATCH,
  beginColumns,
  dropDictionaries,
  entries,
  entryCount,
  firstKey,
  hasBadEntry,
  keyHasNulls,
  keyIndices,
  keyIsIndexed,
  keyLength,
  keyLevels,
  keyPlaces,
  keyRows,
  lookUpValues,
  NULL,
  problemOf,
  readKeys,
  readValues,
  SEEN,
  states,
  sums,
  valueDictionary,
  valueHasNulls,
  valueIndices,
  valueIsIndexed,
  valueLevels,
  valueReach,
  valueRows,
  values,
} from "./columns";

export { openKeyPage, openValuePage, setKeyDictionary, setValueDictionary } from "./columns";
export { unsnappy } from "./snappy";

/** From a larger sum on, sums are added up in the file's order alone: see scan.ts. */
const LARGE: i64 = 100_000_000;

/** No sum of the dictionary's keys is farther from zero than this; while it is small, none can overflow. */
let reach: f64 = 0;
const SAFE: f64 = 4611686018427387904;
/** Of a larger dictionary some keys have no place there: see direct.ts. */
const MOST_DIRECT: u32 = 1 << 16;

let keepsOrder: bool = false;
let skipBadRows: bool = false;
let isSample: bool = false;
/** Whose page at hand is damaged, if one is. */
let damaged: u32 = 0;
const KEY_PAGE: u32 = 1;
const VALUE_PAGE: u32 = 2;
let tuples: u64 = 0;
let skipped: u64 = 0;
/** Why counting stopped, 0 if it did not; whether the key's column is to blame, and where its text is. */
let problem: u32 = 0;
let problemInKey: bool = false;
let problemAt: usize = 0;
let problemLength: usize = 0;

export function beginParquet(typeOfValue: u32, skip: bool, sample: bool): void {
  beginColumns(typeOfValue);
  skipBadRows = skip;
  isSample = sample;
  keepsOrder = false;
  reach = 0;
  damaged = 0;
  tuples = 0;
  skipped = 0;
  problem = 0;
}

/** Counts up to `most` rows as long as both pages at hand have some; gives how many. */
export function combine(most: u32): u32 {
  let left = min(most, min(keyRows, valueRows));
  const all = left;
  while (left > 0 && problem == 0) {
    const count = min(left, BATCH);
    damaged = !readKeys(count) ? KEY_PAGE : !readValues(count) ? VALUE_PAGE : 0;
    if (damaged != 0) break;
    reach += <f64>count * (valueIsIndexed ? valueReach : Infinity);
    left -= addRows(count);
  }
  return all - left;
}

/** Adds the rows that were read; gives how many were passed, which are fewer where a bad one ends the work. */
function addRows(count: u32): u32 {
  const areGood = !keyHasNulls && !valueHasNulls && !(keyIsIndexed && hasBadEntry);
  if (areGood && keyIsIndexed && valueIsIndexed && !isSample && reach < SAFE) addPairs(count);
  else {
    if (valueIsIndexed) lookUpValues();
    if (isSample) for (let row: usize = 0; row < <usize>count; ++row) store<i64>(values + (row << 3), 1);
    if (!areGood) return addCarefully(count);
    if (keyIsIndexed) addIndexed(count);
    else if (!addPlain(count)) return addCarefully(count);
  }
  tuples += <u64>count;
  return count;
}

/** Rows without nulls or bad keys, key and value by dictionary, where no sum can overflow. */
function addPairs(count: u32): void {
  const into = sums;
  const seen = states;
  const dictionary = valueDictionary;
  const numbers = valueIndices - keyIndices;
  const end = keyIndices + (<usize>count << 2);
  for (let row = keyIndices; row < end; row += 4) {
    const entry = <usize>load<u32>(row);
    const value = load<i64>(dictionary + (<usize>load<u32>(row + numbers) << 3));
    const place = into + (entry << 3);
    store<i64>(place, load<i64>(place) + value);
    store<u8>(seen + entry, SEEN);
  }
}

/** Rows without nulls or bad keys, by dictionary. It calls nothing but in the rare overflow. */
function addIndexed(count: u32): void {
  const end = <usize>count;
  const into = sums;
  const seen = states;
  const indices = keyIndices;
  const numbers = values;
  for (let row: usize = 0; row < end; ++row) {
    const entry = <usize>load<u32>(indices + (row << 2));
    const value = load<i64>(numbers + (row << 3));
    const place = into + (entry << 3);
    const before = load<i64>(place);
    const sum = before + value;
    if (((before ^ sum) & (value ^ sum)) < 0) {
      addEntry(entry, before);
      store<i64>(place, value);
    } else store<i64>(place, sum);
    store<u8>(seen + entry, SEEN);
  }
}

/** Rows without nulls that have their keys with them; false, with nothing added, if one of them is bad. */
function addPlain(count: u32): bool {
  const end = keyPlaces + (<usize>count << 3);
  for (let place = keyPlaces; place < end; place += 8) {
    if (problemOf(<usize>load<u32>(place), <usize>load<u32>(place, 4)) != 0) return false;
  }
  let number = values;
  for (let place = keyPlaces; place < end; place += 8) {
    add(<usize>load<u32>(place), <usize>load<u32>(place, 4), load<i64>(number));
    number += 8;
  }
  return true;
}

/** Any rows; gives how many were passed, which are fewer where a bad one ends the work. */
function addCarefully(count: u32): u32 {
  let key: usize = 0;
  let number: usize = 0;
  for (let row: usize = 0; row < <usize>count; ++row) {
    const hasKey = !keyHasNulls || load<u32>(keyLevels + (row << 2)) != 0;
    const hasValue = !valueHasNulls || load<u32>(valueLevels + (row << 2)) != 0;
    let what: u32 = hasKey ? 0 : NULL;
    let at: usize = 0;
    let length: usize = 0;
    let entry: usize = 0;
    if (hasKey && keyIsIndexed) {
      entry = <usize>load<u32>(keyIndices + (key << 2));
      at = <usize>load<u32>(entries + (entry << 3));
      length = <usize>load<u32>(entries + (entry << 3), 4);
      const state = load<u8>(states + entry);
      what = state > SEEN ? <u32>state - 1 : 0;
    } else if (hasKey) {
      at = <usize>load<u32>(keyPlaces + (key << 3));
      length = <usize>load<u32>(keyPlaces + (key << 3), 4);
      what = problemOf(at, length);
    }
    const isKeys = what != 0;
    if (what == 0 && !hasValue) what = NULL;
    if (what == 0) {
      if (keyIsIndexed) addToEntry(entry, load<i64>(values + (number << 3)));
      else add(at, length, load<i64>(values + (number << 3)));
      ++tuples;
    } else if (skipBadRows || isSample) ++skipped;
    else {
      problem = what;
      problemInKey = isKeys;
      problemAt = at;
      problemLength = length;
      return <u32>row;
    }
    if (hasKey) ++key;
    if (hasValue) ++number;
  }
  return count;
}

function addToEntry(entry: usize, value: i64): void {
  const before = load<i64>(sums + (entry << 3));
  const sum = before + value;
  if (((before ^ sum) & (value ^ sum)) < 0) {
    addEntry(entry, before);
    store<i64>(sums + (entry << 3), value);
  } else store<i64>(sums + (entry << 3), sum);
  store<u8>(states + entry, SEEN);
}

function addEntry(entry: usize, sum: i64): void {
  const at = <usize>load<u32>(entries + (entry << 3));
  const length = <usize>load<u32>(entries + (entry << 3), 4);
  if (!keepsOrder && length <= 4 && addDirect(shortKey(at, length), length, sum)) return;
  add(at, length, sum);
}

// @ts-ignore: decorator
@inline
function add(at: usize, length: usize, value: i64): void {
  if (!keepsOrder && (value >= LARGE || value <= -LARGE)) {
    keepsOrder = true;
    flushDirect(false);
  }
  if (length <= 8) addShort(shortKey(at, length), value);
  else addWide(at, length, value);
}

/** A row group ends: its dictionary's sums go to their keys, in the dictionary's order. */
export function endRowGroup(): void {
  if (!addAllDirect()) {
    for (let entry: usize = 0; entry < <usize>entryCount; ++entry) {
      if (load<u8>(states + entry) == SEEN) addEntry(entry, load<i64>(sums + (entry << 3)));
    }
  }
  dropDictionaries();
  reach = 0;
}

/** Adds the dictionary's sums at once: false, with nothing added, unless its keys are alike and their sums small and above zero. */
function addAllDirect(): bool {
  if (keepsOrder || hasBadEntry || entryCount > MOST_DIRECT) return false;
  let all: u64 = 0;
  const end = sums + (<usize>entryCount << 3);
  for (let place = sums; place < end; place += 8) {
    const sum = load<u64>(place);
    if (sum == 0) return false;
    all |= sum;
  }
  return addDirectTuples(firstKey, <usize>keyLength + 4, sums, 8, entryCount, <usize>keyLength, all);
}

export function damagedPage(): u32 {
  return damaged;
}
export function parquetTuples(): f64 {
  return <f64>tuples;
}
export function parquetSkipped(): f64 {
  return <f64>skipped;
}
export function parquetProblem(): u32 {
  return problem;
}
export function isKeyProblem(): bool {
  return problemInKey;
}
export function parquetProblemAt(): usize {
  return problemAt;
}
export function parquetProblemSize(): usize {
  return problemLength;
}
