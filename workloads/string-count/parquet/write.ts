/** Writes the result as a Parquet file: one row group for each stretch of it, plain pages, not compressed. */
import type { TaskContext } from "kindling";
import { readRecord } from "../csv.ts";
import type { RowGroup } from "./plan.ts";
import { ThriftStruct } from "./thrift.ts";

export type ResultPlan = {
  /** The length of the header in the first stretch of the CSV result, in bytes. */
  readonly headerBytes: number;
};

/** A written row group: its rows and its columns' bytes. */
export type WrittenGroup = { readonly rows: number; readonly keyBytes: number; readonly valueBytes: number };

export type FooterInput = {
  /** Names of the two columns. */
  readonly columns: readonly [string, string];
  readonly groups: readonly WrittenGroup[];
};

const MAGIC = new TextEncoder().encode("PAR1");
const ROWS_PER_PAGE = 2 ** 16;
const LF = 10;
const QUOTE = 34;
const COMMA = 44;
const MINUS = 45;
const ZERO = 48;
/** So many digits make an exact number. */
const SAFE_DIGITS = 15;

// Numbers of parquet.thrift.
const INT64 = 2;
const BYTE_ARRAY = 6;
const REQUIRED = 0;
const UTF8 = 0;
const PLAIN = 0;
const RLE = 3;
const UNCOMPRESSED = 0;
const DATA_PAGE = 0;

/** A stretch of the result file, as CSV, in; a row group's bytes out, after the file's magic in the first one. */
export function writeRowGroup(result: Uint8Array, context: TaskContext<ResultPlan, WrittenGroup>): Uint8Array {
  const isFirst = context.partition === 0;
  const { pages, ...written } = encodeRows(result, isFirst ? context.broadcast.headerBytes : 0);
  context.report(written);
  context.progress(written.rows);
  const parts = isFirst ? [MAGIC, ...pages] : pages;
  return joined(parts, context.allocate(size(parts)));
}

/** Rows as a file without a footer, which is all that a kernel sees of it. */
export function writeRows(result: Uint8Array): { readonly bytes: Uint8Array; readonly group: RowGroup } {
  const { pages, rows, keyBytes, valueBytes } = encodeRows(result, 0);
  const middle = MAGIC.length + keyBytes;
  const codec = "UNCOMPRESSED";
  const key = { start: MAGIC.length, end: middle, codec } as const;
  const value = { start: middle, end: middle + valueBytes, codec } as const;
  const parts = [MAGIC, ...pages];
  return { bytes: joined(parts, new Uint8Array(size(parts))), group: { index: 0, rows, key, value } };
}

/** The pages of both columns, in order: all rows of the result from `from` on. */
function encodeRows(result: Uint8Array, from: number): WrittenGroup & { readonly pages: readonly Uint8Array[] } {
  const keyPages: Uint8Array[] = [];
  const valuePages: Uint8Array[] = [];
  let rows = 0;
  for (let at = from; at < result.length; ) {
    const page = readRows(result, at);
    keyPages.push(pageHeader(page.rows, page.keys.length), page.keys);
    valuePages.push(pageHeader(page.rows, page.values.length), page.values);
    rows += page.rows;
    at = page.next;
  }
  return { rows, keyBytes: size(keyPages), valueBytes: size(valuePages), pages: [...keyPages, ...valuePages] };
}

const size = (parts: readonly Uint8Array[]): number => parts.reduce((sum, part) => sum + part.length, 0);

function joined(parts: readonly Uint8Array[], output: Uint8Array): Uint8Array {
  let to = 0;
  for (const part of parts) {
    output.set(part, to);
    to += part.length;
  }
  return output;
}

/** A page's rows of the result from `from` on: keys with their lengths (u32), and values (i64), little-endian. */
function readRows(result: Uint8Array, from: number) {
  let rows = 0;
  let next = from;
  while (rows < ROWS_PER_PAGE && next < result.length) {
    next = endOfRow(result, next);
    rows++;
  }
  const keys = new Uint8Array(next - from + 4 * rows);
  const lengths = new DataView(keys.buffer);
  const values = new Uint8Array(8 * rows);
  const numbers = new DataView(values.buffer);
  let to = 0;
  let at = from;
  for (let row = 0; row < rows; row++) {
    const start = to + 4;
    let length = 0;
    if (result[at] === QUOTE) {
      const text = readRecord(result, at, COMMA)?.fields[0]?.text ?? "";
      length = text.length;
      for (let index = 0; index < length; index++) keys[start + index] = text.charCodeAt(index);
      at = endOfQuotes(result, at);
    } else {
      for (; result[at] !== COMMA; at++) keys[start + length++] = result[at] as number;
    }
    lengths.setUint32(to, length, true);
    to = start + length;
    const end = result.indexOf(LF, at);
    numbers.setBigInt64(row * 8, integer(result, at + 1, end), true);
    at = end + 1;
  }
  return { rows, next, keys: keys.subarray(0, to), values };
}

/** The index after a field's closing quote. */
function endOfQuotes(result: Uint8Array, at: number): number {
  for (let index = at + 1; ; index++) {
    if (result[index] !== QUOTE) continue;
    if (result[index + 1] !== QUOTE) return index + 1;
    index++;
  }
}

const endOfRow = (result: Uint8Array, at: number): number =>
  result.indexOf(LF, result[at] === QUOTE ? endOfQuotes(result, at) : at) + 1;

function integer(result: Uint8Array, from: number, end: number): bigint {
  const isNegative = result[from] === MINUS;
  const start = isNegative ? from + 1 : from;
  if (end - start > SAFE_DIGITS) return BigInt(String.fromCharCode(...result.subarray(from, end)));
  let value = 0;
  for (let at = start; at < end; at++) value = value * 10 + (result[at] as number) - ZERO;
  return BigInt(isNegative ? -value : value);
}

const pageHeader = (rows: number, bytes: number): Uint8Array =>
  new ThriftStruct()
    .int32(1, DATA_PAGE)
    .int32(2, bytes)
    .int32(3, bytes)
    .struct(5, new ThriftStruct().int32(1, rows).int32(2, PLAIN).int32(3, RLE).int32(4, RLE))
    .done();

/** The file's last bytes: FileMetaData, its length and the magic. */
export function writeFooter({ columns, groups }: FooterInput): Uint8Array {
  const [key, value] = columns;
  const filled = groups.filter(({ rows }) => rows > 0);
  let at = MAGIC.length;
  const rowGroups = filled.map(({ rows, keyBytes, valueBytes }) => {
    const start = at;
    at += keyBytes + valueBytes;
    return new ThriftStruct()
      .structs(1, [
        columnChunk(BYTE_ARRAY, key, rows, start, keyBytes),
        columnChunk(INT64, value, rows, start + keyBytes, valueBytes),
      ])
      .int64(2, keyBytes + valueBytes)
      .int64(3, rows)
      .int64(5, start)
      .int64(6, keyBytes + valueBytes);
  });
  const metadata = new ThriftStruct()
    .int32(1, 1)
    .structs(2, [
      new ThriftStruct().text(4, "schema").int32(5, 2),
      new ThriftStruct()
        .int32(1, BYTE_ARRAY)
        .int32(3, REQUIRED)
        .text(4, key)
        .int32(6, UTF8)
        // A LogicalType that is STRING.
        .struct(10, new ThriftStruct().struct(1, new ThriftStruct())),
      new ThriftStruct().int32(1, INT64).int32(3, REQUIRED).text(4, value),
    ])
    .int64(
      3,
      filled.reduce((total, { rows }) => total + rows, 0),
    )
    .structs(4, rowGroups)
    .text(6, "kindling")
    .done();
  const footer = new Uint8Array(metadata.length + 4 + MAGIC.length);
  footer.set(metadata);
  new DataView(footer.buffer).setUint32(metadata.length, metadata.length, true);
  footer.set(MAGIC, metadata.length + 4);
  return footer;
}

function columnChunk(type: number, name: string, rows: number, start: number, bytes: number): ThriftStruct {
  const metadata = new ThriftStruct()
    .int32(1, type)
    .int32s(2, [PLAIN])
    .texts(3, [name])
    .int32(4, UNCOMPRESSED)
    .int64(5, rows)
    .int64(6, bytes)
    .int64(7, bytes)
    .int64(9, start);
  return new ThriftStruct().int64(2, start).struct(3, metadata);
}
