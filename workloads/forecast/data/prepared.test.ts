import { expect, test } from "vitest";
import { type FeatureOptions, predictorsOf } from "./features.ts";
import { divide, divideCase, parseHoldout } from "./holdout.ts";
import { prepareTables } from "./prepared.ts";
import { readTable, type Table } from "./table.ts";

const table = (rows: readonly string[], header = "date,temp,humidity"): Table =>
  readTable(new TextEncoder().encode([header, ...rows].join("\n")), "w.csv", { date: "date" }, (names) => names);

const PLAIN: FeatureOptions = {
  harmonics: 0,
  horizon: null,
  lags: [],
  windows: [],
  lagColumns: "target",
  known: "none",
};

const prepare = (observed: Table, queries: Record<string, Table>, predictors: string[], target: string) =>
  prepareTables({ observed, trainRows: observed.days.length, queries, predictors, target, features: PLAIN });

/** Days of one year with temperatures of 10.0 … 39.9 by tenths. */
const year = (start: string, temp = (day: number): number => 10 + ((day * 7) % 300) / 10): string[] =>
  Array.from({ length: 300 }, (_, day) => {
    const month = String(1 + Math.floor(day / 28)).padStart(2, "0");
    return `${start}${month}${String(1 + (day % 28)).padStart(2, "0")},${temp(day)},${day % 50}`;
  });

test("makes the original's features, with the columns sorted by name", () => {
  const wide = table(["20210104,5,2,30,50", "20210105,,3,10,51"], "date,rainfall,wind,temp,humidity");
  const { prepared } = prepare(wide, { holdout: wide }, predictorsOf([...wide.columns.keys()], "humidity"), "humidity");
  expect(prepared.features).toEqual(["ISO week", "day of year", "rainfall", "temp", "wind", "temp × rainfall"]);
  expect([...(prepared.queries["holdout"]?.features ?? [])]).toEqual([
    ...[1, 4, 5, 30, 2, 150],
    ...[1, 5, Number.NaN, 10, 3, Number.NaN],
  ]);
  expect([...(prepared.queries["holdout"]?.truth ?? [])]).toEqual([50, 51]);
});

test("other columns are features as they are, without temp × rainfall", () => {
  const other = table(["20210104,5,2", "20210105,6,3"], "date,pressure,load");
  expect(prepare(other, {}, predictorsOf(["pressure", "load"], "load"), "load").prepared.features).toEqual([
    "ISO week",
    "day of year",
    "pressure",
  ]);
});

test("the cleaning rule does not look at the rows that are checked", () => {
  const train = table(year("2019"));
  const usual = prepare(train, { holdout: table(year("2020")) }, ["temp"], "humidity").prepared;
  const hot = prepare(train, { holdout: table(year("2020", (day) => 300 + day)) }, ["temp"], "humidity").prepared;
  expect(hot.ranges).toEqual(usual.ranges);
  expect(hot.training).toEqual(usual.training);
  expect(hot.ranges["temp"]).toEqual({ low: 10, high: 39.9 });
});

test("trains on known targets alone, and never changes the truth it is scored against", () => {
  const rows = year("2019");
  rows[3] = "20190104,20,";
  rows[4] = "20190105,20,-999";
  const checked = table(["20200101,250,450", "20200102,20,"]);
  const { prepared, counts } = prepare(table(rows), { holdout: checked }, ["temp"], "humidity");
  expect(prepared.training.rows).toBe(298);
  expect(counts["train"]?.["humidity"]).toEqual({ repaired: 0, impossible: 1, empty: 1, unusual: 0 });
  expect(counts["holdout"]).toEqual({ temp: { repaired: 1, impossible: 0, empty: 0, unusual: 0 } });
  expect([...(prepared.queries["holdout"]?.truth ?? [])]).toEqual([450, Number.NaN]);
  expect(prepared.queries["holdout"]?.features[2]).toBe(25);
});

test("no row with a target is an error", () => {
  expect(() => prepare(table(["20200101,1,", "20200102,1,"]), {}, ["temp"], "humidity")).toThrow(
    'w.csv: no row to train on has a value in the column "humidity"',
  );
});

const days = Array.from({ length: 20 }, (_, index) => 18262 + index);

test.each([
  ["0.1", 18, 2],
  ["0.11", 17, 3],
  [".5", 10, 10],
  ["20200106..20200110", 5, 5],
  ["2020-01-06..20200106", 5, 1],
  ["20200115..20300101", 14, 6],
])("holdout %s trains on %i rows and checks %i", (holdout, train, check) => {
  const rows = [...days.keys()];
  expect(divide(days, holdout, "w.csv")).toEqual({
    train: rows.slice(0, train),
    check: rows.slice(train, train + check),
  });
});

test("refuses holdouts that are none, and those that leave nothing", () => {
  for (const text of ["0", "1", "1.5", "-0.1", "a", "20200101", "20200102..20200101", "20200101..", "20200101..2..3"]) {
    expect(parseHoldout(text)).toBeUndefined();
  }
  expect(() => divide(days, "19990101..19990201", "w.csv")).toThrow("w.csv: no row lies in --holdout");
  expect(() => divide(days, "20200101..20200110", "w.csv")).toThrow("w.csv: no row is left to train on");
  expect(() => divide(days.slice(0, 1), "0.1", "w.csv")).toThrow("w.csv: 1 row is too few");
});

test.each([
  // As scikit-learn's TimeSeriesSplit divides 20 rows.
  [0, 3, 1, 5, 5],
  [1, 3, 1, 10, 5],
  [2, 3, 1, 15, 5],
  [0, 6, 1, 8, 2],
  [5, 6, 1, 18, 2],
  [0, 1, 1, 10, 10],
  // Targets of the two days before the first checked one were not known three days before it.
  [1, 3, 3, 8, 5],
])("fold %i of %i, known %i days before, trains on %i rows and checks %i", (fold, folds, horizon, train, check) => {
  const { train: trained, check: checked } = divideCase(days, { kind: "fold", fold, folds }, horizon, "w.csv");
  expect(trained).toEqual([...days.keys()].slice(0, train));
  expect(checked.length).toBe(check);
  expect(checked[0]).toBe(20 - (folds - fold) * check);
});

test("a holdout keeps the horizon's distance too, and all rows train where nothing is checked", () => {
  expect(divideCase(days, { kind: "holdout", holdout: "0.1" }, 5, "w.csv").train.length).toBe(14);
  expect(divideCase(days, { kind: "all" }, 5, "w.csv")).toEqual({ train: [...days.keys()], check: [] });
});

test("refuses more folds than rows, and a horizon that leaves no row", () => {
  expect(() => divideCase(days, { kind: "fold", fold: 0, folds: 20 }, 1, "w.csv")).toThrow(
    "w.csv: 20 rows are too few for --backtest 20; it needs 21 or more",
  );
  expect(() => divideCase(days, { kind: "holdout", holdout: "0.1" }, 30, "w.csv")).toThrow(
    "w.csv: no row is left to train on 30 days before the first checked day",
  );
});
