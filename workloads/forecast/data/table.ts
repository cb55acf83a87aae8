import { InputError } from "kindling";
import { parseCsv } from "./csv.ts";
import { type Day, parseDay } from "./dates.ts";

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
/** Characters of a column's name. */
const LONGEST_NAME = 100;
/** What stands for a missing value, beside an empty cell. */
const MISSING = new Set(["", "NA", "NaN", "nan", "null"]);

/** A file of one row a day. */
export interface Table {
  /** As the user named the file, for messages. */
  readonly name: string;
  /** As they came in. */
  readonly dates: readonly string[];
  readonly days: readonly Day[];
  /** By name; NaN where a value is missing. */
  readonly columns: ReadonlyMap<string, Float64Array>;
}

/**
 * Reads a CSV file with a header, a date column and numbers. `wanted` says of each other column whether it is needed: it
 * gets the header's names and gives those to read; a name that the header lacks is an error, as are ragged rows, text in
 * place of a number, wrong and repeated dates, and a file without rows. Rows keep the file's order.
 */
export function readTable(
  bytes: Uint8Array,
  name: string,
  dateColumn: string,
  wanted: (header: readonly string[]) => readonly string[],
): Table {
  const [header, ...records] = parseCsv(decode(bytes, name), name);
  if (header === undefined) throw new InputError(`${name}: the file is empty; a header and rows are expected`);
  const names = header.map((field) => field.trim());
  checkHeader(names, name);
  if (records.length === 0) throw new InputError(`${name}: there is a header but no row below it`);
  records.forEach((record, index) => {
    if (record.length === names.length) return;
    throw new InputError(
      `${name}: row ${index + 2} has ${fields(record.length)} where the header has ${names.length}; correct or remove it`,
    );
  });
  const dateAt = place(names, dateColumn, name, "date");
  const dates = records.map((record) => (record[dateAt] as string).trim());
  const columns = new Map(
    wanted(names.filter((column) => column !== dateColumn)).map((column) => {
      const at = place(names, column, name, "column");
      return [column, Float64Array.from(records, (record, row) => number(record[at] as string, name, row + 2, column))];
    }),
  );
  return { name, dates, days: readDays(dates, name, dateColumn), columns };
}

/** The rows of a table in this order. */
export function takeRows(table: Table, rows: readonly number[]): Table {
  return {
    name: table.name,
    dates: rows.map((row) => table.dates[row] as string),
    days: rows.map((row) => table.days[row] as Day),
    columns: new Map(
      [...table.columns].map(([name, values]) => [name, Float64Array.from(rows, (row) => values[row] as number)]),
    ),
  };
}

function decode(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new InputError(`${name}: the file is not UTF-8 text; save it as CSV in UTF-8`, { cause });
  }
}

function checkHeader(names: readonly string[], file: string): void {
  names.forEach((column, index) => {
    if (column === "") throw new InputError(`${file}: row 1: column ${index + 1} has no name`);
    if (column.length > LONGEST_NAME || column === "__proto__") {
      throw new InputError(
        `${file}: row 1: column ${index + 1} cannot be named ${column.slice(0, 40)}…; shorten or change it`,
      );
    }
    if (names.indexOf(column) !== index)
      throw new InputError(`${file}: row 1: the column "${column}" stands there twice`);
  });
}

function place(names: readonly string[], column: string, file: string, what: string): number {
  const at = names.indexOf(column);
  if (at >= 0) return at;
  const option = what === "date" ? " (choose the date column with --date)" : "";
  throw new InputError(`${file}: row 1: the column "${column}" is missing${option}; the file has ${names.join(", ")}`);
}

function number(field: string, file: string, row: number, column: string): number {
  const text = field.trim();
  if (MISSING.has(text)) return Number.NaN;
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(value)) return value;
  throw new InputError(
    `${file}: row ${row}, column "${column}": ${JSON.stringify(text.slice(0, 40))} is not a number; leave the cell empty if it is missing`,
  );
}

function readDays(dates: readonly string[], file: string, column: string): Day[] {
  const rows = new Map<Day, number>();
  return dates.map((text, index) => {
    const day = parseDay(text);
    if (day === undefined) {
      const shown = JSON.stringify(text.slice(0, 40));
      throw new InputError(
        `${file}: row ${index + 2}, column "${column}": ${shown} is no date; write YYYYMMDD or YYYY-MM-DD`,
      );
    }
    const earlier = rows.get(day);
    if (earlier !== undefined) {
      throw new InputError(`${file}: row ${index + 2}, column "${column}": ${text} stands in row ${earlier} already`);
    }
    rows.set(day, index + 2);
    return day;
  });
}

const fields = (count: number): string => (count === 1 ? "1 field" : `${count} fields`);
