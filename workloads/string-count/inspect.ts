import { InputError, type TaskContext } from "kindling";
import { byteStringToText, quoted, toByteString } from "./bytes.ts";
import type { Dialect } from "./counting.ts";
import { type CsvRecord, MAX_RECORD_BYTES, readRecord } from "./csv.ts";
import type { Reading } from "./reading.ts";
import { SourceWindow } from "./source-window.ts";

export type InspectInput = {
  readonly source: number;
  readonly delimiter: number;
  readonly header: boolean;
  /** Column names, or numbers from 1 where there is no header. */
  readonly key: string;
  readonly value: string;
};

export type Inspection = {
  readonly dialect: Dialect;
  /** Where the first record after the header begins. */
  readonly start: number;
};

const BOM = "\u00ef\u00bb\u00bf";
const UTF16 = /^(\u00ff\u00fe|\u00fe\u00ff)/;
const SHOWN_COLUMNS = 20;

/** Reads the file's first record: which columns there are, and which of them are the key and the value. */
export function* inspect(input: InspectInput, context: TaskContext): Reading<Inspection> {
  const reader = context.open(input.source);
  const { name } = reader;
  if (reader.size === 0) throw new InputError(`${name}: the file is empty; it needs a header and rows`);
  const mark = new Uint8Array(3);
  const got = yield reader.readInto(mark, 0);
  const begin = toByteString(mark.subarray(0, got));
  if (UTF16.test(begin)) throw new InputError(`${name}: row 1: the file is UTF-16; convert it to UTF-8 first`);
  const from = begin === BOM ? BOM.length : 0;
  const window = new SourceWindow(reader);
  const record = yield* window.parse(from, (data, index) => readRecord(data, index, input.delimiter));
  checkFirst(record, window.length(from, record), from === reader.size, name);
  const names = record?.fields.map((field) => field.text) ?? [];
  const find = input.header ? columnByName : columnByNumber;
  return {
    dialect: {
      delimiter: input.delimiter,
      columns: names.length,
      key: find(input.key, "--key", names, name),
      value: find(input.value, "--value", names, name),
    },
    start: input.header && record !== undefined ? window.position(record.next) : from,
  };
}

function checkFirst(record: CsvRecord | undefined, length: number, isEmpty: boolean, file: string): void {
  const fault = (what: string) => new InputError(`${file}: row 1: ${what}`);
  if (isEmpty) throw new InputError(`${file}: the file is empty; it needs a header and rows`);
  if (length > MAX_RECORD_BYTES) throw fault(`it is longer than ${MAX_RECORD_BYTES} bytes; is this a CSV file?`);
  if (record === undefined) throw fault("a quote is never closed; close it, or double quotes that are data");
  if (record.hasNul) throw fault("it has a NUL byte; is this a CSV file in UTF-8?");
  if (record.blank) throw fault("it is blank; remove it, so that the file begins with its header");
  const badQuote = record.fields.findIndex((field) => field.badQuote);
  if (badQuote >= 0) throw fault(`column ${badQuote + 1}: text follows a closing quote; double quotes that are data`);
}

function columnByName(column: string, option: string, names: readonly string[], file: string): number {
  const texts = names.map(byteStringToText);
  const index = texts.indexOf(column);
  if (index < 0) {
    const shown = texts.slice(0, SHOWN_COLUMNS).map(quoted).join(", ");
    const more = texts.length > SHOWN_COLUMNS ? ` and ${texts.length - SHOWN_COLUMNS} more` : "";
    throw new InputError(
      `${file}: row 1: there is no column ${quoted(column)} (${option}); the columns are ${shown}${more}; ` +
        `choose with ${option}, or set --delimiter if the file has another one`,
    );
  }
  if (texts.indexOf(column, index + 1) >= 0) {
    throw new InputError(`${file}: row 1: two columns are called ${quoted(column)} (${option}); rename one of them`);
  }
  return index;
}

function columnByNumber(column: string, option: string, names: readonly string[], file: string): number {
  const number = Number(column);
  if (!/^[1-9][0-9]{0,8}$/.test(column) || number > names.length) {
    throw new InputError(
      `${file}: without a header ${option} is a column's number from 1 to ${names.length}, not ${quoted(column)}`,
    );
  }
  return number - 1;
}
