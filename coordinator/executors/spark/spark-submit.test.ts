import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { jobId } from "../../../shared/ids.ts";
import { findSparkSubmit } from "./spark-tools.ts";
import { sparkSubmit } from "./spark-submit.ts";
import { statusOf } from "./status.ts";
import type { SparkApplication } from "./submit.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kindling-spark-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const application = (): SparkApplication => ({
  job: jobId("j-1"),
  name: "Kindling: it's pi (j-1)",
  main: "/k/bridge.py",
  pyFiles: ["/k/kindling_worker.py"],
  files: ["/run/driver.mjs", "/run/job.json"],
  inputs: new Map([["a b.csv", "/data/a b.csv"]]),
  conf: { "spark.executor.memory": "2g" },
  out: "/run/out",
});
const submit = (master: string, env: NodeJS.ProcessEnv = {}) =>
  sparkSubmit({ application: application(), master, eventLogs: join(folder, "events"), logs: folder, env });

test("the command is printed as a shell reads it", () => {
  expect(submit("spark://host:7077").print()).toBe(
    "spark-submit --master spark://host:7077 --name 'Kindling: it'\\''s pi (j-1)' --py-files /k/kindling_worker.py " +
      "--files /run/driver.mjs,/run/job.json --conf spark.eventLog.enabled=true " +
      `--conf spark.eventLog.dir=file://${folder}/events --conf spark.executor.memory=2g /k/bridge.py --out /run/out --input '["a b.csv","/data/a b.csv"]'\n`,
  );
});

test("on this machine alone it runs the Node that is running", () => {
  expect(submit("local[2]").print()).toContain(`spark.kindling.node=${process.execPath}`);
});

test("what is missing is named, and how to get it", async () => {
  expect(() => findSparkSubmit({ PATH: folder })).toThrow(
    /no spark-submit on this machine: install a Java runtime.*pip install pyspark/,
  );
  expect(() => findSparkSubmit({ SPARK_HOME: folder, PATH: "" })).toThrow(
    /SPARK_HOME names .* has no bin\/spark-submit/,
  );
  await expect(
    submit("local[2]", { PATH: folder }).start({ status: () => undefined, log: () => undefined }),
  ).rejects.toMatchObject({ code: "SparkMissing" });
});

const STATUS = {
  ...{
    state: "running",
    seconds: 1.5,
    unit: "tuples",
    spark: "Spark 3.5.9, local[2]",
    application: "local-1",
    page: null,
  },
  ...{ stages: [], metrics: {}, artifacts: [], error: null },
};

test("a status is found in a line of a log, and one that is none is refused", () => {
  expect(statusOf("26/11/26 14:08:17 INFO DAGScheduler: Job 1 finished")).toBeNull();
  expect(statusOf(`stdout: kindling-status ${JSON.stringify(STATUS)}`)).toEqual(STATUS);
  const wicked = { ...STATUS, artifacts: [{ name: "x", file: "../../etc/passwd", bytes: 1, sha256: "0".repeat(64) }] };
  expect(() => statusOf(`kindling-status ${JSON.stringify(wicked)}`)).toThrow(/artifacts.0.file/);
  expect(() => statusOf("kindling-status {")).toThrow("no JSON");
});
