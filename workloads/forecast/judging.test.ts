import { expect, test } from "vitest";
import { type DirectResult, runDirect } from "../../shared/testing/direct-job.ts";
import { syntheticWeather } from "./synthetic.ts";
import workload from "./workload.ts";

const weather = syntheticWeather(3);
const lines = (text: string): string[] => text.trimEnd().split("\n");
const observed = lines(weather.observed).slice(0, 601);
const bytes = (rows: readonly string[]): Uint8Array => new TextEncoder().encode(`${rows.join("\n")}\n`);
const files = { observed: bytes(observed), future: bytes(lines(weather.future).slice(0, 41)) };
const run = (params: object, given: Record<string, Uint8Array> = files, backend: "js" | "wasm" = "wasm") =>
  runDirect(workload, { observed: "observed", trees: 4, ...params }, { backend, files: given });
const resultOf = (result: DirectResult): string[][] =>
  lines(new TextDecoder().decode(result.artifacts.get("result.csv"))).map((line) => line.split(","));

interface Scored {
  readonly rows: number;
  readonly mse: number;
  readonly baselines: {
    readonly persistence: { readonly mse: number };
    readonly seasonalMean: { readonly mse: number };
  };
}
interface Fold extends Scored {
  readonly from: string;
  readonly to: string;
  readonly trainRows: number;
}
const backtestOf = (result: DirectResult) =>
  result.metrics["backtest"] as unknown as { folds: Fold[]; mean: { mse: number; r2: number } };
const mse = (pairs: readonly (readonly [number, number])[]): number =>
  pairs.reduce((sum, [a, b]) => sum + (a - b) ** 2, 0) / pairs.length;

const truth = new Map(observed.slice(1).map((row) => [row.split(",")[0], Number(row.split(",")[4])]));

test("a backtest checks the last rows fold by fold; its scores follow from the result and the baselines", async () => {
  const result = await run({ backtest: 4 });
  const { folds, mean } = backtestOf(result);
  expect(folds.map(({ trainRows, rows }) => [trainRows, rows])).toEqual([
    [120, 120],
    [240, 120],
    [360, 120],
    [480, 120],
  ]);
  const rows = resultOf(result);
  expect(rows[0]).toEqual(["date", "humidity"]);
  expect(rows.slice(1).map(([date]) => date)).toEqual(observed.slice(121).map((row) => row.split(",")[0]));
  const pairs = rows.slice(1).map(([date, value]): [number, number] => [truth.get(date) as number, Number(value)]);
  expect(result.metrics["mse"]).toBeCloseTo(mse(pairs), 10);
  expect(result.metrics["rows"]).toBe(480);
  folds.forEach((fold, at) => {
    expect([fold.from, fold.to]).toEqual([rows[1 + at * 120]?.[0], rows[120 + at * 120]?.[0]]);
    expect(fold.mse).toBeCloseTo(mse(pairs.slice(at * 120, at * 120 + 120)), 10);
  });
  expect(mean.mse).toBeCloseTo(folds.reduce((sum, fold) => sum + fold.mse, 0) / 4, 12);
  const values = [...truth.values()];
  const yesterday = values.slice(120).map((value, at): [number, number] => [value, values[119 + at] as number]);
  const { baselines } = result.metrics as unknown as Scored;
  expect(baselines.persistence.mse).toBeCloseTo(mse(yesterday), 10);
  expect(baselines.seasonalMean.mse).toBeGreaterThan(0);
});

test("each fold is a holdout of its own: its model has seen nothing of it", async () => {
  const { folds } = backtestOf(await run({ backtest: 4, harmonics: 2 }));
  for (const { from, to, ...fold } of folds) {
    const alone = await run({ holdout: `${from}..${to}`, harmonics: 2 });
    expect(alone.metrics).toMatchObject(fold);
  }
});

test("with a horizon, what becomes known later changes no earlier prediction", async () => {
  const options = { backtest: 3, horizon: 7, lags: "1,2,7", windows: "7,30", lagColumns: "all", harmonics: 1 };
  const usual = resultOf(await run(options));
  expect(usual.length).toBe(451);
  // From row 400 on the values are wild: the third fold, which begins with row 451, and the last days of the second.
  const wild = observed.map((row, at) => (at < 400 ? row : row.replace(/,.*/, `,${at},${at % 90},0,${at % 100}`)));
  const later = resultOf(await run(options, { observed: bytes(wild) }));
  const dates = observed.slice(1).map((row) => row.split(",")[0]);
  const firstWild = usual.findIndex(([date]) => date === dates[399]);
  expect(later.slice(0, firstWild + 7)).toEqual(usual.slice(0, firstWild + 7));
  expect(later.slice(firstWild + 7, firstWild + 20)).not.toEqual(usual.slice(firstWild + 7, firstWild + 20));
});

test("a future beyond the horizon is predicted from what is known: its lags are missing", async () => {
  const dates = ["2021-01-01", "2021-01-02", "2021-02-01", "2021-02-02"];
  const future = bytes(["date,humidity", ...dates.map((date) => `${date},50`)]);
  const options = { future: "future", horizon: 1, lags: "1", windows: "7" };
  const result = await run(options, { ...files, future });
  expect(resultOf(result).map(([date]) => date)).toEqual(["date", ...dates]);
  expect(result.metrics["future"]).toMatchObject({ rows: 4 });
  expect(result.metrics["notes"]).toEqual([
    'the future file\'s column "humidity" is not used; give the file as --actual to score it',
  ]);
});

test("the same bytes from both kernels and any cut into tasks", async () => {
  const options = { backtest: 3, horizon: 2, lags: "1,7", windows: "7", known: "temp", harmonics: 1, future: "future" };
  const reference = await run({ ...options, partitions: 1 }, files, "js");
  const cut = await run({ ...options, partitions: 3 });
  expect(cut.artifacts).toEqual(reference.artifacts);
  expect({ ...cut.metrics, fitSeconds: 0 }).toEqual({ ...reference.metrics, fitSeconds: 0 });
});

test("--actual is scored beside the baselines, which know nothing after the observed rows", async () => {
  const actual = bytes(lines(weather.actual).slice(0, 31));
  const { metrics } = await run({ actual: "actual" }, { ...files, actual });
  const scored = metrics["actual"] as unknown as Scored;
  expect(scored.rows).toBe(30);
  const last = [...truth.values()].at(-1) as number;
  const pairs = lines(weather.actual)
    .slice(1, 31)
    .map((row): [number, number] => [Number(row.split(",")[4]), last]);
  expect(scored.baselines.persistence.mse).toBeCloseTo(mse(pairs), 10);
});

test.each([
  [{ backtest: 600 }, "backtest"],
  [{ lags: "0" }, "lags"],
  [{ lags: "1,x" }, "lags"],
  [{ windows: "7," }, "windows"],
  [{ lags: "1" }, "it needs --horizon"],
  [{ horizon: 0 }, "horizon"],
  [{ horizon: 590 }, "no row is left to train on 590 days before"],
  [{ horizon: 1, lags: "1", lagColumns: "dew" }, 'observed: the column "dew" of --lag-columns is missing'],
])("refuses %o", async (params, message) => {
  await expect(run(params)).rejects.toThrow(message);
});

test("10,000 columns are too many, and the message is short", async () => {
  const names = Array.from({ length: 10_000 }, (_, at) => `c${at}`);
  const wide = bytes([
    `date,humidity,${names.join()}`,
    ...["20200101", "20200102"].map((date) => `${date},1${",2".repeat(10_000)}`),
  ]);
  await expect(run({}, { observed: wide })).rejects.toThrow(
    'observed: 10000 columns beside "date" and "humidity"; at most 1000 are possible',
  );
  const failure = await run({ target: "pressure" }, { observed: wide }).catch((error: Error) => error.message);
  expect(failure).toContain("at most 1000 are possible");
  const missing = await run({ date: "day" }, { observed: wide }).catch((error: Error) => error.message);
  expect(missing).toContain('the column "day" is missing (choose the date column with --date)');
  expect(String(missing).length).toBeLessThan(300);
});

test("one row is too few to check", async () => {
  const one = bytes(observed.slice(0, 2));
  await expect(run({}, { observed: one })).rejects.toThrow("observed: 1 row is too few; at least two are needed");
  await expect(run({ backtest: 2 }, { observed: one })).rejects.toThrow(
    "observed: 1 row is too few; at least two are needed",
  );
});

test("so are more features than a node holds, and a wrong year is found", async () => {
  const list = Array.from({ length: 600 }, (_, at) => at + 1).join();
  await expect(run({ horizon: 1, lags: list, lagColumns: "all" })).rejects.toThrow(
    "2400 features are asked for; at most 2000",
  );
  const typo = [...observed.slice(0, 20), (observed[20] as string).replace(/^..../, "0199")];
  await expect(run({}, { observed: bytes(typo) })).rejects.toThrow(
    "observed: the dates run from 01990120 (row 21) to 19900119 (row 20), over more than 400 years",
  );
});

test("gaps, an all-missing column and a constant target have a result with lags too", async () => {
  const rows = observed
    .filter((_, at) => at === 0 || at % 5 !== 0)
    .map((row, at) => (at === 0 ? row : `${row.split(",")[0]},,3,0,7`));
  const { metrics } = await run(
    { horizon: 1, lags: "1,2", windows: "3", lagColumns: "all" },
    { observed: bytes(rows) },
  );
  expect(metrics).toMatchObject({ mse: 0, r2: 1, baselines: { persistence: { mse: 0 }, seasonalMean: { mse: 0 } } });
});
