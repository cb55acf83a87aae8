import { defineTask, type TaskContext } from "kindling";
import type { Prepared } from "../data/prepared.ts";
import { fitTrees, type Grower, referenceGrower } from "../forest/fit.ts";
import { type ForestOptions, sumLeaves } from "../forest/forest.ts";
import { fitLinear, takeOffLinear } from "../forest/linear.ts";
import { predictionsOf } from "../forest/predictions.ts";
import { makeTrainingSet, rowValues, type TrainingSet, targetsOf } from "../forest/training-set.ts";
import { wasmGrower } from "../forest/wasm-grower.ts";
import wasm from "../kernel.wasm";

/** A model to train on the first `trained` training rows, and to check on those from `from` to `to` (excluded). */
export type Trial = {
  readonly options: ForestOptions;
  readonly linear: boolean;
  readonly trees: number;
  /** How many models the trees make up. */
  readonly models: number;
  readonly trained: number;
  readonly from: number;
  readonly to: number;
};

/** Sum of the squared errors of the rows that were checked. */
export type TrialSummary = { readonly rows: number; readonly squares: number };

/** Trains and checks one model on rows that another one is to be trained on. */
export const tryModel = defineTask<Trial, null, Prepared, TrialSummary>({
  js: (trial, context) => tryOut(trial, context, referenceGrower),
  wasm: {
    module: wasm,
    run: (exports, trial, context) => tryOut(trial, context, (set, options) => wasmGrower(exports, set, options)),
  },
});

function tryOut(
  { options, linear: detrends, trees, models, trained, from, to }: Trial,
  context: TaskContext<Prepared, TrialSummary>,
  growerOf: (set: TrainingSet, options: ForestOptions) => Grower,
): null {
  const { training } = context.broadcast;
  const { columns } = training;
  const features = rowValues(training);
  const targets = targetsOf(training);
  const before = makeTrainingSet(features.subarray(0, trained * columns), columns, targets.subarray(0, trained));
  const linear = detrends ? fitLinear(before) : undefined;
  const set = linear === undefined ? before : takeOffLinear(before, linear);
  const range = { first: 0, count: trees };
  const work = {
    signal: context.signal,
    allocate: (bytes: number) => new Uint8Array(bytes),
    progress: () => undefined,
  };
  const forest = fitTrees(growerOf(set, options), range, work, models);
  const sums = new Float64Array(to - from);
  const checked = features.subarray(from * columns, to * columns);
  sumLeaves(forest, checked, columns, sums);
  let squares = 0;
  predictionsOf(sums, models, set, linear, checked).forEach((prediction, index) => {
    const error = prediction - (targets[from + index] as number);
    squares += error * error;
  });
  context.report({ rows: to - from, squares });
  return null;
}
