/** The two columns' dictionaries and the pages at hand, row by row: what ../../parquet/pages.ts has brought here. */
import { shortKey } from "../keys";
import { allocate } from "../memory";
import { isUtf8 } from "../utf8";
import { CURSOR_BYTES, isOneRun, MAX_WIDTH, openRuns, readRuns } from "./hybrid";

/** Rows that pass through the buffers at a time: they stay in the first-level cache. */
export const BATCH: u32 = 1024;

/** Kinds of pages: places in PAGE_KINDS of ../../parquet/pages.ts. */
export const PLAIN: u32 = 0;
const INDEXED: u32 = 1;

/** Problems of a row: places in PARQUET_PROBLEMS of ../../parquet/problems.ts, from 1. */
export const NULL: u32 = 1;
const NUL: u32 = 2;
const ENCODING: u32 = 3;
const TOO_LONG: u32 = 4;
const MAX_KEY_BYTES: usize = 1 << 22;
const HIGH_BITS: u64 = 0x8080808080808080;

/** Types of values. */
const INT32: u32 = 0;
const UINT32: u32 = 1;

const cursors = memory.data(<i32>(CURSOR_BYTES * 4), 16);
const keyRuns = cursors;
const valueRuns = cursors + CURSOR_BYTES;
const keyLevelRuns = cursors + CURSOR_BYTES * 2;
const valueLevelRuns = cursors + CURSOR_BYTES * 3;

// The key dictionary: (address u32, length u32) of each, its sum, and whether it was seen (1) or what is wrong with it (≥ 2).
export let entries: usize = 0;
export let sums: usize = 0;
export let states: usize = 0;
export let entryCount: u32 = 0;
/** Whether a key of the dictionary is bad. */
export let hasBadEntry: bool = false;
let entryCapacity: u32 = 0;
/** Where the dictionary's first key lies, and how many bytes each key has: −1 if they are not as many. */
export let firstKey: usize = 0;
export let keyLength: i32 = -1;
export const SEEN: u8 = 1;

export let valueDictionary: usize = 0;
/** How far from zero the dictionary's values are at most. */
export let valueReach: f64 = 0;
let valueDictionaryCount: u32 = 0;
let valueDictionaryCapacity: u32 = 0;

// Buffers of BATCH rows.
/** Dictionary index of each row's key (u32), or (address u32, length u32) where the page is plain. */
export let keyIndices: usize = 0;
export let keyPlaces: usize = 0;
export let values: usize = 0;
/** 1 where the column has a value, 0 for null (u32); only where the page `hasNulls`. */
export let keyLevels: usize = 0;
export let valueLevels: usize = 0;
/** Dictionary index of each row's value (u32), where the page `valueIsIndexed`. */
export let valueIndices: usize = 0;
/** How many of the rows that were read last have a value. */
let valuesThere: u32 = 0;

export let keyRows: u32 = 0;
export let keyIsIndexed: bool = false;
export let keyHasNulls: bool = false;
let keyAt: usize = 0;
let keyEnd: usize = 0;
export let valueRows: u32 = 0;
export let valueHasNulls: bool = false;
export let valueIsIndexed: bool = false;
let valueAt: usize = 0;
let valueEnd: usize = 0;
let valueType: u32 = INT32;

export function beginColumns(typeOfValue: u32): void {
  valueType = typeOfValue;
  entryCount = 0;
  entryCapacity = 0;
  valueDictionaryCount = 0;
  valueDictionaryCapacity = 0;
  keyRows = 0;
  valueRows = 0;
  keyIndices = allocate(BATCH * 4);
  keyPlaces = allocate(BATCH * 8);
  values = allocate(BATCH * 8);
  keyLevels = allocate(BATCH * 4);
  valueLevels = allocate(BATCH * 4);
  valueIndices = allocate(BATCH * 4);
}

/** Forgets the row group before; its sums must have been taken. */
export function dropDictionaries(): void {
  entryCount = 0;
  valueDictionaryCount = 0;
}

/** Takes a dictionary of `count` keys; its bytes must stay. False if they are fewer. */
export function setKeyDictionary(at: usize, end: usize, count: u32): bool {
  if (<u64>count * 4 > <u64>(end - at)) return false;
  if (count > entryCapacity) {
    entryCapacity = max(count, entryCapacity * 2);
    entries = allocate(<u64>entryCapacity * 8);
    sums = allocate(<u64>entryCapacity * 8);
    states = allocate(<u64>entryCapacity);
  }
  memory.fill(sums, 0, <usize>count * 8);
  hasBadEntry = false;
  if (count > 0) keyLength = <i32>load<u32>(at);
  firstKey = at + 4;
  const usual = <usize>keyLength;
  for (let index: usize = 0; index < <usize>count; ++index) {
    if (end - at < 4) return false;
    const length = <usize>load<u32>(at);
    at += 4;
    if (end - at < length) return false;
    store<u32>(entries + (index << 3), <u32>at);
    store<u32>(entries + (index << 3), <u32>length, 4);
    const problem = problemOf(at, length);
    store<u8>(states + index, problem == 0 ? 0 : <u8>(problem + 1));
    if (problem != 0) hasBadEntry = true;
    // A length that was foreseen need not be waited for.
    if (length == usual) at += usual;
    else {
      at += length;
      keyLength = -1;
    }
  }
  entryCount = count;
  return true;
}

export function setValueDictionary(at: usize, end: usize, count: u32): bool {
  if (<u64>count * (valueType <= UINT32 ? 4 : 8) > <u64>(end - at)) return false;
  if (count > valueDictionaryCapacity) {
    valueDictionaryCapacity = max(count, valueDictionaryCapacity * 2);
    valueDictionary = allocate(<u64>valueDictionaryCapacity * 8);
  }
  valueReach = 0;
  for (let index: usize = 0; index < <usize>count; ++index) {
    const value = plainValue(at, index);
    store<i64>(valueDictionary + (index << 3), value);
    valueReach = max(valueReach, abs(<f64>value));
  }
  valueDictionaryCount = count;
  return true;
}

// @ts-ignore: decorator
@inline
function plainValue(at: usize, index: usize): i64 {
  if (valueType == INT32) return <i64>load<i32>(at + (index << 2));
  if (valueType == UINT32) return <i64>load<u32>(at + (index << 2));
  return load<i64>(at + (index << 3));
}

/** What makes a key a bad one, 0 if nothing does. Reads 8 bytes. */
export function problemOf(at: usize, length: usize): u32 {
  if (length <= 8) {
    const word = shortKey(at, length);
    const unused = length == 8 ? 0 : <u64>0x0101010101010101 << (<u64>length << 3);
    const filled = word | unused;
    if (((filled - 0x0101010101010101) & ~filled & HIGH_BITS) != 0) return NUL;
    return (word & HIGH_BITS) == 0 || isUtf8(at, length) ? 0 : ENCODING;
  }
  if (length > MAX_KEY_BYTES) return TOO_LONG;
  const end = at + length;
  for (let byte = at; byte < end; ++byte) if (load<u8>(byte) == 0) return NUL;
  return isUtf8(at, length) ? 0 : ENCODING;
}

/** `levels` = `levelsEnd`: the page has no levels, since the column is required. False if the page is not what it should be. */
export function openKeyPage(kind: u32, at: usize, end: usize, rows: u32, levels: usize, levelsEnd: usize): bool {
  keyRows = rows;
  keyAt = at;
  keyEnd = end;
  keyIsIndexed = kind == INDEXED;
  keyHasNulls = levels != levelsEnd && !areAllThere(keyLevelRuns, levels, levelsEnd, rows);
  return !keyIsIndexed || openIndices(keyRuns, at, end);
}

export function openValuePage(kind: u32, at: usize, end: usize, rows: u32, levels: usize, levelsEnd: usize): bool {
  valueRows = rows;
  valueAt = at;
  valueEnd = end;
  valueIsIndexed = kind == INDEXED;
  valueHasNulls = levels != levelsEnd && !areAllThere(valueLevelRuns, levels, levelsEnd, rows);
  return !valueIsIndexed || openIndices(valueRuns, at, end);
}

function areAllThere(runs: usize, levels: usize, levelsEnd: usize, rows: u32): bool {
  openRuns(runs, levels, levelsEnd, 1);
  return isOneRun(runs, 1, rows);
}

function openIndices(runs: usize, at: usize, end: usize): bool {
  // A page of nulls alone may have no bytes.
  if (at == end) {
    openRuns(runs, at, end, 0);
    return true;
  }
  const width = <u32>load<u8>(at);
  openRuns(runs, at + 1, end, width);
  return width <= MAX_WIDTH;
}

/** Brings the next rows' keys to keyIndices or keyPlaces, nulls passed over; false if the page is damaged. */
export function readKeys(count: u32): bool {
  const there = keyHasNulls ? readLevels(keyLevelRuns, keyLevels, count) : <i32>count;
  if (there < 0) return false;
  keyRows -= count;
  if (keyIsIndexed) return readRuns(keyRuns, keyIndices, there, entryCount);
  for (let index: usize = 0; index < <usize>there; ++index) {
    if (keyEnd - keyAt < 4) return false;
    const length = <usize>load<u32>(keyAt);
    keyAt += 4;
    if (keyEnd - keyAt < length) return false;
    store<u32>(keyPlaces + (index << 3), <u32>keyAt);
    store<u32>(keyPlaces + (index << 3), <u32>length, 4);
    keyAt += length;
  }
  return true;
}

/** Brings the next rows' values to `values` or their indices to `valueIndices`, nulls passed over; false if the page is damaged. */
export function readValues(count: u32): bool {
  const there = valueHasNulls ? readLevels(valueLevelRuns, valueLevels, count) : <i32>count;
  if (there < 0) return false;
  valuesThere = there;
  valueRows -= count;
  if (valueIsIndexed) return readRuns(valueRuns, valueIndices, there, valueDictionaryCount);
  const size: usize = valueType <= UINT32 ? 4 : 8;
  if (valueEnd - valueAt < <usize>there * size) return false;
  for (let index: usize = 0; index < <usize>there; ++index) store<i64>(values + (index << 3), plainValue(valueAt, index));
  valueAt += <usize>there * size;
  return true;
}

/** Brings the values whose indices are in `valueIndices` to `values`. */
export function lookUpValues(): void {
  for (let index: usize = 0; index < <usize>valuesThere; ++index) {
    const entry = <usize>load<u32>(valueIndices + (index << 2));
    store<i64>(values + (index << 3), load<i64>(valueDictionary + (entry << 3)));
  }
}

/** How many of the next rows have a value, −1 if the levels are damaged. */
function readLevels(runs: usize, to: usize, count: u32): i32 {
  if (!readRuns(runs, to, count, 2)) return -1;
  let there: u32 = 0;
  for (let index: usize = 0; index < <usize>count; ++index) there += load<u32>(to + (index << 2));
  return <i32>there;
}
