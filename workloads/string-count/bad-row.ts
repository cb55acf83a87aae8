import { InputError } from "kindling";
import { quoted } from "./bytes.ts";
import type { BadRow, Dialect, Problem } from "./counting.ts";
import { MAX_RECORD_BYTES } from "./csv.ts";

const INT64 = "-9223372036854775808 to 9223372036854775807";

const EXPLANATIONS: { readonly [P in Problem]: (bad: BadRow, dialect: Dialect) => string } = {
  unterminated: () => "a quote is opened and never closed; close it, or double the quotes that are data",
  tooLong: () =>
    `it is longer than ${MAX_RECORD_BYTES} bytes, which --on-bad-row does not pass over; look for a lost quote`,
  nul: () => "it has a NUL byte; is the file UTF-8 text?",
  badQuote: () => "text follows the closing quote; double the quotes that are data",
  ragged: ({ detail }, { columns }) =>
    `it has ${detail} ${detail === "1" ? "field" : "fields"} where there should be ${columns}; quote delimiters that are data`,
  encoding: ({ detail }) => `${quoted(detail)} is not valid UTF-8; convert the file`,
  notInteger: ({ detail }) =>
    detail === "" ? "it is empty where an integer belongs" : `${quoted(detail)} is not an integer`,
  outOfRange: ({ detail }) => `${quoted(detail)} does not fit into a signed 64-bit integer (${INT64})`,
};

/** `row` counts from 1, the header included. */
export function badRowError(
  file: string,
  bad: BadRow,
  row: number,
  dialect: Dialect,
  names: { readonly key: string; readonly value: string },
): InputError {
  const name = bad.column === dialect.key ? names.key : bad.column === dialect.value ? names.value : undefined;
  const column = bad.column < 0 ? "" : `, column ${name === undefined ? bad.column + 1 : quoted(name)}`;
  const advice = bad.problem === "tooLong" ? "" : "; --on-bad-row skip passes over such rows";
  return new InputError(`${file}: row ${row}${column}: ${EXPLANATIONS[bad.problem](bad, dialect)}${advice}`);
}
