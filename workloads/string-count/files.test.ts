import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { philoxRng } from "../../shared/rng.ts";
import { runDirect } from "../../shared/testing/direct-job.ts";
import { resultText, utf8 } from "./testing.ts";
import stringCount from "./workload.ts";

const golden = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(join(import.meta.dirname, "golden", `${name}.parquet`)));

/** Runs the job with both kernels, which must agree. */
async function countAll(files: Readonly<Record<string, Uint8Array>>, params: object = {}) {
  const all = { input: Object.keys(files), ...params };
  const js = await runDirect(stringCount, all, { backend: "js", files });
  const wasm = await runDirect(stringCount, all, { backend: "wasm", files, asyncReads: true });
  expect(wasm.stages).toEqual(js.stages);
  expect(wasm.artifacts).toEqual(js.artifacts);
  return wasm;
}

test("files with their columns in other places, and of other formats, give one result", async () => {
  const files = {
    "a.csv": utf8("key,value\na,1\nb,2\n"),
    "b.csv": utf8("x,value,key\n?,10,a\n"),
    "c.parquet": golden("parquet-refused/null-key"),
    "d.csv": utf8("key,value\nc,5"),
    "e.parquet": golden("parquet/plain-snappy-int32-required"),
  };
  const whole = await countAll(files, { onBadRow: "skip" });
  expect(whole.metrics).toMatchObject({ tuples: 5 + 2 - 1 + 120, skippedRows: 1 });
  for (const partitions of [1, 2, 20]) {
    const result = await countAll(files, { onBadRow: "skip", partitions });
    expect(result.artifacts).toEqual(whole.artifacts);
  }
  expect(resultText(whole)).toContain("\nb,5\n");
});

test("the order of the files does not matter", async () => {
  const a = utf8('key,value\n"q""x",1\nb,2\n');
  const b = utf8("key,value\nb,3\n");
  const forward = await countAll({ "a.csv": a, "b.csv": b });
  expect((await countAll({ "b.csv": b, "a.csv": a })).artifacts).toEqual(forward.artifacts);
});

test.each([
  [{ "a.csv": utf8("key,value\na,1\n"), "b.csv": utf8("key;value\na;1\n") }, "b.csv: row 1: there is no column"],
  [{ "a.csv": utf8("key,value\na,1\n"), "b.csv": utf8("") }, "b.csv: the file is empty"],
  [{ "a.csv": utf8("key,value\na,1\n\n"), "b.csv": utf8("key,value\na,1\nb,x\n") }, 'b.csv: row 3, column "value"'],
  [{ "a.csv": utf8('key,value\n"a,1\n'), "b.csv": utf8("key,value\nb,x\n") }, "a.csv: row 2: a quote is opened"],
  [{ "a.csv": utf8("key,value\na,1\n"), "b.parquet": golden("parquet-refused/null-key") }, "b.parquet: row 2, column"],
  [{ "a.csv": utf8("key,value\na,1\n"), "b.parquet": utf8("key,value\na,1\n") }, "b.parquet: it does not end as"],
])("%# a fault names its file and the row in it", async (files, message) => {
  for (const partitions of [1, 7]) {
    await expect(countAll(files, { partitions })).rejects.toThrow(message);
  }
});

test("a format that is asked for holds for every name", async () => {
  const files = { "in.parquet": utf8("key,value\na,1\n") };
  expect(resultText(await countAll(files, { format: "csv" }))).toBe("key,value\na,1\n");
  await expect(countAll({ "in.csv": utf8("key,value\n") }, { format: "parquet" })).rejects.toThrow("in.csv: it");
});

test("many small files together are sampled as a large one", async () => {
  const keys = Array.from({ length: 40_000 }, (_, index) => `key-${(index * 7919) % 40_000}-${"x".repeat(20)}`);
  const text = utf8(`key,value\n${keys.map((key) => `${key},1\n`).join("")}`);
  const files = Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`${index}.csv`, text]));
  const params = { input: Object.keys(files) };
  const result = await runDirect(stringCount, params, { backend: "wasm", files });
  expect(result.stages.some(({ label }) => label === "sample keys")).toBe(true);
  expect(result.metrics).toMatchObject({ tuples: 320_000, keys: 40_000, sum: 320_000 });
});

test("few workers get fewer tasks, and make the same result", { timeout: 60_000 }, async () => {
  // Keys of which a sample shows that most come again in each part.
  const rng = philoxRng(1, 0);
  const lines = Array.from(
    { length: 620_000 },
    () => `word ${rng.below(100_000)},1
`,
  ).join("");
  const files = { "in.csv": utf8(`key,value\n${lines.repeat(9)}`) };
  const run = (params: object) => runDirect(stringCount, { input: "in.csv", ...params }, { backend: "wasm", files });
  const tasksOf = ({ stages }: { stages: readonly { label: string; outputs: readonly unknown[] }[] }) =>
    stages.find(({ label }) => label === "count")?.outputs.length;
  const [usual, few] = [await run({}), await run({ workers: 1 })];
  expect([tasksOf(usual), tasksOf(few)]).toEqual([3, 1]);
  expect(few.artifacts).toEqual(usual.artifacts);
});

test("little memory makes more and smaller tasks, and the same result", { timeout: 60_000 }, async () => {
  const lines = Array.from({ length: 600_000 }, (_, index) => `${(index * 7919) % 600_011},1\n`);
  const files = { "in.csv": utf8(`key,value\n${lines.join("")}`) };
  const tasksOf = async (params: object) => {
    const result = await runDirect(stringCount, { input: "in.csv", ...params }, { backend: "wasm", files });
    const counted = result.stages.find(({ label }) => label === "count");
    const merged = result.stages.find(({ label }) => label === "merge");
    return { counted: counted?.outputs.length ?? 0, merged: merged?.outputs.length ?? 0, artifacts: result.artifacts };
  };
  const whole = await tasksOf({});
  const small = await tasksOf({ taskMemory: 2 ** 22 });
  expect(small.counted).toBeGreaterThan(10 * whole.counted);
  expect(small.artifacts).toEqual(whole.artifacts);
  expect(
    (await tasksOf({ tuples: 1_000_000, keyLength: 5, input: undefined, taskMemory: 2 ** 22 })).merged,
  ).toBeGreaterThan((await tasksOf({ tuples: 1_000_000, keyLength: 5, input: undefined })).merged);
});
