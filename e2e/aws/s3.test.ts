import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NO_CREDENTIALS, type StandIn, startMoto } from "../support/aws.ts";
import { Cluster } from "../support/cluster.ts";
import { type Finished, kindling } from "../support/processes.ts";

const BUCKET = "kindling-test";
const folder = mkdtempSync(join(tmpdir(), "kindling-e2e-s3-"));
let moto: StandIn;

beforeAll(async () => {
  moto = await startMoto();
  await moto.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
});
afterAll(async () => {
  await moto.close();
  rmSync(folder, { recursive: true, force: true });
});

const run = (...args: string[]): Promise<Finished> => kindling(args, { env: moto.env });
const put = (Key: string, Body: string) => moto.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
async function object(Key: string): Promise<Uint8Array> {
  const { Body } = await moto.s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

test("string-count reads a pattern and writes its result, the same bytes as from a disk", async () => {
  const local = { a: join(folder, "a.csv"), b: join(folder, "b.csv") };
  const s3 = { a: `s3://${BUCKET}/counts/a.csv`, b: `s3://${BUCKET}/counts/b.csv` };
  for (const [index, name] of (["a", "b"] as const).entries()) {
    for (const out of [local[name], s3[name]]) {
      const made = await run("data", "tuples", "--tuples", "20000", "--seed", String(index), "--out", out);
      expect(made).toMatchObject({ code: 0, stderr: "" });
    }
    expect(sha256(await object(`counts/${name}.csv`))).toBe(sha256(readFileSync(local[name])));
  }
  const out = join(folder, "sums.csv");
  const here = await run("run", "string-count", "--input", local.a, "--input", local.b, "--out", out, "--json");
  const there = await run(
    "run",
    "string-count",
    "--input",
    `s3://${BUCKET}/counts/*.csv`,
    "--out",
    `s3://${BUCKET}/sums.csv`,
    "--json",
  );
  expect({ code: there.code, stderr: there.code === 0 ? "" : there.stderr }).toEqual({ code: 0, stderr: "" });
  const summary = (text: string) =>
    JSON.parse(text) as { metrics: object; artifacts: { path: string; sha256: string }[] };
  expect(summary(there.stdout).metrics).toEqual(summary(here.stdout).metrics);
  expect(summary(there.stdout).artifacts[0]).toMatchObject({
    path: `s3://${BUCKET}/sums.csv`,
    sha256: sha256(readFileSync(out)),
  });
  expect(sha256(await object("sums.csv"))).toBe(sha256(readFileSync(out)));
});

test("a forecast's every input and output lies in S3, and predict reads the model there", async () => {
  const weather = await run("data", "weather", "--out", `s3://${BUCKET}/weather/`);
  expect(weather.stdout.split("\n").filter((line) => line.startsWith(`s3://${BUCKET}/weather/`))).toHaveLength(3);
  const at = (name: string): string => `s3://${BUCKET}/${name}`;
  const inputs = [
    "--observed",
    at("weather/observed.csv"),
    "--future",
    at("weather/future.csv"),
    "--actual",
    at("weather/actual.csv"),
  ];
  const outputs = [
    "--out",
    at("out/result.csv"),
    "--model-out",
    at("out/model.json"),
    "--report",
    at("out/report.html"),
  ];
  const done = await run("run", "forecast", ...inputs, ...outputs, "--trees", "5", "--json");
  expect({ code: done.code, stderr: done.code === 0 ? "" : done.stderr }).toEqual({ code: 0, stderr: "" });
  const { artifacts } = JSON.parse(done.stdout) as { artifacts: { path: string | null; sha256: string }[] };
  const result = artifacts.find(({ path }) => path === at("out/result.csv"));
  expect(sha256(await object("out/result.csv"))).toBe(result?.sha256);
  expect(Buffer.from(await object("out/report.html")).toString()).toContain("<html");
  const predicted = await run(
    "predict",
    "--model",
    at("out/model.json"),
    "--input",
    at("weather/future.csv"),
    "--out",
    at("out/again.csv"),
    "--json",
  );
  expect({ code: predicted.code, stderr: predicted.code === 0 ? "" : predicted.stderr }).toEqual({
    code: 0,
    stderr: "",
  });
  expect((await object("out/again.csv")).byteLength).toBeGreaterThan(1000);
});

test("an output larger than one part, and none of a run that fails", async () => {
  const out = `s3://${BUCKET}/many.csv`;
  expect(await run("data", "tuples", "--tuples", "3000000", "--out", out)).toMatchObject({ code: 0 });
  const bytes = await object("many.csv");
  expect(bytes.byteLength).toBeGreaterThan(2 * 8 * 1024 * 1024);
  await put("bad.csv", "key,value\na,1\nb,many\n");
  const failed = await run(
    "run",
    "string-count",
    "--input",
    `s3://${BUCKET}/bad.csv`,
    "--out",
    `s3://${BUCKET}/never.csv`,
  );
  expect(failed).toMatchObject({ code: 1, stdout: "" });
  expect(failed.stderr).toContain(`s3://${BUCKET}/bad.csv`);
  await expect(object("never.csv")).rejects.toThrow();
  const { Uploads } = await moto.s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
  expect(Uploads ?? []).toEqual([]);
});

test.each([
  [
    "an object that is not there",
    ["--input", `s3://${BUCKET}/none.csv`],
    `s3://${BUCKET}/none.csv: there is no such object`,
  ],
  [
    "a bucket that is not there",
    ["--tuples", "1000", "--out", "s3://no-such-bucket/out.csv"],
    "s3://no-such-bucket/out.csv: there is no such bucket",
  ],
  [
    "a folder",
    ["--tuples", "1000", "--out", `s3://${BUCKET}/out/`],
    `s3://${BUCKET}/out/ names no object: write s3://BUCKET/KEY`,
  ],
])("%s", async (_, args, message) => {
  const failed = await run("run", "string-count", ...args);
  expect(failed.stderr.trimEnd().split("\n").at(-1)).toContain(message);
  expect(failed.code).not.toBe(0);
});

test.each([
  [
    "credentials",
    { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" },
    "there are no AWS credentials: run `aws configure`",
  ],
  ["a region", { AWS_REGION: "" }, "no AWS region is set: set AWS_REGION"],
])("without %s it says what to do", async (_, cleared, message) => {
  const env = { ...moto.env, ...NO_CREDENTIALS, ...cleared };
  const failed = await kindling(["run", "string-count", "--input", `s3://${BUCKET}/a.csv`], { env });
  expect(failed.stderr).toContain(message);
  expect(failed.stderr.trimEnd().split("\n")).toHaveLength(1);
  expect(failed.code).toBe(1);
});

test("a coordinator reads S3 only if it is allowed to, and its nodes read through it", async () => {
  for (const [args, succeeds] of [
    [[], false],
    [["--allow-s3", "another"], false],
    [["--allow-s3", BUCKET], true],
  ] as const) {
    const cluster = await Cluster.start({ args, env: moto.env });
    try {
      if (succeeds) await cluster.addNode("one");
      const command = [
        "run",
        "string-count",
        "--input",
        `s3://${BUCKET}/counts/a.csv`,
        "--on",
        cluster.url,
        "--token",
        cluster.operator,
        "--json",
      ];
      const { code, stdout, stderr } = await run(...command);
      if (succeeds) expect(JSON.parse(stdout)).toMatchObject({ executor: "fabric", metrics: { tuples: 20000 } });
      else expect(stderr).toContain("--allow-s3");
      expect(code).toBe(succeeds ? 0 : 1);
    } finally {
      await cluster.close();
    }
  }
});
