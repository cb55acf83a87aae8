import { expect, test } from "vitest";
import { isFileSchema } from "../../shared/sdk/file.ts";
import { type DirectResult, runDirect } from "../../shared/testing/direct-job.ts";
import { syntheticWeather } from "./synthetic.ts";
import workload from "./workload.ts";

const weather = syntheticWeather(3);
const lines = (text: string): string[] => text.trimEnd().split("\n");
const head = (text: string, rows: number): string =>
  `${lines(text)
    .slice(0, rows + 1)
    .join("\n")}\n`;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const files = {
  observed: bytes(head(weather.observed, 500)),
  future: bytes(head(weather.future, 40)),
  actual: bytes(head(weather.actual, 30)),
};
const small = { observed: "observed", trees: 6, seed: 9 };
const run = (params: object, given: Record<string, Uint8Array> = files, backend: "js" | "wasm" = "wasm") =>
  runDirect(workload, { ...small, ...params }, { backend, files: given });
const artifact = (result: DirectResult, name: string): string => new TextDecoder().decode(result.artifacts.get(name));

test("checks on the last rows, then predicts the future from all rows", async () => {
  const result = await run({ future: "future" });
  expect(result.metrics).toMatchObject({ rows: 50, trainRows: 450, features: 6, trees: 6, future: { rows: 40 } });
  expect(result.metrics["r2"]).toBeGreaterThan(0.8);
  expect(result.metrics["fitSeconds"]).toBeGreaterThan(0);
  expect(result.progress).toBe(12);
  const rows = lines(artifact(result, "result.csv"));
  expect(rows[0]).toBe("date,humidity");
  expect(rows.slice(1).map((row) => row.split(",")[0])).toEqual(
    lines(weather.future)
      .slice(1, 41)
      .map((row) => row.split(",")[0]),
  );
});

test("without a future the result holds the checked rows, and the scores follow from it", async () => {
  const result = await run({});
  const truth = lines(weather.observed)
    .slice(451, 501)
    .map((row) => row.split(","));
  const rows = lines(artifact(result, "result.csv"))
    .slice(1)
    .map((row) => row.split(","));
  expect(rows.map(([date]) => date)).toEqual(truth.map(([date]) => date));
  const squares = rows.map(([, value], row) => (Number(value) - Number(truth[row]?.[4])) ** 2);
  expect(result.metrics["mse"]).toBeCloseTo(squares.reduce((sum, square) => sum + square, 0) / 50, 12);
});

test.each([
  { future: "future" },
  { future: "future", maxFeatures: "sqrt", minLeaf: 3, maxDepth: 7 },
  { holdout: "19910101..19910131", maxFeatures: "0.5" },
])("the same bytes from both kernels and from any cut into tasks: %o", async (params) => {
  const reference = await run({ ...params, partitions: 1 }, files, "js");
  for (const [backend, partitions] of [
    ["wasm", 1],
    ["wasm", 4],
    ["js", 6],
    ["wasm", 200],
  ] as const) {
    const result = await run({ ...params, partitions }, files, backend);
    expect(result.artifacts).toEqual(reference.artifacts);
    expect({ ...result.metrics, fitSeconds: 0 }).toEqual({ ...reference.metrics, fitSeconds: 0 });
  }
});

test("the order of rows and columns in a file does not matter", async () => {
  const rows = lines(head(weather.observed, 500)).map((row) => row.split(","));
  const shuffled = [rows[0] ?? [], ...rows.slice(1).toReversed()].map((row) =>
    [4, 2, 0, 3, 1].map((at) => row[at]).join(","),
  );
  const result = await run({}, { ...files, observed: bytes(`${shuffled.join("\r\n")}\r\n`) });
  expect(result.artifacts).toEqual((await run({})).artifacts);
});

test("model.json is what it was: a change of its bytes is a change of the format or the forest", async () => {
  const result = await run({ trees: 2, maxDepth: 5 });
  await expect(artifact(result, "model.json")).toMatchFileSnapshot("golden/model.json");
  await expect(artifact(result, "result.csv")).toMatchFileSnapshot("golden/result.csv");
});

test("model.json alone is enough to repeat the predictions", async () => {
  const result = await run({ future: "future" });
  const model = JSON.parse(artifact(result, "model.json")) as {
    base: number;
    scale: number;
    trees: number;
    features: string[];
    forest: { column: number[]; missing: string; value: number[]; left: number[] }[];
  };
  expect(model.features).toEqual(["ISO week", "day of year", "rainfall", "temp", "wind", "temp × rainfall"]);
  expect(model.forest.length).toBe(model.trees);
  // 1 and 2 January 2021 lie in week 53 of 2020.
  const predictions = lines(weather.future)
    .slice(1, 3)
    .map((line, day) => {
      const [, temp, wind, rainfall] = line.split(",").map(Number) as [number, number, number, number];
      const row = [53, day + 1, rainfall, temp, wind, temp * rainfall];
      const leaves = model.forest.map((tree) => {
        let node = 0;
        while ((tree.column[node] as number) >= 0) {
          const right = (row[tree.column[node] as number] as number) > (tree.value[node] as number);
          node = (tree.left[node] as number) + (right ? 1 : 0);
        }
        return tree.value[node] as number;
      });
      return model.base + leaves.reduce((sum, leaf) => sum + leaf, 0) / model.trees / model.scale;
    });
  const written = lines(artifact(result, "result.csv"))
    .slice(1, 3)
    .map((row) => Number(row.split(",")[1]));
  predictions.forEach((prediction, row) => {
    expect(prediction).toBeCloseTo(written[row] as number, 9);
  });
});

test("the rows that are checked do not reach their own model", async () => {
  const changed = lines(head(weather.observed, 500)).map((row, index) =>
    index > 450 ? row.replace(/,[^,]+$/, ",1") : row,
  );
  const before = await run({});
  const after = await run({}, { ...files, observed: bytes(changed.join("\n")) });
  expect(artifact(after, "model.json")).toBe(artifact(before, "model.json"));
  expect(artifact(after, "result.csv")).toBe(artifact(before, "result.csv"));
  expect(after.metrics["mse"]).not.toBe(before.metrics["mse"]);
});

test("scores the days of --actual from their own columns, or from the future's", async () => {
  const own = await run({ actual: "actual" });
  expect(own.metrics["actual"]).toMatchObject({ rows: 30 });
  const inputs = lines(head(weather.actual, 30)).map((row) => row.split(",").slice(0, 4).join(","));
  const truth = lines(head(weather.actual, 30)).map((row) =>
    row
      .split(",")
      .filter((_, at) => at % 4 === 0)
      .join(","),
  );
  const given = {
    ...files,
    future: bytes(inputs.join("\n")),
    actual: bytes(
      truth
        .toReversed()
        .join("\n")
        .replace(/^/, `${truth[0]}\n`)
        .replace(/\n[^\n]*$/, ""),
    ),
  };
  const joined = await run({ future: "future", actual: "actual" }, given);
  const scores = (result: DirectResult) => result.metrics["actual"] as { mse: number; rows: number };
  expect(scores(joined).rows).toBe(30);
  expect(scores(joined).mse).toBeCloseTo(scores(own).mse, 10);
  await expect(
    run({ future: "future", actual: "actual" }, { ...files, actual: bytes("date,humidity\n20300101,5\n") }),
  ).rejects.toThrow("actual: row 2: 20300101 cannot be predicted: it is not in future");
  await expect(run({ actual: "actual" }, { ...files, actual: bytes("date,humidity\n20300101,5\n") })).rejects.toThrow(
    "there is no --future file",
  );
});

test.each(["trees", "rows"])(
  "scores that say too little or too much are told, where nodes share %s",
  async (distribute) => {
    const known = lines(head(weather.observed, 60));
    const untold = (line: string): string => line.replace(/,[^,]+$/, ",");
    const truths = [...known.slice(51), ...lines(weather.actual).slice(1, 8)];
    // What has no target, here or there, is neither trained on nor scored.
    const overlapping = bytes([known[0], ...truths.map((line, row) => (row > 13 ? untold(line) : line))].join("\n"));
    const trained = known.map((line, row) => (row === 60 ? untold(line) : line));
    const params = { distribute, maxDepth: 4, observed: "observed", actual: "overlapping" };
    const given = { observed: bytes(trained.join("\n")), overlapping };
    const { notes } = (await run(params, given)).metrics;
    expect(notes).toEqual([
      expect.stringMatching("^9 of the 14 scored rows of the actual file are of days that the model was trained on"),
    ]);
    const blind = known.map((line, row) => (row > 54 ? untold(line) : line));
    const unscored = await run({ ...params, actual: undefined }, { observed: bytes(blind.join("\n")) });
    expect(unscored.metrics).toMatchObject({ rows: 0, mse: null, notes: [expect.stringMatching("^no checked row")] });
    expect((await run({ distribute, maxDepth: 4 })).metrics["notes"]).toBeUndefined();
  },
);

test("missing values are trained on and predicted from", async () => {
  const gaps = lines(head(weather.observed, 500)).map((row, index) =>
    index % 7 === 3 ? row.replace(/^([^,]+),[^,]+/, "$1,") : row,
  );
  const given = { ...files, observed: bytes(gaps.join("\n")), future: bytes("date,temp,wind,rainfall\n20210101,,,\n") };
  const result = await run({ future: "future" }, given);
  expect(result.metrics["missing"]).toEqual({ temp: 72 });
  expect(result.metrics["future"]).toMatchObject({ rows: 1, missing: { rainfall: 1, temp: 1, wind: 1 } });
  expect(Number(lines(artifact(result, "result.csv"))[1]?.split(",")[1])).toBeGreaterThan(20);
  expect((await run({ future: "future" }, given, "js")).artifacts).toEqual(result.artifacts);
});

test.each([
  [{ target: "pressure" }, 'observed: row 1: the column "pressure" is missing'],
  [{ date: "day" }, 'observed: row 1: the column "day" is missing'],
  [{ future: "narrow" }, 'narrow: row 1: the column "rainfall" is missing'],
  [{ future: "none" }, "none"],
  [{ maxFeatures: "7" }, "--max-features 7: the files give 6 features"],
  [{ maxFeatures: "0" }, "--max-features 0"],
  [{ holdout: "21000101..21000102" }, "no row lies in --holdout"],
  [{ holdout: "2" }, "holdout"],
  [{ trees: 0 }, "trees"],
  [{ minLeaf: 0.5 }, "minLeaf"],
  [{ maxFeatures: "some" }, "maxFeatures"],
])("refuses %o", async (params, message) => {
  const given = { ...files, narrow: bytes("date,temp\n20210101,5\n") };
  await expect(run(params, given)).rejects.toThrow(message);
});

test("one row, a constant target, and a column without any value have a result", async () => {
  const two = await run({ holdout: "0.5" }, { observed: bytes("date,temp,humidity\n20200101,5,50\n20200102,6,60\n") });
  expect(artifact(two, "result.csv")).toBe("date,humidity\n20200102,50\n");
  expect(two.metrics).toMatchObject({ rows: 1, mse: 100, r2: null, leaves: 1 });
  const constant = Array.from({ length: 28 }, (_, day) => `202002${String(day + 1).padStart(2, "0")},,7`);
  const flat = await run({}, { observed: bytes(`date,temp,humidity\n${constant.join("\n")}\n`) });
  expect(flat.metrics).toMatchObject({ mse: 0, r2: 1, leaves: 1, missing: { temp: 28 } });
});

test("--engine ml-random-forest trains the library's forest, the same each time", async () => {
  const params = { engine: "ml-random-forest", trees: 2, future: "future" };
  const given = { ...files, observed: bytes(head(weather.observed, 80)) };
  const result = await run(params, given);
  expect(result.metrics).toMatchObject({ rows: 8, trees: 2, leaves: null, future: { rows: 40 } });
  expect(JSON.parse(artifact(result, "model.json"))).toMatchObject({ name: "RFRegression" });
  expect((await run(params, given)).artifacts).toEqual(result.artifacts);
  const empty = bytes("date,temp,wind,rainfall\n20210101,,1,2\n");
  await expect(run(params, { ...given, future: empty })).rejects.toThrow("cannot work with missing values");
});

test.each([
  [{ model: "gbt" }, "--model gbt"],
  [{ maxBins: 32 }, "--max-bins"],
  [{ minInfoGain: 0.5 }, "--min-info-gain"],
  [{ subsamplingRate: 0.5 }, "--subsampling-rate"],
  [{ intervals: 0.9 }, "--intervals"],
  [{ explain: true }, "--explain"],
  [{ trend: "linear" }, "--trend linear"],
  [{ modelFormat: "onnx" }, "--model-format onnx"],
])("--engine ml-random-forest refuses %o, which the library cannot do", async (params, named) => {
  await expect(run({ engine: "ml-random-forest", trees: 1, ...params })).rejects.toThrow(
    `--engine ml-random-forest has no ${named}: leave it out, or use --engine kindling`,
  );
});

test.each(["trees", "rows"])(
  "huge and tiny values are worked with or refused, where nodes share %s",
  async (distribute) => {
    const rows = lines(head(weather.observed, 60)).map((line) => line.split(","));
    const filled = (column: number, factor: string): Uint8Array =>
      bytes(rows.map((row, at) => (at === 0 ? row : row.with(column, `${row[column]}${factor}`)).join(",")).join("\n"));
    const params = { distribute, maxDepth: 4, minInfoGain: 1e-9 };
    for (const [column, name] of [
      [1, "temp"],
      [4, "humidity"],
    ] as const) {
      await expect(run(params, { observed: filled(column, "e75") })).rejects.toThrow(
        expect.objectContaining({
          code: "BadInput",
          message: expect.stringMatching(`^observed: row 2, column "${name}": .* is beyond ±1e\\+75`) as string,
        }),
      );
      for (const factor of ["e72", "e-300", "e-320"]) {
        for (const trend of distribute === "rows" ? ["none"] : ["none", "linear"]) {
          const result = await run({ ...params, trend }, { observed: filled(column, factor) });
          expect(Number.isFinite(result.metrics["mse"])).toBe(true);
          for (const row of lines(artifact(result, "result.csv")).slice(1)) {
            expect(Number.isFinite(Number(row.split(",")[1]))).toBe(true);
          }
        }
      }
    }
  },
);

test.each(["trees", "rows"])(
  "the future keeps its order, checked rows go by day, where nodes share %s",
  async (distribute) => {
    const [header = "", ...rows] = lines(head(weather.future, 40));
    const [observedHeader = "", ...observed] = lines(head(weather.observed, 500));
    const mixed = (all: readonly string[]): string[] => all.map((_, at) => all[(at * 7) % all.length] as string);
    const datesOf = (all: readonly string[]) => all.map((row) => row.split(",")[0]);
    const resultOf = (result: DirectResult) => datesOf(lines(artifact(result, "result.csv")).slice(1));
    const given = {
      observed: bytes([observedHeader, ...mixed(observed)].join("\n")),
      future: bytes([header, ...mixed(rows)].join("\n")),
    };
    const params = { distribute, maxDepth: 4 };
    expect(resultOf(await run({ ...params, future: "future" }, given))).toEqual(datesOf(mixed(rows)));
    expect(resultOf(await run(params, given))).toEqual(datesOf(observed.slice(450)));
  },
);

test("the parameters that name files say so", () => {
  const { shape } = workload.params;
  expect([shape.observed, shape.future, shape.actual].map(isFileSchema)).toEqual([true, true, true]);
  expect(isFileSchema(shape.target)).toBe(false);
});
