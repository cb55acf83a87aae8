/**
 * CSV records (RFC 4180) in bytes: the grammar that both counting kernels keep to. assembly/csv.ts has it again.
 *
 * A record ends with LF or CRLF outside of quotes; a CR elsewhere is data. A field that begins with a quote ends with
 * the next quote that is not doubled; a quote inside an unquoted field is data. A record without any byte is blank.
 */
import { type ByteString, toByteString } from "./bytes.ts";

export const LF = 10;
const CR = 13;
const QUOTE = 34;

/** A longer record is refused: it is a lost quote far more often than data. */
export const MAX_RECORD_BYTES = 2 ** 22;

export interface Field {
  readonly text: ByteString;
  /** Something other than a delimiter or line end follows the closing quote. */
  readonly badQuote: boolean;
}

export interface CsvRecord {
  /** Index after the record's line end. */
  readonly next: number;
  readonly blank: boolean;
  readonly fields: readonly Field[];
  readonly hasNul: boolean;
}

/** The record at `at`, undefined if it does not end within `data`. */
export function readRecord(data: Uint8Array, at: number, delimiter: number): CsvRecord | undefined {
  const fields: Field[] = [];
  for (let from = at; ; ) {
    const field = readField(data, from, delimiter);
    if (field === undefined) return undefined;
    fields.push(field);
    if (data[field.end] === LF) {
      const next = field.end + 1;
      const blank = next === at + 1 || (next === at + 2 && data[at] === CR);
      return { next, blank, fields, hasNul: data.subarray(at, next).includes(0) };
    }
    from = field.end + 1;
  }
}

/** `end` is the index of the delimiter or LF after the field. */
function readField(data: Uint8Array, at: number, delimiter: number): (Field & { readonly end: number }) | undefined {
  const isQuoted = data[at] === QUOTE;
  const closing = isQuoted ? closingQuote(data, at + 1) : at;
  if (closing === undefined) return undefined;
  const tail = isQuoted ? closing + 1 : at;
  let end = tail;
  while (end < data.length && data[end] !== delimiter && data[end] !== LF) end++;
  if (end >= data.length) return undefined;
  const contentEnd = data[end] === LF && end > tail && data[end - 1] === CR ? end - 1 : end;
  return isQuoted
    ? { text: toByteString(data, at + 1, closing).replaceAll('""', '"'), badQuote: contentEnd > tail, end }
    : { text: toByteString(data, at, contentEnd), badQuote: false, end };
}

/** The index of the first quote from `from` on that is not doubled. */
function closingQuote(data: Uint8Array, from: number): number | undefined {
  for (let index = from; index + 1 < data.length; index++) {
    if (data[index] !== QUOTE) continue;
    if (data[index + 1] !== QUOTE) return index;
    index++;
  }
  return undefined;
}

/** The index after the first LF from `at` on that has an even number of quotes before it, undefined if there is none. */
export function skipToRecord(data: Uint8Array, at: number): number | undefined {
  let inQuotes = false;
  for (let index = at; index < data.length; index++) {
    if (data[index] === QUOTE) inQuotes = !inQuotes;
    else if (data[index] === LF && !inQuotes) return index + 1;
  }
  return undefined;
}

/** A field as RFC 4180 writes it: in quotes only where it must be. */
export function csvField(text: ByteString): ByteString {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
