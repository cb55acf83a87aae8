import { defineTask, type TaskContext } from "kindling";
import { type Forest, joinTrees } from "../forest/forest.ts";
import wasm from "../kernel.wasm";
import type { RowBlock, RowFrame } from "../rows/block.ts";
import { type CountLevel, countLevel, type LevelCounts, type LevelSums, sumLevel } from "../rows/count.ts";
import {
  beginGrowth,
  bucketsOf,
  finishTree,
  type Growth,
  handedNodes,
  type LevelOptions,
  openNodes,
} from "../rows/growth.ts";
import { wasmCountLevel, wasmSendRows, wasmSubtreeGrower } from "../rows/kernel.ts";
import type { RowRules } from "../rows/rules.ts";
import { splitLevel } from "../rows/split.ts";
import {
  depthOf,
  type GrowSubtree,
  type HandOut,
  recordBytes,
  type SendRows,
  sendRows,
  type SentRows,
  subtreeGrower,
} from "../rows/subtree.ts";

/** What a level's tasks get: the trees as far as they are grown. */
export type LevelState = {
  readonly growth: Growth;
  readonly frame: RowFrame;
  readonly options: LevelOptions;
  /** Of the nodes that are to be split. */
  readonly depth: number;
  /** A node with more rows is split on all blocks' histograms. */
  readonly small: number;
};

export type LevelSummary = { readonly open: number };

export type BeginInput = {
  readonly first: number;
  readonly count: number;
  readonly options: LevelOptions;
  readonly small: number;
};

/** Trees of one node each, still to be split. */
export const beginTrees = defineTask<BeginInput, LevelState, RowRules, LevelSummary>({
  js({ first, count, options, small }, context) {
    const { frame } = context.broadcast;
    const growth = beginGrowth(first, count, frame.rows, small);
    context.report({ open: openNodes(growth) });
    return { growth, frame, options, depth: 0, small };
  },
});

/** One block's part of a level's histograms. */
export const countRows = defineTask<RowBlock, LevelCounts, LevelState>({
  js: (block, context) => countWith(countLevel, block, context),
  wasm: { module: wasm, run: (exports, block, context) => countWith(wasmCountLevel(exports), block, context) },
});

function countWith(count: CountLevel, block: RowBlock, context: TaskContext<LevelState>): LevelCounts {
  const { growth, frame, options } = context.broadcast;
  return count(growth, frame, options, block, (bytes) => context.allocate(bytes));
}

/** Adds the blocks' histograms up; below the first level, the sums of the level above come last. */
export const sumCounts = defineTask<readonly (LevelCounts | LevelSums)[], LevelSums, LevelState>({
  js(parts, { broadcast: { growth, frame, depth } }) {
    return depth === 0
      ? sumLevel(growth, frame, parts, undefined)
      : sumLevel(growth, frame, parts.slice(0, -1), parts.at(-1));
  },
});

/** Splits a level. */
export const splitNodes = defineTask<LevelSums, LevelState, LevelState, LevelSummary>({
  js(sums, context) {
    const { growth, frame, options, depth, small } = context.broadcast;
    const next = splitLevel(growth, sums, frame, options, depth, small);
    context.report({ open: openNodes(next) });
    return { growth: next, frame, options, depth: depth + 1, small };
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

/** The subtrees of one bucket, in the order of their nodes. */
export type GrownSubtrees = readonly ReturnType<GrowSubtree>[];

/** Grows the subtrees of one bucket. */
export const growSubtrees = defineTask<readonly SentRows[], GrownSubtrees, HandOutPlan>({
  js: (parts, context) => growWith(subtreeGrower, parts, context),
  wasm: {
    module: wasm,
    run: (exports, parts, context) =>
      growWith((frame, options) => wasmSubtreeGrower(exports, frame, options), parts, context),
  },
});

function growWith(
  growerOf: (frame: RowFrame, options: LevelOptions) => GrowSubtree,
  parts: readonly SentRows[],
  { broadcast: { state, out }, partition, signal }: TaskContext<HandOutPlan>,
): GrownSubtrees {
  const { growth, frame, options } = state;
  const grow = growerOf(frame, options);
  const size = recordBytes(frame.columns);
  const handed = handedNodes(growth, out.from, out.to);
  const bucketOf = bucketsOf(handed, out.buckets);
  const starts = parts.map(() => 0);
  return handed
    .filter((_, place) => bucketOf[place] === partition)
    .map(({ tree, id }, at) => {
      signal.throwIfAborted();
      const records = parts.map((part, block) => {
        const start = starts[block] as number;
        starts[block] = start + (part.counts[at] as number) * size;
        return part.records.subarray(start, starts[block]);
      });
      return grow({ tree: growth.first + tree, id, depth: depthOf(id) }, records);
    });
}

export type GrownSummary = { readonly leaves: number };

/** Puts the trees of a handing out together: the subtrees come by bucket. */
export const finishTrees = defineTask<readonly GrownSubtrees[], Forest, HandOutPlan, GrownSummary>({
  js(buckets, context) {
    const { state, out } = context.broadcast;
    const { growth } = state;
    const subtrees = buckets.flat();
    const handed = handedNodes(growth, out.from, out.to);
    const trees = growth.trees.slice(out.from, out.to).map((top, at) =>
      finishTree(
        top,
        subtrees.filter((_, place) => handed[place]?.tree === out.from + at),
      ),
    );
    context.report({ leaves: trees.reduce((total, { column }) => total + (column.length + 1) / 2, 0) });
    context.progress(trees.length);
    return joinTrees(growth.first + out.from, trees, (bytes) => context.allocate(bytes));
  },
});
