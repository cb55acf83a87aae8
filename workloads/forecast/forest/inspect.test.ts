import { expect, test } from "vitest";
import { philoxRng } from "../../../shared/rng.ts";
import { fitTrees, referenceGrower } from "./fit.ts";
import { type Forest, type ForestOptions, LEAF, MISSING_LEFT, UNLIMITED } from "./forest.ts";
import { drawFromLeaves, inspect } from "./inspect.ts";
import { drawRows } from "./sample.ts";
import { makeTrainingSet } from "./training-set.ts";

const rng = philoxRng(31, 0);
const rows = 80;
const columns = 3;
const features = Float64Array.from({ length: rows * columns }, () => (rng.unit() < 0.1 ? Number.NaN : rng.below(25)));
const set = makeTrainingSet(
  features,
  columns,
  Float64Array.from({ length: rows }, () => rng.below(500)),
);
const context = {
  signal: new AbortController().signal,
  allocate: (bytes: number) => new Uint8Array(bytes),
  progress: () => undefined,
};

const kinds: readonly [string, ForestOptions][] = [
  ["a forest", { seed: 6, maxDepth: UNLIMITED, minLeaf: 2, maxFeatures: columns }],
  ["random thresholds", { seed: 6, maxDepth: 4, minLeaf: 1, maxFeatures: 2, bootstrap: false, randomThresholds: true }],
  ["boosting", { seed: 6, maxDepth: 3, minLeaf: 1, maxFeatures: columns, bootstrap: false, stepSize: 0.2 }],
];

test.each(kinds)("gains are what the squared error falls by from each node to its children: %s", (_name, options) => {
  const forest = fitTrees(referenceGrower(set, options), { first: 2, count: 3 }, context);
  const { impurity } = inspect(forest, set, options);
  const rest = [...set.targets];
  let root = 0;
  forest.sizes.forEach((size, index) => {
    const times = drawRows(rows, options, 2 + index);
    const gains = [0, 0, 0];
    const errorOf = (inside: readonly number[]): number => {
      const weight = inside.reduce((sum, row) => sum + (times[row] as number), 0);
      const mean = inside.reduce((sum, row) => sum + (times[row] as number) * (rest[row] as number), 0) / weight;
      return inside.reduce((sum, row) => sum + (times[row] as number) * ((rest[row] as number) - mean) ** 2, 0);
    };
    const leaves = new Float64Array(rows);
    const visit = (node: number, inside: readonly number[]): number => {
      const code = forest.column[root + node] as number;
      const drawn = inside.filter((row) => (times[row] as number) > 0);
      if (code === LEAF) {
        for (const row of inside) leaves[row] = forest.value[root + node] as number;
        return errorOf(drawn);
      }
      const column = code & ~MISSING_LEFT;
      const goesLeft = (row: number): boolean => {
        const value = features[row * columns + column] as number;
        return Number.isNaN(value) ? code >= MISSING_LEFT : value <= (forest.value[root + node] as number);
      };
      const child = forest.left[root + node] as number;
      const below = [inside.filter(goesLeft), inside.filter((row) => !goesLeft(row))];
      below.forEach((side, at) => {
        visit(child + at, side);
      });
      const drawnBelow = below.map((side) => errorOf(side.filter((row) => (times[row] as number) > 0)));
      gains[column] =
        (gains[column] as number) + errorOf(drawn) - (drawnBelow[0] as number) - (drawnBelow[1] as number);
      return errorOf(drawn);
    };
    const whole = visit(0, [...times.keys()]);
    gains.forEach((gain, column) => {
      expect(((impurity[index * columns + column] as number) - gain) / whole).toBeCloseTo(0, 9);
    });
    if (options.stepSize !== undefined) {
      leaves.forEach((leaf, row) => {
        rest[row] = (rest[row] as number) - leaf;
      });
    }
    root += size;
  });
});

/** The leaf of each training row in the tree at `root`, from the top down: rows are divided at each node. */
function leavesOf(forest: Forest, root: number): number[] {
  const leaves = new Array<number>(rows).fill(-1);
  const divide = (node: number, inside: readonly number[]): void => {
    const code = forest.column[root + node] as number;
    if (code === LEAF) {
      for (const row of inside) leaves[row] = root + node;
      return;
    }
    const toLeft = new Set(
      inside.filter((row) => {
        const value = features[row * columns + (code & ~MISSING_LEFT)] as number;
        return Number.isNaN(value) ? code >= MISSING_LEFT : value <= (forest.value[root + node] as number);
      }),
    );
    const child = forest.left[root + node] as number;
    divide(child, [...toLeft]);
    divide(
      child + 1,
      inside.filter((row) => !toLeft.has(row)),
    );
  };
  divide(
    0,
    Array.from({ length: rows }, (_, row) => row),
  );
  return leaves;
}

const rootsOf = ({ sizes }: Forest): number[] =>
  Array.from(sizes, (_, tree) => sizes.subarray(0, tree).reduce((sum, size) => sum + size, 0));

test("out of bag are a row's leaves in the trees that did not draw it", () => {
  const options = (kinds[0] as [string, ForestOptions])[1];
  const forest = fitTrees(referenceGrower(set, options), { first: 2, count: 9 }, context);
  const { outOfBag, outOfBagTrees } = inspect(forest, set, options);
  const trees = rootsOf(forest).map((root, index) => ({
    leaves: leavesOf(forest, root),
    times: drawRows(rows, options, 2 + index),
  }));
  for (let row = 0; row < rows; row++) {
    const without = trees.filter(({ times }) => times[row] === 0);
    const values = without.map(({ leaves }) => forest.value[leaves[row] as number] as number);
    expect(outOfBagTrees[row]).toBe(without.length);
    expect(outOfBag[row]).toBe(values.reduce((sum, value) => sum + value, 0));
  }
});

test("what is drawn from a leaf is the target of one of its drawn rows, the same for all rows in it and for the same tree", () => {
  const options = { ...(kinds[0] as [string, ForestOptions])[1], minLeaf: 10 };
  const forest = fitTrees(referenceGrower(set, options), { first: 4, count: 5 }, context);
  const drawn = drawFromLeaves(forest, set, options, features, rows);
  for (const [tree, root] of rootsOf(forest).entries()) {
    const times = drawRows(rows, options, 4 + tree);
    const ofTree = drawn.subarray(tree * rows, (tree + 1) * rows);
    const leaves = leavesOf(forest, root);
    for (const leaf of new Set(leaves)) {
      const inside = [...leaves.keys()].filter((row) => leaves[row] === leaf);
      const targets = inside.filter((row) => times[row] !== 0).map((row) => set.targets[row]);
      const [one, ...others] = new Set(inside.map((row) => ofTree[row]));
      expect(others).toEqual([]);
      expect(targets).toContain(one);
    }
  }
  const last = fitTrees(referenceGrower(set, options), { first: 8, count: 1 }, context);
  expect(drawFromLeaves(last, set, options, features, rows)).toEqual(drawn.subarray(4 * rows));
});

test("a leaf's rows are drawn as often as the tree's sample has them", () => {
  const options = { seed: 6, maxDepth: 0, minLeaf: 1, maxFeatures: 1 };
  const four = makeTrainingSet(Float64Array.of(1, 2, 3, 4), 1, Float64Array.of(0, 1, 2, 3));
  const count = 4000;
  const forest = fitTrees(referenceGrower(four, options), { first: 0, count }, context);
  const drawn = drawFromLeaves(forest, four, options, Float64Array.of(1), 1);
  const samples = Array.from({ length: count }, (_, tree) => drawRows(4, options, tree));
  for (let row = 0; row < 4; row++) {
    for (let times = 0; times <= 4; times++) {
      const trees = [...samples.keys()].filter((tree) => samples[tree]?.[row] === times);
      const hits = trees.filter((tree) => drawn[tree] === four.targets[row]).length;
      // Four standard deviations of a binomial count.
      const spread = 4 * Math.sqrt(trees.length * (times / 4) * (1 - times / 4));
      expect(Math.abs(hits - (trees.length * times) / 4)).toBeLessThanOrEqual(spread);
    }
  }
});
