import { expect, test } from "vitest";
import { type DirectResult, runDirect } from "../../shared/testing/direct-job.ts";
import predict from "./predict.ts";
import { syntheticWeather } from "./synthetic.ts";
import workload from "./workload.ts";

const weather = syntheticWeather(3);
const rowsOf = (text: string, from: number, to: number): Uint8Array => {
  const lines = text.trimEnd().split("\n");
  return new TextEncoder().encode(`${[lines[0], ...lines.slice(from, to)].join("\n")}\n`);
};
const observed = rowsOf(weather.observed, 1, 501);
/** A year with decimal slips, and rows without a value. */
const future = new TextEncoder().encode(
  `${new TextDecoder().decode(rowsOf(weather.future, 1, 366))}2022-06-01,,,3\n2022-06-02,210,,\n`.replaceAll(
    /2022-06-0(\d)/g,
    "2022060$1",
  ),
);
const resultOf = (run: DirectResult): string => new TextDecoder().decode(run.artifacts.get("result.csv"));
const files = { observed, future };

test.each([
  ["rf", { model: "rf", trees: 6 }, "json"],
  ["rf", { model: "rf", trees: 6 }, "onnx"],
  ["et", { model: "et", trees: 5, trend: "linear" }, "json"],
  ["et", { model: "et", trees: 5, trend: "linear" }, "onnx"],
  ["gbt", { model: "gbt", trees: 20, bags: 2 }, "json"],
  ["gbt", { model: "gbt", trees: 20, bags: 2 }, "onnx"],
])("%s: a saved model gives the bytes of the run that made it: %o as %s", async (_, params, modelFormat) => {
  const run = await runDirect(
    workload,
    { observed: "observed", future: "future", ...params, modelFormat },
    { backend: "wasm", files },
  );
  const model = run.artifacts.get(`model.${modelFormat}`) as Uint8Array;
  const again = await runDirect(
    predict,
    { model: "model", input: "future" },
    { backend: "wasm", files: { model, future } },
  );
  expect(resultOf(again)).toBe(resultOf(run));
  const { repaired, missing } = run.metrics["future"] as Record<string, object>;
  expect(Object.keys(repaired ?? {}).length).toBeGreaterThan(0);
  expect(again.metrics).toMatchObject({ rows: 367, repaired, missing });
});

test("a model of lags needs the days before, and gives the run's bytes with them", async () => {
  const params = { horizon: 1, lags: "1,7", windows: "7", trees: 5, observed: "observed", future: "future" };
  const next = new TextEncoder().encode("date\n19910516\n19910517\n");
  const run = await runDirect(workload, params, { backend: "wasm", files: { observed, future: next } });
  const given = { model: run.artifacts.get("model.json") as Uint8Array, next, observed };
  const asked = { model: "model", input: "next" };
  await expect(runDirect(predict, asked, { backend: "wasm", files: given })).rejects.toThrow("give --observed FILE");
  const again = await runDirect(predict, { ...asked, observed: "observed" }, { backend: "wasm", files: given });
  expect(resultOf(again)).toBe(resultOf(run));
});

test("a column that the model needs and a file that is no model are named", async () => {
  const run = await runDirect(workload, { observed: "observed", trees: 2 }, { backend: "wasm", files });
  const model = run.artifacts.get("model.json") as Uint8Array;
  const narrow = new TextEncoder().encode("date,temp\n20210101,5\n");
  const use = (given: Record<string, Uint8Array>) =>
    runDirect(predict, { model: "model", input: "narrow" }, { backend: "wasm", files: { narrow, ...given } });
  await expect(use({ model })).rejects.toThrow('narrow: row 1: the column "rainfall" is missing');
  await expect(use({ model: narrow })).rejects.toThrow("model: this is no model of forecast");
});
