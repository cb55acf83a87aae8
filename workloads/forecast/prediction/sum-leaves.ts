import { type Forest, sumLeaves } from "../forest/forest.ts";

/** Rows to predict: row-major features, NaN where missing. */
export interface Rows {
  readonly features: Float64Array;
  readonly columns: number;
  readonly count: number;
}

/**
 * For each row the sum of its leaf in every tree, added in double precision in the order of the trees. One for each backend; all
 * give the same bits.
 */
export type SumLeaves = (forest: Forest, rows: Rows) => Float64Array | Promise<Float64Array>;

/** The reference. */
export function sumLeavesJs(forest: Forest, { features, columns, count }: Rows): Float64Array {
  const sums = new Float64Array(count);
  sumLeaves(forest, features, columns, sums);
  return sums;
}
