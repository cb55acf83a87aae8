/** What tests of prediction share. */
import { philoxRng } from "../../../shared/rng.ts";
import { type Forest, joinTrees, LEAF, MISSING_LEFT, type Tree } from "../forest/forest.ts";
import type { Rows } from "./sum-leaves.ts";

const VALUES = [
  Number.NaN,
  Number.NEGATIVE_INFINITY,
  -1e300,
  -1,
  -0,
  0,
  5e-324,
  0.1,
  1,
  1e300,
  Number.POSITIVE_INFINITY,
];

/** Trees of any shape, with thresholds that rows hit exactly, and every kind of number. */
export function randomForest(seed: number, columns: number, trees: number): Forest {
  const rng = philoxRng(seed, 7);
  const valueOf = () => (rng.below(3) === 0 ? (VALUES[rng.below(VALUES.length)] as number) : (rng.below(40) - 20) / 8);
  const make = (): Tree => {
    const column = [LEAF];
    const value = [0];
    const left = [0];
    const splits = rng.below(60);
    for (let split = 0; split < splits; split++) {
      const leaves = column.flatMap((code, node) => (code === LEAF ? [node] : []));
      const node = leaves[rng.below(leaves.length)] as number;
      column[node] = rng.below(columns) + (rng.below(2) === 0 ? MISSING_LEFT : 0);
      value[node] = valueOf();
      left[node] = column.length;
      column.push(LEAF, LEAF);
      value.push(0, 0);
      left.push(0, 0);
    }
    column.forEach((code, node) => {
      if (code === LEAF) value[node] = rng.below(1000) - 500;
    });
    return { column: Uint16Array.from(column), value: Float64Array.from(value), left: Uint32Array.from(left) };
  };
  return joinTrees(0, Array.from({ length: trees }, make), (bytes) => new Uint8Array(bytes));
}

/** Values on both sides of those thresholds, and every kind of number. */
export function randomRows(seed: number, columns: number, count: number): Rows {
  const rng = philoxRng(seed, 8);
  const features = Float64Array.from({ length: count * columns }, () =>
    rng.below(4) === 0 ? (VALUES[rng.below(VALUES.length)] as number) : (rng.below(40) - 20) / 8,
  );
  return { features, columns, count };
}
