/**
 * CSV records (RFC 4180) in bytes: the grammar that both counting kernels keep to. assembly/csv.ts has it again.
 *
 * A record ends with LF or CRLF outside of quotes; a CR elsewhere is data. A field that begins with a quote ends with
 * the next quote that is not doubled; a quote inside an unquoted field is data. A record without any byte is blank.
 */
import type { ByteString } from "./bytes.ts";

export const LF = 10;
const CR = 13;
const QUOTE = 34;

/** A longer record is refused: it is a lost quote far more often than data. */
export const MAX_RECORD_BYTES = 2 ** 24;

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
  const text: number[] = [];
  let from = at;
  if (data[at] === QUOTE) {
    for (from = at + 1; ; from++) {
      if (from >= data.length) return undefined;
      const byte = data[from] as number;
      if (byte !== QUOTE) text.push(byte);
      else if (data[from + 1] === QUOTE) text.push(data[from++] as number);
      else break;
    }
    from++;
  }
  let end = from;
  while (end < data.length && data[end] !== delimiter && data[end] !== LF) end++;
  if (end >= data.length) return undefined;
  const contentEnd = data[end] === LF && end > from && data[end - 1] === CR ? end - 1 : end;
  const isQuoted = from > at;
  if (!isQuoted) for (let index = at; index < contentEnd; index++) text.push(data[index] as number);
  return { text: text.map((byte) => String.fromCharCode(byte)).join(""), badQuote: isQuoted && contentEnd > from, end };
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
