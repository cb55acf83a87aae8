import { expect, test } from "vitest";
import { philoxRng } from "../../../shared/rng.ts";
import { fitTrees, referenceGrower } from "./fit.ts";
import { type ForestOptions, LEAF, MISSING_LEFT, UNLIMITED } from "./forest.ts";
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

test("a row is out of bag for the trees that did not draw it", () => {
  const options = (kinds[0] as [string, ForestOptions])[1];
  const forest = fitTrees(referenceGrower(set, options), { first: 0, count: 9 }, context);
  const { outOfBag, outOfBagTrees } = inspect(forest, set, options);
  const missed = new Uint32Array(rows);
  for (let tree = 0; tree < 9; tree++) {
    drawRows(rows, options, tree).forEach((times, row) => {
      if (times === 0) missed[row] = (missed[row] as number) + 1;
    });
  }
  expect(outOfBagTrees).toEqual(missed);
  outOfBag.forEach((sum, row) => {
    expect(Math.abs(sum)).toBeLessThanOrEqual((missed[row] as number) * 2 ** 36);
  });
});

test("what is drawn from a leaf is the target of one of its rows, the same for the same tree", () => {
  const options = { ...(kinds[0] as [string, ForestOptions])[1], minLeaf: 10 };
  const forest = fitTrees(referenceGrower(set, options), { first: 4, count: 5 }, context);
  const drawn = drawFromLeaves(forest, set, options, features, rows);
  const known = new Set(set.targets);
  expect(drawn.every((target) => known.has(target))).toBe(true);
  expect(new Set(drawn.subarray(0, rows)).size).toBeGreaterThan(1);
  const last = fitTrees(referenceGrower(set, options), { first: 8, count: 1 }, context);
  expect(drawFromLeaves(last, set, options, features, rows)).toEqual(drawn.subarray(4 * rows));
});
