import { expect, test } from "vitest";
import { philoxRng } from "../../../shared/rng.ts";
import wasm from "../kernel.wasm";
import { fitTrees, type Grower, referenceGrower } from "./fit.ts";
import { type Forest, type ForestOptions, UNLIMITED } from "./forest.ts";
import { makeTrainingSet, type TrainingSet } from "./training-set.ts";
import { wasmGrower } from "./wasm-grower.ts";

const { instance } = await WebAssembly.instantiate(wasm, {});

interface Shape {
  readonly rows: number;
  readonly columns: number;
  /** Distinct values of a column; 1 makes it constant. */
  readonly distinct: number;
  /** Distinct targets. */
  readonly targets: number;
  readonly missing?: number;
}

function randomSet({ rows, columns, distinct, targets, missing = 0 }: Shape, seed: number): TrainingSet {
  const rng = philoxRng(seed, 99);
  const features = Float64Array.from({ length: rows * columns }, () =>
    rng.unit() < missing ? Number.NaN : (rng.below(distinct) - distinct / 3) / 8,
  );
  const y = Float64Array.from({ length: rows }, () => rng.below(targets) / 4 - 7);
  return makeTrainingSet(features, columns, y);
}

const unlimited: ForestOptions = { seed: 5, maxDepth: UNLIMITED, minLeaf: 1, maxFeatures: 0x7fff };
const context = {
  signal: new AbortController().signal,
  allocate: (bytes: number) => new Uint8Array(bytes),
  progress: () => undefined,
};
const fit = (grow: Grower, first: number, count: number): Forest => fitTrees(grow, { first, count }, context);

const shapes: [string, Shape, Partial<ForestOptions>][] = [
  ["continuous columns", { rows: 400, columns: 4, distinct: 1e6, targets: 1e6 }, {}],
  ["many duplicates", { rows: 400, columns: 3, distinct: 5, targets: 9 }, {}],
  ["constant columns", { rows: 60, columns: 3, distinct: 1, targets: 50 }, {}],
  ["constant target", { rows: 60, columns: 3, distinct: 50, targets: 1 }, {}],
  ["one row", { rows: 1, columns: 2, distinct: 50, targets: 50 }, {}],
  ["two rows", { rows: 2, columns: 2, distinct: 50, targets: 50 }, {}],
  ["one column", { rows: 300, columns: 1, distinct: 70, targets: 1e4 }, {}],
  ["missing values", { rows: 300, columns: 4, distinct: 40, targets: 1e4, missing: 0.3 }, {}],
  ["mostly missing", { rows: 300, columns: 3, distinct: 40, targets: 1e4, missing: 0.95 }, {}],
  ["all missing", { rows: 50, columns: 2, distinct: 40, targets: 1e4, missing: 1 }, {}],
  ["limited depth", { rows: 300, columns: 4, distinct: 400, targets: 1e4, missing: 0.1 }, { maxDepth: 4 }],
  ["no depth at all", { rows: 300, columns: 4, distinct: 400, targets: 1e4 }, { maxDepth: 0 }],
  ["large leaves", { rows: 300, columns: 4, distinct: 40, targets: 1e4, missing: 0.2 }, { minLeaf: 7 }],
  ["leaves larger than the sample", { rows: 30, columns: 2, distinct: 40, targets: 1e4 }, { minLeaf: 1e6 }],
  ["some columns a node", { rows: 300, columns: 7, distinct: 40, targets: 1e4, missing: 0.1 }, { maxFeatures: 2 }],
  ["one column a node", { rows: 200, columns: 9, distinct: 3, targets: 1e4 }, { maxFeatures: 1, minLeaf: 3 }],
  ["more columns than a mask holds", { rows: 120, columns: 40, distinct: 6, targets: 100, missing: 0.1 }, {}],
  ["some of many columns", { rows: 120, columns: 40, distinct: 6, targets: 100 }, { maxFeatures: 5 }],
  ["few drawn rows", { rows: 300, columns: 4, distinct: 400, targets: 1e4 }, { subsamplingRate: 0.3 }],
  ["no row twice", { rows: 301, columns: 4, distinct: 400, targets: 1e4 }, { subsamplingRate: 0.6, bootstrap: false }],
  ["all rows", { rows: 300, columns: 4, distinct: 40, targets: 1e4, missing: 0.1 }, { bootstrap: false, minLeaf: 4 }],
  ["a gain that is wanted", { rows: 300, columns: 4, distinct: 400, targets: 1e4 }, { minInfoGain: 20_000 }],
  ["a gain of nothing", { rows: 9, columns: 4, distinct: 3, targets: 4 }, { minInfoGain: 1e-9 }],
  ["bins", { rows: 400, columns: 4, distinct: 1e6, targets: 1e6, missing: 0.1 }, { maxBins: 32 }],
  [
    "bins and depth",
    { rows: 400, columns: 4, distinct: 1e6, targets: 1e6, missing: 0.1 },
    { maxBins: 32, maxDepth: 5 },
  ],
  ["bins, two at least", { rows: 400, columns: 4, distinct: 1e6, targets: 1e6 }, { maxBins: 2, maxFeatures: 2 }],
  ["bins and large leaves", { rows: 400, columns: 4, distinct: 1e6, targets: 1e6 }, { maxBins: 16, minLeaf: 5 }],
];

const random: ForestOptions = { ...unlimited, randomThresholds: true, bootstrap: false };
const boosting: ForestOptions = { ...unlimited, stepSize: 0.3, maxDepth: 3, bootstrap: false, subsamplingRate: 0.6 };

test.each(shapes)("WASM grows the reference's trees: %s", (_name, shape, options) => {
  for (const seed of [1, 2, 0xfffffffe]) {
    const set = randomSet(shape, seed);
    const chosen = { ...unlimited, seed, ...options };
    expect(fit(wasmGrower(instance.exports, set, chosen), 3, 4)).toEqual(fit(referenceGrower(set, chosen), 3, 4));
  }
});

test.each(shapes)("WASM grows the reference's extremely randomised trees: %s", (_name, shape, options) => {
  for (const seed of [1, 2]) {
    const set = randomSet(shape, seed);
    const chosen = { ...random, seed, ...options };
    expect(fit(wasmGrower(instance.exports, set, chosen), 3, 4)).toEqual(fit(referenceGrower(set, chosen), 3, 4));
  }
});

test.each(shapes)("WASM boosts as the reference does: %s", (_name, shape, options) => {
  for (const seed of [1, 2]) {
    const set = randomSet(shape, seed);
    const chosen = { ...boosting, seed, ...options, maxDepth: options.maxDepth ?? 3 + seed };
    expect(fit(wasmGrower(instance.exports, set, chosen), 3, 9)).toEqual(fit(referenceGrower(set, chosen), 3, 9));
  }
});

test.each(shapes)("bins that hold one value each give the exact trees: %s", (_name, shape, options) => {
  const set = randomSet(shape, 4);
  const exact = { ...unlimited, ...options, maxBins: 1e6, minLeaf: 1, maxDepth: Math.min(options.maxDepth ?? 9, 9) };
  const lists = fit(wasmGrower(instance.exports, set, { ...exact, minLeaf: 1 }, "lists"), 0, 3);
  expect(fit(wasmGrower(instance.exports, set, exact, "histograms"), 0, 3)).toEqual(lists);
});
