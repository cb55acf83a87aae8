import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Value } from "../shared/value.ts";
import { syntheticWeather } from "../workloads/forecast/synthetic.ts";
import { Cluster, hashes } from "./support/cluster.ts";
import { kindling } from "./support/processes.ts";

/** One cluster whose nodes change from test to test: the bytes of a job's results must not. */

const COUNT: Record<string, Value> = { tuples: 3_000_000, keyLength: 4, partitions: 24, seed: 7 };
const FOREST: Record<string, Value> = { trees: 16, seed: 3 };

let cluster: Cluster;
const weather = syntheticWeather(5);
const expected = { count: {}, forecast: {} };
let files: Record<string, Value>;

const option = (name: string, value: Value): string[] => [
  `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  String(value),
];
const options = (params: Record<string, Value>): string[] =>
  Object.entries(params).flatMap(([name, value]) => option(name, value));

async function local(workload: string, args: readonly string[]): Promise<Record<string, string>> {
  const { code, stdout, stderr } = await kindling(["run", workload, ...args, "--json"]);
  expect(code, stderr).toBe(0);
  return hashes(JSON.parse(stdout) as { artifacts: { name: string; sha256: string }[] });
}

beforeAll(async () => {
  cluster = await Cluster.start();
  const observed = join(cluster.folder, "observed.csv");
  const future = join(cluster.folder, "future.csv");
  writeFileSync(observed, weather.observed);
  writeFileSync(future, weather.future);
  expected.count = await local("string-count", options(COUNT));
  expected.forecast = await local("forecast", ["--observed", observed, "--future", future, ...options(FOREST)]);
  files = {
    observed: await cluster.upload("observed.csv", weather.observed),
    future: await cluster.upload("future.csv", weather.future),
  };
  rmSync(observed);
  rmSync(future);
});
afterAll(() => cluster.close());

async function expectSameBytes(): Promise<void> {
  expect(hashes(await cluster.run("string-count", COUNT))).toEqual(expected.count);
  expect(hashes(await cluster.run("forecast", { ...files, ...FOREST }))).toEqual(expected.forecast);
}

test("the local executor makes result and model files", () => {
  expect(Object.keys(expected.count)).toEqual(["counts.csv"]);
  expect(Object.keys(expected.forecast)).toEqual(["result.csv", "model.json"]);
});

test("one worker and another partition of the work give the same local bytes", async () => {
  expect(await local("string-count", [...options({ ...COUNT, partitions: 5 }), "--slots", "1"])).toEqual(
    expected.count,
  );
});

test("the reference kernels give the same bytes", async () => {
  const small = { ...COUNT, tuples: 200_000 };
  const wasm = await local("string-count", [...options(small), "--backend", "wasm"]);
  expect(await local("string-count", [...options(small), "--backend", "js"])).toEqual(wasm);
});

test("two headless nodes", async () => {
  await cluster.addNode("first");
  await cluster.addNode("second");
  await expectSameBytes();
});

test("two headless nodes and two tabs", async () => {
  await cluster.addTab("tab one");
  await cluster.addTab("tab two");
  await expectSameBytes();
});

test("two tabs alone", async () => {
  for (const node of cluster.nodes) await node.end("SIGTERM");
  await cluster.gone("first");
  await cluster.gone("second");
  await expectSameBytes();
  const { jobs } = await cluster.client.overview();
  expect(jobs[0]?.shares.map(({ name }) => name).sort()).toEqual(["tab one", "tab two"]);
});
