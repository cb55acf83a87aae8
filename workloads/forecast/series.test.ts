import { expect, test } from "vitest";
import { type DirectResult, runDirect } from "../../shared/testing/direct-job.ts";
import { syntheticWeather } from "./synthetic.ts";
import workload from "./workload.ts";

const STATIONS = ["Åre", "Bern, BE", "Chur"];
const lines = (text: string): string[] => text.trimEnd().split("\n");
const quoted = (name: string): string => (name.includes(",") ? `"${name}"` : name);
const bytes = (rows: readonly string[]): Uint8Array => new TextEncoder().encode(`${rows.join("\n")}\n`);
const places = STATIONS.map((station, at) => {
  const { observed, future } = syntheticWeather(at + 1);
  return { station, observed: lines(observed).slice(1, 301 + at * 50), future: lines(future).slice(1, 11 + at) };
});

/** All places in one file, their rows mixed. */
function together(which: "observed" | "future", header: string): Uint8Array {
  const rows = places.flatMap((place) => place[which].map((row) => `${quoted(place.station)},${row}`));
  return bytes([`station,${header}`, ...rows.toSorted((a, b) => (a.slice(-3) < b.slice(-3) ? -1 : 1))]);
}
const files = {
  observed: together("observed", "date,temp,wind,rainfall,humidity"),
  future: together("future", "date,temp,wind,rainfall"),
};
const run = (params: object, given: Record<string, Uint8Array> = files, backend: "js" | "wasm" = "wasm") =>
  runDirect(workload, { observed: "observed", trees: 4, ...params }, { backend, files: given });
const text = (result: DirectResult, name: string): string => new TextDecoder().decode(result.artifacts.get(name));

test("each series has the model that its rows alone would give, in one result with a column for it", async () => {
  const result = await run({ series: "station", future: "future", seriesModels: true });
  const rows = lines(text(result, "result.csv"));
  expect(rows[0]).toBe("date,station,humidity");
  const models = JSON.parse(text(result, "model.json")) as { column: string; models: Record<string, unknown> };
  expect([models.column, Object.keys(models.models)]).toEqual(["station", [...STATIONS].sort()]);
  const scores = result.metrics["series"] as unknown as Record<string, { rows: number; mse: number }>;
  for (const { station, observed, future } of places) {
    const given = {
      observed: bytes(["date,temp,wind,rainfall,humidity", ...observed]),
      future: bytes(["date,temp,wind,rainfall", ...future]),
    };
    const alone = await run({ future: "future" }, given);
    const own = rows.filter((row) => row.includes(quoted(station)));
    const expected = lines(text(alone, "result.csv")).slice(1);
    expect(new Set(own)).toEqual(new Set(expected.map((row) => row.replace(",", `,${quoted(station)},`))));
    expect(models.models[station]).toEqual(JSON.parse(text(alone, "model.json")));
    expect(scores[station]).toMatchObject({ rows: alone.metrics["rows"], mse: alone.metrics["mse"] });
  }
  const all = Object.values(scores);
  const total = all.reduce((sum, { rows }) => sum + rows, 0);
  expect(result.metrics["rows"]).toBe(total);
  expect(result.metrics["mse"]).toBeCloseTo(all.reduce((sum, { rows, mse }) => sum + rows * mse, 0) / total, 10);
  expect(result.metrics["future"]).toMatchObject({ rows: 33 });
});

test("a series may be missing from the future, and --actual is joined series by series", async () => {
  const first = "station,date,temp,wind,rainfall";
  const future = bytes([first, "Chur,20210101,5,2,0", "Chur,20210102,6,2,0", '"Bern, BE",20210102,6,2,0']);
  const actual = bytes(["station,date,humidity", "Chur,20210102,70", '"Bern, BE",20210102,60']);
  const result = await run({ series: "station", future: "future", actual: "actual" }, { ...files, future, actual });
  const rows = lines(text(result, "result.csv")).map((row) => row.replace(/,[^,]*$/, ""));
  expect(rows).toEqual(["date,station", '20210102,"Bern, BE"', "20210101,Chur", "20210102,Chur"]);
  expect(result.metrics["actual"]).toMatchObject({ rows: 2 });
  expect(result.metrics["series"]).toMatchObject({
    Chur: { actual: { rows: 1 } },
    "Bern, BE": { actual: { rows: 1 } },
  });
  const unknown = bytes(["station,date,humidity", "Chur,20210103,70"]);
  await expect(
    run({ series: "station", future: "future", actual: "actual" }, { ...files, future, actual: unknown }),
  ).rejects.toThrow("actual (Chur): 20210103 cannot be predicted: it is not in future (Chur)");
});

test("backtests every series, and says how good all are fold by fold", async () => {
  const { metrics, artifacts } = await run({ series: "station", backtest: 2, horizon: 1, lags: "1,2" });
  expect([...artifacts.keys()]).toEqual(["result.csv"]);
  const { folds } = metrics["backtest"] as unknown as { folds: { rows: number }[] };
  expect(folds.map(({ rows }) => rows)).toEqual([100 + 116 + 133, 100 + 116 + 133]);
  expect(Object.keys(metrics["series"] as object)).toEqual([...STATIONS].sort());
  expect((metrics["series"] as unknown as Record<string, { rows: number }>)["Chur"]?.rows).toBe(266);
});

test("what is said of one model stands under its series, and of folds the last is explained alone", async () => {
  const said = ["outOfBag", "importances", "auto"];
  const options = { series: "station", explain: true, backtest: 2 };
  const { metrics, stages } = await run(options);
  for (const name of said) expect(metrics[name]).toBeUndefined();
  const series = metrics["series"] as unknown as Record<string, { outOfBag: object; importances: object }>;
  for (const { station, observed } of places) {
    const alone = await run(
      { explain: true, backtest: 2 },
      { observed: bytes(["date,temp,wind,rainfall,humidity", ...observed]) },
    );
    expect(series[station]?.outOfBag).toEqual(alone.metrics["outOfBag"]);
    expect(series[station]?.importances).toEqual(alone.metrics["importances"]);
  }
  const explained = stages.filter(({ label }) => label.startsWith("explain"));
  expect(explained.map(({ label }) => label)).toEqual(
    STATIONS.toSorted()
      .map((station) => expect.stringContaining(`fold 2, ${station}`) as string)
      .toSorted(),
  );
  const single = await run(options, {
    observed: bytes([
      "station,date,temp,wind,rainfall,humidity",
      ...(places[0]?.observed.map((row) => `A,${row}`) ?? []),
    ]),
  });
  expect(single.metrics["importances"]).toEqual(
    (single.metrics["series"] as unknown as typeof series)["A"]?.importances,
  );
});

test("the same bytes from both kernels and any cut into tasks", async () => {
  const options = { series: "station", future: "future" };
  const reference = await run({ ...options, partitions: 1 }, files, "js");
  for (const partitions of [2, 4]) {
    expect((await run({ ...options, partitions })).artifacts).toEqual(reference.artifacts);
  }
});

test("many series do not need many rounds of stages", async () => {
  const days = Array.from({ length: 30 }, (_, day) => `202001${String(day + 1).padStart(2, "0")}`);
  const rows = Array.from({ length: 50 }, (_, at) =>
    days.map((date, day) => `${date},s${at},${(at * day) % 17}`),
  ).flat();
  const { stages, metrics } = await run({ series: "s", trees: 10 }, { observed: bytes(["date,s,humidity", ...rows]) });
  expect(Object.keys(metrics["series"] as object).length).toBe(50);
  const fits = stages.map(({ label }, at) => (label.startsWith("fit") ? at : -1)).filter((at) => at >= 0);
  // One after the other in the log, with nothing between them to wait for: they are given out together.
  expect(fits.length).toBe(50);
  expect((fits.at(-1) as number) - (fits[0] as number)).toBe(49);
});

test.each([
  [{ series: "place" }, 'observed: row 1: the column "place" is missing (choose the series column with --series)'],
  [{ series: "station", future: "other" }, 'other: row 3: the series "Davos" is not in the observed file'],
  [{ series: "station", observed: "twice" }, 'twice: row 3, column "date": 20200101 of "A" stands in row 2 already'],
  [{ series: "station", observed: "unnamed" }, 'unnamed: row 3, column "station": the name of the series is empty'],
  [{ series: "station", observed: "short" }, "short (B): 1 row is too few; at least two are needed"],
  [{ series: "station", seriesModels: true, modelFormat: "onnx" }, "--series-models writes JSON only"],
])("refuses %o", async (params, message) => {
  const given = {
    ...files,
    other: bytes(["station,date,temp,wind,rainfall", "Chur,20210101,1,2,3", "Davos,20210101,1,2,3"]),
    twice: bytes(["station,date,humidity", "A,20200101,1", "A,20200101,2"]),
    unnamed: bytes(["station,date,humidity", "A,20200101,1", ",20200102,2"]),
    short: bytes(["station,date,humidity", "A,20200101,1", "A,20200102,2", "B,20200101,2"]),
  };
  await expect(run(params, given)).rejects.toThrow(message);
});
