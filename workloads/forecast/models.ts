import { InputError } from "kindling";
import type { TreeRange } from "./forest/fit.ts";
import { type ForestOptions, UNLIMITED } from "./forest/forest.ts";
import { MAX_BINNED_DEPTH } from "./forest/wasm-grower.ts";
import type { RowsPlan } from "./rows/fit.ts";
import { featureCount, type Params, treeRanges } from "./options.ts";

/** How one model is trained: it follows from the parameters and the number of features alone. */
export type ModelPlan = {
  readonly model: "rf" | "et" | "gbt";
  readonly options: ForestOptions;
  /** Trees foretell what a linear model leaves. */
  readonly linear: boolean;
  /** All trees. */
  readonly trees: number;
  /** The models whose mean is predicted: in a forest every tree is one. */
  readonly models: number;
  /** What each task grows: some trees, or all of one boosted model. */
  readonly ranges: readonly TreeRange[];
};

export type ModelName = ModelPlan["model"];

/** Depth of boosted trees, as in scikit-learn. */
const BOOSTED_DEPTH = 3;
/** Bins of boosted trees: finer ones cost time and gain nothing that can be measured. */
const BOOSTED_BINS = 256;

/** The model that the parameters ask for, on so many features. */
export function planModel(params: Omit<Params, "model"> & { readonly model: ModelName }, features: number): ModelPlan {
  const { model } = params;
  const boosts = model === "gbt";
  const maxBins = params.maxBins ?? (boosts ? BOOSTED_BINS : undefined);
  const subsamplingRate = params.subsamplingRate ?? (boosts ? 0.6 : 1);
  const options: ForestOptions = {
    seed: params.seed,
    maxDepth: Math.min(params.maxDepth ?? (boosts ? BOOSTED_DEPTH : UNLIMITED), boosts ? MAX_BINNED_DEPTH : UNLIMITED),
    minLeaf: params.minLeaf,
    maxFeatures: featureCount(params.maxFeatures, features, model),
    // What is not said is the default: so the options of a plain forest stay what they were.
    ...(subsamplingRate < 1 && { subsamplingRate }),
    ...(model !== "rf" && { bootstrap: false as const }),
    ...(model === "et" && { randomThresholds: true as const }),
    ...(params.minInfoGain > 0 && { minInfoGain: params.minInfoGain }),
    ...(maxBins !== undefined && { maxBins }),
    ...(boosts && { stepSize: params.stepSize }),
  };
  const ranges = boosts ? boostedRanges(params) : treeRanges(params);
  const trees = boosts ? params.maxIter * (params.bags ?? 1) : params.trees;
  return { model, options, linear: params.trend === "linear", trees, models: boosts ? ranges.length : trees, ranges };
}

/** The deepest trees that grow by levels, and the bins and blocks of rows by default. */
const LEVELS = 16;
const ROW_BINS = 64;
const BLOCKS = 4;

/** How a model's trees grow where nodes share the rows. */
export function planRows(
  params: Params,
  { model, options, trees }: ModelPlan,
  rows: number,
  features: number,
): RowsPlan {
  if (model !== "rf") throw new InputError(`--distribute rows has no --model ${model}: use rf`);
  if (options.maxDepth > LEVELS) {
    throw new InputError(`--distribute rows grows trees by levels: set --max-depth, at most ${LEVELS}`);
  }
  if (params.intervals !== undefined || params.explain) {
    throw new InputError("--distribute rows has no --intervals and no --explain: use --distribute trees");
  }
  const { maxBins = ROW_BINS, ...levelOptions } = options;
  return { trees, rows, features, blocks: Math.min(rows, params.partitions ?? BLOCKS), maxBins, options: levelOptions };
}

/** One task for each boosted model. */
const boostedRanges = ({ bags = 1, maxIter }: Pick<Params, "bags" | "maxIter">): TreeRange[] =>
  Array.from({ length: bags }, (_, bag) => ({ first: bag * maxIter, count: maxIter }));
