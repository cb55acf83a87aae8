/**
 * Counts CSV records: takes them from the list of structural bytes where they are plain, and reads them byte by byte
 * where a quote or NUL is near or something is wrong.
 */
import { isInteger, isTooLarge, parseInteger } from "./integer";
import { batch, batchCount, FULL_BATCH, readBatch } from "./batch";
import { countDirect, directCount, flushDirect } from "./direct";
import { endFrequent } from "./frequent";
import { addBatch, addShort, sawTuples, shortKey } from "./keys";
import { badCount, countMixed, goodEnd, goodKeysFrom, mixedCount } from "./mixed";
import {
  badQuoteField,
  columns,
  delimiter,
  fieldCount,
  hasNul,
  isBlank,
  keyAt,
  keyColumn,
  keyLength,
  parseRecord,
  valueAt,
  valueColumn,
  valueLength,
} from "./record";
import { isUtf8 } from "./utf8";
import { findStructure, structure, structureEnd } from "./structure";
import { addWide } from "./wide-keys";

const LF: u8 = 10;
const CR: u8 = 13;
export const MAX_RECORD_BYTES: usize = 1 << 22;
const BLOCK: usize = 64;
/** Bytes that are listed at a time where records are not plain. */
const MIN_REACH: usize = 128;
const MAX_REACH: usize = 4096;
/** So many records in a row mean that more plain ones follow. */
const MANY: u64 = 200;
/** After a try to count records directly that was in vain, so many batches at most come before the next. */
const MOST_PAUSE: u32 = 256;
/**
 * Sums of smaller values overflow in no order; from one such value on, they are added up in the order of the file, since what is set aside
 * when a sum overflows depends on it.
 */
const LARGE: i64 = 100_000_000;

/** Problems: places in PROBLEMS of ../counting.ts, from 1. */
const UNTERMINATED: u32 = 1;
const TOO_LONG: u32 = 2;
const NUL: u32 = 3;
const BAD_QUOTE: u32 = 4;
const RAGGED: u32 = 5;
const ENCODING: u32 = 6;
const NOT_INTEGER: u32 = 7;
const OUT_OF_RANGE: u32 = 8;

let skipBadRows: bool = false;
let isSample: bool = false;

/** Batches to come before records are counted directly again, and how many there were the last time. */
let pause: u32 = 0;
let lastPause: u32 = 0;
let hasLarge: bool = false;

export let rows: u64 = 0;
export let tuples: u64 = 0;
export let skipped: u64 = 0;
/** Why counting stopped, 0 if it did not; which field (−1: none), and where its text is. */
export let problem: u32 = 0;
export let problemColumn: i32 = -1;
export let problemAt: usize = 0;
export let problemLength: usize = 0;

export function beginScan(skip: bool, sample: bool): void {
  skipBadRows = skip;
  isSample = sample;
  rows = 0;
  tuples = 0;
  skipped = 0;
  problem = 0;
  pause = 0;
  lastPause = 0;
  hasLarge = false;
}

/**
 * Counts the records that begin in [at, limit), of which bytes up to `end` are there (64 more may be read). Gives where
 * the first record begins that was not counted: at `limit` or later when all were, before it when bytes are missing or there is a problem.
 * `isFinal`: there are no bytes after `end`, and the last one is a line end.
 */
export function scanRecords(at: usize, end: usize, limit: usize, isFinal: bool): usize {
  const isPairs = columns == 2 && keyColumn == 0 && valueColumn == 1;
  let reach = MAX_REACH;
  let hasWide = false;
  while (at < limit) {
    // The last few bytes are read together with what comes after them.
    if (end - at < BLOCK && !isFinal) break;
    if (isPairs && !isSample) {
      const before = rows;
      if (hasLarge) pause = MOST_PAUSE;
      if (pause > 0) --pause;
      else {
        at = takeDirect(at, min(end, limit));
        if (at >= limit) break;
      }
      const isFull = hasWide ? false : takeBatch(at, min(end, limit));
      if (isFull) at = batchEnd;
      else {
        if (!hasWide) at = batchEnd;
        const taken = rows;
        at = takeMixed(at, min(end, limit));
        // Once wide keys have come, there will be more.
        hasWide = rows != taken;
      }
      sawTuples(rows - before);
      if (isFull || rows - before >= MANY) continue;
      // What is not plain is mostly a record here and there, or else the whole file.
      reach = rows > before ? MIN_REACH : min(reach * 2, MAX_REACH);
    }
    const listed = rows;
    findStructure(at, min(end, at + reach));
    const next = isPairs ? takePairs(at, end, limit) : takeRecords(at, end, limit);
    sawTuples(rows - listed);
    if (problem != 0) return next;
    if (next == at) {
      if (at >= limit) break;
      const after = readRecord(at, end, isFinal);
      if (after == 0 || problem != 0) return at;
      at = after;
    } else at = next;
  }
  return at;
}

/** Counts records whose keys are short and few. Gives where the first record begins that was not counted. */
function takeDirect(at: usize, end: usize): usize {
  const next = countDirect(at, end);
  rows += directCount;
  tuples += directCount;
  lastPause = directCount >= MANY ? 0 : min(MOST_PAUSE, 2 * lastPause + 1);
  pause = lastPause;
  return next;
}

/** Where the first record begins that takeBatch did not take. */
let batchEnd: usize = 0;

/** Takes plain records with short keys by the batch; true if the batch was full. */
function takeBatch(at: usize, end: usize): bool {
  const next = readBatch(at, end);
  const added = addBatch(batch, 0, batchCount);
  rows += added;
  tuples += added;
  batchEnd = next;
  if (added == batchCount) return added >= FULL_BATCH;
  // A key that is not UTF-8: each record before it is a line.
  for (let left = added; left > 0; ++at) if (load<u8>(at) == LF) --left;
  batchEnd = at;
  return false;
}

/** Takes plain records with keys of up to 24 bytes. Gives where the first record begins that was not taken. */
function takeMixed(at: usize, end: usize): usize {
  const next = countMixed(at, end);
  const isStopped = badCount > 0 && !skipBadRows;
  // Sums are of no interest once a bad row stops the work, but records are.
  const good = isStopped ? goodKeysFrom(at) : mixedCount - badCount;
  rows += isStopped ? good : mixedCount;
  tuples += good;
  if (isStopped) return goodEnd;
  skipped += badCount;
  return next;
}

/** Adds a tuple; false if value or key is not what it should be. */
// @ts-ignore: decorator
@inline
function tally(key: usize, length: usize, value: usize, valueBytes: usize): bool {
  let number = parseInteger(value, valueBytes);
  if (!isInteger) return false;
  if (number >= LARGE || number <= -LARGE) keepOrder();
  if (isSample) number = 1;
  return length <= 8 ? addShort(shortKey(key, length), number) : addWide(key, length, number);
}

function keepOrder(): void {
  hasLarge = true;
  flushDirect(false);
  endFrequent();
}

/** Takes listed records of two columns, key and value. Gives where the first record begins that was not taken. */
function takePairs(at: usize, end: usize, limit: usize): usize {
  const last = structureEnd - 8;
  let place = structure;
  while (place <= last && at < limit) {
    const comma = <usize>load<u32>(place);
    const lineEnd = <usize>load<u32>(place, 4);
    const isPlain = load<u8>(comma) == delimiter && load<u8>(lineEnd) == LF;
    const valueEnd = lineEnd - <usize>(load<u8>(lineEnd - 1) == CR);
    if (isPlain && tally(at, comma - at, comma + 1, valueEnd - comma - 1)) {
      ++rows;
      ++tuples;
      at = lineEnd + 1;
      place += 8;
    } else {
      const next = readRecord(at, end, false);
      if (next == 0 || problem != 0) break;
      at = next;
      while (place < structureEnd && <usize>load<u32>(place) < at) place += 4;
    }
  }
  return at;
}

/** The same for any columns. */
function takeRecords(at: usize, end: usize, limit: usize): usize {
  const fields = <usize>columns;
  let place = structure;
  while (place + fields * 4 <= structureEnd && at < limit) {
    const lineEnd = <usize>load<u32>(place + (fields - 1) * 4);
    let isPlain = load<u8>(lineEnd) == LF && lineEnd > at;
    for (let field: usize = 0; field < fields - 1; ++field) {
      isPlain = isPlain && load<u8>(<usize>load<u32>(place + field * 4)) != LF;
    }
    if (isPlain) {
      const contentEnd = lineEnd - <usize>(load<u8>(lineEnd - 1) == CR);
      const key = keyColumn == 0 ? at : <usize>load<u32>(place + (keyColumn - 1) * 4) + 1;
      const keyEnd = keyColumn == columns - 1 ? contentEnd : <usize>load<u32>(place + keyColumn * 4);
      const value = valueColumn == 0 ? at : <usize>load<u32>(place + (valueColumn - 1) * 4) + 1;
      const valueEnd = valueColumn == columns - 1 ? contentEnd : <usize>load<u32>(place + valueColumn * 4);
      if (contentEnd > at && tally(key, keyEnd - key, value, valueEnd - value)) {
        ++rows;
        ++tuples;
        at = lineEnd + 1;
        place += fields * 4;
        continue;
      }
    }
    const next = readRecord(at, end, false);
    if (next == 0 || problem != 0) break;
    at = next;
    while (place < structureEnd && <usize>load<u32>(place) < at) place += 4;
  }
  return at;
}

/** Reads one record byte by byte and counts it. Gives the address after it, 0 if bytes are missing. */
function readRecord(at: usize, end: usize, isFinal: bool): usize {
  const next = parseRecord(at, end);
  if (next == 0) {
    if (end - at >= MAX_RECORD_BYTES) return fault(TOO_LONG, -1, 0, 0, end);
    return isFinal ? fault(UNTERMINATED, -1, 0, 0, end) : 0;
  }
  if (next - at > MAX_RECORD_BYTES) return fault(TOO_LONG, -1, 0, 0, next);
  if (isBlank) {
    ++rows;
    return next;
  }
  if (hasNul) return fault(NUL, -1, 0, 0, next);
  if (badQuoteField >= 0) return fault(BAD_QUOTE, badQuoteField, 0, 0, next);
  if (fieldCount != columns) return fault(RAGGED, -1, 0, fieldCount, next);
  const value = parseInteger(valueAt, valueLength);
  const isValue = isInteger;
  const tooLarge = isTooLarge;
  const number = isSample ? 1 : value;
  if (!isUtf8(keyAt, keyLength)) return fault(ENCODING, keyColumn, keyAt, keyLength, next);
  if (!isValue) return fault(tooLarge ? OUT_OF_RANGE : NOT_INTEGER, valueColumn, valueAt, valueLength, next);
  if (number >= LARGE || number <= -LARGE) keepOrder();
  if (keyLength <= 8) addShort(shortKey(keyAt, keyLength), number);
  else addWide(keyAt, keyLength, number);
  ++rows;
  ++tuples;
  return next;
}

/** Passes over a bad row, or stops at it. */
function fault(what: u32, column: i32, at: usize, length: usize, next: usize): usize {
  if (what != TOO_LONG && (skipBadRows || isSample)) {
    ++rows;
    ++skipped;
    return next;
  }
  problem = what;
  problemColumn = column;
  problemAt = at;
  problemLength = length;
  return next;
}
