import type { Range } from "../data/cleaning.ts";
import type { FeaturePlan } from "../data/features.ts";
import type { Prepared } from "../data/prepared.ts";
import { type Forest, type ForestOptions, UNLIMITED } from "../forest/forest.ts";
import type { ModelName } from "../models.ts";

/** Changes whenever a reader of older files would misread newer ones. */
export const VERSION = 1;
/** The same of ONNX files. Version 1 had one weight a leaf. */
export const ONNX_VERSION = 2;
export const FORMAT = "kindling-forest";

/** All of a model but its trees. README.md says what each field means. */
export type ModelHead = {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  readonly model: ModelName;
  readonly target: string;
  readonly features: readonly string[];
  /** What the features are made from. */
  readonly plan: FeaturePlan;
  readonly cleaning: Readonly<Record<string, Range | null>>;
  readonly trained: { readonly rows: number; readonly from: string; readonly to: string };
  readonly options: Omit<ForestOptions, "maxDepth"> & { readonly maxDepth: number | null };
  readonly base: number;
  readonly scale: number;
  readonly trees: number;
  /** A prediction is the mean of so many models; absent where each tree is one. */
  readonly models?: number;
  /** Added to what the trees predict; see LinearModel. */
  readonly linear?: {
    readonly intercept: number;
    readonly coefficients: readonly number[];
    readonly means: readonly number[];
  };
};

/** What a file holds. */
export type Model = { readonly head: ModelHead; readonly forest: Forest };

export type HeadInput = {
  readonly model: ModelName;
  readonly trees: number;
  readonly models: number;
  readonly options: ForestOptions;
};

export const modelHead = (
  { model, trees, models, options }: HeadInput,
  { training, linear, ...prepared }: Prepared,
): ModelHead => ({
  format: FORMAT,
  version: VERSION,
  model,
  target: prepared.target,
  features: prepared.features,
  plan: prepared.plan,
  cleaning: prepared.ranges,
  trained: { rows: training.rows, from: prepared.trainedFrom, to: prepared.trainedTo },
  options: { ...options, maxDepth: options.maxDepth === UNLIMITED ? null : options.maxDepth },
  base: training.base,
  scale: training.scale,
  trees,
  ...(models !== trees && { models }),
  ...(linear !== undefined && {
    linear: { intercept: linear.intercept, coefficients: [...linear.coefficients], means: [...linear.means] },
  }),
});
