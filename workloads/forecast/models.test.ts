import { expect, test } from "vitest";
import { type DirectResult, runDirect } from "../../shared/testing/direct-job.ts";
import { syntheticWeather } from "./synthetic.ts";
import workload from "./workload.ts";

const weather = syntheticWeather(3);
const lines = (text: string): string[] => text.trimEnd().split("\n");
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const observedLines = lines(weather.observed).slice(0, 401);
const observed = bytes(`${observedLines.join("\n")}\n`);
const small = { observed: "observed", trees: 6, seed: 9 };
const run = (params: object, given: Uint8Array = observed, backend: "js" | "wasm" = "wasm"): Promise<DirectResult> =>
  runDirect(workload, { ...small, ...params }, { backend, files: { observed: given } });
const text = (result: DirectResult, name: string): string => new TextDecoder().decode(result.artifacts.get(name));

const models: readonly [string, object][] = [
  ["et", { model: "et" }],
  [
    "et with all limits",
    { model: "et", subsamplingRate: 0.5, maxFeatures: "2", minLeaf: 2, minInfoGain: 0.1, maxBins: 9 },
  ],
  ["gbt", { model: "gbt" }],
  ["gbt in bags", { model: "gbt", bags: 3, maxDepth: 4, maxFeatures: "onethird", stepSize: 0.3 }],
  ["rf on a trend", { model: "rf", trend: "linear", subsamplingRate: 0.7 }],
  ["gbt on a trend", { model: "gbt", trend: "linear", bags: 2 }],
  ["rf in few bins", { maxBins: 8, maxDepth: 4, maxFeatures: "auto" }],
  ["rf with intervals and reasons", { intervals: 0.8, explain: true }],
  ["gbt with reasons", { model: "gbt", bags: 2, explain: true, trend: "linear" }],
];

async function sameEverywhere(params: object, file: Uint8Array): Promise<void> {
  const reference = await run({ ...params, partitions: 1 }, file, "js");
  for (const partitions of [1, 4]) {
    const result = await run({ ...params, partitions }, file);
    expect(result.artifacts).toEqual(reference.artifacts);
    expect({ ...result.metrics, fitSeconds: 0 }).toEqual({ ...reference.metrics, fitSeconds: 0 });
  }
}

test.each(models)(
  "%s: the same bytes from both kernels and from any cut into tasks",
  (_name, params) => sameEverywhere(params, observed),
  30_000,
);

test(
  "auto: the same choice and bytes from both kernels and from any cut into tasks",
  () => sameEverywhere({ model: "auto", bags: 2 }, bytes(observedLines.slice(0, 80).join("\n"))),
  60_000,
);

test("extremely randomised and boosted trees are about as good as a forest", async () => {
  const mse = async (params: object): Promise<number> => Number((await run({ trees: 40, ...params })).metrics["mse"]);
  const plain = await mse({});
  expect(await mse({ model: "et" })).toBeLessThan(plain * 1.5);
  expect(await mse({ model: "gbt", trees: 300 })).toBeLessThan(plain * 1.2);
  expect(await mse({ model: "gbt", trees: 300, bags: 4 })).toBeLessThan(plain);
}, 30_000);

test("--trees and --max-iter are two names for the trees of a boosted model", async () => {
  const [trees, maxIter] = await Promise.all(
    [{ trees: 7 }, { trees: undefined, maxIter: 7 }].map((size) => run({ model: "gbt", ...size })),
  );
  expect(trees?.metrics["trees"]).toBe(7);
  expect(trees?.artifacts).toEqual(maxIter?.artifacts);
}, 30_000);

test("a linear trend goes on where trees have seen nothing", async () => {
  const rows = observedLines
    .slice(1)
    .map((line, row) => `${line.slice(0, 8)},${row % 50},${row * row},${row * row + 2 * (row % 50)}`);
  const file = bytes(["date,temp,wind,humidity", ...rows].join("\n"));
  const mse = async (params: object): Promise<number> => Number((await run(params, file)).metrics["mse"]);
  expect(await mse({})).toBeGreaterThan(100);
  for (const model of ["rf", "et", "gbt"]) expect(await mse({ model, trend: "linear" })).toBeLessThan(0.01);
});

test("auto does not see the rows that are held out: neither its choice nor its model depends on their targets", async () => {
  const held = observedLines.slice(361).map((line) => line.split(","));
  const swapped = held.map((fields, row) => [...fields.slice(0, 4), held[held.length - 1 - row]?.[4]].join(","));
  const before = await run({ model: "auto", bags: 1 });
  const after = await run({ model: "auto", bags: 1 }, bytes([...observedLines.slice(0, 361), ...swapped].join("\n")));
  expect(after.metrics["mse"]).not.toBe(before.metrics["mse"]);
  expect(after.metrics["auto"]).toEqual(before.metrics["auto"]);
  expect(text(after, "model.json")).toBe(text(before, "model.json"));
  expect(text(after, "result.csv")).toBe(text(before, "result.csv"));
}, 60_000);

test("auto takes the candidate with the smallest error, and without rows for a backtest the first", async () => {
  const { auto, trees } = (await run({ model: "auto", bags: 1 })).metrics;
  const { chosen, candidates } = auto as { chosen: string; candidates: Record<string, number> };
  const weighed = Object.entries(candidates).map(([name, error]) => (name.endsWith("trend") ? error / 0.95 : error));
  expect(weighed[Object.keys(candidates).indexOf(chosen)]).toBe(Math.min(...weighed));
  expect(Object.keys(candidates).length).toBe(10);
  expect(trees).toBeGreaterThan(0);
  const short = await run({ model: "auto" }, bytes(observedLines.slice(0, 30).join("\n")));
  expect(short.metrics["auto"]).toMatchObject({ chosen: "rf", candidates: { rf: null, gbt: null } });
}, 60_000);

test("intervals stand beside the predictions and hold about as many true values as they are asked to", async () => {
  const result = await run({ intervals: 0.8, trees: 60 });
  const rows = lines(text(result, "result.csv"));
  expect(rows[0]).toBe("date,humidity,humidity_lower,humidity_upper");
  for (const row of rows.slice(1)) {
    const [, predicted, lower, upper] = row.split(",").map(Number) as [number, number, number, number];
    expect(lower).toBeLessThanOrEqual(upper);
    expect(predicted).toBeGreaterThan(lower - 20);
  }
  expect(result.metrics["coverage"]).toBeGreaterThan(0.6);
  const wide = await run({ intervals: 0.99, trees: 60 });
  expect(Number(wide.metrics["coverage"])).toBeGreaterThan(Number(result.metrics["coverage"]));
  await expect(run({ model: "gbt", intervals: 0.8 })).rejects.toThrow("use --model rf or et");
}, 60_000);

test("importances name what the target follows, and the out-of-bag score is near that of held-out rows", async () => {
  const noise = observedLines.map((line, row) => `${line},${row === 0 ? "noise" : (row * 7919) % 101}`);
  const { importances, outOfBag, mse } = (await run({ explain: true, trees: 60 }, bytes(noise.join("\n")))).metrics as {
    importances: { impurity: Record<string, number>; permutation: Record<string, number> };
    outOfBag: { rows: number; mse: number };
    mse: number;
  };
  const shares = Object.values(importances.impurity);
  expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
  for (const way of [importances.impurity, importances.permutation]) {
    expect(Object.keys(way).length).toBe(7);
    expect(way["temp"]).toBeGreaterThan((way["noise"] as number) * 2);
  }
  expect(outOfBag.rows).toBe(360);
  expect(outOfBag.mse).toBeLessThan(mse * 3);
  expect(outOfBag.mse).toBeGreaterThan(mse / 3);
}, 60_000);

test.each([
  ["a constant target", "date,temp,humidity", (day: string, row: number) => `${day},${row % 7},5`],
  ["a column without any value", "date,temp,humidity", (day: string, row: number) => `${day},,${row % 9}`],
])(
  "%s: every model has a result",
  async (_name, header, rowOf) => {
    const days = observedLines.slice(1, 91).map((line) => line.slice(0, line.indexOf(",")));
    const file = bytes([header, ...days.map(rowOf)].join("\n"));
    for (const model of ["rf", "et", "gbt", "auto"]) {
      for (const trend of ["none", "linear"]) {
        const result = await run({ model, trend }, file);
        expect(Number.isFinite(result.metrics["mse"])).toBe(true);
      }
    }
  },
  60_000,
);

test("one row to train on: every model predicts it", async () => {
  const file = bytes("date,temp,humidity\n20200101,5,50\n20200102,6,60\n");
  for (const model of ["rf", "et", "gbt", "auto"]) {
    const result = await run({ model, trend: "linear", holdout: "0.5" }, file);
    expect(text(result, "result.csv")).toBe("date,humidity\n20200102,50\n");
  }
}, 60_000);

test.each([
  [{ model: "svm" }, "model"],
  [{ maxBins: 1 }, "maxBins"],
  [{ subsamplingRate: 0 }, "subsamplingRate"],
  [{ subsamplingRate: 1.5 }, "subsamplingRate"],
  [{ stepSize: 0 }, "stepSize"],
  [{ maxIter: 0 }, "maxIter"],
  [{ bags: 0 }, "bags"],
  [{ intervals: 1 }, "intervals"],
  [{ minInfoGain: -1 }, "minInfoGain"],
  [{ model: "gbt", engine: "ml-random-forest" }, "has no --model gbt"],
])("refuses %o", async (params, message) => {
  await expect(run(params)).rejects.toThrow(message);
});

test("--distribute rows: the same bytes from any number of blocks, as good as trees that see all rows", async () => {
  const params = { distribute: "rows", maxDepth: 6, maxBins: 32 };
  const one = await run({ ...params, partitions: 1 });
  for (const partitions of [3, 8]) {
    const result = await run({ ...params, partitions });
    expect(result.artifacts).toEqual(one.artifacts);
    expect({ ...result.metrics, fitSeconds: 0 }).toEqual({ ...one.metrics, fitSeconds: 0 });
  }
  const all = bytes(weather.observed);
  const [rows, trees] = await Promise.all(
    ["rows", "trees"].map((distribute) => run({ distribute, maxDepth: 8, maxBins: 64, trees: 40 }, all)),
  );
  expect(Number(rows?.metrics["mse"]) / Number(trees?.metrics["mse"])).toBeCloseTo(1, 1);
  expect(rows?.metrics).toMatchObject({ repaired: trees?.metrics["repaired"], trainRows: trees?.metrics["trainRows"] });
  await expect(run({ distribute: "rows" })).rejects.toThrow("set --max-depth, at most 16");
  await expect(run({ ...params, model: "et" })).rejects.toThrow("--model et needs all rows in one place");
  await expect(run({ ...params, explain: true })).rejects.toThrow("--explain needs all rows in one place");
});
