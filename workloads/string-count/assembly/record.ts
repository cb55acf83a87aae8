/** Reads one CSV record byte by byte: the grammar of ../csv.ts. */

const LF: u8 = 10;
const CR: u8 = 13;
const QUOTE: u8 = 0x22;

export let delimiter: u8 = 0x2c;
export let columns: u32 = 2;
export let keyColumn: u32 = 0;
export let valueColumn: u32 = 1;

export function setDialect(separator: u8, fields: u32, key: u32, value: u32): void {
  delimiter = separator;
  columns = fields;
  keyColumn = key;
  valueColumn = value;
}

/** What was found; key and value only up to the next record, since doubled quotes are undone in place. */
export let isBlank: bool = false;
export let hasNul: bool = false;
/** Index of the first field with text after its closing quote, −1 if there is none. */
export let badQuoteField: i32 = -1;
export let fieldCount: u32 = 0;
export let keyAt: usize = 0;
export let keyLength: usize = 0;
export let valueAt: usize = 0;
export let valueLength: usize = 0;

let hasDoubledKey: bool = false;
let hasDoubledValue: bool = false;

/** The address after the record at `at`, 0 if it does not end before `end`. */
export function parseRecord(at: usize, end: usize): usize {
  fieldCount = 0;
  badQuoteField = -1;
  keyLength = 0;
  valueLength = 0;
  hasDoubledKey = false;
  hasDoubledValue = false;
  let from = at;
  for (;;) {
    let contentAt = from;
    let contentEnd = from;
    let hasDoubled = false;
    const isQuoted = from < end && load<u8>(from) == QUOTE;
    if (isQuoted) {
      contentAt = ++from;
      for (; ; ++from) {
        if (from >= end) return 0;
        if (load<u8>(from) != QUOTE) continue;
        if (from + 1 >= end) return 0;
        if (load<u8>(from, 1) != QUOTE) break;
        hasDoubled = true;
        ++from;
      }
      contentEnd = from++;
    }
    const tail = from;
    while (from < end && load<u8>(from) != delimiter && load<u8>(from) != LF) ++from;
    if (from >= end) return 0;
    const isLast = load<u8>(from) == LF;
    const tailEnd = isLast && from > tail && load<u8>(from - 1) == CR ? from - 1 : from;
    if (!isQuoted) contentEnd = tailEnd;
    else if (tailEnd > tail && badQuoteField < 0) badQuoteField = fieldCount;
    if (fieldCount == keyColumn) {
      keyAt = contentAt;
      keyLength = contentEnd - contentAt;
      hasDoubledKey = hasDoubled;
    }
    if (fieldCount == valueColumn) {
      valueAt = contentAt;
      valueLength = contentEnd - contentAt;
      hasDoubledValue = hasDoubled;
    }
    ++fieldCount;
    ++from;
    if (isLast) break;
  }
  isBlank = from == at + 1 || (from == at + 2 && load<u8>(at) == CR);
  hasNul = false;
  for (let byte = at; byte < from; ++byte) if (load<u8>(byte) == 0) hasNul = true;
  if (hasDoubledKey) keyLength = undouble(keyAt, keyLength);
  if (hasDoubledValue && keyColumn != valueColumn) valueLength = undouble(valueAt, valueLength);
  if (keyColumn == valueColumn) valueLength = keyLength;
  return from;
}

function undouble(at: usize, length: usize): usize {
  const end = at + length;
  let to = at;
  for (let from = at; from < end; ++from) {
    const byte = load<u8>(from);
    store<u8>(to++, byte);
    if (byte == QUOTE) ++from;
  }
  return to - at;
}

/** Address after the first LF from `at` on that has an even number of quotes before it, 0 if there is none before `end`. */
export function skipToRecord(at: usize, end: usize): usize {
  let inQuotes = false;
  for (let byte = at; byte < end; ++byte) {
    const found = load<u8>(byte);
    if (found == QUOTE) inQuotes = !inQuotes;
    else if (found == LF && !inQuotes) return byte + 1;
  }
  return 0;
}
