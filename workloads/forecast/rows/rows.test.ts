import { expect, test } from "vitest";
import { philoxRng } from "../../../shared/rng.ts";
import { binTrainingSet } from "../forest/bins.ts";
import { type ForestOptions, joinTrees, sumLeaves, type Tree } from "../forest/forest.ts";
import { growTree } from "../forest/grow.ts";
import { drawRows } from "../forest/sample.ts";
import { makeTrainingSet, rowValues, type TrainingSet } from "../forest/training-set.ts";
import { cutBlocks, frameOf } from "./block.ts";
import { addCounts, countLevel } from "./count.ts";
import { beginGrowth, finishTree, openNodes } from "./growth.ts";
import { splitLevel } from "./split.ts";

const columns = 3;

function randomSet(rows: number, distinct: number, missing: number, seed: number): TrainingSet {
  const rng = philoxRng(seed, 5);
  const features = Float64Array.from({ length: rows * columns }, () =>
    rng.unit() < missing ? Number.NaN : rng.below(distinct) / 4,
  );
  return makeTrainingSet(
    features,
    columns,
    Float64Array.from({ length: rows }, () => rng.below(1e6) / 100),
  );
}

function grow(set: TrainingSet, options: ForestOptions, blocks: number, first: number, count: number): Tree[] {
  const frame = frameOf(set);
  const cut = cutBlocks(set, blocks);
  let growth = beginGrowth(first, count);
  for (let depth = 0; growth.trees.some((tree) => openNodes(tree) > 0); depth++) {
    const counts = addCounts(cut.map((block) => countLevel(growth, frame, options, block)));
    growth = splitLevel(growth, counts, frame, options, depth);
  }
  return growth.trees.map(finishTree);
}

const options: ForestOptions = { seed: 7, maxDepth: 5, minLeaf: 4, maxFeatures: columns };
const kinds: readonly [string, Partial<ForestOptions>, number, number][] = [
  ["plain", {}, 1e6, 0],
  ["missing values", {}, 40, 0.2],
  ["some columns", { maxFeatures: 1, minLeaf: 1 }, 30, 0.1],
  ["no depth", { maxDepth: 0 }, 30, 0],
  ["a gain that is wanted", { minInfoGain: 1e5 }, 1e6, 0],
  ["a share of the rows", { subsamplingRate: 0.4, bootstrap: false }, 1e6, 0],
];

test.each(kinds)(
  "the trees do not depend on the blocks, nor on the trees beside them: %s",
  (_name, more, distinct, missing) => {
    const set = binTrainingSet(randomSet(300, distinct, missing, 2), 16);
    const chosen = { ...options, ...more };
    const whole = grow(set, chosen, 1, 3, 4);
    for (const blocks of [2, 7, 300]) expect(grow(set, chosen, blocks, 3, 4)).toEqual(whole);
    expect(grow(set, chosen, 3, 5, 1)).toEqual(whole.slice(2, 3));
  },
);

test.each(kinds.filter(([, { maxFeatures }]) => maxFeatures === undefined))(
  "every drawn row has the leaf value that it has in the tree grown from all rows at once: %s",
  (_name, more, distinct, missing) => {
    const set = binTrainingSet(randomSet(400, distinct, missing, 3), 32);
    const chosen = { ...options, ...more };
    // Columns that divide the drawn rows alike may be taken in another order, which the other rows would notice.
    const leaves = (tree: Tree, number: number): Float64Array => {
      const times = drawRows(set.rows, chosen, number);
      const sums = new Float64Array(set.rows);
      sumLeaves(
        joinTrees(0, [tree], (bytes) => new Uint8Array(bytes)),
        rowValues(set),
        columns,
        sums,
      );
      return sums.filter((_, row) => (times[row] as number) > 0);
    };
    grow(set, chosen, 3, 0, 4).forEach((tree, number) => {
      expect(leaves(tree, number)).toEqual(leaves(growTree(set, chosen, number), number));
    });
  },
);
