import { defineTask } from "kindling";
import type { Day } from "../data/dates.ts";
import type { FeatureOptions } from "../data/features.ts";
import { type Case, divideCase } from "../data/holdout.ts";
import { type CleaningCounts, type Prepared, prepareTables } from "../data/prepared.ts";
import { tableOf } from "../data/series.ts";
import { type Table, takeRows } from "../data/table.ts";
import type { SeriesTables } from "./read.ts";

/** Columns whose counts are reported: a summary is small. */
const LISTED = 30;

/** What a stage makes of every series. */
export type PrepareInput = {
  /** Train before what is checked and ask for that, or train on all and ask for the other files. */
  readonly wanted: Case;
  readonly target: string;
  readonly features: FeatureOptions;
  /** The column that names the series, `null` for a single one. */
  readonly seriesColumn: string | null;
};

export type PrepareSummary = {
  readonly series: string | null;
  readonly features: number;
  /** By part: train, and each query. At most LISTED columns each. */
  readonly counts: Readonly<Record<string, CleaningCounts>>;
  readonly rows: Readonly<Record<string, number>>;
  /** First and last day that is checked, as they came in; `null` where none is. */
  readonly checked: { readonly from: string; readonly to: string } | null;
  /** Rows of the actual file with a known target, of days that were trained on. */
  readonly seen: number;
};

/** Cleans one series, makes features, ranks them. */
export const prepare = defineTask<readonly SeriesTables[], Prepared, PrepareInput, PrepareSummary>({
  js(tables, context) {
    const { wanted, target, features, seriesColumn } = context.broadcast;
    const [{ name, predictors, ...files }] = tables as [SeriesTables];
    const observed = tableOf(files.observed);
    const { train, check } = divideCase(observed.days, wanted, features.horizon ?? 1, observed.name);
    const queries: Record<string, Table> = {};
    if (check.length > 0) queries["holdout"] = takeRows(observed, check);
    if (wanted.kind === "all" && files.future !== null) queries["future"] = tableOf(files.future);
    if (wanted.kind === "all" && files.actual !== null) queries["actual"] = tableOf(files.actual);
    const series = name === null || seriesColumn === null ? null : { column: seriesColumn, name };
    const { prepared, counts } = prepareTables({
      observed,
      trainRows: train.length,
      queries,
      predictors,
      target,
      features,
      series,
      header: context.partition === 0 && (wanted.kind !== "fold" || wanted.fold === 0),
    });
    const asked = Object.entries(prepared.queries).map(([name, query]) => [name, query.dates.length] as const);
    const checked = prepared.queries["holdout"]?.dates;
    context.report({
      series: name,
      features: prepared.features.length,
      counts: Object.fromEntries(Object.entries(counts).map(([part, columns]) => [part, firstColumns(columns)])),
      rows: { train: prepared.training.rows, ...Object.fromEntries(asked) },
      checked: checked === undefined ? null : { from: checked[0] ?? "", to: checked.at(-1) ?? "" },
      seen: queries["actual"] === undefined ? 0 : countSeen(queries["actual"], takeRows(observed, train), target),
    });
    return prepared;
  },
});

function countSeen(asked: Table, train: Table, target: string): number {
  const knownDays = ({ days, columns }: Table): Day[] =>
    days.filter((_, row) => !Number.isNaN(columns.get(target)?.[row]));
  const trained = new Set(knownDays(train));
  return knownDays(asked).filter((day) => trained.has(day)).length;
}

const firstColumns = (counts: CleaningCounts): CleaningCounts =>
  Object.fromEntries(Object.entries(counts).slice(0, LISTED));
