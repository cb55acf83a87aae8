import { dayOfYear, isoWeek } from "./dates.ts";
import type { Table } from "./table.ts";

/** Rows of numbers, one after the other, for training or prediction. */
export type Features = {
  readonly names: readonly string[];
  /** [rows × names], NaN where missing. */
  readonly values: Float64Array;
};

/**
 * The columns that predict: all but the date and the target. They are sorted by code units, so that the order of a
 * file's columns does not change the model.
 */
export const predictorsOf = (header: readonly string[], target: string): string[] =>
  header.filter((column) => column !== target).sort();

/**
 * What a row is predicted from: ISO week, day of the year, each predictor, and temp × rainfall where both columns exist.
 */
export function makeFeatures(table: Table, predictors: readonly string[]): Features {
  const columns: [string, (row: number) => number][] = [
    ["ISO week", (row) => isoWeek(table.days[row] as number)],
    ["day of year", (row) => dayOfYear(table.days[row] as number)],
    ...predictors.map((name): [string, (row: number) => number] => [name, (row) => cell(table, name, row)]),
  ];
  if (predictors.includes("temp") && predictors.includes("rainfall")) {
    columns.push(["temp × rainfall", (row) => cell(table, "temp", row) * cell(table, "rainfall", row)]);
  }
  const values = new Float64Array(table.days.length * columns.length);
  columns.forEach(([, valueOf], at) => {
    for (let row = 0; row < table.days.length; row++) values[row * columns.length + at] = valueOf(row);
  });
  return { names: columns.map(([name]) => name), values };
}

const cell = (table: Table, column: string, row: number): number => table.columns.get(column)?.[row] ?? Number.NaN;
