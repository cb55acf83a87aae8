import { expect, test } from "vitest";
import { philoxRng } from "../../../shared/rng.ts";
import { type ForestOptions, joinTrees, LEAF, MISSING_LEFT, sumLeaves, type Tree, UNLIMITED } from "./forest.ts";
import { growTree } from "./grow.ts";
import { drawSample } from "./sample.ts";
import { makeTrainingSet } from "./training-set.ts";
import { visitOrder } from "./visits.ts";

const unlimited: ForestOptions = { seed: 5, maxDepth: UNLIMITED, minLeaf: 1, maxFeatures: 0x7fff };

interface Row {
  readonly features: readonly number[];
  readonly target: number;
  readonly weight: number;
}

/** The tree's sample, made the slow way from the documented stream. */
function sampleOf(rows: readonly Row[], seed: number, tree: number): Row[] {
  const rng = philoxRng(seed, tree);
  const weights = rows.map(() => 0);
  for (const _ of rows) (weights[rng.below(rows.length)] as number)++;
  return rows.map((row, index) => ({ ...row, weight: weights[index] as number })).filter(({ weight }) => weight > 0);
}

/** Weighted sum of squared deviations from the mean. */
function squares(rows: readonly Row[]): number {
  const weight = rows.reduce((sum, row) => sum + row.weight, 0);
  const mean = rows.reduce((sum, row) => sum + row.weight * row.target, 0) / weight;
  return rows.reduce((sum, row) => sum + row.weight * (row.target - mean) ** 2, 0);
}

/** The smallest squared error of any split, found by trying every column, threshold and side for the missing. */
function bestError(rows: readonly Row[], minLeaf: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (const column of rows[0]?.features.keys() ?? []) {
    for (const threshold of [...rows.map((row) => row.features[column] as number), Number.MAX_VALUE]) {
      for (const missingLeft of [true, false]) {
        const goesLeft = ({ features }: Row): boolean => {
          const value = features[column] as number;
          return Number.isNaN(value) ? missingLeft : value <= threshold;
        };
        const left = rows.filter(goesLeft);
        const right = rows.filter((row) => !goesLeft(row));
        if (left.length >= minLeaf && right.length >= minLeaf) best = Math.min(best, squares(left) + squares(right));
      }
    }
  }
  return best;
}

test.each([
  ["plain", 60, 3, 1000, 0, 1],
  ["with duplicates", 60, 2, 4, 0, 1],
  ["with missing values", 60, 3, 12, 0.25, 1],
  ["with large leaves", 60, 3, 12, 0.25, 5],
])("every split is the best there is: %s", (_name, count, columns, distinct, missing, minLeaf) => {
  const rng = philoxRng(17, 0);
  const rows: Row[] = Array.from({ length: count }, () => ({
    features: Array.from({ length: columns }, () => (rng.unit() < missing ? Number.NaN : rng.below(distinct) / 10)),
    target: rng.below(1000) / 10,
    weight: 1,
  }));
  const set = makeTrainingSet(
    Float64Array.from(rows.flatMap((row) => row.features)),
    columns,
    Float64Array.from(rows, (row) => row.target),
  );
  for (const tree of [0, 1, 2]) {
    const grown = growTree(set, { ...unlimited, minLeaf }, tree);
    const visit = (node: number, inside: readonly Row[]): void => {
      const code = grown.column[node] as number;
      const value = grown.value[node] as number;
      if (code === LEAF) {
        const weight = inside.reduce((sum, row) => sum + row.weight, 0);
        const mean = inside.reduce((sum, row) => sum + row.weight * row.target, 0) / weight;
        expect(set.base + value / set.scale).toBeCloseTo(mean, 8);
        expect(squares(inside) < 1e-9 || bestError(inside, minLeaf) === Number.POSITIVE_INFINITY).toBe(true);
        return;
      }
      const goesLeft = ({ features }: Row): boolean => {
        const feature = features[code & ~MISSING_LEFT] as number;
        return Number.isNaN(feature) ? code >= MISSING_LEFT : feature <= value;
      };
      const left = inside.filter(goesLeft);
      const right = inside.filter((row) => !goesLeft(row));
      expect(Math.min(left.length, right.length)).toBeGreaterThanOrEqual(minLeaf);
      expect(squares(left) + squares(right)).toBeCloseTo(bestError(inside, minLeaf), 6);
      visit(grown.left[node] as number, left);
      visit((grown.left[node] as number) + 1, right);
    };
    visit(0, sampleOf(rows, unlimited.seed, tree));
  }
});

/** Trains on single-column rows with distinct targets and gives the first tree. */
const grow = (features: readonly number[], targets: readonly number[], options: Partial<ForestOptions> = {}): Tree =>
  growTree(
    makeTrainingSet(Float64Array.from(features), 1, Float64Array.from(targets)),
    { ...unlimited, ...options },
    0,
  );

test("thresholds lie halfway between neighbours, or on the lower one where no double is between", () => {
  const close = [1, 1 + Number.EPSILON];
  const features = Array.from({ length: 8 }, (_, row) => close[row % 2] as number);
  const tree = grow(
    features,
    features.map((_, row) => row % 2),
  );
  expect([...tree.value.filter((_, node) => tree.column[node] !== LEAF)]).toEqual([1]);
  const wide = grow([0, 10, 0, 10, 0, 10], [1, 2, 1, 2, 1, 2]);
  expect([...wide.value.filter((_, node) => wide.column[node] !== LEAF)]).toEqual([5]);
});

test("a missing value goes where it did better in training, or else with the heavier side", () => {
  const features = [1, 2, 3, Number.NaN];
  const many = Array.from({ length: 40 }, (_, row) => features[row % 4] as number);
  const predict = (tree: Tree, value: number): number => {
    const sums = new Float64Array(1);
    sumLeaves(
      joinTrees(0, [tree], (bytes) => new Uint8Array(bytes)),
      Float64Array.of(value),
      1,
      sums,
    );
    return sums[0] as number;
  };
  // Missing rows have the target of the value 3, then that of the value 1.
  const high = grow(
    many,
    many.map((value) => (value >= 3 || Number.isNaN(value) ? 9 : 1)),
  );
  expect(predict(high, Number.NaN)).toBe(predict(high, 3));
  const low = grow(
    many,
    many.map((value) => (value <= 1 || Number.isNaN(value) ? 9 : 1)),
  );
  expect(predict(low, Number.NaN)).toBe(predict(low, 1));
  // Missing only in prediction: nine of ten rows lie on the side of the value 0.
  const heavy = Array.from({ length: 100 }, (_, row) => (row % 10 === 0 ? 1 : 0));
  const unseen = grow(heavy, heavy);
  expect(predict(unseen, Number.NaN)).toBe(predict(unseen, 0));
  // Missing against known, the only split there is.
  const known = Array.from({ length: 40 }, (_, row) => (row % 2 === 0 ? 4 : Number.NaN));
  const told = grow(
    known,
    known.map((value) => (Number.isNaN(value) ? 1 : 0)),
  );
  expect(predict(told, Number.NaN)).toBeGreaterThan(predict(told, 4));
  expect(predict(told, 1e300)).toBe(predict(told, 4));
});

test("a bootstrap sample has as many draws as rows, and about 63 % of them", () => {
  const rows = 20_000;
  const sample = drawSample(makeTrainingSet(new Float64Array(rows), 1, new Float64Array(rows)), { seed: 1 }, 0);
  expect(sample.weights.reduce((sum, weight) => sum + weight, 0)).toBe(rows);
  expect(Math.abs(sample.size / rows - (1 - 1 / Math.E))).toBeLessThan(0.01);
});

test("columns are tried in a fair order", () => {
  const firsts = [0, 0, 0, 0, 0, 0];
  const drawn = [0, 0, 0, 0, 0, 0];
  const nodes = 12_000;
  for (let node = 0; node < nodes; node++) {
    const turn = visitOrder(6, true, 1, 2, node);
    expect(turn.map((column) => (column - (turn[0] as number) + 6) % 6)).toEqual([0, 1, 2, 3, 4, 5]);
    (firsts[turn[0] as number] as number)++;
    const order = visitOrder(6, false, 1, 2, node);
    expect(order.toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
    for (const column of order.slice(0, 2)) (drawn[column] as number)++;
  }
  for (const count of firsts) expect(Math.abs(count / nodes - 1 / 6)).toBeLessThan(0.015);
  for (const count of drawn) expect(Math.abs(count / nodes - 2 / 6)).toBeLessThan(0.02);
});

test("random thresholds lie inside their node's range, spread over it, and differ from tree to tree", () => {
  const features = Array.from({ length: 500 }, (_, row) => row);
  const shares: number[] = [];
  const set = makeTrainingSet(Float64Array.from(features), 1, Float64Array.from(features));
  for (let number = 0; number < 200; number++) {
    const tree = growTree(set, { ...unlimited, bootstrap: false, randomThresholds: true, maxDepth: 2 }, number);
    const root = tree.value[0] as number;
    shares.push(root / 499);
    const below = tree.value[tree.left[0] as number] as number;
    if (tree.column[tree.left[0] as number] !== LEAF) expect(below).toBeLessThan(root);
  }
  expect(Math.min(...shares)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...shares)).toBeLessThan(1);
  expect(new Set(shares).size).toBe(200);
  // Uniform: mean 1/2, standard error 0.02.
  expect(Math.abs(shares.reduce((sum, share) => sum + share, 0) / 200 - 0.5)).toBeLessThan(0.07);
});

test("a split that gains less than is wanted is not made", () => {
  const features = Array.from({ length: 40 }, (_, row) => row % 2);
  // Variance 25 in the root, none below it.
  const targets = features.map((value) => value * 10);
  const nodes = (minInfoGain: number): number =>
    grow(features, targets, { bootstrap: false, minInfoGain }).column.length;
  expect([nodes(0), nodes(24.9), nodes(25.1)]).toEqual([3, 3, 1]);
});
