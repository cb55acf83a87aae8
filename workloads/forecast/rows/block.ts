/** Some consecutive training rows: what one node holds of the data. */
export type RowBlock = {
  /** The number of the first row among all training rows. */
  readonly first: number;
  readonly rows: number;
  /** [rows × columns] The bin of each value; missing ones have the one after the column's last. */
  readonly codes: Uint8Array;
  /** [rows] Whole numbers from −TARGET_LIMIT to TARGET_LIMIT, or NO_TARGET. */
  readonly targets: Int32Array;
};

/** Bytes of a row in a block. */
export const rowBytes = (columns: number): number => columns + Int32Array.BYTES_PER_ELEMENT;

/** What all nodes know of all rows. */
export type RowFrame = {
  /** Training rows of all blocks. */
  readonly rows: number;
  readonly columns: number;
  /** [columns + 1] The first cell of each column in a histogram: a cell for each bin, and one for missing values. */
  readonly cellStart: Uint32Array;
  /** The smallest and the largest value of each bin, by valueStart[column] + bin. */
  readonly values: Float64Array;
  readonly uppers: Float64Array;
  readonly valueStart: Uint32Array;
  /** A target is base + (its whole number) / scale. */
  readonly base: number;
  readonly scale: number;
};

/** Bins of a column: with missing values they fit a byte. */
export const MAX_ROW_BINS = 255;
/** Rows whose sums of targets are exact doubles: 2²⁷ × 2²⁵ is below 2⁵³, and a row weighs 1 on average. */
export const MAX_ROWS = 2 ** 26;
/** In place of a target: the row is none to train on, but keeps its number. */
export const NO_TARGET = -(2 ** 31);
/** Targets are whole numbers of at most this size: 26 bits with their sign, which leaves 6 of a word for the weight. */
export const TARGET_LIMIT = 2 ** 25 - 1;

export const cellsOf = ({ cellStart, columns }: RowFrame): number => cellStart[columns] as number;

/** The bin of missing values. */
export const missingBin = ({ valueStart }: RowFrame, column: number): number =>
  (valueStart[column + 1] as number) - (valueStart[column] as number);
