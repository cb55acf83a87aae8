import { InputError } from "kindling";
import { MAX_ROWS, makeTrainingSet, type TrainingSet } from "../forest/training-set.ts";
import { type CleaningCount, cleanColumn, fitRange, type Range } from "./cleaning.ts";
import { compactDate } from "./dates.ts";
import { makeFeatures } from "./features.ts";
import { type Table, takeRows } from "./table.ts";

/** Rows to predict. */
export type Query = {
  /** As they came in. */
  readonly dates: readonly string[];
  /** [rows × features] */
  readonly features: Float64Array;
  /** The true target, NaN where it is not known. */
  readonly truth: Float64Array;
};

/** All that training and prediction need; what a stage's tasks get as their broadcast value. */
export type Prepared = {
  readonly target: string;
  readonly features: readonly string[];
  readonly training: TrainingSet;
  /** First and last training day, YYYYMMDD. */
  readonly trainedFrom: string;
  readonly trainedTo: string;
  /** By column, the target included; `null` where no rule could be fitted. */
  readonly ranges: Readonly<Record<string, Range | null>>;
  /** By name: holdout, future, actual. The first one makes the result file. */
  readonly queries: Readonly<Record<string, Query>>;
};

/** What cleaning did, by column; columns that it left alone are not listed. */
export type CleaningCounts = Readonly<Record<string, CleaningCount>>;

/** Fits the cleaning rule on `train`, applies it to `train` and every query by itself, and makes features. */
export function prepareTables(
  train: Table,
  queries: Readonly<Record<string, Table>>,
  predictors: readonly string[],
  target: string,
): { readonly prepared: Prepared; readonly counts: Readonly<Record<string, CleaningCounts>> } {
  const columns = [...predictors, target];
  const ranges = new Map(columns.map((column) => [column, fitRange(columnOf(train, column))]));
  const cleaned = cleanTable(train, columns, ranges);
  // The true values that predictions are scored against stay as they came.
  const asked = Object.entries(queries).map(([name, table]) => ({ name, ...cleanTable(table, predictors, ranges) }));
  const known = withTarget(cleaned.table, target);
  const features = makeFeatures(known, predictors);
  const prepared: Prepared = {
    target,
    features: features.names,
    training: makeTrainingSet(features.values, features.names.length, columnOf(known, target)),
    trainedFrom: compactDate(known.days[0] ?? 0),
    trainedTo: compactDate(known.days.at(-1) ?? 0),
    ranges: Object.fromEntries([...ranges].map(([column, range]) => [column, range ?? null])),
    queries: Object.fromEntries(asked.map(({ name, table }) => [name, makeQuery(table, predictors, target)])),
  };
  const counts = [["train", cleaned.counts] as const, ...asked.map(({ name, counts }) => [name, counts] as const)];
  return { prepared, counts: Object.fromEntries(counts) };
}

function cleanTable(
  table: Table,
  columns: readonly string[],
  ranges: ReadonlyMap<string, Range | undefined>,
): { readonly table: Table; readonly counts: CleaningCounts } {
  const cleaned = columns.map((column) => ({ column, ...cleanColumn(columnOf(table, column), ranges.get(column)) }));
  const values = cleaned.map(({ column, values }) => [column, values] as const);
  const touched = cleaned.filter(({ count }) => Object.values(count).some((cells) => cells > 0));
  return {
    table: { ...table, columns: new Map([...table.columns, ...values]) },
    counts: Object.fromEntries(touched.map(({ column, count }) => [column, count])),
  };
}

/** The rows that can be trained on. */
function withTarget(table: Table, target: string): Table {
  const values = columnOf(table, target);
  const rows = [...values.keys()].filter((row) => values[row] === values[row]);
  if (rows.length === 0) {
    throw new InputError(`${table.name}: no row to train on has a value in the column "${target}"; add known values`);
  }
  if (rows.length > MAX_ROWS) {
    throw new InputError(
      `${table.name}: ${rows.length} rows to train on; at most ${MAX_ROWS} are possible, shorten the file`,
    );
  }
  return takeRows(table, rows);
}

const makeQuery = (table: Table, predictors: readonly string[], target: string): Query => ({
  dates: table.dates,
  features: makeFeatures(table, predictors).values,
  truth: table.columns.get(target) ?? new Float64Array(table.days.length).fill(Number.NaN),
});

function columnOf(table: Table, column: string): Float64Array {
  const values = table.columns.get(column);
  if (values === undefined) throw new RangeError(`the column ${column} was not read from ${table.name}`);
  return values;
}
