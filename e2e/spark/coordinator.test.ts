import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { jobId } from "../../shared/ids.ts";
import { Cluster, hashes } from "../support/cluster.ts";
import { kindling } from "../support/processes.ts";
import { sparkProblem, testedReleases } from "../support/spark.ts";
import { until } from "../support/until.ts";

/** A coordinator that hands jobs to Spark: they are shown, kept and cancelled as its nodes' jobs are. */

const [release] = testedReleases();
vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });
if (release === undefined) test.skip(`Spark behind a coordinator: skipped, since ${sparkProblem()}`);

describe.skipIf(release === undefined)("Spark behind a coordinator", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    Object.assign(process.env, release?.env);
    cluster = await Cluster.start();
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
    await until(
      "a stage under way",
      async () => (await cluster.client.job(id)).stages.some(({ running }) => running > 0),
      300_000,
    );
    await cluster.client.cancel(id);
    expect((await cluster.client.job(id)).state).toBe("cancelled");
    await until(
      "no process is left",
      () => !spawnSync("ps", ["-eo", "args"], { encoding: "utf8" }).stdout.includes(id),
    );
  });

  test("a target that there is not is refused at once", async () => {
    const spark = { master: "mesos://x", submit: "spark-submit", conf: {} };
    await expect(cluster.client.submit({ workload: "pi", spark })).rejects.toThrow(/--master takes local\[2\]/);
  });
});
