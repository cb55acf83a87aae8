import { defineTask, InputError } from "kindling";
import type { Prepared } from "../data/prepared.ts";
import type { ForestOptions } from "../forest/forest.ts";
import { rowValues, targetsOf } from "../forest/training-set.ts";
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
    forest.train(toMatrix(rowValues(training), training.columns), Array.from(targetsOf(training)));
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
    return conclude(context, (name) => {
      const values = queries[name]?.features ?? new Float64Array(0);
      return Float64Array.from(forest.predict(toMatrix(values, features.length)));
    });
  },
});

/** The library's form of [rows × columns] values. */
function toMatrix(values: Float64Array, columns: number): number[][] {
  if (values.some(Number.isNaN)) {
    throw new InputError("ml-random-forest cannot work with missing values: fill them, or use --engine kindling");
  }
  return Array.from({ length: values.length / columns }, (_, row) =>
    Array.from(values.subarray(row * columns, (row + 1) * columns)),
  );
}
