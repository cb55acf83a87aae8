import type { Metrics } from "kindling";
import type { Choice } from "./auto.ts";
import type { CleaningCount } from "./data/cleaning.ts";
import type { CleaningCounts } from "./data/prepared.ts";
import { addTallies, meanScores, type Scores, scoresOf } from "./metrics.ts";
import type { Params } from "./options.ts";
import type { Judged } from "./tasks/conclude.ts";
import type { Explanation } from "./tasks/explain.ts";
import type { PrepareSummary } from "./tasks/prepare.ts";

/** What a training left to report. */
export interface TrainedSummary {
  readonly judged: Readonly<Record<string, Judged>>;
  readonly fitSeconds: number;
  readonly trees: number;
  /** Mean of a tree. */
  readonly leaves: number | null;
  /** What `--model auto` chose. */
  readonly choice?: Choice;
  readonly explanation?: Explanation;
}

/** A model of one series, for one fold or for what follows the observed rows. */
export interface Fitted {
  /** From 0; 0 without a backtest. */
  readonly fold: number;
  readonly summary: PrepareSummary;
  readonly trained: TrainedSummary;
}

/** Features that all series' importances name together, of each the same number: metrics are small. */
const MOST_IMPORTANCES = 10_000;

const NOTHING_SCORED = { rows: 0, mse: null, rmse: null, mae: null, r2: null, mape: null };

/**
 * The metrics of a job: the scores of what was checked, beside those of the baselines; its models and cleaning; the same of each fold
 * and series, and of the future and actual files. Counts of `missing` are empty cells and impossible values; `unusual`
 * ones were kept (see data/cleaning.ts).
 */
export function jobMetrics(
  params: Params,
  checked: readonly Fitted[],
  final: readonly Fitted[],
  notes: readonly string[],
): Metrics {
  const folds = params.backtest ?? 1;
  // The last fold trains on the most rows; earlier ones would count them again.
  const last = checked.filter(({ fold }) => fold === folds - 1);
  const leaves = checked.map(({ trained }) => trained.leaves).filter((count) => count !== null);
  const metrics: Record<string, Metrics[string]> = {
    ...scored(checked, "holdout"),
    fitSeconds: checked.reduce((longest, { trained }) => Math.max(longest, trained.fitSeconds), 0),
    trainRows: sum(last, ({ summary }) => summary.rows["train"] ?? 0),
    features: last[0]?.summary.features ?? 0,
    trees: last[0]?.trained.trees ?? 0,
    leaves: leaves.length === 0 ? null : leaves.reduce((total, count) => total + count, 0) / leaves.length,
    ...countsOf(last, ["train", "holdout"]),
  };
  Object.assign(metrics, reasonsOf(last));
  if (params.backtest !== undefined) metrics["backtest"] = backtestMetrics(checked, params.backtest);
  if (params.series !== undefined) metrics["series"] = seriesMetrics(checked, last, final);
  for (const part of ["future", "actual"]) {
    if (final.every(({ summary }) => summary.rows[part] === undefined)) continue;
    metrics[part] = { rows: rowsOf(final, part), ...scored(final, part, {}), ...countsOf(final, [part]) };
  }
  const told = [...notes, ...notesOn(checked, final)];
  if (told.length > 0) metrics["notes"] = told;
  return metrics;
}

/** What would make the scores be read for better or more than they are. */
function notesOn(checked: readonly Fitted[], final: readonly Fitted[]): string[] {
  const notes: string[] = [];
  if (scoresOfAll(checked, "holdout", "model") === undefined) {
    notes.push("no checked row has a known target, so nothing says how good the model is; choose other rows to check");
  }
  const seen = sum(final, ({ summary }) => summary.seen);
  if (seen > 0) {
    const rows = scoresOfAll(final, "actual", "model")?.rows ?? 0;
    notes.push(
      `${seen} of the ${rows} scored rows of the actual file are of days that the model was trained on, which makes its scores too good; leave these days out of either file`,
    );
  }
  return notes;
}

/** Each fold over all series, and the folds' mean. */
function backtestMetrics(checked: readonly Fitted[], count: number): Metrics {
  const folds = Array.from({ length: count }, (_, index) => checked.filter(({ fold }) => fold === index));
  const scores = folds.map((fold) => scoresOfAll(fold, "holdout", "model"));
  const known = scores.filter((score): score is Scores => score !== undefined);
  return {
    folds: folds.map((fold) => ({
      from: fold[0]?.summary.checked?.from ?? null,
      to: fold[0]?.summary.checked?.to ?? null,
      trainRows: sum(fold, ({ summary }) => summary.rows["train"] ?? 0),
      ...scored(fold, "holdout"),
    })),
    mean: meanScores(known) ?? null,
  };
}

/** What `--model auto` and `--explain` say of a single model; of several nothing, since it holds for each alone. */
function reasonsOf([only, ...others]: readonly Fitted[], most = MOST_IMPORTANCES): Metrics {
  if (only === undefined || others.length > 0) return {};
  const { choice, explanation } = only.trained;
  const first = (of: Readonly<Record<string, number>>) => Object.fromEntries(Object.entries(of).slice(0, most));
  const auto = choice === undefined ? {} : { auto: choice };
  if (explanation === undefined) return auto;
  const { outOfBag, importances } = explanation;
  return {
    ...auto,
    outOfBag,
    importances: { impurity: first(importances.impurity), permutation: first(importances.permutation) },
  };
}

function seriesMetrics(checked: readonly Fitted[], last: readonly Fitted[], final: readonly Fitted[]): Metrics {
  const names = [...new Set(checked.map(({ summary }) => summary.series ?? ""))];
  const own = (name: string, fitted: readonly Fitted[]): Fitted[] =>
    fitted.filter(({ summary }) => summary.series === name);
  const most = Math.max(1, Math.floor(MOST_IMPORTANCES / names.length));
  return Object.fromEntries(
    names.map((name) => {
      const future = own(name, final).filter(({ summary }) => summary.rows["actual"] !== undefined);
      const actual = future.length === 0 ? {} : { actual: scored(future, "actual") };
      return [name, { ...scored(own(name, checked), "holdout"), ...reasonsOf(own(name, last), most), ...actual }];
    }),
  );
}

/** The scores of a part over several models' rows, with the baselines'. */
function scored(fitted: readonly Fitted[], part: string, none: Metrics = NOTHING_SCORED): Metrics {
  const model = scoresOfAll(fitted, part, "model");
  if (model === undefined) return none;
  const [persistence, seasonalMean] = (["persistence", "seasonalMean"] as const).map(
    (baseline) => scoresOfAll(fitted, part, baseline) ?? null,
  );
  return { ...model, baselines: { persistence, seasonalMean } };
}

const scoresOfAll = (fitted: readonly Fitted[], part: string, whose: keyof Judged): Scores | undefined =>
  scoresOf(
    addTallies(fitted.map(({ trained }) => trained.judged[part]?.[whose]).filter((tally) => tally !== undefined)),
  );

const rowsOf = (fitted: readonly Fitted[], part: string): number =>
  sum(fitted, ({ summary }) => summary.rows[part] ?? 0);

const sum = (fitted: readonly Fitted[], valueOf: (one: Fitted) => number): number =>
  fitted.reduce((total, one) => total + valueOf(one), 0);

/** Cells by what cleaning did to them, and by column. */
function countsOf(fitted: readonly Fitted[], parts: readonly string[]): Metrics {
  const counts = fitted.flatMap(({ summary }) => parts.map((part) => summary.counts[part] ?? {}));
  return {
    repaired: sumColumns(counts, (count) => count.repaired),
    missing: sumColumns(counts, (count) => count.impossible + count.empty),
    unusual: sumColumns(counts, (count) => count.unusual),
  };
}

function sumColumns(parts: readonly CleaningCounts[], cells: (count: CleaningCount) => number): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [column, count] of parts.flatMap(Object.entries<CleaningCount>)) {
    if (cells(count) > 0) sums[column] = (sums[column] ?? 0) + cells(count);
  }
  return sums;
}
