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
};

/** Scores predictions where `truth` is not NaN; `undefined` where it always is. Sums run in the order of the rows. */
export function score(predictions: Float64Array, truth: Float64Array): Scores | undefined {
  const rows = [...truth.keys()].filter((row) => truth[row] === truth[row]);
  if (rows.length === 0) return undefined;
  const sum = (term: (actual: number, error: number) => number): number =>
    rows.reduce((total, row) => {
      const actual = truth[row] as number;
      return total + term(actual, (predictions[row] as number) - actual);
    }, 0);
  const mean = sum((actual) => actual) / rows.length;
  const squares = sum((_, error) => error * error);
  const spread = sum((actual) => (actual - mean) * (actual - mean));
  const relative = rows.filter((row) => truth[row] !== 0).length;
  const constant = squares === 0 ? 1 : 0;
  const mse = squares / rows.length;
  return {
    rows: rows.length,
    mse,
    rmse: Math.sqrt(mse),
    mae: sum((_, error) => Math.abs(error)) / rows.length,
    r2: rows.length < 2 ? null : spread === 0 ? constant : 1 - squares / spread,
    mape: relative === 0 ? null : sum((actual, error) => (actual === 0 ? 0 : Math.abs(error / actual))) / relative,
  };
}
