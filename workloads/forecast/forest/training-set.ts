/** The most rows of a training set: a row's number and its rank fit 16 bits, with one value kept for "missing". */
export const MAX_ROWS = 0xffff;
/** The most columns: a node's column number fits 15 bits. */
const MAX_COLUMNS = 0x7fff;
/** The rank of a missing value: after all others. */
export const MISSING_RANK = 0xffff;
/** Targets are integers of at most this size, so sums over MAX_ROWS rows or trees stay below 2⁵²: exact as doubles. */
const TARGET_LIMIT = 2 ** 36;
/** Targets nearer to each other than this are one: its square, in which gains are measured, is still finite. */
export const FINEST_SCALE = 2 ** 400;
/** Targets that are decimals of one of these units stay so: 32.18 is predicted as 32.18. */
const DECIMALS = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000];

/** A target is base + (its whole number) / scale. */
export type TargetFrame = {
  readonly base: number;
  /** A power of two, times a power of ten where the targets are decimals. */
  readonly scale: number;
};

/**
 * What trees are trained on. Targets are whole numbers, in units of 1 / scale from `base`; so every sum of them is exact
 * and has no order, whichever kernel or node adds them up.
 */
export type TrainingSet = TargetFrame & {
  readonly rows: number;
  readonly columns: number;
  /** [columns × rows] The rows by rising value, missing ones last, equal ones by their number. */
  readonly order: Uint16Array;
  /** [columns × rows] The rank, among the column's distinct values, of each row in `order`. */
  readonly ranks: Uint16Array;
  /** The distinct values of column c, rising, from valueStart[c] to valueStart[c + 1]. */
  readonly values: Float64Array;
  readonly valueStart: Uint32Array;
  /** Where ranks are bins: the largest value of each, as `values` has the smallest. Absent where a bin is one value. */
  readonly uppers?: Float64Array;
  /** [rows] */
  readonly targets: Float64Array;
};

/**
 * Ranks and sorts `features` (row-major [rows × columns], NaN where missing) and puts `targets` into whole numbers.
 * Throws a RangeError for no rows or for more rows or columns than the 16-bit numbers allow.
 */
export function makeTrainingSet(features: Float64Array, columns: number, targets: Float64Array): TrainingSet {
  const rows = targets.length;
  if (rows < 1 || rows > MAX_ROWS) throw new RangeError(`${rows} training rows; 1 to ${MAX_ROWS} can be trained on`);
  if (columns < 1 || columns > MAX_COLUMNS)
    throw new RangeError(`${columns} columns; 1 to ${MAX_COLUMNS} are possible`);
  const order = new Uint16Array(columns * rows);
  const ranks = new Uint16Array(columns * rows);
  const distinct: Float64Array[] = [];
  for (let column = 0; column < columns; column++) {
    const values = Float64Array.from({ length: rows }, (_, row) => features[row * columns + column] as number);
    const at = column * rows;
    distinct.push(sortColumn(values, order.subarray(at, at + rows), ranks.subarray(at, at + rows)));
  }
  return { rows, columns, order, ranks, ...concatenate(distinct), ...wholeNumbers(targets) };
}

/** Fills one column's order and ranks; gives its distinct values. A counting sort by rank keeps equal rows in order. */
function sortColumn(values: Float64Array, order: Uint16Array, ranks: Uint16Array): Float64Array {
  const distinct = values.toSorted().filter((value, index, all) => value === value && value !== all[index - 1]);
  const rankOf = Uint16Array.from(values, (value) => (value === value ? indexOf(distinct, value) : MISSING_RANK));
  const start = new Uint32Array(distinct.length + 2);
  const bucket = (rank: number): number => (rank === MISSING_RANK ? distinct.length : rank);
  for (const rank of rankOf) (start[bucket(rank) + 1] as number)++;
  for (let rank = 1; rank < start.length; rank++) start[rank] = (start[rank] as number) + (start[rank - 1] as number);
  for (let row = 0; row < values.length; row++) {
    const rank = rankOf[row] as number;
    const place = (start[bucket(rank)] as number)++;
    order[place] = row;
    ranks[place] = rank;
  }
  return distinct;
}

/** Where `value` stands in rising, distinct `values` that hold it. */
function indexOf(values: Float64Array, value: number): number {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function concatenate(parts: readonly Float64Array[]): Pick<TrainingSet, "values" | "valueStart"> {
  const valueStart = new Uint32Array(parts.length + 1);
  parts.forEach((part, index) => {
    valueStart[index + 1] = (valueStart[index] as number) + part.length;
  });
  const values = new Float64Array(valueStart[parts.length] as number);
  parts.forEach((part, index) => {
    values.set(part, valueStart[index]);
  });
  return { values, valueStart };
}

function wholeNumbers(targets: Float64Array): Pick<TrainingSet, "targets" | keyof TargetFrame> {
  const decimal = DECIMALS.find((unit) => targets.every((target) => Math.round(target * unit) / unit === target));
  let sum = 0;
  for (const target of targets) sum += target;
  const mean = sum / targets.length;
  const base = decimal === undefined ? mean : Math.round(mean * decimal) / decimal;
  let largest = 0;
  for (const target of targets) largest = Math.max(largest, Math.abs(target - base));
  if (!Number.isFinite(largest)) throw new RangeError("targets must be finite, and so must their sum");
  let scale = decimal ?? 1;
  while (largest * scale > TARGET_LIMIT) scale /= 2;
  while (largest > 0 && scale < FINEST_SCALE && largest * scale * 2 <= TARGET_LIMIT) scale *= 2;
  return { targets: targets.map((target) => Math.round((target - base) * scale)), base, scale };
}

/** [rows × columns] The features of the training rows: what they came from, or the smallest value of each one's bin. */
export function rowValues({ rows, columns, order, ranks, values, valueStart }: TrainingSet): Float64Array {
  const features = new Float64Array(rows * columns).fill(Number.NaN);
  for (let column = 0; column < columns; column++) {
    const first = valueStart[column] as number;
    for (let at = column * rows; at < (column + 1) * rows; at++) {
      const rank = ranks[at] as number;
      if (rank !== MISSING_RANK) features[(order[at] as number) * columns + column] = values[first + rank] as number;
    }
  }
  return features;
}

/** The mean of `count` targets whose whole numbers add up to `sum`; by one division, so that it is the double nearest to a mean of decimals. */
export const meanOf = (sum: number, count: number, { base, scale }: TargetFrame): number =>
  (sum + count * Math.round(base * scale)) / (count * scale);

/** [rows] The targets, as they came where they are decimals. */
export const targetsOf = (set: TrainingSet): Float64Array => set.targets.map((units) => meanOf(units, 1, set));

/** The same rows with other targets. */
export const withTargets = (set: TrainingSet, targets: Float64Array): TrainingSet => ({
  ...set,
  ...wholeNumbers(targets),
});
