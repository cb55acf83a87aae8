import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { syntheticWeather } from "../../workloads/forecast/synthetic.ts";
import type { StandIn } from "../support/aws.ts";
import { hashes } from "../support/cluster.ts";
import { kindling } from "../support/processes.ts";
import { startS3rver } from "../support/s3rver.ts";
import { sparkProblem, testedReleases } from "../support/spark.ts";

/** Inputs and results of jobs on real Spark that lie in S3. */

const BUCKET = "kindling-spark";
const releases = testedReleases();
vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });
if (releases.length === 0) test.skip(`Spark and S3: skipped, since ${sparkProblem()}`);

interface Summary {
  readonly executor: string;
  readonly artifacts: readonly { name: string; path: string; sha256: string }[];
}

describe.each(releases)("Spark $release and S3", ({ env: sparkEnv }) => {
  const folder = mkdtempSync(join(tmpdir(), "kindling-spark-s3-"));
  const at = (key: string): string => `s3://${BUCKET}/${key}`;
  let stand: StandIn;
  beforeAll(async () => {
    stand = await startS3rver(BUCKET);
    const { observed, future } = syntheticWeather(5);
    await Promise.all([put("observed.csv", observed), put("future.csv", future)]);
  });
  afterAll(async () => {
    await stand.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const put = (Key: string, Body: string) => stand.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
  async function sha256(Key: string): Promise<string> {
    const { Body } = await stand.s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
    return createHash("sha256")
      .update((await Body?.transformToByteArray()) ?? "")
      .digest("hex");
  }
  const env = (): Record<string, string> => ({ ...sparkEnv, ...stand.env });
  async function run(...args: string[]): Promise<Summary> {
    const { code, stdout, stderr } = await kindling(["run", ...args, "--json", "--data-dir", join(folder, "data")], {
      env: env(),
    });
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout) as Summary;
  }

  test("inputs are read in S3 by the tasks, and results written there: the local executor's bytes", async () => {
    for (const [seed, key] of ["counts-1.csv", "counts-2.csv"].entries()) {
      const made = ["data", "tuples", "--tuples", "300000", "--key-length", "4", "--seed", String(seed)];
      expect(await kindling([...made, "--out", at(key)], { env: env() })).toMatchObject({ code: 0 });
    }
    const columns = ["--key", "key", "--value", "value"];
    const packed = await run("string-count", "--input", at("counts-1.csv"), "--out", at("counts.parquet"));
    expect(packed.artifacts[0]?.path).toBe(at("counts.parquet"));
    for (const [index, args] of [
      ["string-count", "--input", at("counts-*.csv"), ...columns],
      ["string-count", "--input", at("counts.parquet"), ...columns],
      ["forecast", "--observed", at("observed.csv"), "--future", at("future.csv"), "--trees", "5"],
    ].entries()) {
      const key = `result-${index}.csv`;
      const spark = await run(...args, "--executor", "spark", "--master", "local[2]", "--out", at(key));
      expect(spark.executor).toBe("spark");
      expect(hashes(spark)).toEqual(hashes(await run(...args)));
      expect(await sha256(key)).toBe(spark.artifacts.find(({ path }) => path === at(key))?.sha256);
    }
  });
});
