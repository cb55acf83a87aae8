import { type Forest, type ForestOptions, joinTrees, type Tree } from "./forest.ts";
import { growTree } from "./grow.ts";
import type { TrainingSet } from "./training-set.ts";

/** The part of a forest that a task grows. */
export type TreeRange = { readonly first: number; readonly count: number };

/** What fitting needs of a task's context. */
export interface FitContext {
  readonly signal: AbortSignal;
  allocate(bytes: number): Uint8Array;
  progress(trees: number): void;
}

/** Grows one tree, given its number. */
export type Grower = (tree: number) => Tree;

export const referenceGrower =
  (set: TrainingSet, options: ForestOptions): Grower =>
  (tree) =>
    growTree(set, options, tree);

/** Grows the trees of a range in order. */
export function fitTrees(grow: Grower, { first, count }: TreeRange, context: FitContext): Forest {
  const trees: Tree[] = [];
  for (let tree = first; tree < first + count; tree++) {
    context.signal.throwIfAborted();
    trees.push(grow(tree));
    context.progress(1);
  }
  return joinTrees(first, trees, (bytes) => context.allocate(bytes));
}
