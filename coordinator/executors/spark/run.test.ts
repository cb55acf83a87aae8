import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { jobId } from "../../../shared/ids.ts";
import { startSpark } from "./run.ts";
import type { SparkApplication, Submission } from "./submit.ts";

let out: string;
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), "kindling-spark-run-"));
});
afterEach(() => rmSync(out, { recursive: true, force: true }));

/** An application that has ended with this error. */
async function failed(error: { code: string; message: string } | null): Promise<unknown> {
  const status = {
    ...{ state: "failed", seconds: 1, unit: "samples", spark: "Spark 3.5.9, yarn", application: "application_1_1" },
    ...{ page: null, stages: [], metrics: {}, artifacts: [], error },
  };
  writeFileSync(join(out, "status.json"), JSON.stringify(status));
  const application: SparkApplication = {
    ...{ job: jobId("j-1"), name: "pi", main: "bridge.py", pyFiles: [], files: [], inputs: new Map(), conf: {}, out },
  };
  const submission: Submission = {
    print: () => "",
    start: async () => ({ ended: Promise.resolve(), more: () => "more: over there", cancel: async () => undefined }),
  };
  const run = await startSpark({ submission, application }, { status: () => undefined, log: () => undefined });
  return run.ended.catch((thrown: unknown) => thrown);
}

test("a failure of Spark's says where there is more", async () => {
  expect(await failed({ code: "SparkFailed", message: "Spark: the context was stopped" })).toMatchObject({
    code: "SparkFailed",
    message: "Spark: the context was stopped (more: over there)",
  });
  expect(await failed(null)).toMatchObject({
    message: "The Spark application ended before its job (more: over there)",
  });
});

test("a failure of the job's own speaks for itself", async () => {
  const error = { code: "BadInput", message: "counts.csv, row 7: no number" };
  expect(await failed(error)).toMatchObject(error);
});
