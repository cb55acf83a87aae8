import { expect, test } from "vitest";
import { params } from "./params.ts";

/** What is wrong, by parameter. */
const problemsOf = (given: object): Record<string, string> =>
  Object.fromEntries(
    (params.safeParse({ observed: "o", ...given }).error?.issues ?? []).map(({ path, message }) => [
      path.join("."),
      message,
    ]),
  );

test.each([
  [{ target: "date" }, { target: '"date" is the column of dates; name another column' }],
  [{ date: "day", target: "day" }, { target: '"day" is the column of dates; name another column' }],
  [{ series: "date" }, { series: '"date" is the column of dates; name another column' }],
  [{ series: "humidity" }, { series: '"humidity" is the column to predict; name another column' }],
  [
    { horizon: 1, lags: "1", lagColumns: "temp, date" },
    { lagColumns: '"date" is the column of dates; name another column' },
  ],
  [
    { horizon: 1, known: "temp,humidity,place", series: "place" },
    { known: '"place" is the column of the series; name another column' },
  ],
  [{ horizon: 1, known: "humidity" }, { known: '"humidity" is the column to predict; name another column' }],
])("%o is refused: target, date, series and predictors are different columns", (given, problems) => {
  expect(problemsOf(given)).toEqual(problems);
});

test.each([
  [{ maxIter: 5 }, "maxIter"],
  [{ model: "et", stepSize: 0.1 }, "stepSize"],
  [{ model: "auto", maxIter: 5 }, "maxIter"],
  [{ bags: 2 }, "bags"],
  [{ model: "gbt", trees: 7, maxIter: 8 }, "trees"],
  [{ model: "gbt", intervals: 0.9 }, "intervals"],
  [{ seriesModels: true }, "seriesModels"],
  [{ series: "place", seriesModels: true, modelFormat: "onnx" }, "modelFormat"],
  [{ lags: "1" }, "lags"],
  [{ windows: "7" }, "windows"],
  [{ known: "temp" }, "known"],
  [{ horizon: 1, lagColumns: "all" }, "lagColumns"],
])("%o is refused: it would not be looked at", (given, param) => {
  expect(Object.keys(problemsOf(given))).toEqual([param]);
});

test.each([
  {},
  { model: "gbt", trees: 7, stepSize: 0.2, bags: 2 },
  { model: "gbt", trees: 7, maxIter: 7 },
  { model: "auto", trees: 7, bags: 2, intervals: 0.9 },
  { horizon: 1, windows: "7", lagColumns: "all", known: "all" },
  { series: "place" },
  { horizon: 1, lags: "1", lagColumns: "humidity,temp", known: "temp" },
  // What stands for columns is no column's name.
  { date: "target", series: "none" },
])("%o is fine", (given) => {
  expect(problemsOf(given)).toEqual({});
});
