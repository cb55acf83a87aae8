import { expect, test } from "vitest";
import { philoxRng } from "../../../shared/rng.ts";
import { binTrainingSet } from "../forest/bins.ts";
import { joinTrees, sumLeaves, type Tree } from "../forest/forest.ts";
import { growTree } from "../forest/grow.ts";
import { MISSING_RANK, makeTrainingSet, rowValues, type TrainingSet } from "../forest/training-set.ts";
import wasm from "../kernel.wasm";
import { NO_TARGET, type RowBlock, type RowFrame } from "./block.ts";
import { type CountLevel, countLevel, cutCounts, type LevelSums, sumLevel } from "./count.ts";
import { beginGrowth, finishTree, type Growth, groupOf, type LevelOptions, openNodes } from "./growth.ts";
import { bucketsOf, handedNodes, sentBytes } from "./hand-out.ts";
import { wasmCountLevel, wasmSendRows, wasmSubtreeGrower } from "./kernel.ts";
import { drawWeights, weightBits, weightLimits } from "./sampling.ts";
import { splitLevel } from "./split.ts";
import { type SendRows, sendRows, type SentRows, type SubtreeGrower, subtreeGrower } from "./subtree.ts";

const { instance } = await WebAssembly.instantiate(wasm, {});
const allocate = (bytes: number): Uint8Array => new Uint8Array(bytes);

interface Kernels {
  readonly count: CountLevel;
  readonly send: SendRows;
  readonly grower: SubtreeGrower;
}
const reference: Kernels = { count: countLevel, send: sendRows, grower: subtreeGrower };
const compiled: Kernels = {
  count: wasmCountLevel(instance.exports),
  send: wasmSendRows(instance.exports),
  grower: wasmSubtreeGrower(instance.exports),
};

interface Shape {
  readonly rows: number;
  readonly columns: number;
  readonly distinct: number;
  readonly missing: number;
  readonly targets: number;
}
const usual: Shape = { rows: 300, columns: 3, distinct: 1e6, missing: 0, targets: 1e6 };

function randomSet({ rows, columns, distinct, missing, targets }: Shape, seed: number): TrainingSet {
  const rng = philoxRng(seed, 5);
  const features = Float64Array.from({ length: rows * columns }, () =>
    rng.unit() < missing ? Number.NaN : rng.below(distinct) / 4,
  );
  const set = makeTrainingSet(features, columns, new Float64Array(rows));
  return { ...set, targets: Float64Array.from({ length: rows }, () => rng.below(targets) - targets / 2) };
}

const frameOf = (set: TrainingSet): RowFrame => ({
  rows: set.rows,
  columns: set.columns,
  cellStart: set.valueStart.map((start, column) => start + column),
  values: set.values,
  uppers: set.uppers ?? set.values,
  valueStart: set.valueStart,
  base: 0,
  scale: 1,
});

/** Some rows have no target, unless all are wanted. */
function cutBlocks(set: TrainingSet, count: number, all: boolean): RowBlock[] {
  const { rows, columns } = set;
  const codes = new Uint8Array(rows * columns);
  for (let at = 0; at < rows * columns; at++) {
    const column = Math.floor(at / rows);
    const missing = (set.valueStart[column + 1] as number) - (set.valueStart[column] as number);
    const rank = set.ranks[at] as number;
    codes[(set.order[at] as number) * columns + column] = rank === MISSING_RANK ? missing : rank;
  }
  return Array.from({ length: count }, (_, block) => {
    const first = Math.floor((block * rows) / count);
    const end = Math.floor(((block + 1) * rows) / count);
    const targets = Int32Array.from(set.targets.subarray(first, end), (target, at) =>
      !all && (first + at) % 17 === 5 ? NO_TARGET : target,
    );
    return { first, rows: end - first, codes: codes.slice(first * columns, end * columns), targets };
  });
}

interface How {
  readonly blocks: number;
  readonly small: number;
  readonly buckets: number;
  readonly first: number;
  readonly trees: number;
  readonly all?: boolean;
}

/** Grows trees by levels while a node has more than `small` rows. */
function growTops(
  { count }: Kernels,
  frame: RowFrame,
  cut: readonly RowBlock[],
  options: LevelOptions,
  { small, first, trees }: How,
): Growth {
  let growth: Growth = beginGrowth(first, trees, frame.rows, small);
  let sums: LevelSums | undefined;
  for (let depth = 0; openNodes(growth) > 0; depth++) {
    const counts = cut.map((block) => count(growth, frame, options, block));
    sums = sumLevel(growth, frame, counts, sums);
    growth = splitLevel(growth, sums, frame, options, depth, small);
  }
  return growth;
}

/** Grows trees as the tasks do: tops by levels, and subtrees from there. */
function grow(kernels: Kernels, set: TrainingSet, options: LevelOptions, how: How): Tree[] {
  const { send, grower } = kernels;
  const { blocks, buckets, trees, all = false } = how;
  const frame = frameOf(set);
  const cut = cutBlocks(set, blocks, all);
  const growth = growTops(kernels, frame, cut, options, how);
  const out = { from: 0, to: trees, buckets };
  const sent = cut.map((block) =>
    send(growth, frame, options, out, block).map((pieces) => pieces.map((piece) => piece.slice())),
  );
  const growers = Array.from({ length: buckets }, (_, bucket) => grower(growth, frame, options, out, bucket));
  return growth.trees.map((tree, at) => {
    const grown = growers.map((growSubtrees, bucket) =>
      growSubtrees(
        at,
        sent.map((parts) => parts[bucket] ?? []),
      ),
    );
    const bucketOf = bucketsOf(handedNodes(growth, at, at + 1), buckets);
    return finishTree(
      tree,
      Array.from(bucketOf, (bucket) => grown[bucket]?.shift() as Tree),
    );
  });
}

const options: LevelOptions = { seed: 7, maxDepth: 5, minLeaf: 4, maxFeatures: 99 };
const whole = { blocks: 1, small: 0, buckets: 1, first: 3, trees: 4 };
const kinds: readonly [string, Partial<LevelOptions>, Partial<Shape>][] = [
  ["plain", {}, {}],
  ["missing values", {}, { distinct: 40, missing: 0.2 }],
  ["mostly missing", { minLeaf: 1 }, { distinct: 40, missing: 0.9 }],
  ["some columns", { maxFeatures: 1, minLeaf: 1 }, { distinct: 30, missing: 0.1 }],
  ["more columns than 16", { maxFeatures: 6, minLeaf: 1 }, { columns: 21, distinct: 30, missing: 0.1 }],
  ["no depth", { maxDepth: 0 }, { distinct: 30 }],
  ["one level", { maxDepth: 1 }, {}],
  ["deep", { maxDepth: 16, minLeaf: 1 }, {}],
  ["few targets, so that nodes are pure", { maxDepth: 16, minLeaf: 1 }, { targets: 3, distinct: 9 }],
  ["a gain that is wanted", { minInfoGain: 5e9 }, {}],
  ["a share of the rows", { subsamplingRate: 0.4 }, {}],
  ["no row twice", { subsamplingRate: 0.4, bootstrap: false }, {}],
  ["next to no row", { subsamplingRate: 1e-10 }, {}],
  ["next to no row, and none twice", { subsamplingRate: 1e-10, bootstrap: false }, {}],
  ["all rows", { bootstrap: false }, { missing: 0.1, distinct: 20 }],
  ["constant columns", {}, { distinct: 1 }],
  ["two rows", { minLeaf: 1 }, { rows: 2 }],
];

test.each(kinds)(
  "the trees do not depend on the blocks, nor on what is grown beside them: %s",
  (_name, more, shape) => {
    const set = binTrainingSet(randomSet({ ...usual, ...shape }, 2), 16);
    const chosen = { ...options, ...more };
    const expected = grow(reference, set, chosen, whole);
    for (const blocks of [2, 7, set.rows]) expect(grow(reference, set, chosen, { ...whole, blocks })).toEqual(expected);
    expect(grow(reference, set, chosen, { ...whole, blocks: 3, first: 5, trees: 1 })).toEqual(expected.slice(2, 3));
    const handed = grow(reference, set, chosen, { ...whole, blocks: 3, small: 60, buckets: 1 });
    for (const buckets of [2, 5]) {
      expect(grow(reference, set, chosen, { ...whole, blocks: 2, small: 60, buckets })).toEqual(handed);
    }
    // Where a subtree is grown changes the order of the nodes and nothing else.
    const values = (tree: Tree): number[] => [...tree.value].sort((a, b) => a - b);
    expect(handed.map(values)).toEqual(expected.map(values));
  },
);

test.each(kinds)("the WebAssembly kernels give the same bits: %s", (_name, more, shape) => {
  const set = binTrainingSet(randomSet({ ...usual, ...shape }, 4), 16);
  const chosen = { ...options, ...more };
  for (const small of [0, 40, 1e6]) {
    for (const blocks of [1, 3]) {
      const how = { ...whole, small, blocks, buckets: 3 };
      expect(grow(compiled, set, chosen, how)).toEqual(grow(reference, set, chosen, how));
    }
  }
});

test.each(kinds)(
  "the WebAssembly kernels count the same cells, whatever groups they are cut into: %s",
  (_name, more, shape) => {
    const set = binTrainingSet(randomSet({ ...usual, ...shape }, 6), 16);
    const [frame, chosen] = [frameOf(set), { ...options, ...more }];
    const [block] = cutBlocks(set, 1, false);
    const growth = beginGrowth(3, 5, set.rows, 0);
    const counts = reference.count(growth, frame, chosen, block as RowBlock);
    expect(compiled.count(growth, frame, chosen, block as RowBlock)).toEqual(counts);
    const sums = sumLevel(growth, frame, [counts, counts], undefined);
    const cut = cutCounts(growth, 3, counts).map((own, group) =>
      sumLevel(groupOf(growth, 3, group), frame, [own, own], undefined),
    );
    expect(cut.flatMap(({ cells }) => [...cells])).toEqual([...sums.cells]);
    expect(cut.flatMap(({ least }) => [...least])).toEqual([...sums.least]);
  },
);

test("with as many bins as a byte holds, and large targets", () => {
  const shape = { ...usual, rows: 3000, distinct: 1e6, missing: 0.01, targets: 2 ** 26 - 2 };
  const set = binTrainingSet(randomSet(shape, 8), 255);
  const chosen = { ...options, maxDepth: 9, minLeaf: 1 };
  const how = { ...whole, blocks: 3, small: 500, buckets: 4 };
  expect(grow(compiled, set, chosen, how)).toEqual(grow(reference, set, chosen, how));
});

// Blocks of 4,999 and 5,000 rows, the second one from a row that is no multiple of 4.
const large = { ...usual, rows: 9999, distinct: 200, missing: 0.05 };
const sixteen = { ...whole, blocks: 2, small: 2000, trees: 16 };

test.each([1, 11])(
  "the WebAssembly kernels give the same bits for several pieces of sixteen trees, %i buckets",
  (buckets) => {
    const set = binTrainingSet(randomSet(large, 9), 16);
    const how = { ...sixteen, buckets };
    expect(grow(compiled, set, options, how)).toEqual(grow(reference, set, options, how));
  },
);

test.each([
  ["few buckets", 2, 2048],
  ["so many buckets that pieces are short", 40_000, 27],
])("the WebAssembly kernels send the same pieces: %s", (_name, buckets, rows) => {
  const set = binTrainingSet(randomSet(large, 10), 16);
  const frame = frameOf(set);
  const cut = cutBlocks(set, 2, false);
  const growth = growTops(compiled, frame, cut, options, { ...sixteen, buckets });
  const out = { from: 0, to: sixteen.trees, buckets };
  for (const block of cut) {
    const sent = compiled.send(growth, frame, options, out, block);
    expect(Math.max(...sent.map((pieces) => pieces.length))).toBeGreaterThan(1);
    const expected = reference.send(growth, frame, options, out, block);
    expect(new Set(expected.flatMap((pieces) => pieces.slice(0, -1).map(({ length }) => length)))).toEqual(
      new Set([rows * sentBytes(large.columns, sixteen.trees, weightBits(weightLimits(options)))]),
    );
    const bytes = (pieces: SentRows): string[] => pieces.map((piece) => Buffer.from(piece).toString("base64"));
    expect(sent.map(bytes)).toEqual(expected.map(bytes));
  }
});

test.each([
  ["Poisson", {}, 1, 1],
  ["Poisson, half", { subsamplingRate: 0.5 }, 0.5, 0.5],
  ["without replacement", { subsamplingRate: 0.3, bootstrap: false as const }, 0.3, 0.21],
])("weights are drawn row by row: %s", (_name, more, mean, variance) => {
  const limits = weightLimits({ ...options, ...more });
  const weights = [...drawWeights(limits, 1, 2, 0, 40_000)];
  const average = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  const spread = weights.reduce((sum, weight) => sum + (weight - average) ** 2, 0) / weights.length;
  expect(average).toBeCloseTo(mean, 1);
  expect(spread).toBeCloseTo(variance, 1);
  expect([...drawWeights(limits, 1, 2, 1003, 50)]).toEqual(weights.slice(1003, 1053));
});

test.each([{}, { bootstrap: false as const }])("however small a rate is, a row may be drawn: %o", (more) => {
  expect([...weightLimits({ ...options, ...more, subsamplingRate: 1e-10 })]).toEqual([0]);
});

test("every row has the leaf value that it has in the tree grown from all rows at once", () => {
  const chosen: LevelOptions = { ...options, bootstrap: false, maxDepth: 7 };
  const set = binTrainingSet(randomSet({ ...usual, rows: 400 }, 3), 32);
  const leaves = (tree: Tree): Float64Array => {
    const sums = new Float64Array(set.rows);
    sumLeaves(joinTrees(0, [tree], allocate), rowValues(set), set.columns, sums);
    return sums;
  };
  grow(reference, set, chosen, { ...whole, blocks: 3, small: 50, first: 0, all: true }).forEach((tree, number) => {
    expect(leaves(tree)).toEqual(leaves(growTree(set, chosen, number)));
  });
});
