import { type ForestOptions, joinTrees, sumLeaves, type Tree } from "./forest.ts";
import { growTree } from "./grow.ts";
import { rowValues, type TrainingSet } from "./training-set.ts";

/**
 * Gradient boosting of the squared error (Friedman, "Stochastic gradient boosting", 2002): each tree is grown on a sample of
 * the residuals, and its leaves, times `stepSize` and rounded to whole numbers, are taken off them. The first model's
 * prediction is the base. The reference for ../assembly/boost.ts.
 */
export function boostingGrower(set: TrainingSet, options: ForestOptions): (tree: number) => Tree {
  const features = rowValues(set);
  const targets = set.targets.slice();
  const rest: TrainingSet = { ...set, targets };
  return (number) => {
    const tree = growTree(rest, options, number);
    const leaves = new Float64Array(set.rows);
    sumLeaves(
      joinTrees(number, [tree], (bytes) => new Uint8Array(bytes)),
      features,
      set.columns,
      leaves,
    );
    leaves.forEach((leaf, row) => {
      targets[row] = (targets[row] as number) - leaf;
    });
    return tree;
  };
}
