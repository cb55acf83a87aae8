import { BACKEND_CHOICES, file, InputError, z } from "kindling";
import type { FeatureOptions } from "./data/features.ts";
import { parseHoldout } from "./data/holdout.ts";
import type { TreeRange } from "./forest/fit.ts";

/** Sums of leaves over so many trees are exact. */
const MAX_TREES = 65_535;
/** Trees of one task: some 15 ms of work on real daily data, and still ten tasks a worker in a small forest. */
const TREES_PER_TASK = 5;
/** The last trees go in smaller tasks, so that all workers end at about the same time. */
const LAST_TREES = 10;
const LAST_TREES_PER_TASK = 2;
/** Shallow trees from histograms take a tenth of that time. */
const SMALL_TREES_PER_TASK = 50;
const SMALL_DEPTH = 8;
const SMALL_BINS = 256;

/** Days that a forecast may look ahead, back, or average over. */
const LONGEST_SPAN = 3660;
/** Folds of a backtest. */
const MAX_FOLDS = 100;

const days = (about: string) =>
  z
    .string()
    .refine((text) => parseDays(text) !== undefined, `write days from 1 to ${LONGEST_SPAN}, such as 1,2,7`)
    .optional()
    .describe(about);

/** What each parameter may be by itself; `params` (params.ts) also says what they may be together. */
export const fields = z.object({
  observed: file(),
  future: file().optional(),
  actual: file().optional(),
  target: z.string().min(1).default("humidity").describe("the column to predict"),
  date: z.string().min(1).default("date").describe("the column of dates, YYYYMMDD or YYYY-MM-DD"),
  model: z
    .enum(["rf", "et", "gbt", "auto"])
    .default("rf")
    .describe(
      "rf: random forest, et: extremely randomised trees, gbt: gradient boosting, auto: what does best in a backtest",
    ),
  engine: z.enum(["kindling", "ml-random-forest"]).default("kindling").describe("who trains it"),
  trees: z
    .number()
    .int()
    .min(1)
    .max(MAX_TREES)
    .optional()
    .describe("trees of rf and et, 100 by default; for gbt the same as --max-iter"),
  maxDepth: z.number().int().min(0).max(65_535).optional().describe("levels below the root; no limit by default"),
  minLeaf: z.number().int().min(1).max(65_535).default(1).describe("rows that a leaf holds at least"),
  maxFeatures: z
    .string()
    .regex(
      /^(auto|all|onethird|sqrt|log2|\d+|\d*\.\d+)$/,
      "write auto, all, onethird, sqrt, log2, a count, or a share such as 0.5",
    )
    .default("all")
    .describe(
      "features tried at a split: all, onethird, sqrt, log2, a count, a share such as 0.5, or auto: a third for rf",
    ),
  maxBins: z
    .number()
    .int()
    .min(2)
    .max(65_535)
    .optional()
    .describe("bins of a feature; by default 256 for gbt, else no limit"),
  minInfoGain: z.number().min(0).default(0).describe("what a split lowers the variance by at least"),
  subsamplingRate: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe("share of the rows that a tree draws; by default 0.6 for gbt, else 1"),
  stepSize: z.number().gt(0).max(1).optional().describe("gbt: how much of a tree counts; 0.1 by default"),
  maxIter: z.number().int().min(1).max(MAX_TREES).optional().describe("gbt: trees of a model; 500 by default"),
  bags: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .optional()
    .describe("gbt: models, of different samples, whose mean is predicted; 1 by default, 8 with auto"),
  intervals: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe("rf, et: the share of true values that an interval around each prediction is to hold, such as 0.9"),
  explain: z
    .boolean()
    .default(false)
    .describe("report the out-of-bag score and how much each feature matters, by impurity and by permutation"),
  trend: z.enum(["none", "linear"]).default("none").describe("linear: trees foretell what a linear model leaves"),
  seed: z.number().int().min(0).max(0xffffffff).default(1),
  holdout: z
    .string()
    .refine((text) => parseHoldout(text) !== undefined, "write a share such as 0.1, or dates FROM..TO")
    .default("0.1")
    .describe("what to check on: a share of the last rows, or dates FROM..TO"),
  backtest: z
    .number()
    .int()
    .min(1)
    .max(MAX_FOLDS)
    .optional()
    .describe("instead of --holdout: folds with a rolling origin, each trained on all rows before it"),
  horizon: z
    .number()
    .int()
    .min(1)
    .max(LONGEST_SPAN)
    .optional()
    .describe("days before the predicted day at which values are last known; without it the day's own row is used"),
  lags: days("with --horizon: past values as features; 1 is the last known one, 2 that of the day before"),
  windows: days("with --horizon: means of so many last known days as features"),
  lagColumns: z.string().min(1).default("target").describe("whose past: target, all, or names with commas"),
  known: z
    .string()
    .min(1)
    .default("none")
    .describe(
      "with --horizon: columns whose value on the predicted day is known ahead: none, all, or names with commas",
    ),
  harmonics: z.number().int().min(0).max(20).default(0).describe("pairs of sine and cosine of the season as features"),
  series: z.string().min(1).optional().describe("the column that tells several series in one file apart: a model each"),
  seriesModels: z
    .boolean()
    .default(false)
    .describe("with --series: write model.json too, with the models of all series"),
  distribute: z
    .enum(["auto", "trees", "rows"])
    .default("auto")
    .describe("what nodes share: trees, each with all rows; rows, for rf; auto: rows if there are over 65,535"),
  partitions: z
    .number()
    .int()
    .min(1)
    .max(MAX_TREES)
    .optional()
    .describe("tasks of a fit; one per 5 trees by default, per 2 of the last ones, or per 50 small ones"),
  output: z.enum(["csv"]).default("csv").describe("the result file's format"),
  modelFormat: z.enum(["json", "onnx"]).default("json").describe("what the model is written as"),
  reportData: z.boolean().default(false).describe("write report.json, what --report shows"),
  backend: z.enum(BACKEND_CHOICES).default("auto"),
});

/** Trees of a forest, and what a boosted model is, where nothing is said. */
const TREES = 100;
const ITERATIONS = 500;
const STEP_SIZE = 0.1;

export type Params = z.output<typeof fields>;

/** Trees of `rf` and `et`. */
export const treesOf = ({ trees = TREES }: Pick<Params, "trees">): number => trees;

/** How `gbt` boosts; `trees` is another name for its iterations. */
export const boostingOf = ({
  maxIter,
  trees,
  stepSize = STEP_SIZE,
}: Pick<Params, "maxIter" | "trees" | "stepSize">) => ({
  iterations: maxIter ?? trees ?? ITERATIONS,
  stepSize,
});

/** The parameters for one of several models that are trained side by side: fewer tasks each. */
export const shareTasks = (params: Params, models: number): Params =>
  models <= 1
    ? params
    : { ...params, partitions: params.partitions ?? Math.ceil(treesOf(params) / TREES_PER_TASK / models) };

/** Reads a list of days with commas between them; `undefined` if it is none. */
function parseDays(text: string): number[] | undefined {
  const parts = text.split(",").map((part) => part.trim());
  const numbers = [...new Set(parts.map(Number))];
  const fine = parts.every((part) => /^\d{1,4}$/.test(part)) && numbers.every((day) => day >= 1 && day <= LONGEST_SPAN);
  return fine ? numbers.sort((a, b) => a - b) : undefined;
}

export const featureOptions = (params: Params): FeatureOptions => ({
  harmonics: params.harmonics,
  horizon: params.horizon ?? null,
  lags: parseDays(params.lags ?? "") ?? [],
  windows: parseDays(params.windows ?? "") ?? [],
  lagColumns: params.lagColumns,
  known: params.known,
});

/** Cuts a forest into ranges of trees, by the parameters alone. */
export function treeRanges(params: Pick<Params, "trees" | "partitions" | "maxDepth" | "maxBins">): TreeRange[] {
  const { partitions, maxDepth, maxBins } = params;
  const trees = treesOf(params);
  const isSmall = maxDepth !== undefined && maxDepth <= SMALL_DEPTH && maxBins !== undefined && maxBins <= SMALL_BINS;
  if (partitions !== undefined) return evenRanges(0, trees, Math.min(trees, partitions));
  if (isSmall) return evenRanges(0, trees, Math.ceil(trees / SMALL_TREES_PER_TASK));
  const last = trees <= 2 * LAST_TREES ? 0 : LAST_TREES;
  return [
    ...evenRanges(0, trees - last, Math.ceil((trees - last) / TREES_PER_TASK)),
    ...evenRanges(trees - last, last, last / LAST_TREES_PER_TASK),
  ];
}

function evenRanges(first: number, count: number, parts: number): TreeRange[] {
  return Array.from({ length: parts }, (_, part) => {
    const begin = Math.floor((part * count) / parts);
    return { first: first + begin, count: Math.floor(((part + 1) * count) / parts) - begin };
  });
}

/** How many of `features` a node tries. Names as in Spark's featureSubsetStrategy; log2 and sqrt are rounded up there too. */
export function featureCount(strategy: string, features: number, model: "rf" | "et" | "gbt"): number {
  if (strategy === "all" || (strategy === "auto" && model !== "rf")) return features;
  if (strategy === "onethird" || strategy === "auto") return Math.ceil(features / 3);
  if (strategy === "sqrt") return Math.ceil(Math.sqrt(features));
  if (strategy === "log2") return Math.max(1, 32 - Math.clz32(features - 1));
  const asked = Number(strategy);
  if (strategy.includes(".")) {
    if (asked > 0 && asked <= 1) return Math.ceil(asked * features);
  } else if (asked >= 1 && asked <= features) {
    return asked;
  }
  throw new InputError(`--max-features ${strategy}: the files give ${features} features; ask for 1 to ${features}`);
}
