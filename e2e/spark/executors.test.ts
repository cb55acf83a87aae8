import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { syntheticWeather } from "../../workloads/forecast/synthetic.ts";
import { hashes } from "../support/cluster.ts";
import { Running } from "../support/processes.ts";
import { sparkProblem, SparkCluster, testedReleases } from "../support/spark.ts";
import { until } from "../support/until.ts";

/** The same jobs on this process and on real Spark: the same bytes. */

const releases = testedReleases();
// A session alone takes several seconds to start, and much longer on a machine that has other things to do.
vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });
if (releases.length === 0) test.skip(`Spark: skipped, since ${sparkProblem()}`);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kindling-spark-"));
  const { observed, future } = syntheticWeather(5);
  writeFileSync(join(folder, "observed.csv"), observed);
  writeFileSync(join(folder, "future.csv"), future);
  mkdirSync(join(folder, "own"));
  copyFileSync(join(import.meta.dirname, "every-call.ts"), join(folder, "own/every-call.ts"));
  writeFileSync(join(folder, "own/slow.ts"), SLOW);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Tasks that take long enough to be disturbed, in two stages. */
const SLOW = `
import { defineTask, defineWorkload, z } from "kindling";
const wait = (ms: number) => { for (const end = performance.now() + ms; performance.now() < end; ); };
const spread = defineTask({ js(n: number, { buckets }) { wait(150); return Array.from({ length: buckets }, (_, b) => n * 1000 + b); } });
const join = defineTask({ js(parts: readonly number[]) { wait(600); return parts.join(" "); } });
export default defineWorkload({
  name: "slow",
  params: z.object({ tasks: z.number().int().default(16) }),
  tasks: { spread, join },
  async drive(job, { tasks }) {
    const shards = await job.shuffle(spread, Array.from({ length: tasks }, (_, n) => n), { buckets: tasks });
    return job.collect(await job.reduce(join, shards));
  },
});
`;

interface Summary {
  readonly executor: string;
  readonly metrics: Record<string, unknown>;
  readonly artifacts: readonly { name: string; sha256: string }[];
}

const start = (args: readonly string[], env: Record<string, string> = {}): Running =>
  new Running(["run", ...args, "--json", "--data-dir", join(folder, "data")], { cwd: folder, env });

async function result(running: Running): Promise<Summary> {
  const { code, stdout, stderr } = await running.ended;
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Summary;
}

const known = new Map<string, Promise<Summary>>();
/** What the local executor gives, computed once. */
function local(args: readonly string[]): Promise<Summary> {
  const key = args.join(" ");
  const summary = known.get(key) ?? result(start(args));
  known.set(key, summary);
  return summary;
}

async function expectSame(args: readonly string[], spark: Summary): Promise<void> {
  const expected = await local(args);
  expect(spark.executor).toBe("spark");
  expect(hashes(spark)).toEqual(hashes(expected));
  const { fitSeconds: _, ...metrics } = spark.metrics;
  const { fitSeconds: __, ...wanted } = expected.metrics;
  expect(metrics).toEqual(wanted);
}

const COUNT = ["string-count", "--tuples", "600000", "--key-length", "4", "--partitions", "8", "--seed", "7"];
const FROM_FILE = ["--key", "key", "--value", "count", "--top", "3"];
const FORECAST = ["forecast", "--observed", "observed.csv", "--future", "future.csv", "--trees", "8", "--seed", "3"];
const JOBS: readonly (readonly [string, readonly string[]])[] = [
  ["pi", ["pi", "--samples", "20000000", "--partitions", "4"]],
  ["a count of generated tuples", COUNT],
  ["a count of a CSV file", ["string-count", "--input", "counts.csv", ...FROM_FILE]],
  ["a count of a Parquet file", ["string-count", "--input", "counts.parquet", ...FROM_FILE]],
  ["a forecast", FORECAST],
  ["a user's own workload", ["own/every-call.ts"]],
];

describe.each(releases)("Spark $release", ({ env }) => {
  const spark = (args: readonly string[], master: string): Running =>
    start([...args, "--executor", "spark", "--master", master], env);

  beforeAll(async () => {
    await result(start([...COUNT, "--out", "counts.csv"]));
    await result(start([...COUNT, "--out", "counts.parquet"]));
  });

  test.each(JOBS)("local[2]: %s has the local executor's bytes", async (_name, args) => {
    await expectSame(args, await result(spark(args, "local[2]")));
  });

  test.each(["rdd", "dataframe"])("Spark's own count as %s gives the same file", async (engine) => {
    const args = ["string-count", "--input", "counts.csv", "--key", "key", "--value", "count", "--top", "3"];
    const { metrics, artifacts } = await result(spark([...args, "--engine", engine], "local[2]"));
    const expected = await local(args);
    expect(hashes({ artifacts })).toEqual(hashes(expected));
    const { countSeconds: _, ...counted } = metrics;
    expect(counted).toEqual(expected.metrics);
  });

  test("MLlib forecasts through the same command, and worse", async () => {
    const spare = await result(spark([...FORECAST.slice(0, 5), "--engine", "mllib", "--out", "mllib.csv"], "local[2]"));
    const ours = await local(FORECAST);
    expect(Number(spare.metrics["mse"])).toBeGreaterThan(Number(ours.metrics["mse"]));
    const days = (file: string): string[] =>
      readFileSync(join(folder, file), "utf8")
        .split("\n")
        .map((row) => row.split(",")[0] ?? "");
    expect(days("mllib.csv").slice(1)).toEqual(days("future.csv").slice(1));
  });

  test("bad input fails the job as it does everywhere, and Spark does not try it again", async () => {
    const { code, stderr } = await spark(["own/every-call.ts", "--fail"], "local[2]").ended;
    expect(stderr).toMatch(/kindling: numbers.csv, row 7: no number\n$/);
    expect(code).toBe(1);
  });

  test("an interrupt cancels the job in Spark and leaves nothing behind", async () => {
    const running = spark(["own/slow.ts", "--tasks", "200"], "local[2]");
    await until("tasks under way", () => /spread \d+\/200/.test(running.stderr), 300_000);
    running.child.kill("SIGINT");
    const { code, stderr } = await running.ended;
    expect(stderr).toMatch(/cancelled/);
    expect(code).toBe(1);
    const [log = ""] = newest(join(folder, "data/spark/logs"));
    await until("no process is left", () => processesOf(basename(log, ".log")).length === 0);
    expect(readdirSync(join(folder, "data/spark/runs"))).toEqual([]);
  });

  describe("a standalone cluster of a master and two workers", () => {
    let cluster: SparkCluster;
    beforeAll(async () => {
      cluster = await SparkCluster.start(env, mkdtempSync(join(folder, "cluster-")));
    });
    afterAll(() => cluster?.close());

    test("the same bytes", async () => {
      for (const args of [COUNT, FORECAST]) await expectSame(args, await result(spark(args, cluster.url)));
    });

    test("a worker killed in the middle of a reduce changes nothing, and is missed", async () => {
      const running = spark(["own/slow.ts"], cluster.url);
      await until("the reduce is under way", () => /join [1-9]\d*\/16/.test(running.stderr), 300_000);
      cluster.workers[0]?.kill("SIGKILL");
      await expectSame(["own/slow.ts"], await result(running));
      const logs = readdirSync(join(folder, "data/spark/logs")).map((name) =>
        readFileSync(join(folder, "data/spark/logs", name), "utf8"),
      );
      expect(logs.some((log) => /Lost executor/.test(log))).toBe(true);
      expect((await cluster.state()).aliveworkers).toBe(1);
    });
  });
});

/** Command lines of processes that name a job: Spark's, its driver's, and those of its tasks. */
function processesOf(job: string): string[] {
  const { stdout } = spawnSync("ps", ["-eo", "args"], { encoding: "utf8" });
  return stdout.split("\n").filter((line) => line.includes(job));
}

const newest = (path: string): string[] =>
  readdirSync(path).sort((a, b) => statSync(join(path, b)).mtimeMs - statSync(join(path, a)).mtimeMs);
