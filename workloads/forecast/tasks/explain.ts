import { defineTask } from "kindling";
import { philoxRng } from "../../../shared/rng.ts";
import type { Prepared, Query } from "../data/prepared.ts";
import { type Forest, sumLeaves } from "../forest/forest.ts";
import { type Inspection, inspect } from "../forest/inspect.ts";
import { predictionsOf } from "../forest/predictions.ts";
import { meanOf, targetsOf } from "../forest/training-set.ts";
import { type Scores, score } from "../metrics.ts";

/** Permutations of each column. */
const REPEATS = 3;
/** Features that are reported: a summary is small. */
const LISTED = 100;
/** Keeps permutations apart from samples. */
const PERMUTATIONS = 0x3c6ef372;

/** What a part of the trees says; sums of parts in the order of their trees. */
export type Witness = Inspection & {
  readonly trees: number;
  readonly models: number;
  readonly seed: number;
  /** Whether trees are boosted: then a gain counts as it is, and else as a share of its tree's. */
  readonly boosted: boolean;
  /** [1 + columns × REPEATS][rows] Sums of leaves of the checked rows: as they are, then with one column permuted. */
  readonly sums: readonly Float64Array[];
};

export type Explanation = {
  /** Scores of each training row's prediction by the trees that did not draw it; `null` where every tree drew all. */
  readonly outOfBag: Scores | null;
  readonly importances: {
    /** Share of all splits' gain in squared error. */
    readonly impurity: Readonly<Record<string, number>>;
    /** By how much the squared error of the checked rows grows, on average, when the column is permuted among them. */
    readonly permutation: Readonly<Record<string, number>>;
  };
};

/** Lets training rows and permuted checked rows run down a part of the trees. */
export const question = defineTask<Forest, Witness, Prepared>({
  js(forest, { broadcast }) {
    const { training, features } = broadcast;
    const { options } = grownOf(forest);
    const { features: values, dates } = checkedOf(broadcast);
    const sums = Array.from({ length: 1 + features.length * REPEATS }, () => new Float64Array(dates.length));
    sums.forEach((sum, index) => {
      sumLeaves(forest, permuted(values, features.length, dates.length, options.seed, index), features.length, sum);
    });
    const { models, sizes } = forest;
    const boosted = options.stepSize !== undefined;
    return { ...inspect(forest, training, options), trees: sizes.length, models, seed: options.seed, boosted, sums };
  },
});

/** Adds up what all trees say. */
export const explain = defineTask<readonly Witness[], null, Prepared, Explanation>({
  js(parts, context) {
    const { features } = context.broadcast;
    const importances = {
      impurity: named(features, impurityShares(parts, features.length)),
      permutation: named(features, permutationErrors(parts, context.broadcast)),
    };
    context.report({ outOfBag: outOfBagScores(parts, context.broadcast) ?? null, importances });
    return null;
  },
});

function grownOf({ grown }: Forest) {
  if (grown === undefined) throw new RangeError("trees can be explained that say how they were grown");
  return grown;
}

function checkedOf({ queries }: Prepared): Query {
  const [query] = Object.values(queries);
  if (query === undefined) throw new RangeError("trees are explained by the rows that are checked");
  return query;
}

/** The rows as they are for index 0, or with column (index − 1) ÷ REPEATS shuffled among them. */
function permuted(values: Float64Array, columns: number, rows: number, seed: number, index: number): Float64Array {
  if (index === 0) return values;
  const column = Math.floor((index - 1) / REPEATS);
  const rng = philoxRng((seed ^ PERMUTATIONS) >>> 0, index);
  const shuffled = values.slice();
  for (let row = rows - 1; row > 0; row--) {
    const from = row * columns + column;
    const to = rng.below(row + 1) * columns + column;
    const held = shuffled[from] as number;
    shuffled[from] = shuffled[to] as number;
    shuffled[to] = held;
  }
  return shuffled;
}

function impurityShares(parts: readonly Witness[], columns: number): Float64Array {
  const shares = new Float64Array(columns);
  for (const { impurity, trees, boosted } of parts) {
    for (let tree = 0; tree < trees; tree++) {
      const gains = impurity.subarray(tree * columns, (tree + 1) * columns);
      addTo(shares, boosted ? gains : inShares(gains));
    }
  }
  return inShares(shares);
}

function inShares(gains: Float64Array): Float64Array {
  let sum = 0;
  for (const gain of gains) sum += gain;
  return sum > 0 ? gains.map((gain) => gain / sum) : gains;
}

function addTo(sums: Float64Array, terms: Float64Array | Uint32Array): void {
  terms.forEach((term, at) => {
    sums[at] = (sums[at] as number) + term;
  });
}

/** The seed of every permutation is that of the trees, so all parts have shuffled the rows alike. */
function permutationErrors(parts: readonly Witness[], prepared: Prepared): Float64Array {
  const { features, training, linear } = prepared;
  const { features: values, dates, truth } = checkedOf(prepared);
  const models = parts.reduce((total, part) => total + part.models, 0);
  const seed = parts[0] === undefined ? 0 : parts[0].seed;
  const errorOf = (index: number): number => {
    const sums = new Float64Array(dates.length);
    for (const part of parts) addTo(sums, part.sums[index] as Float64Array);
    const asked = linear === undefined ? values : permuted(values, features.length, dates.length, seed, index);
    return score(predictionsOf(sums, models, training, linear, asked), truth)?.mse ?? 0;
  };
  const plain = errorOf(0);
  return Float64Array.from(features, (_, column) => {
    let sum = 0;
    for (let repeat = 0; repeat < REPEATS; repeat++) sum += errorOf(1 + column * REPEATS + repeat) - plain;
    return sum / REPEATS;
  });
}

/** What a linear model explains counts as explained. Boosted trees correct each other: they have no such score. */
function outOfBagScores(parts: readonly Witness[], { training }: Prepared): Scores | undefined {
  if (parts.some(({ boosted }) => boosted)) return undefined;
  const sums = new Float64Array(training.rows);
  const trees = new Float64Array(training.rows);
  for (const { outOfBag, outOfBagTrees } of parts) {
    addTo(sums, outOfBag);
    addTo(trees, outOfBagTrees);
  }
  const truth = targetsOf(training).map((target, row) => (trees[row] === 0 ? Number.NaN : target));
  const predictions = sums.map((sum, row) => meanOf(sum, trees[row] as number, training));
  return score(predictions, truth);
}

function named(features: readonly string[], values: Float64Array): Record<string, number> {
  const order = [...values.keys()].sort((a, b) => (values[b] as number) - (values[a] as number) || a - b);
  return Object.fromEntries(order.slice(0, LISTED).map((at) => [features[at] as string, values[at] as number]));
}
