import { defineTask } from "kindling";
import type { Prepared } from "../data/prepared.ts";
import type { Forest } from "../forest/forest.ts";
import { drawFromLeaves } from "../forest/inspect.ts";
import { predictionsOf } from "../forest/predictions.ts";
import type { TargetFrame } from "../forest/training-set.ts";
import type { Intervals } from "../metrics.ts";
import { sumLeavesJs } from "../prediction/sum-leaves.ts";
import { type Conclusion, conclude } from "./conclude.ts";
import { type LeafSums, leafSumsTask, sumQueries } from "./leaf-sums.ts";

/** What turns sums of leaves into predictions and their file. */
type Predictable = Pick<Prepared, "target" | "series" | "header" | "features" | "linear" | "queries"> & {
  readonly training: TargetFrame;
};

/** Sums the leaves of a part of the forest. */
export const predict = leafSumsTask<Forest>((forest) => forest);

/** As `predict`, for intervals of the share that the trees say they are for. */
export const predictIntervals = defineTask<Forest, LeafSums, Prepared>({
  async js(forest, { broadcast }) {
    const { grown } = forest;
    if (typeof grown?.intervals !== "number") throw new RangeError("trees for intervals say how they were grown");
    const targets: Record<string, Float64Array> = {};
    for (const [name, { features, dates }] of Object.entries(broadcast.queries)) {
      targets[name] = drawFromLeaves(forest, broadcast.training, grown.options, features, dates.length);
    }
    return { ...(await sumQueries(forest, broadcast, sumLeavesJs)), drawn: { share: grown.intervals, targets } };
  },
});

/** Adds the parts of the forest up to predictions, scores them, writes the first query's file. */
export const average = defineTask<readonly LeafSums[], string, Predictable, Conclusion>({
  js(parts, context) {
    const { linear, queries, training } = context.broadcast;
    const models = parts.reduce((total, part) => total + part.models, 0);
    const toPredictions = (sums: Float64Array, count: number, name: string): Float64Array =>
      predictionsOf(sums, count, training, linear, queries[name]?.features ?? new Float64Array(0));
    const predictionsFor = (name: string, rows: number): Float64Array => {
      const total = new Float64Array(rows);
      for (const { sums } of parts) {
        sums[name]?.forEach((sum, row) => {
          total[row] = (total[row] as number) + sum;
        });
      }
      return toPredictions(total, models, name);
    };
    const share = parts[0]?.drawn?.share;
    if (share === undefined) return conclude(context, predictionsFor);
    return conclude(context, predictionsFor, (name, rows) => {
      const drawn = parts.map((part) => part.drawn?.targets[name] ?? new Float64Array(0));
      const { lower, upper } = quantiles(drawn, rows, share);
      return { lower: toPredictions(lower, 1, name), upper: toPredictions(upper, 1, name) };
    });
  },
});

/** By row, the quantiles with as much outside on both sides, interpolated as in R's type 7. */
function quantiles(drawn: readonly Float64Array[], rows: number, share: number): Intervals {
  const lower = new Float64Array(rows);
  const upper = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const values: number[] = [];
    for (const part of drawn) for (let at = row; at < part.length; at += rows) values.push(part[at] as number);
    const sorted = Float64Array.from(values).sort();
    lower[row] = quantile(sorted, (1 - share) / 2);
    upper[row] = quantile(sorted, (1 + share) / 2);
  }
  return { lower, upper };
}

function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  return low + (place - below) * (high - low);
}
