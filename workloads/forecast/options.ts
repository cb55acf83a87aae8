import { BACKEND_CHOICES, file, InputError, z } from "kindling";
import { parseHoldout } from "./data/holdout.ts";
import { type ForestOptions, UNLIMITED } from "./forest/forest.ts";

/** Sums of leaves over so many trees are exact. */
const MAX_TREES = 65_535;
/** Trees of one task: some 15 ms of work on real daily data, and still ten tasks a worker in a small forest. */
const TREES_PER_TASK = 5;

export const params = z.object({
  observed: file(),
  future: file().optional(),
  actual: file().optional(),
  target: z.string().min(1).default("humidity").describe("the column to predict"),
  date: z.string().min(1).default("date").describe("the column of dates, YYYYMMDD or YYYY-MM-DD"),
  model: z.enum(["rf"]).default("rf").describe("rf: random forest"),
  engine: z.enum(["kindling", "ml-random-forest"]).default("kindling").describe("who trains it"),
  trees: z.number().int().min(1).max(MAX_TREES).default(100),
  maxDepth: z.number().int().min(0).max(65_535).optional().describe("levels below the root; no limit by default"),
  minLeaf: z.number().int().min(1).max(65_535).default(1).describe("rows that a leaf holds at least"),
  maxFeatures: z
    .string()
    .regex(
      /^(all|onethird|sqrt|log2|\d+|\d*\.\d+)$/,
      "write all, onethird, sqrt, log2, a count, or a share such as 0.5",
    )
    .default("all")
    .describe("features tried at a split: all, onethird, sqrt, log2, a count, or a share such as 0.5"),
  seed: z.number().int().min(0).max(0xffffffff).default(1),
  holdout: z
    .string()
    .refine((text) => parseHoldout(text) !== undefined, "write a share such as 0.1, or dates FROM..TO")
    .default("0.1")
    .describe("what to check on: a share of the last rows, or dates FROM..TO"),
  partitions: z.number().int().min(1).max(MAX_TREES).optional().describe("tasks of a fit; one per 5 trees by default"),
  modelFormat: z.enum(["json", "onnx"]).default("json").describe("what the model is written as"),
  backend: z.enum(BACKEND_CHOICES).default("auto"),
});

export type Params = z.output<typeof params>;

export const forestOptions = (params: Params, features: number): ForestOptions => ({
  seed: params.seed,
  maxDepth: params.maxDepth ?? UNLIMITED,
  minLeaf: params.minLeaf,
  maxFeatures: featureCount(params.maxFeatures, features),
});

/** Cuts a forest into ranges of trees, by the parameters alone. */
export function treeRanges({ trees, partitions }: Params): { first: number; count: number }[] {
  const parts = Math.min(trees, partitions ?? Math.ceil(trees / TREES_PER_TASK));
  return Array.from({ length: parts }, (_, part) => {
    const first = Math.floor((part * trees) / parts);
    return { first, count: Math.floor(((part + 1) * trees) / parts) - first };
  });
}

/** How many of `features` a node tries. Names as in Spark's featureSubsetStrategy; log2 and sqrt are rounded up there too. */
function featureCount(strategy: string, features: number): number {
  if (strategy === "all") return features;
  if (strategy === "onethird") return Math.ceil(features / 3);
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
