import { defineTask, type TaskContext } from "kindling";
import { type Forest, joinTrees, type Tree } from "../forest/forest.ts";
import wasm from "../kernel.wasm";
import type { RowBlock, RowFrame } from "../rows/block.ts";
import { type CountLevel, countLevel, cutCounts, type LevelCounts, type LevelSums, sumLevel } from "../rows/count.ts";
import { beginGrowth, finishTree, type Growth, groupOf, type LevelOptions, openNodes } from "../rows/growth.ts";
import { bucketsOf, estimateSent, type HandOut, handedNodes } from "../rows/hand-out.ts";
import { wasmCountLevel, wasmSendRows, wasmSubtreeGrower } from "../rows/kernel.ts";
import type { RowRules } from "../rows/rules.ts";
import { splitLevel } from "../rows/split.ts";
import { type SendRows, sendRows, type SentRows, type SubtreeGrower, subtreeGrower } from "../rows/subtree.ts";

/** What a level's tasks get: the trees as far as they are grown. */
export type LevelState = {
  readonly growth: Growth;
  /** Parts of the growth whose histograms are added up in tasks of their own. */
  readonly groups: number;
  readonly frame: RowFrame;
  readonly options: LevelOptions;
  /** Of the nodes that are to be split. */
  readonly depth: number;
  /** A node with more rows is split on all blocks' histograms. */
  readonly small: number;
};

export type LevelSummary = { readonly open: number };

export type BeginInput = Pick<LevelState, "groups" | "options" | "small"> & {
  readonly first: number;
  readonly count: number;
};

/** Trees of one node each, still to be split. */
export const beginTrees = defineTask<BeginInput, LevelState, RowRules, LevelSummary>({
  js({ first, count, groups, options, small }, context) {
    const { frame } = context.broadcast;
    const growth = beginGrowth(first, count, frame.rows, small);
    context.report({ open: openNodes(growth) });
    return { growth, groups, frame, options, depth: 0, small };
  },
});

/** One block's part of a level's histograms, for each group of trees. */
export const countRows = defineTask<RowBlock, readonly LevelCounts[], LevelState>({
  js: (block, context) => countWith(countLevel, block, context),
  wasm: { module: wasm, run: (exports, block, context) => countWith(wasmCountLevel(exports), block, context) },
});

function countWith(count: CountLevel, block: RowBlock, context: TaskContext<LevelState>): LevelCounts[] {
  const { growth, groups, frame, options } = context.broadcast;
  return cutCounts(growth, groups, count(growth, frame, options, block));
}

/** Adds up what the blocks have counted for a group; below the first level, the group's sums of the level above are there too, the last. */
export const sumCounts = defineTask<readonly (LevelCounts | LevelSums | null)[], LevelSums, LevelState>({
  js(parts, { broadcast: { growth, groups, frame, depth }, partition }) {
    const own = groupOf(growth, groups, partition);
    const known = parts.filter((part) => part !== null);
    const above = depth === 0 ? undefined : (known.pop() as LevelSums);
    return sumLevel(own, frame, known as LevelCounts[], above);
  },
});

/** Gives a group's sums to the task that needs them for the level below. */
export const passSums = defineTask<LevelSums, readonly (LevelSums | null)[]>({
  js: (sums, { partition, buckets }) =>
    Array.from({ length: buckets }, (_, group) => (group === partition ? sums : null)),
});

/** Splits a level of a group. */
export const splitNodes = defineTask<LevelSums, Growth, LevelState>({
  js(sums, { broadcast: { growth, groups, frame, options, depth, small }, partition }) {
    return splitLevel(groupOf(growth, groups, partition), sums, frame, options, depth, small);
  },
});

/** Puts the groups together for the next level. */
export const joinGroups = defineTask<readonly Growth[], LevelState, LevelState, LevelSummary>({
  js(parts, context) {
    const { growth, depth, ...rest } = context.broadcast;
    const next = { first: growth.first, trees: parts.flatMap(({ trees }) => trees) };
    context.report({ open: openNodes(next) });
    return { growth: next, depth: depth + 1, ...rest };
  },
});

/** By number of trees that are handed out together, about how many bytes a block sends at a time. */
export type SentEstimate = { readonly sent: readonly number[] };

/** Estimates what a block sends. */
export const estimateRows = defineTask<RowBlock, null, LevelState, SentEstimate>({
  js(block, context) {
    const { growth, frame, options } = context.broadcast;
    context.report({ sent: estimateSent(growth, frame, options, block) });
    return null;
  },
});

/** The trees of a growth that are handed out together. */
export type HandOutPlan = { readonly state: LevelState; readonly out: HandOut };

/** What tasks of a handing out know: the state, of which there is one, and which trees. */
export const planHandOut = defineTask<LevelState, HandOutPlan, HandOut>({
  js: (state, { broadcast }) => ({ state, out: broadcast }),
});

/** Sends a block's rows to the tasks that grow what is below small nodes. */
export const shareRows = defineTask<RowBlock, readonly SentRows[], HandOutPlan>({
  js: (block, context) => shareWith(sendRows, block, context),
  wasm: { module: wasm, run: (exports, block, context) => shareWith(wasmSendRows(exports), block, context) },
});

const shareWith = (send: SendRows, block: RowBlock, { broadcast: { state, out } }: TaskContext<HandOutPlan>) =>
  send(state.growth, state.frame, state.options, out, block);

/** The subtrees of one bucket, by tree and then in the order of their nodes. */
export type GrownSubtrees = readonly Tree[];

/** Grows the subtrees of one bucket. */
export const growSubtrees = defineTask<readonly SentRows[], GrownSubtrees, HandOutPlan>({
  js: (sent, context) => growWith(subtreeGrower, sent, context),
  wasm: { module: wasm, run: (exports, sent, context) => growWith(wasmSubtreeGrower(exports), sent, context) },
});

function growWith(
  growerOf: SubtreeGrower,
  sent: readonly SentRows[],
  { broadcast: { state, out }, partition, signal }: TaskContext<HandOutPlan>,
): GrownSubtrees {
  const grow = growerOf(state.growth, state.frame, state.options, out, partition);
  return Array.from({ length: out.to - out.from }, (_, at) => {
    signal.throwIfAborted();
    return grow(out.from + at, sent);
  }).flat();
}

export type GrownSummary = { readonly leaves: number };

/** Puts the trees of a handing out together: the subtrees come by bucket. */
export const finishTrees = defineTask<readonly GrownSubtrees[], Forest, HandOutPlan, GrownSummary>({
  js(buckets, context) {
    const { state, out } = context.broadcast;
    const { growth } = state;
    const next = buckets.map(() => 0);
    const trees = growth.trees.slice(out.from, out.to).map((top, at) => {
      const bucketOf = bucketsOf(handedNodes(growth, out.from + at, out.from + at + 1), out.buckets);
      const subtrees = Array.from(bucketOf, (bucket) => buckets[bucket]?.[(next[bucket] as number)++] as Tree);
      return finishTree(top, subtrees);
    });
    context.report({ leaves: trees.reduce((total, { column }) => total + (column.length + 1) / 2, 0) });
    context.progress(trees.length);
    return joinTrees(growth.first + out.from, trees, (bytes) => context.allocate(bytes));
  },
});
