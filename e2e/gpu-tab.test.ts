import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cluster, hashes } from "./support/cluster.ts";
import { syntheticWeather } from "../workloads/forecast/synthetic.ts";
import { zipfCsv } from "./bench/string-count/zipf.ts";

/** A real tab that joined through the join page, and jobs that ask for its GPU. */

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start();
  await cluster.addTab("a tab with a GPU");
});
afterAll(() => cluster.close());

test("a million Zipf words: WebGPU gives the bytes of the other kernels", { timeout: 300_000 }, async () => {
  const chunks = Array.from(zipfCsv({ words: 1_000_000, rows: 1_000_000, seed: 3 }), (chunk) => Buffer.from(chunk));
  const { hash } = await cluster.client.uploadFile(Buffer.concat(chunks));
  const input = `upload:${hash}/words.csv`;
  const run = (backend: string) => cluster.run("string-count", { input, backend });
  const gpu = await run("webgpu");
  const counting = gpu.stages.filter(({ label }) => label === "count" || label === "sample keys");
  expect(counting.map(({ backends }) => Object.keys(backends))).toEqual([["webgpu"], ["webgpu"]]);
  expect(counting[1]?.reason).toBe("webgpu was asked for");
  const wasm = await run("wasm");
  expect(gpu.metrics).toMatchObject({ tuples: 1_000_000 });
  expect(hashes(gpu)).toEqual(hashes(wasm));
  expect(hashes(await run("js"))).toEqual(hashes(wasm));
});

test("a Parquet file: WebGPU gives the bytes of the other kernels, which auto measures", async () => {
  const golden = join(import.meta.dirname, "../workloads/string-count/golden/parquet/nulls-dictionary.parquet");
  const input = `upload:${(await cluster.client.uploadFile(readFileSync(golden))).hash}/in.parquet`;
  const run = (backend: string) => cluster.run("string-count", { input, backend, onBadRow: "skip" });
  const counting = ({ stages }: Awaited<ReturnType<typeof run>>) =>
    stages.find(({ label }) => label === "countParquet");
  const gpu = await run("webgpu");
  expect(counting(gpu)).toMatchObject({ backends: { webgpu: 1 }, reason: "webgpu was asked for" });
  const auto = await run("auto");
  expect(counting(auto)?.reason).toMatch(/^auto: wasm [\d.]+ ms, js [\d.]+ ms on the probe; too little work so far/);
  expect(hashes(auto)).toEqual(hashes(gpu));
  expect(hashes(await run("js"))).toEqual(hashes(gpu));
});

test("points counted by gpu.js under the pages' content policy are the other kernels' points", async () => {
  const params = { samples: 3_000_001, partitions: 2, seed: 9 };
  const gpu = await cluster.run("pi", { ...params, backend: "webgl" });
  expect(gpu.stages[0]).toMatchObject({ backends: { webgl: 2 }, reason: "webgl was asked for" });
  const wasm = await cluster.run("pi", { ...params, backend: "wasm" });
  expect(hashes(gpu)).toEqual(hashes(wasm));
});

test("auto measures the CPU's kernels at once and the GPU's after some work; the job says what and why", {
  timeout: 300_000,
}, async () => {
  const cpu = String.raw`auto: wasm [\d.]+ ms, js [\d.]+ ms on the probe; `;
  const gpu = (name: string) => String.raw`wasm [\d.]+ ms, ${name} [\d.]+ ms( for the small one)? on a large one`;
  const reasonOf = async (workload: string, params: Record<string, number>) =>
    (await cluster.run(workload, params)).stages[0]?.reason;
  expect(await reasonOf("pi", { samples: 100_000 })).toMatch(new RegExp(`^${cpu}too little work so far to try webgl$`));
  expect(await reasonOf("pi", { samples: 200_000_000 })).toMatch(new RegExp(`${cpu}${gpu("webgl")}`));
  expect(await reasonOf("string-count", { tuples: 300_000_000 })).toMatch(new RegExp(`${cpu}${gpu("webgpu")}`));
});

test("a forest that predicts on the tab's GPU writes the bytes of the CPU's", async () => {
  const weather = syntheticWeather(2);
  const observed = await cluster.upload("observed.csv", weather.observed.split("\n").slice(0, 900).join("\n"));
  const future = await cluster.upload("future.csv", weather.future);
  const run = (backend: string) => cluster.run("forecast", { observed, future, trees: 10, seed: 2, backend });
  const wasm = await run("wasm");
  for (const backend of ["webgpu", "webgl"]) {
    const gpu = await run(backend);
    const predicting = gpu.stages.filter(({ label }) => label.startsWith("predict"));
    expect(predicting.map(({ reason }) => reason)).toEqual(predicting.map(() => `${backend} was asked for`));
    expect(predicting.length).toBeGreaterThan(0);
    expect(hashes(gpu)).toEqual(hashes(wasm));
  }
});
