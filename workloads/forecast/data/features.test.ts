import { expect, test } from "vitest";
import { philoxRng } from "../../../shared/rng.ts";
import { compactDate, dayOf } from "./dates.ts";
import { type FeatureOptions, makeFeatures, planFeatures } from "./features.ts";
import { History } from "./history.ts";
import { type PrepareRequest, prepareTables } from "./prepared.ts";
import { type Table, takeRows } from "./table.ts";

const FIRST = dayOf(2019, 12, 1);
const OPTIONS: FeatureOptions = {
  harmonics: 0,
  horizon: 1,
  lags: [],
  windows: [],
  lagColumns: "target",
  known: "none",
};

/** Days from FIRST on, but those of `gaps`. */
function table(columns: Record<string, readonly number[]>, gaps: readonly number[] = []): Table {
  const rows = [...(Object.values(columns)[0] ?? []).keys()].filter((row) => !gaps.includes(row));
  return {
    name: "w.csv",
    dates: rows.map((row) => compactDate(FIRST + row)),
    days: rows.map((row) => FIRST + row),
    columns: new Map(
      Object.entries(columns).map(([name, values]) => [name, Float64Array.from(rows, (row) => values[row] as number)]),
    ),
  };
}

/** By row and by the feature's name. */
function featuresOf(options: Partial<FeatureOptions>, given: Table, target = "humidity"): Record<string, number>[] {
  const predictors = [...given.columns.keys()].filter((name) => name !== target).sort();
  const plan = planFeatures({ ...OPTIONS, ...options }, predictors, target, "w.csv");
  const histories = new Map([...given.columns].map(([name, values]) => [name, new History(given.days, values)]));
  const { names, values } = makeFeatures(given, plan, histories);
  return given.days.map((_, row) =>
    Object.fromEntries(names.map((name, at) => [name, values[row * names.length + at] as number])),
  );
}

const MISSING = Number.NaN;

test("lags count back from the last known day, by the calendar and not by rows", () => {
  const humidity = [10, 11, 12, 13, 14, 15];
  const near = featuresOf({ lags: [1, 3] }, table({ humidity }));
  expect(near.map((row) => row["humidity lag 1"])).toEqual([MISSING, 10, 11, 12, 13, 14]);
  expect(near.map((row) => row["humidity lag 3"])).toEqual([MISSING, MISSING, MISSING, 10, 11, 12]);
  const far = featuresOf({ horizon: 2, lags: [1, 3] }, table({ humidity }));
  expect(far.map((row) => row["humidity lag 1"])).toEqual([MISSING, MISSING, 10, 11, 12, 13]);
  const gap = featuresOf({ lags: [1] }, table({ humidity }, [2]));
  expect(gap.map((row) => row["humidity lag 1"])).toEqual([MISSING, 10, MISSING, 13, 14]);
});

test("a rolling mean is that of the days that are known, and missing if fewer than half are", () => {
  const humidity = [10, MISSING, 12, 17, MISSING, MISSING, MISSING];
  const rows = featuresOf({ windows: [1, 3] }, table({ humidity }));
  expect(rows.map((row) => row["humidity mean of 3"])).toEqual([MISSING, MISSING, MISSING, 11, 14.5, 14.5, MISSING]);
  expect(rows.map((row) => row["humidity mean of 1"])).toEqual([MISSING, 10, MISSING, 12, 17, MISSING, MISSING]);
});

test("with a horizon a day's own values count only where they are known ahead", () => {
  const given = table({ humidity: [1, 2], temp: [20, 21], rainfall: [3, 4] });
  expect(Object.keys(featuresOf({}, given)[0] ?? {})).toEqual(["ISO week", "day of year"]);
  expect(featuresOf({ known: "temp" }, given)[1]).toMatchObject({ temp: 21 });
  expect(Object.keys(featuresOf({ known: "all" }, given)[0] ?? {})).toEqual([
    ...["ISO week", "day of year", "rainfall", "temp", "temp × rainfall"],
  ]);
  expect(Object.keys(featuresOf({ lags: [1], windows: [7], lagColumns: "all" }, given)[0] ?? {}).slice(2)).toEqual([
    ...["humidity lag 1", "humidity mean of 7", "rainfall lag 1", "rainfall mean of 7", "temp lag 1", "temp mean of 7"],
  ]);
  expect(Object.keys(featuresOf({ lags: [1], lagColumns: "temp,humidity" }, given)[0] ?? {}).slice(2)).toEqual([
    ...["temp lag 1", "humidity lag 1"],
  ]);
});

test("harmonics go round once a year, twice a year, …", () => {
  const year = featuresOf({ harmonics: 2 }, table({ humidity: new Array<number>(400).fill(1) }));
  // 1 January, and the day after a quarter of a year.
  expect(year[31]).toMatchObject({
    "season sine 1": 0,
    "season cosine 1": 1,
    "season sine 2": 0,
    "season cosine 2": 1,
  });
  expect(year[31 + 91]?.["season sine 1"]).toBeCloseTo(1, 4);
  expect(year[31 + 91]?.["season cosine 2"]).toBeCloseTo(-1, 3);
});

test.each([
  [
    { lags: [1], lagColumns: "pressure" },
    'w.csv: the column "pressure" of --lag-columns is missing; the file has humidity, temp',
  ],
  [{ known: "humidity" }, 'w.csv: the column "humidity" of --known is missing; the file has temp'],
])("refuses %o", (options, message) => {
  expect(() => featuresOf(options, table({ humidity: [1], temp: [2] }))).toThrow(message);
});

const DAYS = 500;
const TRAIN = 300;

/** Makes training and checked features from values that go wild from some day on. */
function prepared(horizon: number, wildFrom: number): ReturnType<typeof prepareTables>["prepared"] {
  const rng = philoxRng(5, 0);
  const series = (): number[] => Array.from({ length: DAYS }, () => 20 + rng.below(200) / 10);
  const [humidity, temp] = [series(), series()];
  const observed = table({
    humidity: humidity.map((value, day) =>
      day < wildFrom ? value : ([value * 10, -999, MISSING, 5][day % 4] as number),
    ),
    temp: temp.map((value, day) => (day < wildFrom ? value : value * 10 * (day % 3))),
  });
  const checked = [...observed.days.keys()].slice(TRAIN);
  const request: PrepareRequest = {
    observed,
    trainRows: TRAIN,
    queries: { holdout: takeRows(observed, checked) },
    predictors: ["temp"],
    target: "humidity",
    features: { ...OPTIONS, horizon, lags: [1, 2, 9], windows: [5], lagColumns: "all", harmonics: 1 },
  };
  return prepareTables(request).prepared;
}

test.each([1, 3])(
  "no leak: what happens less than %i days before a day changes nothing that it is predicted from",
  (horizon) => {
    const usual = prepared(horizon, DAYS);
    const columns = usual.features.length;
    for (const day of [TRAIN, TRAIN + 1, TRAIN + 57, DAYS - 1]) {
      const wild = prepared(horizon, Math.max(TRAIN, day - horizon + 1));
      expect(wild.training).toEqual(usual.training);
      expect(wild.ranges).toEqual(usual.ranges);
      const until = (which: typeof usual) =>
        which.queries["holdout"]?.features.subarray(0, (day - TRAIN + 1) * columns);
      expect(until(wild)).toEqual(until(usual));
      const baselines = (which: typeof usual) => {
        const { persistence, seasonalMean } = which.queries["holdout"]?.baselines ?? {};
        return [persistence?.subarray(0, day - TRAIN + 1), seasonalMean];
      };
      expect(baselines(wild)).toEqual(baselines(usual));
    }
    // The test can fail: a change one day earlier is seen.
    const seen = prepared(horizon, TRAIN + 57 - horizon);
    const row = (which: typeof usual) => which.queries["holdout"]?.features.subarray(57 * columns, 58 * columns);
    expect(row(seen)).not.toEqual(row(usual));
  },
);

test.each([
  [null, "none"],
  [2, "temp"],
])(
  "no leak: with horizon %s and the day's own %s, later days change nothing in how it is cleaned",
  (horizon, known) => {
    const slip = TRAIN + 3;
    const rng = philoxRng(6, 0);
    const temp = Array.from({ length: DAYS }, () => 20 + rng.below(200) / 10);
    const humidity = temp.map((value) => value + 50);
    /** What each checked day's temp came to, where all days from `wildFrom` on look like slips, and one in training does. */
    const checkedTemp = (wildFrom: number): number[] => {
      const wild = temp.map((value, day) => (day === 100 || day === slip || day >= wildFrom ? value * 10 : value));
      const observed = table({ humidity, temp: wild });
      const { prepared } = prepareTables({
        observed,
        trainRows: TRAIN,
        // Rows may come in any order.
        queries: { holdout: takeRows(observed, [...observed.days.keys()].slice(TRAIN).reverse()) },
        predictors: ["temp"],
        target: "humidity",
        features: { ...OPTIONS, horizon, known },
      });
      const columns = prepared.features.length;
      const values = prepared.queries["holdout"]?.features.filter(
        (_, at) => at % columns === prepared.features.indexOf("temp"),
      );
      return [...(values ?? [])].reverse();
    };
    const usual = checkedTemp(DAYS);
    for (const [row, value] of usual.entries()) expect(value).toBeCloseTo(temp[TRAIN + row] as number, 9);
    expect(checkedTemp(slip + 1).slice(0, 4)).toEqual(usual.slice(0, 4));
  },
);
