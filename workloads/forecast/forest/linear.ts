import { rowValues, type TrainingSet, targetsOf, withTargets } from "./training-set.ts";

/** Prediction: intercept + Σ coefficient × (value − mean); a missing value counts as the mean. */
export type LinearModel = {
  readonly intercept: number;
  /** [columns] */
  readonly coefficients: Float64Array;
  /** [columns] Means of the training rows; 0 where a column has no value. */
  readonly means: Float64Array;
};

/** A column whose variance, beside that which the columns before it explain, is a smaller share of its own adds nothing. */
const DEPENDENT = 1e-7;
/** What is added to each column's variance, as a share: it keeps nearly dependent columns from large coefficients. */
const RIDGE = 1e-10;

/**
 * Least squares by the normal equations of centred columns, solved by Cholesky's factorisation; columns that depend on
 * those before them get the coefficient 0. Sums run in the order of the rows, with + − × ÷ √ alone.
 */
export function fitLinear(set: TrainingSet): LinearModel {
  const { rows, columns } = set;
  const features = rowValues(set);
  const targets = targetsOf(set);
  const means = centre(features, rows, columns);
  const intercept = mean(targets);
  const normal = new Float64Array(columns * columns);
  const right = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    const values = features.subarray(row * columns, (row + 1) * columns);
    const target = (targets[row] as number) - intercept;
    for (let a = 0; a < columns; a++) {
      const value = values[a] as number;
      right[a] = (right[a] as number) + value * target;
      for (let b = 0; b <= a; b++) {
        normal[a * columns + b] = (normal[a * columns + b] as number) + value * (values[b] as number);
      }
    }
  }
  return { intercept, coefficients: solve(normal, right, columns), means };
}

/** What a linear model predicts for the row that begins at `at` in `features`. */
export function linearValue(
  { intercept, coefficients, means }: LinearModel,
  features: Float64Array,
  at: number,
): number {
  let sum = intercept;
  for (let column = 0; column < coefficients.length; column++) {
    const value = features[at + column] as number;
    if (value === value) sum += (coefficients[column] as number) * (value - (means[column] as number));
  }
  return sum;
}

/** The same training rows, with what a linear model leaves of their targets. */
export function takeOffLinear(set: TrainingSet, linear: LinearModel): TrainingSet {
  const features = rowValues(set);
  return withTargets(
    set,
    targetsOf(set).map((target, row) => target - linearValue(linear, features, row * set.columns)),
  );
}

function mean(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** Takes the mean off each column, and puts 0 for what is missing; gives the means. */
function centre(features: Float64Array, rows: number, columns: number): Float64Array {
  const means = new Float64Array(columns);
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    let known = 0;
    for (let at = column; at < rows * columns; at += columns) {
      const value = features[at] as number;
      if (value !== value) continue;
      sum += value;
      known++;
    }
    const middle = known === 0 ? 0 : sum / known;
    means[column] = middle;
    for (let at = column; at < rows * columns; at += columns) {
      const value = features[at] as number;
      features[at] = value === value ? value - middle : 0;
    }
  }
  return means;
}

/** Solves the symmetric system whose lower half is `normal` [columns × columns], which becomes its factor. */
function solve(normal: Float64Array, right: Float64Array, columns: number): Float64Array {
  const at = (a: number, b: number): number => normal[a * columns + b] as number;
  const used = new Uint8Array(columns);
  for (let a = 0; a < columns; a++) {
    const own = at(a, a);
    for (let b = 0; b < a; b++) {
      if (used[b] === 0) continue;
      let rest = at(a, b);
      for (let c = 0; c < b; c++) if (used[c] === 1) rest -= at(a, c) * at(b, c);
      normal[a * columns + b] = rest / at(b, b);
    }
    let rest = own * (1 + RIDGE);
    for (let c = 0; c < a; c++) if (used[c] === 1) rest -= at(a, c) * at(a, c);
    if (!(rest > DEPENDENT * own)) continue;
    used[a] = 1;
    normal[a * columns + a] = Math.sqrt(rest);
  }
  const solution = new Float64Array(columns);
  for (let a = 0; a < columns; a++) {
    if (used[a] === 0) continue;
    let rest = right[a] as number;
    for (let b = 0; b < a; b++) if (used[b] === 1) rest -= at(a, b) * (solution[b] as number);
    solution[a] = rest / at(a, a);
  }
  for (let a = columns - 1; a >= 0; a--) {
    if (used[a] === 0) continue;
    let rest = solution[a] as number;
    for (let b = a + 1; b < columns; b++) if (used[b] === 1) rest -= at(b, a) * (solution[b] as number);
    solution[a] = rest / at(a, a);
  }
  return solution;
}
