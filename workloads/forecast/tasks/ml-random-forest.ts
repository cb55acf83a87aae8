import { defineTask, InputError } from "kindling";
import type { Prepared } from "../data/prepared.ts";
import type { ForestOptions } from "../forest/forest.ts";
import { MISSING_RANK, type TrainingSet } from "../forest/training-set.ts";
import { type Conclusion, conclude } from "./conclude.ts";

/** The standalone original: the library of that name, one process, one task. It takes many minutes for 100 trees. */
const library = () => import("ml-random-forest");

export type LibraryInput = { readonly trees: number; readonly options: ForestOptions };

/** Trains the library's forest; gives it as the library's JSON. */
export const libraryFit = defineTask<LibraryInput, string, Prepared>({
  async js({ trees, options }, context) {
    const { RandomForestRegression } = await library();
    const { training } = context.broadcast;
    const { columns } = training;
    const forest = new RandomForestRegression({
      seed: options.seed | 0,
      nEstimators: trees,
      // The library takes numbers up to 1 as shares.
      maxFeatures: options.maxFeatures >= columns ? 1 : Math.max(options.maxFeatures, 1.5) / columns,
      replacement: false,
      useSampleBagging: true,
      noOOB: true,
      isClassifier: false,
      treeOptions: { maxDepth: options.maxDepth, ...(options.minLeaf > 1 ? { minNumSamples: options.minLeaf } : {}) },
    });
    forest.train(
      featureRows(training),
      Array.from(training.targets, (units) => training.base + units / training.scale),
    );
    context.progress(trees);
    return JSON.stringify(forest);
  },
});

/** Predicts every query with a forest of `libraryFit`. */
export const libraryPredict = defineTask<string, string, Prepared, Conclusion>({
  async js(model, context) {
    const { RandomForestRegression } = await library();
    const forest = RandomForestRegression.load(JSON.parse(model) as Parameters<typeof RandomForestRegression.load>[0]);
    const { queries, features } = context.broadcast;
    return conclude(context, (name, rows) => {
      const values = queries[name]?.features ?? new Float64Array(0);
      refuseMissing(values);
      const matrix = Array.from({ length: rows }, (_, row) =>
        Array.from(values.subarray(row * features.length, (row + 1) * features.length)),
      );
      return Float64Array.from(forest.predict(matrix));
    });
  },
});

function featureRows(training: TrainingSet): number[][] {
  const { rows, columns, order, ranks, values, valueStart } = training;
  const matrix = Array.from({ length: rows }, () => new Array<number>(columns).fill(Number.NaN));
  for (let column = 0; column < columns; column++) {
    for (let at = column * rows; at < (column + 1) * rows; at++) {
      if (ranks[at] === MISSING_RANK) refuseMissing(Float64Array.of(Number.NaN));
      const row = matrix[order[at] as number];
      if (row !== undefined) row[column] = values[(valueStart[column] as number) + (ranks[at] as number)] as number;
    }
  }
  return matrix;
}

function refuseMissing(values: Float64Array): void {
  if (values.every((value) => value === value)) return;
  throw new InputError("ml-random-forest cannot work with missing values: fill them, or use --engine kindling");
}
