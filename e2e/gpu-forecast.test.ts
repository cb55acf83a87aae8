import { afterAll, beforeAll, expect, test } from "vitest";
import { syntheticWeather } from "../workloads/forecast/synthetic.ts";
import { KernelPage } from "./support/tab-kernels.ts";

/** Prediction on the GPU in a real browser: every stage must give the bytes of the reference. */

let page: KernelPage;
beforeAll(async () => {
  page = await KernelPage.open();
});
afterAll(() => page.close());

const weather = syntheticWeather(5);
const rows = (text: string, from: number, to: number): string => {
  const lines = text.trimEnd().split("\n");
  return `${[lines[0], ...lines.slice(from, to)].join("\n")}\n`;
};
const files = {
  observed: new TextEncoder().encode(rows(weather.observed, 1, 801)),
  // With days that miss values.
  future: new TextEncoder().encode(`${rows(weather.future, 1, 200)}20220601,,,3\n20220602,21,,\n`),
};

test.each([
  ["a forest", { model: "rf", trees: 12, featureSubsetStrategy: "all" }],
  ["extremely randomised trees", { model: "et", trees: 7, holdout: "0.2" }],
  ["boosting", { model: "gbt", maxIter: 30 }],
])("%s", async (_, params) => {
  const job = { workload: "forecast", params: { observed: "observed", future: "future", seed: 4, ...params }, files };
  const stagesOf = async (backend: "wasm" | "webgpu" | "webgl") => {
    // Metrics have the seconds that it took.
    const { stages, error } = await page.run({ ...job, backend });
    return { stages, error };
  };
  const wasm = await stagesOf("wasm");
  expect(wasm.error).toBe("");
  for (const backend of ["webgpu", "webgl"] as const) {
    // Trees are grown by the reference there, and predict on the GPU.
    expect(await stagesOf(backend)).toEqual(wasm);
  }
});

test.each(["webgpu", "webgl"] as const)("thresholds that rows hit, missing and endless values: %s", async (backend) => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const job = { workload: "leaf-sums", params: { seed } };
    const gpu = await page.run({ ...job, backend });
    expect(gpu.error).toBe("");
    expect(gpu).toEqual(await page.run({ ...job, backend: "js" }));
  }
});
