import { binTrainingSet } from "./bins.ts";
import { boostingGrower } from "./boost.ts";
import { type Forest, type ForestOptions, type Tree, TreeList } from "./forest.ts";
import { growTree } from "./grow.ts";
import type { TrainingSet } from "./training-set.ts";

/** The part of a forest that a task grows; in boosting, all trees of one model. */
export type TreeRange = { readonly first: number; readonly count: number };

/** What fitting needs of a task's context. */
export interface FitContext {
  readonly signal: AbortSignal;
  allocate(bytes: number): Uint8Array;
  progress(trees: number): void;
}

/** Grows one tree, given its number; it is there until the next one is grown. In boosting the trees of a model are grown in turn. */
export type Grower = (tree: number) => Tree;

/** The grower that every kernel must match, bit for bit. */
export function referenceGrower(exact: TrainingSet, options: ForestOptions): Grower {
  const set = binTrainingSet(exact, options.maxBins);
  return options.stepSize === undefined ? (tree) => growTree(set, options, tree) : boostingGrower(set, options);
}

/** Grows the trees of a range in order. */
export function fitTrees(grow: Grower, { first, count }: TreeRange, context: FitContext, models = count): Forest {
  const trees = new TreeList(count, (bytes) => context.allocate(bytes));
  for (let tree = first; tree < first + count; tree++) {
    context.signal.throwIfAborted();
    trees.add(grow(tree));
    context.progress(1);
  }
  return trees.forest(first, models);
}
