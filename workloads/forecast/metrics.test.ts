import { expect, test } from "vitest";
import { score } from "./metrics.ts";

test("known answers, over the rows whose truth is known", () => {
  const truth = Float64Array.of(3, -0.5, Number.NaN, 2, 7);
  // The examples of scikit-learn's documentation.
  const scores = score(Float64Array.of(2.5, 0, 99, 2, 8), truth);
  expect(scores).toMatchObject({ rows: 4, mse: 0.375, rmse: Math.sqrt(0.375), mae: 0.5 });
  expect(scores?.r2).toBeCloseTo(0.9486081370449679, 14);
  expect(scores?.mape).toBeCloseTo(0.3273809523809524, 14);
});

test("constant truth, one row, zeros, nothing known", () => {
  expect(score(Float64Array.of(5, 5), Float64Array.of(5, 5))?.r2).toBe(1);
  expect(score(Float64Array.of(5, 6), Float64Array.of(5, 5))?.r2).toBe(0);
  expect(score(Float64Array.of(5), Float64Array.of(4))?.r2).toBeNull();
  expect(score(Float64Array.of(1, 3), Float64Array.of(0, 2))?.mape).toBe(0.5);
  expect(score(Float64Array.of(1), Float64Array.of(0))?.mape).toBeNull();
  expect(score(Float64Array.of(1), Float64Array.of(Number.NaN))).toBeUndefined();
});
