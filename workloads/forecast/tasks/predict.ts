import { defineTask } from "kindling";
import type { Prepared } from "../data/prepared.ts";
import { type Forest, sumLeaves } from "../forest/forest.ts";
import { linearValue } from "../forest/linear.ts";
import { type Conclusion, conclude } from "./conclude.ts";

/** Leaf values of some trees, summed for each row of each query; whole numbers. */
export type LeafSums = { readonly models: number; readonly sums: Readonly<Record<string, Float64Array>> };

/** Sums the leaves of a part of the forest. */
export const predict = defineTask<Forest, LeafSums, Prepared>({
  js(forest, { broadcast: { queries, features } }) {
    const sums: Record<string, Float64Array> = {};
    for (const [name, query] of Object.entries(queries)) {
      sums[name] = new Float64Array(query.dates.length);
      sumLeaves(forest, query.features, features.length, sums[name]);
    }
    return { models: forest.models, sums };
  },
});

/** Adds the parts of the forest up to predictions, scores them, writes the first query's file. */
export const average = defineTask<readonly LeafSums[], string, Prepared, Conclusion>({
  js(parts, context) {
    const { linear, queries, features } = context.broadcast;
    const { base, scale } = context.broadcast.training;
    const models = parts.reduce((total, part) => total + part.models, 0);
    // One division, so that a mean of decimals comes out as the double nearest to it.
    const shift = models * Math.round(base * scale);
    const predictionsOf = (name: string, rows: number): Float64Array => {
      const total = new Float64Array(rows);
      for (const { sums } of parts) {
        sums[name]?.forEach((sum, row) => {
          total[row] = (total[row] as number) + sum;
        });
      }
      const trees = total.map((sum) => (sum + shift) / (models * scale));
      const values = queries[name]?.features;
      if (linear === undefined || values === undefined) return trees;
      return trees.map((value, row) => value + linearValue(linear, values, row * features.length));
    };
    return conclude(context, predictionsOf);
  },
});
