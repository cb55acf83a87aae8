import { afterAll, beforeAll, expect, test } from "vitest";
import { Cluster, hashes } from "./support/cluster.ts";
import { zipfCsv } from "./bench/string-count/zipf.ts";

/** A real tab that joined through the join page, and jobs that ask for its GPU. */

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start();
  await cluster.addTab("a tab with a GPU");
});
afterAll(() => cluster.close());

test("a million Zipf words: WebGPU gives the bytes of the other kernels", async () => {
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
