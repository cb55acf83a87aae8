import { philoxRng } from "../../../shared/rng.ts";
import type { ForestOptions } from "./forest.ts";
import { MISSING_RANK, type TrainingSet } from "./training-set.ts";

/** The rows that a tree is grown on: drawn ones, numbered from 0. */
export interface Sample {
  readonly size: number;
  /** [size] Times drawn. */
  readonly weights: Float64Array;
  readonly targets: Float64Array;
  /** [columns][size] */
  readonly ranks: readonly Uint16Array[];
  /** [columns][size] The drawn rows by rising rank, missing ones last. */
  readonly order: readonly Uint16Array[];
}

/** How many rows a tree draws: at least one. */
export const draws = (rows: number, { subsamplingRate = 1 }: Pick<ForestOptions, "subsamplingRate">): number =>
  Math.max(1, Math.round(rows * subsamplingRate));

/**
 * [rows] How often tree number `tree` draws each row. With replacement: row ⌊word × rows / 2³²⌋ for each word of the stream
 * `tree` of `seed`. Without: Knuth's algorithm S, a word for each row in turn; row r of n is taken when ⌊word × (n − r) / 2³²⌋ is
 * below the number still wanted.
 */
export function drawRows(
  rows: number,
  options: Pick<ForestOptions, "seed" | "subsamplingRate" | "bootstrap">,
  tree: number,
): Uint32Array {
  const times = new Uint32Array(rows);
  const rng = philoxRng(options.seed, tree);
  let wanted = draws(rows, options);
  if (options.bootstrap === false) {
    for (let row = 0; row < rows && wanted > 0; row++) {
      if (rng.below(rows - row) >= wanted) continue;
      times[row] = 1;
      wanted--;
    }
  } else {
    for (; wanted > 0; wanted--) (times[rng.below(rows)] as number)++;
  }
  return times;
}

/** The sample of tree number `tree`. */
export function drawSample(
  set: TrainingSet,
  options: Pick<ForestOptions, "seed" | "subsamplingRate" | "bootstrap">,
  tree: number,
): Sample {
  const times = drawRows(set.rows, options, tree);
  const drawn = Uint16Array.from(times.keys()).filter((row) => (times[row] as number) > 0);
  const numbers = new Uint16Array(set.rows);
  drawn.forEach((row, number) => {
    numbers[row] = number;
  });
  const ranks: Uint16Array[] = [];
  const order: Uint16Array[] = [];
  for (let column = 0; column < set.columns; column++) {
    const rankOf = new Uint16Array(drawn.length).fill(MISSING_RANK);
    const sorted = new Uint16Array(drawn.length);
    let count = 0;
    for (let at = column * set.rows; at < (column + 1) * set.rows; at++) {
      const row = set.order[at] as number;
      if (times[row] === 0) continue;
      const number = numbers[row] as number;
      rankOf[number] = set.ranks[at] as number;
      sorted[count++] = number;
    }
    ranks.push(rankOf);
    order.push(sorted);
  }
  return {
    size: drawn.length,
    weights: Float64Array.from(drawn, (row) => times[row] as number),
    targets: Float64Array.from(drawn, (row) => set.targets[row] as number),
    ranks,
    order,
  };
}
