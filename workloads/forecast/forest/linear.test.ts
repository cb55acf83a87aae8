import { expect, test } from "vitest";
import { philoxRng } from "../../../shared/rng.ts";
import { fitLinear, linearValue, takeOffLinear } from "./linear.ts";
import { makeTrainingSet, targetsOf } from "./training-set.ts";

const rng = philoxRng(4, 0);
const rows = 200;

/** Two independent columns, their sum, a constant one and one without values. */
const table = Array.from({ length: rows }, () => {
  const a = rng.unit() * 10;
  const b = rng.unit() * 1000 - 300;
  return [a, b, a + b, 7, Number.NaN];
});
const features = Float64Array.from(table.flat());

test("finds the coefficients of an exact line; columns that say nothing new get none", () => {
  const set = makeTrainingSet(
    features,
    5,
    Float64Array.from(table, ([a, b]) => 3 + 2 * (a as number) - 0.25 * (b as number)),
  );
  const linear = fitLinear(set);
  expect(linear.coefficients[0]).toBeCloseTo(2, 6);
  expect(linear.coefficients[1]).toBeCloseTo(-0.25, 6);
  expect([...linear.coefficients.slice(2)]).toEqual([0, 0, 0]);
  for (let row = 0; row < rows; row++) {
    const [a, b] = table[row] as [number, number];
    expect(linearValue(linear, features, row * 5)).toBeCloseTo(3 + 2 * a - 0.25 * b, 5);
  }
  expect(Math.max(...targetsOf(takeOffLinear(set, linear)).map(Math.abs))).toBeLessThan(1e-4);
});

test("what it leaves is uncorrelated with every column, so no other line is nearer", () => {
  const noisy = makeTrainingSet(
    features,
    5,
    Float64Array.from(table, ([a]) => (a as number) * (a as number) + rng.unit()),
  );
  const rest = targetsOf(takeOffLinear(noisy, fitLinear(noisy)));
  for (const column of [0, 1]) {
    const mean = table.reduce((sum, row) => sum + (row[column] as number), 0) / rows;
    const squares = table.reduce((sum, row) => sum + ((row[column] as number) - mean) ** 2, 0);
    const product = table.reduce((sum, row, at) => sum + ((row[column] as number) - mean) * (rest[at] as number), 0);
    expect(Math.abs(product / squares)).toBeLessThan(1e-6);
  }
});

test("a missing value counts as the mean, and one row gives its own value", () => {
  const set = makeTrainingSet(Float64Array.of(1, Number.NaN, 3, 2), 1, Float64Array.of(1, 2, 3, 2));
  const linear = fitLinear(set);
  expect(linearValue(linear, Float64Array.of(Number.NaN), 0)).toBe(linearValue(linear, Float64Array.of(2), 0));
  const one = fitLinear(makeTrainingSet(Float64Array.of(5), 1, Float64Array.of(8)));
  expect(linearValue(one, Float64Array.of(100), 0)).toBe(8);
});
