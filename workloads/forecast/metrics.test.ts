import { expect, test } from "vitest";
import { addTallies, meanScores, score, scoresOf, tally } from "./metrics.ts";

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

test("the tallies of parts add up to that of the whole", () => {
  const truth = Float64Array.of(3, -0.5, Number.NaN, 2, 7, 0, 11);
  const predictions = Float64Array.of(2.5, 0, 99, 2, 8, 1, 9);
  const whole = scoresOf(tally(predictions, truth));
  const parts = [[0, 3] as const, [3, 3] as const, [3, 7] as const].map(([from, to]) =>
    tally(predictions.slice(from, to), truth.slice(from, to)),
  );
  const added = scoresOf(addTallies(parts));
  for (const key of ["rows", "mse", "rmse", "mae", "r2", "mape"] as const) {
    expect(added?.[key]).toBeCloseTo(whole?.[key] as number, 12);
  }
  expect(scoresOf(addTallies([]))).toBeUndefined();
});

test("coverage is the share of rows whose truth lies in its interval", () => {
  const truth = Float64Array.of(1, 2, 3, Number.NaN);
  const intervals = { lower: Float64Array.of(0, 2, 4, 0), upper: Float64Array.of(1, 3, 5, 9) };
  const counted = tally(new Float64Array(4), truth, intervals);
  expect(scoresOf(counted)?.coverage).toBe(2 / 3);
  expect(scoresOf(addTallies([counted, counted]))?.coverage).toBe(2 / 3);
  expect(scoresOf(addTallies([counted, tally(truth, truth)]))).not.toHaveProperty("coverage");
});

test("the mean over folds gives each the same weight", () => {
  const first = score(Float64Array.of(1, 2), Float64Array.of(1, 4));
  const second = score(Float64Array.of(5), Float64Array.of(4));
  if (first === undefined || second === undefined) throw new Error("both have known rows");
  expect(meanScores([first, second])).toMatchObject({ mse: 1.5, mae: 1, r2: null, mape: (0.25 + 0.25) / 2 });
  expect(meanScores([])).toBeUndefined();
});
