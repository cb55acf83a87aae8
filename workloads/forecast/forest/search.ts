import type { Sample } from "./sample.ts";
import { MISSING_RANK } from "./training-set.ts";

/** Sum of the weighted targets, and the weight. Both are whole numbers. */
export interface Total {
  readonly sum: number;
  readonly weight: number;
}

export interface Split {
  readonly column: number;
  /** Ranks on both sides of the border within the node; `above` is MISSING_RANK when only missing values go right. */
  readonly below: number;
  readonly above: number;
  readonly missingLeft: boolean;
  /** Absent where it lies halfway between the values on both sides of the border. */
  readonly threshold?: number;
  readonly left: Total;
  /** sum² / weight of both sides together: the larger, the smaller the squared error. */
  readonly score: number;
}

export const totalOf = (sample: Sample, rows: Uint16Array): Total => {
  let sum = 0;
  let weight = 0;
  for (const row of rows) {
    sum += (sample.targets[row] as number) * (sample.weights[row] as number);
    weight += sample.weights[row] as number;
  }
  return { sum, weight };
};

/**
 * The best border of one column among `rows` (sorted by it, missing last): between two distinct values, with the
 * missing rows on the right and then on the left, or between the known and the missing. The first of equals wins.
 * `undefined` where no border leaves `minLeaf` rows on both sides, or none scores above `floor`.
 */
export function searchColumn(
  sample: Sample,
  column: number,
  rows: Uint16Array,
  total: Total,
  minLeaf: number,
  floor: number,
): Split | undefined {
  const ranks = sample.ranks[column] as Uint16Array;
  let count = rows.length;
  while (count > 0 && ranks[rows[count - 1] as number] === MISSING_RANK) count--;
  const known = rows.subarray(0, count);
  const missing = rows.subarray(count);
  let best: Split | undefined;
  for (const missingLeft of missing.length > 0 ? [false, true] : [false]) {
    const side = missingLeft ? known : rows;
    const leftMissing = missingLeft ? missing.length : 0;
    let { sum, weight } = missingLeft ? totalOf(sample, missing) : { sum: 0, weight: 0 };
    for (let border = 0; border + 1 < side.length; border++) {
      const row = side[border] as number;
      sum += (sample.targets[row] as number) * (sample.weights[row] as number);
      weight += sample.weights[row] as number;
      const below = ranks[row] as number;
      const above = ranks[side[border + 1] as number] as number;
      if (below === above || leftMissing + border + 1 < minLeaf || side.length - border - 1 < minLeaf) continue;
      const restSum = total.sum - sum;
      const score = (sum * sum) / weight + (restSum * restSum) / (total.weight - weight);
      if (score > (best?.score ?? floor)) best = { column, below, above, missingLeft, left: { sum, weight }, score };
    }
  }
  return best;
}

/**
 * One random border of a column among `rows` (sorted by it, missing last), as Geurts, Ernst and Wehenkel draw it: the
 * threshold is uniform between the smallest and the largest known value, `unit` its place in [0, 1). The missing rows are
 * tried on the right and then on the left. `undefined` as for searchColumn.
 */
export function searchRandomly(
  sample: Sample,
  column: number,
  rows: Uint16Array,
  total: Total,
  minLeaf: number,
  floor: number,
  valueOf: (rank: number) => number,
  unit: number,
): Split | undefined {
  const ranks = sample.ranks[column] as Uint16Array;
  const rankAt = (place: number): number => ranks[rows[place] as number] as number;
  let known = rows.length;
  while (known > 0 && rankAt(known - 1) === MISSING_RANK) known--;
  const missing = rows.subarray(known);
  const low = valueOf(rankAt(0));
  const high = valueOf(rankAt(known - 1));
  const drawn = low * (1 - unit) + high * unit;
  const threshold = low === high ? Number.MAX_VALUE : drawn >= low && drawn < high ? drawn : low;
  let count = known;
  while (valueOf(rankAt(count - 1)) > threshold) count--;
  const below = rankAt(count - 1);
  const above = count === rows.length ? MISSING_RANK : rankAt(count);
  const lower = totalOf(sample, rows.subarray(0, count));
  const lost = totalOf(sample, missing);
  let best: Split | undefined;
  for (const missingLeft of missing.length > 0 && count < known ? [false, true] : [false]) {
    const size = missingLeft ? count + missing.length : count;
    if (size < minLeaf || rows.length - size < minLeaf) continue;
    const sum = missingLeft ? lower.sum + lost.sum : lower.sum;
    const weight = missingLeft ? lower.weight + lost.weight : lower.weight;
    const restSum = total.sum - sum;
    const score = (sum * sum) / weight + (restSum * restSum) / (total.weight - weight);
    if (score > (best?.score ?? floor)) {
      best = { column, below, above, missingLeft, threshold, left: { sum, weight }, score };
    }
  }
  return best;
}
