import type { Metrics } from "kindling";
import type { CleaningCount } from "./data/cleaning.ts";
import type { CleaningCounts } from "./data/prepared.ts";
import type { Scores } from "./metrics.ts";
import type { Params } from "./options.ts";
import type { PrepareSummary } from "./tasks/prepare.ts";

/** What a training left to report. */
export interface TrainedSummary {
  readonly scores: Readonly<Record<string, Scores>>;
  readonly fitSeconds: number;
  readonly leaves: number | null;
}

/**
 * The metrics of a job: the holdout's scores, its model and cleaning, and the same of the future and actual files. Counts of
 * `missing` are empty cells and impossible values; `unusual` ones were kept (see data/cleaning.ts).
 */
export function jobMetrics(
  params: Params,
  [holdout, full]: readonly PrepareSummary[],
  checked: TrainedSummary,
  final: TrainedSummary,
): Metrics {
  const metrics: Record<string, Metrics[string]> = {
    ...(checked.scores["holdout"] ?? { rows: 0, mse: null, rmse: null, mae: null, r2: null, mape: null }),
    fitSeconds: checked.fitSeconds,
    trainRows: holdout?.rows["train"] ?? 0,
    features: holdout?.features ?? 0,
    trees: params.trees,
    leaves: checked.leaves,
    ...countsOf(holdout, ["train", "holdout"]),
  };
  for (const part of ["future", "actual"]) {
    if (full?.rows[part] === undefined) continue;
    metrics[part] = { rows: full.rows[part], ...final.scores[part], ...countsOf(full, [part]) };
  }
  return metrics;
}

/** Cells by what cleaning did to them, and by column. */
function countsOf(summary: PrepareSummary | undefined, parts: readonly string[]): Metrics {
  const counts = parts.map((part) => summary?.counts[part] ?? {});
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
