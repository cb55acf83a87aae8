/** What may be wrong with a row, and what a part of a Parquet file reports. */
import { InputError } from "kindling";
import { quoted } from "../bytes.ts";

/** The WASM kernel reports a problem by its place here, from 1 (assembly/parquet/columns.ts). */
export const PARQUET_PROBLEMS = ["null", "nul", "encoding", "tooLong"] as const;
export type ParquetProblem = (typeof PARQUET_PROBLEMS)[number];

export type BadParquetRow = {
  readonly problem: ParquetProblem;
  /** Rows of this part before it. */
  readonly row: number;
  readonly column: "key" | "value";
  /** The key's text, clipped. */
  readonly detail: string;
};

export type ParquetSummary = {
  readonly rows: number;
  readonly tuples: number;
  readonly skipped: number;
  /** Counting stopped here. */
  readonly bad: BadParquetRow | null;
};

const EXPLANATIONS: { readonly [P in ParquetProblem]: (detail: string) => string } = {
  null: () => "it is null",
  nul: (detail) => `${quoted(detail)} has a NUL byte`,
  encoding: (detail) => `${quoted(detail)} is not valid UTF-8`,
  tooLong: () => "it is longer than 4194304 bytes",
};

/** `row` counts the file's rows from 1. */
export function badParquetRowError(file: string, bad: BadParquetRow, row: number, column: string): InputError {
  return new InputError(
    `${file}: row ${row}, column ${quoted(column)}: ${EXPLANATIONS[bad.problem](bad.detail)}; ` +
      "--on-bad-row skip passes over such rows",
  );
}
