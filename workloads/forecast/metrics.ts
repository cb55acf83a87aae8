/** How far predictions are from the truth. A type, not an interface, since it travels as plain data. */
export type Scores = {
  /** Rows scored: those with a known true value. */
  readonly rows: number;
  readonly mse: number;
  readonly rmse: number;
  readonly mae: number;
  /** Coefficient of determination; `null` for a single row. With a constant truth 1 if all is right, and else 0. */
  readonly r2: number | null;
  /** Mean of |error / truth|, a fraction as in scikit-learn, over rows whose truth is not 0; `null` if there is none. */
  readonly mape: number | null;
  /** The share of rows whose truth lies in the prediction's interval, where predictions have intervals. */
  readonly coverage?: number;
};

/** Sums that scores follow from; those of several parts add up to those of the whole. */
export type Tally = {
  readonly rows: number;
  /** Of the errors. */
  readonly squares: number;
  readonly absolute: number;
  /** |error / truth| over `relativeRows` rows. */
  readonly relative: number;
  readonly relativeRows: number;
  /** Of the truth: its mean, and the squares around that. */
  readonly mean: number;
  readonly spread: number;
  /** Rows whose truth lies in the interval; `null` without intervals. */
  readonly covered: number | null;
};

/** Lower and upper ends, by row. */
export type Intervals = { readonly lower: Float64Array; readonly upper: Float64Array };

/** Counts the rows where `truth` is not NaN. Sums run in the order of the rows. */
export function tally(predictions: Float64Array, truth: Float64Array, intervals?: Intervals): Tally {
  const rows: number[] = [];
  truth.forEach((actual, row) => {
    if (actual === actual) rows.push(row);
  });
  const sum = (term: (actual: number, error: number) => number): number =>
    rows.reduce((total, row) => {
      const actual = truth[row] as number;
      return total + term(actual, (predictions[row] as number) - actual);
    }, 0);
  const mean = rows.length === 0 ? 0 : sum((actual) => actual) / rows.length;
  const isCovered = ({ lower, upper }: Intervals, row: number): boolean =>
    (lower[row] as number) <= (truth[row] as number) && (truth[row] as number) <= (upper[row] as number);
  return {
    rows: rows.length,
    squares: sum((_, error) => error * error),
    absolute: sum((_, error) => Math.abs(error)),
    relative: sum((actual, error) => (actual === 0 ? 0 : Math.abs(error / actual))),
    relativeRows: rows.filter((row) => truth[row] !== 0).length,
    mean,
    spread: sum((actual) => (actual - mean) * (actual - mean)),
    covered: intervals === undefined ? null : rows.filter((row) => isCovered(intervals, row)).length,
  };
}

/** The tally of all parts, in their order. Means and spreads: Chan, Golub and LeVeque, "Updating formulae" (1979). */
export function addTallies(parts: readonly Tally[]): Tally {
  const empty: Tally = tally(
    new Float64Array(0),
    new Float64Array(0),
    parts.every(({ covered }) => covered !== null) ? NO_INTERVALS : undefined,
  );
  return parts.reduce((a, b) => {
    const rows = a.rows + b.rows;
    if (rows === 0) return a;
    const apart = b.mean - a.mean;
    return {
      rows,
      squares: a.squares + b.squares,
      absolute: a.absolute + b.absolute,
      relative: a.relative + b.relative,
      relativeRows: a.relativeRows + b.relativeRows,
      mean: a.mean + (apart * b.rows) / rows,
      spread: a.spread + b.spread + (apart * apart * a.rows * b.rows) / rows,
      covered: a.covered === null || b.covered === null ? null : a.covered + b.covered,
    };
  }, empty);
}

const NO_INTERVALS: Intervals = { lower: new Float64Array(0), upper: new Float64Array(0) };

/** `undefined` for no rows. */
export function scoresOf({
  rows,
  squares,
  absolute,
  relative,
  relativeRows,
  spread,
  covered,
}: Tally): Scores | undefined {
  if (rows === 0) return undefined;
  const constant = squares === 0 ? 1 : 0;
  const mse = squares / rows;
  const scores = {
    rows,
    mse,
    rmse: Math.sqrt(mse),
    mae: absolute / rows,
    r2: rows < 2 ? null : spread === 0 ? constant : 1 - squares / spread,
    mape: relativeRows === 0 ? null : relative / relativeRows,
  };
  return covered === null ? scores : { ...scores, coverage: covered / rows };
}

/** Scores predictions where `truth` is not NaN; `undefined` where it always is. */
export const score = (predictions: Float64Array, truth: Float64Array): Scores | undefined =>
  scoresOf(tally(predictions, truth));

/** The mean of each score over parts that are weighted alike; `null` where a part lacks it. */
export function meanScores(parts: readonly Scores[]): Omit<Scores, "rows"> | undefined {
  if (parts.length === 0) return undefined;
  const mean = <K extends "r2" | "mape">(key: K): number | null =>
    parts.every((part) => part[key] !== null) ? average((part) => part[key] ?? 0) : null;
  const average = (valueOf: (part: Scores) => number): number =>
    parts.reduce((total, part) => total + valueOf(part), 0) / parts.length;
  const scores = {
    mse: average(({ mse }) => mse),
    rmse: average(({ rmse }) => rmse),
    mae: average(({ mae }) => mae),
    r2: mean("r2"),
    mape: mean("mape"),
  };
  const covered = parts.every(({ coverage }) => coverage !== undefined);
  return covered ? { ...scores, coverage: average(({ coverage }) => coverage ?? 0) } : scores;
}
