import { InputError } from "kindling";
import { parseCsv } from "./csv.ts";
import { type Day, type DateForm, formOf, parseDay } from "./dates.ts";

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
/**
 * The largest value, positive or negative. The product of two, as temp × rainfall is, can still be squared, and the squares of all
 * rows added up, within a double.
 */
const LARGEST = 1e75;
/** Characters of a column's name. */
const LONGEST_NAME = 100;
/** Columns that a message names. */
const LISTED = 20;
/** What stands for a missing value, beside an empty cell. */
const MISSING = new Set(["", "NA", "NaN", "nan", "null"]);

/** A file of one row a day; of one row a day and place, while it still has `series`. */
export interface Table {
  /** As the user named the file, for messages. */
  readonly name: string;
  /** As they came in. */
  readonly dates: readonly string[];
  readonly days: readonly Day[];
  /** By name; NaN where a value is missing. */
  readonly columns: ReadonlyMap<string, Float64Array>;
  /** Of each row, the place or thing that it tells of, where a file holds several. */
  readonly series?: readonly string[];
}

/** The columns that are no numbers. */
export type KeyColumns = {
  readonly date: string;
  /** The column that tells several series in one file apart. */
  readonly series?: string | undefined;
};

/**
 * Reads a CSV file with a header, a date column and numbers. `wanted` says of each other column whether it is needed: it
 * gets the header's names and gives those to read; a name that the header lacks is an error, as are ragged rows, text in
 * place of a number, wrong and repeated dates, dates in two forms, and a file without rows. Rows keep the file's order.
 */
export function readTable(
  bytes: Uint8Array,
  name: string,
  keys: KeyColumns,
  wanted: (header: readonly string[]) => readonly string[],
): Table {
  const [header, ...records] = parseCsv(decode(bytes, name), name);
  if (header === undefined) throw new InputError(`${name}: the file is empty; a header and rows are expected`);
  const names = header.map((field) => field.trim());
  const places = checkHeader(names, name);
  if (records.length === 0) throw new InputError(`${name}: there is a header but no row below it`);
  records.forEach((record, index) => {
    if (record.length === names.length) return;
    throw new InputError(
      `${name}: row ${index + 2} has ${fields(record.length)} where the header has ${names.length}; correct or remove it`,
    );
  });
  const texts = (column: string, option: string): string[] => {
    const at = place(places, column, name, option);
    return records.map((record) => (record[at] as string).trim());
  };
  const dates = texts(keys.date, "date");
  const series = keys.series === undefined ? undefined : readSeries(texts(keys.series, "series"), name, keys.series);
  const columns = new Map(
    wanted(names.filter((column) => column !== keys.date && column !== keys.series)).map((column) => {
      const at = place(places, column, name);
      return [column, Float64Array.from(records, (record, row) => number(record[at] as string, name, row + 2, column))];
    }),
  );
  const days = readDays(dates, series, name, keys.date);
  return series === undefined ? { name, dates, days, columns } : { name, dates, days, columns, series };
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

/** Where each column stands. */
export function checkHeader(names: readonly string[], file: string): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  names.forEach((column, index) => {
    if (column === "") throw new InputError(`${file}: row 1: column ${index + 1} has no name`);
    if (column.length > LONGEST_NAME || column === "__proto__") {
      throw new InputError(
        `${file}: row 1: column ${index + 1} cannot be named ${column.slice(0, 40)}…; shorten or change it`,
      );
    }
    if (places.has(column)) throw new InputError(`${file}: row 1: the column "${column}" stands there twice`);
    places.set(column, index);
  });
  return places;
}

/** Where a column that is needed stands; `option` is the one that names it. */
export function place(places: ReadonlyMap<string, number>, column: string, file: string, option?: string): number {
  const at = places.get(column);
  if (at !== undefined) return at;
  const advice = option === undefined ? "" : ` (choose the ${option} column with --${option})`;
  const names = [...places.keys()].slice(0, LISTED).join(", ");
  const more = places.size > LISTED ? ` and ${places.size - LISTED} more` : "";
  const separated = places.size === 1 && /[;\t|]/.test(names) ? "; columns must be separated by commas" : "";
  throw new InputError(
    `${file}: row 1: the column "${column}" is missing${advice}; the file has ${names}${more}${separated}`,
  );
}

/** NaN where the field stands for a missing value; `undefined` where it is neither that nor a number up to LARGEST. */
export function parseNumber(field: string): number | undefined {
  const text = field.trim();
  if (MISSING.has(text)) return Number.NaN;
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Math.abs(value) <= LARGEST ? value : undefined;
}

/** What is wrong with a field for which `parseNumber` gives `undefined`. */
export function numberProblem(field: string): string {
  const text = field.trim();
  const shown = JSON.stringify(text.slice(0, 40));
  return NUMBER.test(text)
    ? `${shown} is beyond ±${LARGEST}; correct it, or leave the cell empty`
    : `${shown} is not a number; leave the cell empty if it is missing`;
}

function number(field: string, file: string, row: number, column: string): number {
  const value = parseNumber(field);
  if (value !== undefined) return value;
  throw new InputError(`${file}: row ${row}, column "${column}": ${numberProblem(field)}`);
}

function readDays(
  dates: readonly string[],
  series: readonly string[] | undefined,
  file: string,
  column: string,
): Day[] {
  const rows = new Map<string, Map<Day, number>>();
  let form: DateForm | undefined;
  return dates.map((text, index) => {
    const where = `${file}: row ${index + 2}, column "${column}"`;
    const day = parseDay(text);
    if (day === undefined) {
      throw new InputError(`${where}: ${JSON.stringify(text.slice(0, 40))} is no date; write YYYYMMDD or YYYY-MM-DD`);
    }
    form ??= formOf(text);
    if (form !== formOf(text))
      throw new InputError(`${where}: ${text} is not written as ${form}, as the dates above are`);
    const name = series?.[index] ?? "";
    const known = rows.get(name) ?? new Map<Day, number>();
    const earlier = known.get(day);
    if (earlier !== undefined) {
      const whose = series === undefined ? "" : ` of ${JSON.stringify(name)}`;
      throw new InputError(`${where}: ${text}${whose} stands in row ${earlier} already`);
    }
    rows.set(name, known.set(day, index + 2));
    return day;
  });
}

function readSeries(names: readonly string[], file: string, column: string): readonly string[] {
  names.forEach((name, index) => {
    if (name !== "" && name.length <= LONGEST_NAME && name !== "__proto__") return;
    const problem = name === "" ? "is empty" : `cannot be ${JSON.stringify(name.slice(0, 40))}`;
    throw new InputError(`${file}: row ${index + 2}, column "${column}": the name of the series ${problem}`);
  });
  return names;
}

const fields = (count: number): string => (count === 1 ? "1 field" : `${count} fields`);
