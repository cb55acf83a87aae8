import type { TrainingSet } from "../forest/training-set.ts";
import { MISSING_RANK } from "../forest/training-set.ts";

/** Some consecutive training rows: what one node holds of the data. */
export type RowBlock = {
  /** The number of the first row. */
  readonly first: number;
  /** [rows × columns] The bin of each value; missing ones have the one after the column's last. */
  readonly bins: Uint16Array;
  /** [rows] Whole numbers. */
  readonly targets: Float64Array;
};

/** What all nodes know of all rows. */
export type RowFrame = {
  readonly rows: number;
  readonly columns: number;
  /** [columns + 1] The first cell of each column in a histogram: a cell for each bin, and one for missing values. */
  readonly cellStart: Uint32Array;
  /** The smallest and the largest value of each bin, by valueStart[column] + bin. */
  readonly values: Float64Array;
  readonly uppers: Float64Array;
  readonly valueStart: Uint32Array;
  readonly scale: number;
};

export const frameOf = (set: TrainingSet): RowFrame => ({
  rows: set.rows,
  columns: set.columns,
  cellStart: set.valueStart.map((start, column) => start + column),
  values: set.values,
  uppers: set.uppers ?? set.values,
  valueStart: set.valueStart,
  scale: set.scale,
});

/** Cuts the rows into `count` blocks of about the same size. */
export function cutBlocks(set: TrainingSet, count: number): RowBlock[] {
  const { rows, columns } = set;
  const bins = new Uint16Array(rows * columns);
  for (let column = 0; column < columns; column++) {
    const missing = (set.valueStart[column + 1] as number) - (set.valueStart[column] as number);
    for (let at = column * rows; at < (column + 1) * rows; at++) {
      const rank = set.ranks[at] as number;
      bins[(set.order[at] as number) * columns + column] = rank === MISSING_RANK ? missing : rank;
    }
  }
  return Array.from({ length: count }, (_, block) => {
    const first = Math.floor((block * rows) / count);
    const end = Math.floor(((block + 1) * rows) / count);
    return { first, bins: bins.slice(first * columns, end * columns), targets: set.targets.slice(first, end) };
  });
}
