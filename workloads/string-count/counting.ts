/** What the driver and the counting kernels say to each other. */
import type { SourceRange } from "kindling";
import type { ByteString } from "./bytes.ts";
import type { TupleSpec } from "./tuples.ts";

export type Dialect = {
  /** A byte. */
  readonly delimiter: number;
  /** How many fields a record has. */
  readonly columns: number;
  /** Index of the key's column, and of the value's. */
  readonly key: number;
  readonly value: number;
};

/** A part of a CSV file: it has the records whose first byte lies in the range. */
export type CsvPart = {
  readonly range: SourceRange;
  /** Where its first record begins; null: guess that the byte before the range is outside of quotes, and look. */
  readonly first: number | null;
};

export type CsvPlan = {
  readonly dialect: Dialect;
  readonly skipBadRows: boolean;
  /** Every value counts as 1 and bad rows are passed over: the sums are how often each key occurs. */
  readonly isSample: boolean;
  /** Ascending; one fewer than there are buckets. */
  readonly splitters: readonly ByteString[];
};

export type TuplePlan = { readonly spec: TupleSpec; readonly splitters: readonly ByteString[] };

/** In the order of precedence when a record has several. The WASM kernel reports a problem by its place here, from 1. */
export const PROBLEMS = [
  "unterminated",
  "tooLong",
  "nul",
  "badQuote",
  "ragged",
  "encoding",
  "notInteger",
  "outOfRange",
] as const;
export type Problem = (typeof PROBLEMS)[number];

export type BadRow = {
  readonly problem: Problem;
  /** Records of this part before it. */
  readonly row: number;
  /** Where the record begins in the file. */
  readonly offset: number;
  /** Which field of the record, by index; −1 if none in particular. */
  readonly column: number;
  /** The field's text, clipped; for a ragged row the number of its fields. */
  readonly detail: string;
};

export type CountSummary = {
  /** Where the first record began, and where the record after the last begins; −1 if a bad row came in between. */
  readonly first: number;
  readonly next: number;
  /** Records, with blank and bad ones. */
  readonly rows: number;
  readonly tuples: number;
  readonly skipped: number;
  /** Counting stopped here. The driver decides whether it matters: a wrong guess finds bad rows in a good file. */
  readonly bad: BadRow | null;
};

/** Characters of a bad field that are shown. */
export const DETAIL_CHARACTERS = 60;
