/**
 * Counts CSV records: takes them from the list of structural bytes where they are plain, and reads them byte by byte
 * where a quote or NUL is near or something is wrong.
 */
import { areDigits, digitsOf, isInteger, isTooLarge, numberOf, parseInteger } from "./integer";
import { addFound, addShort, hasTable, sawTuples, shortKey, tableAt, tableMask, tableShift } from "./keys";
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
}

/**
 * Counts the records that begin in [at, limit), of which bytes up to `end` are there (64 more may be read). Gives where
 * the first record begins that was not counted: at `limit` or later when all were, before it when bytes are missing or there is a problem.
 * `isFinal`: there are no bytes after `end`, and the last one is a line end.
 */
export function scanRecords(at: usize, end: usize, limit: usize, isFinal: bool): usize {
  while (at < limit) {
    findStructure(at, end);
    const before = rows;
    const next = columns == 2 && keyColumn == 0 && valueColumn == 1 ? takePairs(at, end, limit) : takeRecords(at, end, limit);
    sawTuples(rows - before);
    if (problem != 0) return next;
    if (next == at) {
      const after = readRecord(at, end, isFinal);
      if (after == 0 || problem != 0) return at;
      at = after;
    } else at = next;
  }
  return at;
}

/** Adds a tuple; false if value or key is not what it should be. */
// @ts-ignore: decorator
@inline
function tally(key: usize, length: usize, value: usize, valueBytes: usize): bool {
  let number = parseInteger(value, valueBytes);
  if (!isInteger) return false;
  if (isSample) number = 1;
  return length <= 8 ? addShort(shortKey(key, length), number) : addWide(key, length, number);
}

/** Where in the structure the record at hand has its first entry. */
let place: usize = 0;

/**
 * Takes listed records of two columns, key and value, as long as each has a short key that the table has, and a value of
 * up to eight digits: nearly all are such. Gives where the first other record begins. It calls nothing, so that all it needs stays
 * in registers.
 */
function takeFound(at: usize, limit: usize, table: usize, shift: u64, mask: usize): usize {
  const last = structureEnd - 8;
  const separator = delimiter;
  const first = place;
  let entry = first;
  while (entry <= last && at < limit) {
    const comma = <usize>load<u32>(entry);
    const lineEnd = <usize>load<u32>(entry, 4);
    const length = comma - at;
    const digits = lineEnd - <usize>(load<u8>(lineEnd - 1) == CR) - comma - 1;
    if (load<u8>(comma) != separator || load<u8>(lineEnd) != LF || length - 1 > 7 || digits - 1 > 7) break;
    const word = digitsOf(comma + 1, digits);
    if (!areDigits(word) || !addFound(table, shift, mask, shortKey(at, length), <i64>numberOf(word))) break;
    at = lineEnd + 1;
    entry += 8;
  }
  const taken = <u64>((entry - first) >> 3);
  rows += taken;
  tuples += taken;
  place = entry;
  return at;
}

/** Takes listed records of two columns, key and value. Gives where the first record begins that was not taken. */
function takePairs(at: usize, end: usize, limit: usize): usize {
  const last = structureEnd - 8;
  place = structure;
  while (place <= last && at < limit) {
    if (hasTable() && !isSample) {
      at = takeFound(at, limit, tableAt(), tableShift(), tableMask());
      if (place > last || at >= limit) break;
    }
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
