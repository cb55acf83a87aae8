import { InputError } from "kindling";
import type { LinearModel } from "../forest/linear.ts";
import { MAX_ROWS, makeTrainingSet, type TrainingSet } from "../forest/training-set.ts";
import { type Baselines, makeBaselines } from "./baselines.ts";
import { type CleaningCount, cleanColumn, fitRange, type Range, repairLater } from "./cleaning.ts";
import { compactDate } from "./dates.ts";
import { type FeatureOptions, type FeaturePlan, makeFeatures, planFeatures } from "./features.ts";
import { History } from "./history.ts";
import { type Table, takeRows } from "./table.ts";

/** Rows to predict. */
export type Query = {
  /** As they came in. */
  readonly dates: readonly string[];
  /** [rows × features] */
  readonly features: Float64Array;
  /** The true target, NaN where it is not known. */
  readonly truth: Float64Array;
  /** Absent where rows are read in parts, whose past is not at hand. */
  readonly baselines?: Baselines;
};

/** Which of a job's series a model is for. */
export type SeriesName = { readonly column: string; readonly name: string };

/** All that training and prediction need; what a stage's tasks get as their broadcast value. */
export type Prepared = {
  readonly target: string;
  /** `null` where there is a single one. */
  readonly series: SeriesName | null;
  /** Whether its result begins a file. */
  readonly header: boolean;
  readonly features: readonly string[];
  readonly plan: FeaturePlan;
  readonly training: TrainingSet;
  /** Added to what the trees predict, whose training set has what it leaves. */
  readonly linear?: LinearModel;
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

/** What a model is made from. */
export interface PrepareRequest {
  /** Sorted by day. */
  readonly observed: Table;
  /** So many of the first rows are trained on. Those after them are known when later days are predicted, and no earlier. */
  readonly trainRows: number;
  /** The rows to predict. */
  readonly queries: Readonly<Record<string, Table>>;
  readonly predictors: readonly string[];
  readonly target: string;
  readonly features: FeatureOptions;
  /** A single one by default. */
  readonly series?: SeriesName | null;
  /** True by default. */
  readonly header?: boolean;
}

/**
 * Fits the cleaning rule on the training rows, applies it to them and to every query, and makes features. No value of a later day reaches
 * what a day of a query is predicted from; a query named `future` is known as a whole, and cleaned as such.
 */
export function prepareTables(request: PrepareRequest): {
  readonly prepared: Prepared;
  readonly counts: Readonly<Record<string, CleaningCounts>>;
} {
  const { observed, predictors, target } = request;
  const train = takeRows(observed, [...observed.days.keys()].slice(0, request.trainRows));
  const columns = [...predictors, target];
  const plan = planFeatures(request.features, predictors, target, observed.name);
  const ranges = new Map(columns.map((column) => [column, fitRange(columnOf(train, column))]));
  const cleaned = cleanTable(train, columns, (values, column) => cleanColumn(values, ranges.get(column)));
  const known = withTarget(cleaned.table, target);
  const cleanLater: Clean = (values, column) => {
    const { repaired = 0, unusual = 0, empty = 0 } = cleaned.counts[column] ?? {};
    return cleanColumn(values, ranges.get(column), repairLater(repaired + unusual, train.days.length - empty));
  };
  const histories = historiesOf(observed, cleaned.table, new Set([target, ...plan.past]), cleanLater);
  const features = makeFeatures(known, plan, histories);
  const history = histories.get(target) as History;
  // The true values that predictions are scored against stay as they came.
  const asked = Object.entries(request.queries).map(([name, table]) => {
    const clean: Clean = name === "future" ? (values, column) => cleanColumn(values, ranges.get(column)) : cleanLater;
    const { table: usable, counts } = cleanTable(table, plan.same, clean);
    const query: Query = {
      dates: usable.dates,
      features: makeFeatures(usable, plan, histories).values,
      truth: usable.columns.get(target) ?? new Float64Array(usable.days.length).fill(Number.NaN),
      baselines: makeBaselines(usable.days, plan.horizon ?? 1, history, {
        days: known.days,
        values: columnOf(known, target),
      }),
    };
    return { name, query, counts };
  });
  const prepared: Prepared = {
    target,
    series: request.series ?? null,
    header: request.header ?? true,
    features: features.names,
    plan,
    training: makeTrainingSet(features.values, features.names.length, columnOf(known, target)),
    trainedFrom: compactDate(known.days[0] ?? 0),
    trainedTo: compactDate(known.days.at(-1) ?? 0),
    ranges: Object.fromEntries([...ranges].map(([column, range]) => [column, range ?? null])),
    queries: Object.fromEntries(asked.map(({ name, query }) => [name, query])),
  };
  const counts = [["train", cleaned.counts] as const, ...asked.map(({ name, counts }) => [name, counts] as const)];
  return { prepared, counts: Object.fromEntries(counts) };
}

type Clean = (values: Float64Array, column: string) => ReturnType<typeof cleanColumn>;

/** What was known of these columns: the cleaned training rows, then each later row as it looked when it came. */
function historiesOf(
  observed: Table,
  train: Table,
  columns: ReadonlySet<string>,
  cleanLater: Clean,
): ReadonlyMap<string, History> {
  const histories = [...columns].map((column): [string, History] => {
    const values = cleanLater(columnOf(observed, column), column).values.slice();
    values.set(columnOf(train, column));
    return [column, new History(observed.days, values)];
  });
  return new Map(histories);
}

function cleanTable(
  table: Table,
  columns: readonly string[],
  clean: Clean,
): { readonly table: Table; readonly counts: CleaningCounts } {
  const cleaned = columns.map((column) => ({ column, ...clean(columnOf(table, column), column) }));
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

function columnOf(table: Table, column: string): Float64Array {
  const values = table.columns.get(column);
  if (values === undefined) throw new RangeError(`the column ${column} was not read from ${table.name}`);
  return values;
}
