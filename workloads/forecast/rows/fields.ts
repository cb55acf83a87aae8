import type { DateForm, Day } from "../data/dates.ts";

/** Bytes that have a meaning in a CSV file. */
export const [NEWLINE, RETURN, QUOTE, COMMA, MINUS, POINT, ZERO] = [10, 13, 34, 44, 45, 46, 48];

/** Something wrong in the line that begins at byte `at`. */
export class RowProblem extends Error {
  readonly at: number;
  readonly tell: (row: number) => string;

  constructor(at: number, tell: (row: number) => string) {
    super("a row cannot be read");
    this.at = at;
    this.tell = tell;
  }
}

/** A date as a number that tells both forms apart. */
export const keyOf = (text: string): number => Number(text.replaceAll("-", "")) * (text.includes("-") ? -1 : 1);

/** A date that was read before. */
export function dateAt(
  bytes: Uint8Array,
  start: number,
  known: ReadonlyMap<number, Day>,
): { readonly day: Day; readonly form: DateForm; readonly end: number } | undefined {
  const dashed = bytes[start + 4] === MINUS;
  let end = start;
  let key = 0;
  for (let digit = 0; digit < 8; digit++) {
    if (dashed && (digit === 4 || digit === 6) && bytes[end++] !== MINUS) return undefined;
    const code = bytes[end++] as number;
    if (!(code >= ZERO && code < ZERO + 10)) return undefined;
    key = key * 10 + code - ZERO;
  }
  if (bytes[end] !== COMMA && bytes[end] !== NEWLINE && bytes[end] !== RETURN) return undefined;
  const day = known.get(dashed ? -key : key);
  return day === undefined ? undefined : { day, form: dashed ? "YYYY-MM-DD" : "YYYYMMDD", end };
}

/** The field at `start`, without its quotes, and where what ends it is. `line` is where its line begins, for messages. */
export function fieldAt(
  bytes: Uint8Array,
  start: number,
  line: number,
): { readonly text: string; readonly end: number } {
  let end = start;
  if (bytes[start] !== QUOTE) {
    while (bytes[end] !== COMMA && bytes[end] !== NEWLINE) {
      if (bytes[end] === QUOTE)
        throw new RowProblem(line, (row) => `row ${row}: a quote inside a field that is not quoted`);
      end++;
    }
    if (bytes[end] === NEWLINE && end > start && bytes[end - 1] === RETURN) end--;
    return { text: decode(bytes.subarray(start, end), line), end };
  }
  for (end = start + 1; ; end++) {
    if (bytes[end] === NEWLINE || end >= bytes.length) {
      throw new RowProblem(line, (row) => `row ${row}: a quoted field is not closed before the line ends`);
    }
    if (bytes[end] !== QUOTE) continue;
    if (bytes[end + 1] !== QUOTE) break;
    end++;
  }
  const after = bytes[end + 1];
  if (after !== COMMA && after !== NEWLINE && after !== RETURN) {
    throw new RowProblem(line, (row) => `row ${row}: text after a closing quote`);
  }
  return { text: decode(bytes.subarray(start + 1, end), line).replaceAll('""', '"'), end: end + 1 };
}

function decode(bytes: Uint8Array, line: number): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new RowProblem(line, (row) => `row ${row} is not UTF-8 text; save the file as CSV in UTF-8`);
  }
}

export function fieldsOf(bytes: Uint8Array, start: number, line: number): number {
  let fields = 1;
  for (let at = fieldAt(bytes, start, line).end; bytes[at] !== NEWLINE; fields++) {
    if (bytes[at] !== COMMA) return fields;
    at = fieldAt(bytes, at + 1, line).end;
    if (bytes[at] === RETURN && bytes[at + 1] === NEWLINE) at++;
  }
  return fields;
}
