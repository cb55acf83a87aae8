import { expect, test } from "vitest";
import { philoxRng } from "../../../shared/rng.ts";
import { boostingGrower } from "./boost.ts";
import { type ForestOptions, joinTrees, LEAF, sumLeaves, type Tree, UNLIMITED } from "./forest.ts";
import { drawRows } from "./sample.ts";
import { makeTrainingSet } from "./training-set.ts";

const rng = philoxRng(21, 0);
const rows = 60;
const columns = 2;
const features = Float64Array.from({ length: rows * columns }, () => rng.below(30));
const set = makeTrainingSet(
  features,
  columns,
  Float64Array.from({ length: rows }, () => rng.below(1000) / 10),
);
const options: ForestOptions = {
  seed: 3,
  maxDepth: 1,
  minLeaf: 1,
  maxFeatures: columns,
  bootstrap: false,
  stepSize: 0.5,
};

const leaves = (tree: Tree): Float64Array => {
  const sums = new Float64Array(rows);
  sumLeaves(
    joinTrees(0, [tree], (bytes) => new Uint8Array(bytes)),
    features,
    columns,
    sums,
  );
  return sums;
};
const squares = (values: readonly number[]): number => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
};

test("every stump is the best one on what the stumps before it left, and its leaves are the step times the means", () => {
  const grow = boostingGrower(set, options);
  const rest = [...set.targets];
  for (let number = 0; number < 8; number++) {
    let best = Number.POSITIVE_INFINITY;
    for (let column = 0; column < columns; column++) {
      for (let threshold = 0; threshold < 30; threshold++) {
        const left = rest.filter((_, row) => (features[row * columns + column] as number) <= threshold);
        const right = rest.filter((_, row) => (features[row * columns + column] as number) > threshold);
        if (left.length > 0 && right.length > 0) best = Math.min(best, squares(left) + squares(right));
      }
    }
    const tree = grow(number);
    const sums = leaves(tree);
    const sides = [...new Set(sums)].map((value) => ({ value, rest: rest.filter((_, row) => sums[row] === value) }));
    expect(sides.reduce((sum, side) => sum + squares(side.rest), 0) / best).toBeCloseTo(1, 9);
    for (const { value, rest } of sides) {
      const mean = rest.reduce((sum, residual) => sum + residual, 0) / rest.length;
      expect(Math.abs(value - 0.5 * mean)).toBeLessThanOrEqual(1);
    }
    sums.forEach((leaf, row) => {
      rest[row] = (rest[row] as number) - leaf;
    });
  }
  expect(squares(rest)).toBeLessThan(squares([...set.targets]));
});

test("a full tree with the whole step leaves nothing that features can tell apart", () => {
  const unique = Float64Array.from({ length: rows }, (_, row) => row);
  const grow = boostingGrower(makeTrainingSet(unique, 1, set.targets), {
    ...options,
    maxDepth: UNLIMITED,
    stepSize: 1,
  });
  grow(0);
  expect([...grow(1).column]).toEqual([LEAF]);
});

test("without replacement a tree draws exactly its share of the rows, all of them alike", () => {
  const times = new Float64Array(rows);
  for (let tree = 0; tree < 2000; tree++) {
    const drawn = drawRows(rows, { seed: 1, bootstrap: false, subsamplingRate: 0.3 }, tree);
    expect(drawn.reduce((sum, count) => sum + count, 0)).toBe(18);
    expect(Math.max(...drawn)).toBe(1);
    drawn.forEach((count, row) => {
      times[row] = (times[row] as number) + count;
    });
  }
  for (const count of times) expect(Math.abs(count / 2000 - 0.3)).toBeLessThan(0.05);
});
