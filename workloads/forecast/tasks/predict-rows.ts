import { defineTask } from "kindling";
import { type Day, formatDate } from "../data/dates.ts";
import type { CleaningCounts } from "../data/prepared.ts";
import { type Forest, sumLeaves } from "../forest/forest.ts";
import { predictionsOf } from "../forest/predictions.ts";
import { RowBatch } from "../rows/batch.ts";
import { readRows } from "../rows/records.ts";
import { LISTED, type Part, RowCleaner, type RowRules } from "../rows/rules.ts";
import { type Division, partOf } from "../rows/survey.ts";
import { type Conclusion, conclude } from "./conclude.ts";
import type { PartInput } from "./read-rows.ts";

/** Rules and trees: all that predictions need. */
export type RowModel = { readonly rules: RowRules; readonly forest: readonly Forest[] };

/** The rules come first. */
export const joinModel = defineTask<readonly (RowRules | Forest)[], RowModel>({
  js: ([rules, ...forest]) => ({ rules: rules as RowRules, forest: forest as Forest[] }),
});

export type PredictInput = PartInput & {
  readonly part: Part;
  /** Which rows to predict; `null` for all. */
  readonly division: Division | null;
  readonly hasTarget: boolean;
};

/** The predictions of a part's rows, in the file's order. */
export type PredictedRows = {
  readonly days: Int32Array;
  readonly dashed: boolean;
  readonly truth: Float64Array;
  readonly predictions: Float64Array;
};
export type PredictedSummary = { readonly counts: CleaningCounts; readonly rows: number };

/** Predicts a part's rows. True values stay as they came. */
export const predictRows = defineTask<PredictInput, PredictedRows, RowModel, PredictedSummary>({
  async js({ range, layout, part, division, hasTarget }, context) {
    const { rules, forest } = context.broadcast;
    const predictors = rules.columns.length - 1;
    const cleaner = new RowCleaner(rules, part);
    const batch = new RowBatch(rules);
    const days: Day[] = [];
    const truth: number[] = [];
    const predictions: number[] = [];
    const flush = (): void => {
      for (const value of predictBatch(rules, forest, batch.features())) predictions.push(value);
    };
    const end = await readRows(context.open(range.source), range, layout, (day, values) => {
      if (division !== null && partOf(division, day) !== part) return;
      days.push(day);
      truth.push(hasTarget ? (values[predictors] as number) : Number.NaN);
      for (let column = 0; column < predictors; column++) {
        values[column] = cleaner.clean(column, values[column] as number);
      }
      if (batch.add(day, values)) flush();
    });
    flush();
    context.report({ counts: cleaner.counts(LISTED), rows: days.length });
    return {
      days: Int32Array.from(days),
      dashed: end.form === "YYYY-MM-DD",
      truth: Float64Array.from(truth),
      predictions: Float64Array.from(predictions),
    };
  },
});

function predictBatch({ prepared, frame }: RowRules, forest: readonly Forest[], features: Float64Array): Float64Array {
  const columns = prepared.features.length;
  const sums = new Float64Array(features.length / columns);
  let models = 0;
  for (const part of forest) {
    sumLeaves(part, features, columns, sums);
    models += part.models;
  }
  return predictionsOf(sums, models, frame, undefined, features);
}

export type ScoreInput = { readonly target: string; readonly part: Part };

/** Puts predictions in the file's order, those of checked rows in that of days; scores them, writes the result file. */
export const scoreRows = defineTask<readonly PredictedRows[], string, ScoreInput, Conclusion>({
  js(parts, context) {
    const { target, part } = context.broadcast;
    const total = parts.reduce((sum, own) => sum + own.days.length, 0);
    const days = new Int32Array(total);
    const dashed = new Uint8Array(total);
    const truth = new Float64Array(total);
    const values = new Float64Array(total);
    let filled = 0;
    for (const own of parts) {
      days.set(own.days, filled);
      truth.set(own.truth, filled);
      values.set(own.predictions, filled);
      dashed.fill(own.dashed ? 1 : 0, filled, filled + own.days.length);
      filled += own.days.length;
    }
    const order = part === "holdout" ? orderOf(days) : Uint32Array.from(days, (_, row) => row);
    const query = {
      dates: formatDates(order, days, dashed),
      features: new Float64Array(0),
      truth: inOrder(truth, order),
    };
    const result = { target, series: null, header: true, queries: { [part]: query } };
    const predictions = inOrder(values, order);
    return conclude({ ...context, broadcast: result }, () => predictions);
  },
});

/** More than the rows that one task can put in order; its product with any day of four-digit years is an exact double. */
const MOST_ROWS = 2 ** 31;

/**
 * Rows by their day and then their number. Plain numbers are sorted and lists filled in place: with comparisons, and with `from`, which lists
 * what it is given, it takes many times the memory of the rows.
 */
function orderOf(days: Int32Array): Uint32Array {
  const keys = new Float64Array(days.length);
  days.forEach((day, row) => {
    keys[row] = day * MOST_ROWS + row;
  });
  const order = new Uint32Array(days.length);
  keys.sort().forEach((key, place) => {
    order[place] = key - Math.floor(key / MOST_ROWS) * MOST_ROWS;
  });
  return order;
}

function inOrder(values: Float64Array, order: Uint32Array): Float64Array {
  const sorted = new Float64Array(order.length);
  order.forEach((row, place) => {
    sorted[place] = values[row] as number;
  });
  return sorted;
}

/** The rows' dates; rows of one day share its text. */
function formatDates(order: Uint32Array, days: Int32Array, dashed: Uint8Array): string[] {
  const texts = [new Map<Day, string>(), new Map<Day, string>()] as const;
  const dates: string[] = [];
  for (const row of order) {
    const day = days[row] as Day;
    const isDashed = dashed[row] === 1;
    const known = texts[isDashed ? 1 : 0];
    const text = known.get(day) ?? formatDate(day, isDashed);
    known.set(day, text);
    dates.push(text);
  }
  return dates;
}
