import { defineTask } from "kindling";
import type { Prepared } from "../data/prepared.ts";
import { binTrainingSet } from "../forest/bins.ts";
import { type Forest, joinTrees } from "../forest/forest.ts";
import { cutBlocks, frameOf, type RowBlock, type RowFrame } from "../rows/block.ts";
import { addCounts, countLevel, type LevelCounts } from "../rows/count.ts";
import { beginGrowth, finishTree, type Growth, type LevelOptions, openNodes } from "../rows/growth.ts";
import { splitLevel } from "../rows/split.ts";

/** What a level's tasks get: the trees as far as they are grown. */
export type LevelState = {
  readonly growth: Growth;
  readonly frame: RowFrame;
  readonly options: LevelOptions;
  /** Of the nodes that are to be split. */
  readonly depth: number;
};

export type LevelSummary = { readonly open: number };

export type BeginInput = {
  readonly first: number;
  readonly count: number;
  readonly maxBins: number;
  readonly options: LevelOptions;
};

/** Cuts the training rows into a block for each bucket. */
export const cutRows = defineTask<number, readonly RowBlock[], Prepared>({
  js: (maxBins, { broadcast, buckets }) => cutBlocks(binTrainingSet(broadcast.training, maxBins), buckets),
});

/** One block, as it came. */
export const keepRows = defineTask<readonly RowBlock[], RowBlock>({
  js([block]) {
    if (block === undefined) throw new RangeError("a bucket of rows is empty");
    return block;
  },
});

/** Trees of one node each, still to be split. */
export const beginTrees = defineTask<BeginInput, LevelState, Prepared>({
  js: ({ first, count, maxBins, options }, { broadcast }) => ({
    growth: beginGrowth(first, count),
    frame: frameOf(binTrainingSet(broadcast.training, maxBins)),
    options,
    depth: 0,
  }),
});

/** One block's part of a level's histograms. */
export const countRows = defineTask<RowBlock, LevelCounts, LevelState>({
  js(block, context) {
    const { growth, frame, options } = context.broadcast;
    return countLevel(growth, frame, options, block, (bytes) => context.allocate(bytes));
  },
});

/** Adds the blocks' histograms up and splits the level. */
export const splitNodes = defineTask<readonly LevelCounts[], LevelState, LevelState, LevelSummary>({
  js(parts, context) {
    const { growth, frame, options, depth } = context.broadcast;
    const next = splitLevel(growth, addCounts(parts), frame, options, depth);
    context.report({ open: next.trees.reduce((total, tree) => total + openNodes(tree), 0) });
    return { growth: next, frame, options, depth: depth + 1 };
  },
});

export type GrownSummary = { readonly leaves: number };

/** The trees, when no node is open. */
export const finishTrees = defineTask<LevelState, Forest, undefined, GrownSummary>({
  js({ growth }, context) {
    const trees = growth.trees.map(finishTree);
    context.report({ leaves: trees.reduce((total, { column }) => total + (column.length + 1) / 2, 0) });
    context.progress(trees.length);
    return joinTrees(growth.first, trees, (bytes) => context.allocate(bytes));
  },
});
