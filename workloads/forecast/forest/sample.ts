import { philoxRng } from "../../../shared/rng.ts";
import { MISSING_RANK, type TrainingSet } from "./training-set.ts";

/** A tree's bootstrap sample: as many draws as there are rows, with replacement; drawn rows are numbered from 0. */
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

/** Draws sample number `tree`: row ⌊word × rows / 2³²⌋ for each word of the stream `tree` of `seed`. */
export function bootstrap(set: TrainingSet, seed: number, tree: number): Sample {
  const times = new Uint32Array(set.rows);
  const rng = philoxRng(seed, tree);
  for (let draw = 0; draw < set.rows; draw++) (times[rng.below(set.rows)] as number)++;
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
