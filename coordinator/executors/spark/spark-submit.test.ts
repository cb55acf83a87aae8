import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { jobId } from "../../../shared/ids.ts";
import { findSparkSubmit } from "./spark-tools.ts";
import { sparkSubmit } from "./spark-submit.ts";
import { type SparkStatus, statusOf } from "./status.ts";
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
  writeFileSync(join(folder, "spark-submit"), "", { mode: 0o755 });
  expect(() => findSparkSubmit({ PATH: folder })).toThrow(
    /Spark is here .*, but no Java for it: install a Java runtime/,
  );
  rmSync(join(folder, "spark-submit"));
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

describe("what spark-submit prints", () => {
  const statuses: SparkStatus[] = [];
  const logged: string[] = [];
  beforeEach(() => {
    for (const list of [statuses, logged]) list.length = 0;
    for (const name of ["bin", "out"]) mkdirSync(join(folder, name));
  });

  /** Runs an application whose spark-submit is a shell script, and gives where there is more of it. */
  async function run(script: string): Promise<string> {
    const program = join(folder, "bin/spark-submit");
    writeFileSync(program, `#!/bin/sh\n${script}\n`);
    chmodSync(program, 0o755);
    const submission = sparkSubmit({
      ...{ application: { ...application(), out: join(folder, "out") }, master: "local[2]", logs: folder },
      ...{ eventLogs: join(folder, "events"), env: { SPARK_HOME: folder, PATH: process.env["PATH"] } },
    });
    const { ended, more } = await submission.start({
      status: (status) => void statuses.push(status),
      log: (level, line) => void logged.push(`${level} ${line}`),
    });
    await ended;
    return more();
  }
  const keep = (state: SparkStatus["state"]): void =>
    writeFileSync(join(folder, "out/status.json"), JSON.stringify({ ...STATUS, state }));
  const line = `kindling-status ${JSON.stringify(STATUS)}`;

  test("statuses are taken from standard output alone, and a broken one is a line of the log", async () => {
    keep("succeeded");
    await run(`echo '${line}'; echo 'kindling-status {'; echo '${line}' >&2; echo 'kindling-status {' >&2`);
    expect(statuses).toEqual([STATUS]);
    expect(logged).toEqual(["warn The Spark program's status is no JSON"]);
    const kept = readFileSync(join(folder, "j-1.log"), "utf8").trim().split("\n").sort();
    expect(kept).toEqual(["kindling-status {", "kindling-status {", line]);
  });

  test("a log that cannot be written is told, and the job goes on", async () => {
    mkdirSync(join(folder, "j-1.log"));
    keep("succeeded");
    await run("echo one; echo two");
    expect(logged).toHaveLength(1);
    expect(logged[0]).toMatch(/^warn what Spark prints is not kept: EISDIR/);
  });

  test("Spark's last error is told beside where all is", async () => {
    keep("failed");
    expect(await run("echo no error")).toBe(`all of it: ${join(folder, "j-1.log")}`);
    const lines = ["26/11/26 18:51:31 ERROR Backend: one", "26/11/26 18:51:32 ERROR Backend: all masters are gone"];
    const script = lines.map((text) => `echo '${text}' >&2`).join("; ");
    expect(await run(`${script}; echo '26/11/26 18:51:33 INFO SparkContext: stopped' >&2`)).toBe(
      `Spark's last error: Backend: all masters are gone; all of it: ${join(folder, "j-1.log")}`,
    );
  });

  test("the reason of a crash is told, also after a first status", async () => {
    keep("running");
    await expect(run("echo '26/11/26 ERROR no memory is left' >&2; exit 3")).rejects.toThrow(
      "spark-submit ended with code 3: 26/11/26 ERROR no memory is left (all of it: ",
    );
  });
});
