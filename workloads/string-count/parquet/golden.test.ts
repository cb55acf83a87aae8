import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runDirect } from "../../../shared/testing/direct-job.ts";
import { resultText } from "../testing.ts";
import stringCount from "../workload.ts";

/** Written by pyarrow 26, with the sums that Python made of the same rows. */
const FOLDER = join(import.meta.dirname, "../golden/parquet");
const names = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".parquet"))
  .map((name) => name.slice(0, -".parquet".length));

test.each(names)("%s", async (name) => {
  const files = { "in.parquet": new Uint8Array(readFileSync(join(FOLDER, `${name}.parquet`))) };
  const expected = readFileSync(join(FOLDER, `${name}.csv`), "utf8");
  const results = [];
  for (const partitions of [1, 4]) {
    const params = { input: "in.parquet", onBadRow: "skip", partitions };
    const js = await runDirect(stringCount, params, { backend: "js", files });
    const wasm = await runDirect(stringCount, params, { backend: "wasm", files, asyncReads: true });
    expect(resultText(js)).toBe(expected);
    expect(wasm.stages).toEqual(js.stages);
    expect(wasm.metrics).toEqual(js.metrics);
    results.push(wasm.artifacts);
  }
  expect(results[1]).toEqual(results[0]);
});
