import { type LinearModel, linearValue } from "./linear.ts";
import { meanOf, type TargetFrame } from "./training-set.ts";

/**
 * [rows] What `models` models together predict, from each row's sum of the leaves of all their trees. `features` [rows × columns] is
 * read for the linear model that the trees were grown beside.
 */
export function predictionsOf(
  sums: Float64Array,
  models: number,
  frame: TargetFrame,
  linear: LinearModel | undefined,
  features: Float64Array,
): Float64Array {
  const trees = sums.map((sum) => meanOf(sum, models, frame));
  if (linear === undefined) return trees;
  const columns = linear.coefficients.length;
  return trees.map((value, row) => value + linearValue(linear, features, row * columns));
}
