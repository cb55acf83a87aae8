import type { TaskContext } from "kindling";
import { csvField } from "../data/csv.ts";
import type { Prepared, Query } from "../data/prepared.ts";
import { type Intervals, type Tally, tally } from "../metrics.ts";

/** How a query's predictions, and those of the baselines, compare with its true values. */
export type Judged = { readonly model: Tally; readonly persistence?: Tally; readonly seasonalMean?: Tally };

/** By query. */
export type Conclusion = { readonly judged: Readonly<Record<string, Judged>> };

/** Lines of a result that are joined at a time: until then each is an object of several times its bytes. */
const BATCH = 256;

type ResultOf = Pick<Prepared, "target" | "series" | "header" | "queries">;

/** Reports how good the predictions of all queries are and gives the result file of the first one. */
export function conclude(
  context: TaskContext<ResultOf, Conclusion>,
  predictionsOf: (query: string, rows: number) => Float64Array,
  intervalsOf?: (query: string, rows: number) => Intervals,
): string {
  const judged: Record<string, Judged> = {};
  const texts = Object.entries(context.broadcast.queries).map(([name, query]) => {
    const predictions = predictionsOf(name, query.dates.length);
    const intervals = intervalsOf?.(name, query.dates.length);
    judged[name] = judge(query, predictions, intervals);
    return () => resultFile(context.broadcast, query.dates, predictions, intervals);
  });
  context.report({ judged });
  return texts[0]?.() ?? "";
}

const judge = ({ truth, baselines }: Query, predictions: Float64Array, intervals?: Intervals): Judged => ({
  model: tally(predictions, truth, intervals),
  ...(baselines !== undefined && {
    persistence: tally(baselines.persistence, truth),
    seasonalMean: tally(baselines.seasonalMean, truth),
  }),
});

/**
 * `date` as it came in, the series if there are several, the target, and the ends of its interval if there is one; the
 * shortest decimals that read back as the same double.
 */
function resultFile(
  { target, series, header }: ResultOf,
  dates: readonly string[],
  predictions: Float64Array,
  intervals: Intervals | undefined,
): string {
  const ends = intervals === undefined ? [] : [csvField(`${target}_lower`), csvField(`${target}_upper`)];
  const names = ["date", ...(series === null ? [] : [csvField(series.column)]), csvField(target), ...ends];
  const endsOf = (row: number): string =>
    intervals === undefined ? "" : `,${intervals.lower[row]},${intervals.upper[row]}`;
  const middle = series === null ? "" : `${csvField(series.name)},`;
  const lineOf = (date: string, row: number): string =>
    `${csvField(date)},${middle}${predictions[row]}${endsOf(row)}\n`;
  const batches = Array.from({ length: Math.ceil(dates.length / BATCH) }, (_, batch) => {
    const first = batch * BATCH;
    const lines = dates.slice(first, first + BATCH).map((date, at) => lineOf(date, first + at));
    return lines.join("");
  });
  return `${header ? `${names.join()}\n` : ""}${batches.join("")}`;
}
