import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type JobId, jobId } from "../../shared/ids.ts";
import { Cluster, hashes } from "../support/cluster.ts";
import { kindling } from "../support/processes.ts";
import { sparkProblem, testedReleases } from "../support/spark.ts";
import { until } from "../support/until.ts";

/** A coordinator that hands jobs to Spark: they are shown, kept and cancelled as its nodes' jobs are. */

const releases = testedReleases();
vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });
if (releases.length === 0) test.skip(`Spark behind a coordinator: skipped, since ${sparkProblem()}`);

describe.each(releases)("Spark $release behind a coordinator", ({ env }) => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start({ env });
    const rows = Array.from({ length: 5000 }, (_, index) => `${"abcdefg"[index % 7]},${index % 11}\n`);
    writeFileSync(join(cluster.folder, "tuples.csv"), `key,value\n${rows.join("")}`);
  });
  afterAll(() => cluster.close());

  test("an uploaded file is counted on Spark into a result that the coordinator keeps", async () => {
    const args = ["run", "string-count", "--input", join(cluster.folder, "tuples.csv"), "--json"];
    const on = ["--executor", "spark", "--on", cluster.url, "--token", cluster.operator];
    const out = join(cluster.folder, "sums.csv");
    const { code, stdout, stderr } = await kindling([...args, ...on, "--out", out]);
    expect(code, stderr).toBe(0);
    const summary = JSON.parse(stdout) as {
      executor: string;
      job: string;
      artifacts: { name: string; sha256: string }[];
    };
    const local = await kindling(args);
    expect(hashes(summary)).toEqual(hashes(JSON.parse(local.stdout) as typeof summary));
    expect(summary.executor).toBe("spark");
    const job = await cluster.client.job(jobId(summary.job));
    expect(job.spark?.name).toMatch(/^Spark \d.*local\[2\]$/);
    expect(job.stages.map(({ done, tasks }) => [done, tasks])).toEqual(job.stages.map(({ tasks }) => [tasks, tasks]));
    expect(job.stages.length).toBeGreaterThan(2);
  });

  test("its stages are seen under way, and cancelling ends the application", async () => {
    const spark = { master: "local[2]", submit: "spark-submit", conf: {} };
    const id = jobId(await cluster.client.submit({ workload: "pi", params: { samples: 1e12 }, spark }));
    const starting = { name: "Spark, local[2]", application: null, page: null };
    expect((await cluster.client.job(id)).spark).toEqual(starting);
    await underWay(id);
    expect((await cluster.client.job(id)).spark?.application).toMatch(/^local-/);
    await cluster.client.cancel(id);
    expect((await cluster.client.job(id)).state).toBe("cancelled");
    await nothingRuns(id);
  });

  test("a coordinator that is killed takes its application along, and begins the job anew after a restart", async () => {
    const spark = { master: "local[2]", submit: "spark-submit", conf: {} };
    const params = { samples: 2e9, partitions: 60 };
    const id = jobId(await cluster.client.submit({ workload: "pi", params, spark }));
    await underWay(id);
    const { spark: before } = await cluster.client.job(id);
    await cluster.coordinator.end("SIGKILL");
    await nothingRuns(id);
    await cluster.startCoordinator({ env });
    const job = await cluster.result(id, 300_000);
    expect(job.spark?.application).toMatch(/^local-/);
    expect(job.spark?.application).not.toBe(before?.application);
    const local = await kindling(["run", "pi", "--samples", "2e9", "--partitions", "60", "--json"]);
    expect(hashes(job)).toEqual(hashes(JSON.parse(local.stdout) as typeof job));
  });

  test("a target that there is not is refused at once", async () => {
    const spark = { master: "mesos://x", submit: "spark-submit", conf: {} };
    await expect(cluster.client.submit({ workload: "pi", spark })).rejects.toThrow(/--master takes local\[2\]/);
  });

  const underWay = (id: JobId): Promise<unknown> =>
    until(
      "a stage under way",
      async () => (await cluster.client.job(id)).stages.some(({ running }) => running > 0),
      300_000,
    );
  const nothingRuns = (id: JobId): Promise<unknown> =>
    until("no process is left", () => !spawnSync("ps", ["-eo", "args"], { encoding: "utf8" }).stdout.includes(id));
});
