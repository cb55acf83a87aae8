import { type ByteReader, InputError, type SourceRange } from "kindling";
import { type DateForm, type Day, formOf, parseDay } from "../data/dates.ts";
import { numberProblem, parseNumber } from "../data/table.ts";
import {
  COMMA,
  dateAt,
  fieldAt,
  fieldsOf,
  keyOf,
  MINUS,
  NEWLINE,
  POINT,
  QUOTE,
  RETURN,
  RowProblem,
  ZERO,
} from "./fields.ts";

/** Where a large file has what: its columns are known, and its rows are read in any number of parts. */
export type Layout = {
  /** The byte after the header. */
  readonly start: number;
  readonly names: readonly string[];
  /** The place of the dates' column. */
  readonly date: number;
  /** The places of the columns to read, in the order in which a row has their values. */
  readonly columns: readonly number[];
};

/** Bytes that are read at a time. */
const PIECE = 2 ** 20;
/** Bytes of a line. */
const LONGEST_LINE = 2 ** 24;
/** 10ⁿ, exact: m / 10ⁿ is the double nearest to the decimal where m has at most 15 digits. */
const POWERS = Array.from({ length: 16 }, (_, n) => Number(`1e${n}`));
const EXACT_DIGITS = 15;

/** In place of a column: the date, and what is not read. */
const DATE = -1;
const SKIP = -2;

/** What a part of a file says of the form of its dates and of blank lines at its end. */
export interface PartEnd {
  readonly rows: number;
  readonly form: DateForm | undefined;
  /** Whether a blank line is the last thing in it. */
  readonly blank: boolean;
}

/** Takes one row; `values` is used again for the next. `at` is the byte where its line begins. */
export type TakeRow = (day: Day, values: Float64Array, at: number) => void;

/**
 * Reads the rows that begin in a range of a CSV file. A record is a line: a field with a line end in it can be no number, and is an
 * error. Errors name file, row and column; to know the row, the lines before it are counted then.
 */
export async function readRows(
  reader: ByteReader,
  range: SourceRange,
  layout: Layout,
  take: TakeRow,
): Promise<PartEnd> {
  const parser = new RowParser(layout, take);
  // A range begins with the first line that begins in it.
  let at = Math.max(range.start, layout.start);
  let searching = at > layout.start;
  if (searching) at--;
  // What is left of a line stays at the front, and the next piece is read behind it.
  let buffer = new Uint8Array(2 * PIECE);
  let rest = 0;
  try {
    while (at - rest < range.end && at < reader.size) {
      const most = Math.min(PIECE, reader.size - at);
      if (rest + most >= buffer.length) {
        const larger = new Uint8Array(2 * buffer.length);
        larger.set(buffer);
        buffer = larger;
      }
      const got = await reader.readInto(buffer.subarray(rest, rest + most), at);
      if (got === 0) throw new InputError(`${reader.name}: the file ended at byte ${at}; it was cut short`);
      let filled = rest + got;
      const base = at - rest;
      at += got;
      // The last line may lack its end.
      if (at === reader.size && buffer[filled - 1] !== NEWLINE) buffer[filled++] = NEWLINE;
      let from = 0;
      if (searching) {
        from = buffer.subarray(0, filled).indexOf(NEWLINE) + 1;
        rest = 0;
        if (from === 0) continue;
        searching = false;
      }
      const to = buffer.lastIndexOf(NEWLINE, filled - 1) + 1;
      if (parser.parse(buffer, from, to, base, range.end)) return parser.end;
      buffer.copyWithin(0, Math.max(from, to), filled);
      rest = filled - Math.max(from, to);
      if (rest > LONGEST_LINE) {
        throw new RowProblem(
          base + to,
          (row) => `row ${row} is longer than ${LONGEST_LINE} bytes; it is no table of numbers`,
        );
      }
    }
  } catch (error) {
    if (!(error instanceof RowProblem)) throw error;
    const row = 2 + (await countLines(reader, layout.start, error.at));
    throw new InputError(`${reader.name}: ${error.tell(row)}`);
  }
  return parser.end;
}

async function countLines(reader: ByteReader, from: number, to: number): Promise<number> {
  const buffer = new Uint8Array(PIECE);
  let lines = 0;
  for (let at = from; at < to; ) {
    const got = await reader.readInto(buffer.subarray(0, Math.min(PIECE, to - at)), at);
    if (got === 0) break;
    for (let index = 0; index < got; index++) if (buffer[index] === NEWLINE) lines++;
    at += got;
  }
  return lines;
}

class RowParser {
  readonly #layout: Layout;
  readonly #take: TakeRow;
  /** By place: where its value goes, DATE, or SKIP. */
  readonly #slots: Int32Array;
  readonly #values: Float64Array;
  readonly #days = new Map<number, Day>();
  #form: DateForm | undefined;
  #rows = 0;
  #blankAt = -1;

  constructor(layout: Layout, take: TakeRow) {
    this.#layout = layout;
    this.#take = take;
    this.#values = new Float64Array(layout.columns.length);
    this.#slots = new Int32Array(layout.names.length).fill(SKIP);
    layout.columns.forEach((place, slot) => {
      this.#slots[place] = slot;
    });
    this.#slots[layout.date] = DATE;
  }

  get end(): PartEnd {
    return { rows: this.#rows, form: this.#form, blank: this.#blankAt >= 0 };
  }

  /** Reads whole lines, which `bytes` has from `from` to `to`, and byte `base` of the file is its first. True: one begins at `limit` or later. */
  parse(bytes: Uint8Array, from: number, to: number, base: number, limit: number): boolean {
    for (let at = from; at < to; ) {
      if (base + at >= limit) return true;
      const start = at;
      const isBlank = bytes[at] === NEWLINE || (bytes[at] === RETURN && bytes[at + 1] === NEWLINE);
      if (isBlank) {
        if (this.#blankAt < 0) this.#blankAt = base + start;
        at += bytes[at] === NEWLINE ? 1 : 2;
        continue;
      }
      if (this.#blankAt >= 0) throw this.#ragged(this.#blankAt, 1);
      at = this.#row(bytes, at, base);
    }
    return false;
  }

  #row(bytes: Uint8Array, start: number, base: number): number {
    const slots = this.#slots;
    const last = slots.length - 1;
    let day = 0;
    let at = start;
    for (let place = 0; place <= last; place++) {
      const slot = slots[place] as number;
      if (slot >= 0) {
        // Digits with a point among them, up to a comma or a line end; all else takes the long way.
        let end = at;
        let code = bytes[end] as number;
        const negative = code === MINUS;
        if (negative) code = bytes[++end] as number;
        let units = 0;
        const digitsFrom = end;
        while (code >= ZERO && code < ZERO + 10) {
          units = units * 10 + code - ZERO;
          code = bytes[++end] as number;
        }
        let digits = end - digitsFrom;
        let decimals = 0;
        if (code === POINT) {
          const decimalsFrom = ++end;
          code = bytes[end] as number;
          while (code >= ZERO && code < ZERO + 10) {
            units = units * 10 + code - ZERO;
            code = bytes[++end] as number;
          }
          decimals = end - decimalsFrom;
          digits += decimals;
        }
        const isEnd = code === COMMA || code === NEWLINE || (code === RETURN && bytes[end + 1] === NEWLINE);
        if (isEnd && digits > 0 && digits <= EXACT_DIGITS) {
          const value = units / (POWERS[decimals] as number);
          this.#values[slot] = negative ? -value : value;
          at = end;
        } else {
          const field = fieldAt(bytes, at, base + start);
          const value = parseNumber(field.text);
          if (value === undefined) {
            const name = this.#layout.names[place];
            throw new RowProblem(base + start, (row) => `row ${row}, column "${name}": ${numberProblem(field.text)}`);
          }
          this.#values[slot] = value;
          at = field.end;
        }
      } else if (slot === DATE) {
        const field = dateAt(bytes, at, this.#days);
        if (field === undefined) {
          const slow = fieldAt(bytes, at, base + start);
          day = this.#day(slow.text.trim(), base + start);
          at = slow.end;
        } else {
          day = field.day;
          at = field.end;
          if (field.form !== this.#form) this.#setForm(field.form, base + start, field.form);
        }
      } else {
        const from = at;
        while (bytes[at] !== COMMA && bytes[at] !== NEWLINE && bytes[at] !== QUOTE) at++;
        if (bytes[at] === QUOTE) at = fieldAt(bytes, from, base + start).end;
      }
      if (bytes[at] === RETURN && bytes[at + 1] === NEWLINE) at++;
      const isLast = place === last;
      if ((bytes[at] === NEWLINE) !== isLast) throw this.#ragged(base + start, fieldsOf(bytes, start, base + start));
      at++;
    }
    this.#rows++;
    this.#take(day, this.#values, base + start);
    return at;
  }

  #day(text: string, at: number): Day {
    const day = parseDay(text);
    if (day === undefined) {
      throw new RowProblem(
        at,
        (row) => `${this.#where(row)}: ${JSON.stringify(text.slice(0, 40))} is no date; write YYYYMMDD or YYYY-MM-DD`,
      );
    }
    this.#setForm(formOf(text), at, text);
    this.#days.set(keyOf(text), day);
    return day;
  }

  #setForm(form: DateForm, at: number, text: string): void {
    this.#form ??= form;
    if (form === this.#form) return;
    const wanted = this.#form;
    throw new RowProblem(
      at,
      (row) => `${this.#where(row)}: ${text} is not written as ${wanted}, as the dates above are`,
    );
  }

  #where(row: number): string {
    return `row ${row}, column "${this.#layout.names[this.#layout.date]}"`;
  }

  #ragged(at: number, fields: number): RowProblem {
    const count = fields === 1 ? "1 field" : `${fields} fields`;
    return new RowProblem(
      at,
      (row) => `row ${row} has ${count} where the header has ${this.#slots.length}; correct or remove it`,
    );
  }
}
