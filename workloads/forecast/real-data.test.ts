import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runDirect } from "../../shared/testing/direct-job.ts";
import workload from "./workload.ts";

/** The original's files: not part of the project, and not needed by anything else in it. */
const folder = process.env["KINDLING_REFERENCE_DATA"] ?? join(import.meta.dirname, "../../../shared/data");
const there = existsSync(join(folder, "observed_1.csv"));
const read = (name: string): Uint8Array => readFileSync(join(folder, name));

test.skipIf(!there)(
  "the original's data, skipped where KINDLING_REFERENCE_DATA names no folder with observed_1.csv",
  async () => {
    const files = { observed: read("observed_1.csv"), future: read("forecasted_1.csv") };
    const result = await runDirect(workload, { observed: "observed", future: "future" }, { backend: "wasm", files });
    expect(result.metrics).toMatchObject({ rows: 1124, trainRows: 10_107, features: 6, trees: 100, missing: {} });
    // Clean values end at temp 40, wind 20 and rainfall 60; nothing lies just above.
    expect(result.metrics["repaired"]).toEqual({ temp: 104, wind: 84, rainfall: 54 });
    // scikit-learn's forest on the same repaired rows: 0.485, with 6,340 leaves a tree.
    expect(result.metrics["mse"]).toBeLessThanOrEqual(0.52);
    expect(Math.abs(Number(result.metrics["leaves"]) / 6340 - 1)).toBeLessThan(0.02);
    const rows = new TextDecoder().decode(result.artifacts.get("result.csv")).trimEnd().split("\n");
    expect(rows.length).toBe(366);
    expect([rows[1]?.slice(0, 9), rows[365]?.slice(0, 9)]).toEqual(["20210101,", "20211231,"]);
    // A third of the days of 2021 are wetter than any before: too many to be slips, so they are kept.
    expect(result.metrics["future"]).toMatchObject({ rows: 365, repaired: {}, unusual: { rainfall: 103 } });
  },
  60_000,
);
