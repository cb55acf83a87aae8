import { InputError } from "kindling";
import type { TreeRange } from "./forest/fit.ts";
import { type ForestOptions, UNLIMITED } from "./forest/forest.ts";
import { MAX_BINNED_DEPTH } from "./forest/wasm-grower.ts";
import { MAX_ROW_BINS, rowBytes } from "./rows/block.ts";
import type { LevelOptions } from "./rows/growth.ts";
import { boostingOf, featureCount, type Params, treeRanges, treesOf } from "./options.ts";

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
  const { iterations, stepSize } = boostingOf(params);
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
    ...(boosts && { stepSize }),
  };
  const ranges = boosts ? boostedRanges(params.bags ?? 1, iterations) : treeRanges(params);
  const trees = boosts ? iterations * (params.bags ?? 1) : treesOf(params);
  return { model, options, linear: params.trend === "linear", trees, models: boosts ? ranges.length : trees, ranges };
}

/** The deepest trees that grow by levels, and the bins of rows by default. */
const LEVELS = 16;
const ROW_BINS = 64;
/** The fewest blocks by default, and their bytes where there are more. */
const BLOCKS = 4;
const BLOCK_BYTES = 2 ** 23;

/** How a forest's trees grow where nodes share `rows` training rows with so many features. */
export function planRows(
  params: Params,
  { options }: ModelPlan,
  rows: number,
  features: number,
): { readonly blocks: number; readonly maxBins: number; readonly options: LevelOptions } {
  if (options.maxDepth > LEVELS) {
    throw new InputError(`nodes that share the rows grow trees by levels: set --max-depth, at most ${LEVELS}`);
  }
  const { maxBins = ROW_BINS, ...levelOptions } = options;
  if (maxBins > MAX_ROW_BINS) {
    throw new InputError(`--max-bins ${maxBins}: where nodes share the rows, at most ${MAX_ROW_BINS} are possible`);
  }
  const blocks = params.partitions ?? Math.max(BLOCKS, Math.ceil((rows * rowBytes(features)) / BLOCK_BYTES));
  return { blocks: Math.max(1, Math.min(rows, blocks)), maxBins, options: levelOptions };
}

/** One task for each boosted model. */
const boostedRanges = (bags: number, iterations: number): TreeRange[] =>
  Array.from({ length: bags }, (_, bag) => ({ first: bag * iterations, count: iterations }));
