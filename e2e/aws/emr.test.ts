import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AWS_PYTHON, NO_CREDENTIALS, type StandIn, startMoto } from "../support/aws.ts";
import { type Finished, kindling } from "../support/processes.ts";
import { openPython } from "../support/python.ts";

const SCHEMA = join(import.meta.dirname, "../../docker/emr/configurations.schema.json");
const IMAGE = ["--account", "123456789012", "--region", "us-east-1", "--image", "kindling:1"];

/** What is wrong with settings and requests, by our schema and by AWS's own model of its API. */
async function problems(documents: readonly unknown[], requests: readonly object[] = []): Promise<unknown> {
  const script = join(import.meta.dirname, "check_settings.py");
  return (await openPython(AWS_PYTHON).run(script, { schema: SCHEMA, documents, requests }))["problems"];
}

let moto: StandIn;
beforeAll(async () => {
  moto = await startMoto();
  await moto.s3.send(new CreateBucketCommand({ Bucket: "logs" }));
});
afterAll(() => moto.close());
const emr = (...args: string[]): Promise<Finished> => kindling(["emr", ...args], { env: moto.env });

test("the settings are JSON that keeps the schema, and the checker sees what does not", async () => {
  const variants = [
    IMAGE,
    [...IMAGE, "--rapids"],
    [...IMAGE, "--release", "6.0.0"],
    ["--rapids", "--release", "emr-7.9.0"],
  ];
  const printed: unknown[] = [];
  for (const options of variants) {
    const { code, stdout } = await emr("config", ...options);
    expect(code).toBe(0);
    printed.push(JSON.parse(stdout));
  }
  expect(await problems(printed)).toEqual([]);
  expect(await problems([[{ Classification: "spark", Properties: { enableSparkRapids: true } }]])).toEqual([
    expect.stringContaining("True is not of type 'string'"),
  ]);
});

test("a request to start a cluster is one that AWS's model of its API takes", async () => {
  const { code, stdout } = await emr(
    "create",
    ...IMAGE,
    "--rapids",
    "--log-uri",
    "s3://logs/emr/",
    "--subnet",
    "subnet-1",
    "--key-name",
    "me",
    "--print",
  );
  expect(code).toBe(0);
  const input = JSON.parse(stdout) as { Configurations: unknown };
  expect(await problems([input.Configurations], [{ service: "emr", operation: "RunJobFlow", input }])).toEqual([]);
  const wrong = [{ service: "emr", operation: "RunJobFlow", input: { Name: 1 } }];
  expect(await problems([], wrong)).toEqual([expect.stringContaining("Missing required parameter")]);
});

describe("a cluster's life", () => {
  let id: string;

  test("create starts nothing without leave", async () => {
    const { code, stdout, stderr } = await emr("create", ...IMAGE);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("This starts an EMR cluster in us-east-1, which AWS bills by the second");
    expect(stderr).toContain("1 × m5.xlarge (primary), 2 × m5.xlarge (core)");
    expect(stderr.trimEnd().split("\n").at(-1)).toMatch(/nobody can be asked here \(no terminal\): add --yes/);
  });

  test("create with --yes prints the new cluster's id, and its bootstrap action lies in S3", async () => {
    const started = await emr(
      "create",
      ...IMAGE,
      "--name",
      "mine",
      "--rapids",
      "--log-uri",
      "s3://logs/emr/",
      "--core",
      "3",
      "--yes",
    );
    expect(started.code).toBe(0);
    id = started.stdout.trim();
    expect(id).toMatch(/^j-[A-Z0-9]+$/);
    const script = await moto.s3.send(
      new GetObjectCommand({ Bucket: "logs", Key: "emr/kindling/rapids-bootstrap-emr-6.15.0.sh" }),
    );
    expect(await script.Body?.transformToString()).toMatch(/^#!\/bin\/bash\nset -ex\n/);
  });

  test("status shows it", async () => {
    const { code, stdout } = await emr("status", id, "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      id,
      name: "mine",
      release: "emr-6.15.0",
      logUri: "s3://logs/emr/",
      machines: ["primary: 1 of 1 × m5.xlarge", "core: 3 of 3 × m5.xlarge"],
      steps: [],
    });
    expect((await emr("status", id)).stdout).toMatch(/^j-\S+ {2}mine {2}\w+/);
  });

  test("logs come from S3 as EMR copies them there", async () => {
    const missing = await emr("logs", id, "s-1ABC");
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain("EMR copies logs to S3 a few minutes after they are written");
    const folder = `emr/${id}`;
    for (const [Key, text] of [
      [`${folder}/steps/s-1ABC/stderr.gz`, "a step's error\n"],
      [`${folder}/steps/s-1ABC/controller.gz`, "INFO startExec\n"],
      [`${folder}/containers/application_1_1/container_1_1_01_000001/stdout.gz`, "the driver's output\n"],
      [`${folder}/containers/application_1_1/container_1_1_01_000002/stdout.gz`, "an executor's\n"],
    ] as const) {
      await moto.s3.send(new PutObjectCommand({ Bucket: "logs", Key, Body: gzipSync(text) }));
    }
    const step = await emr("logs", id, "s-1ABC");
    expect(step.stdout).toBe("==> controller <==\nINFO startExec\n==> stderr <==\na step's error\n");
    const driver = await emr("logs", id, "s-1ABC", "--containers");
    expect(driver.stdout).toBe("==> application_1_1/container_1_1_01_000001/stdout <==\nthe driver's output\n");
  });

  test("terminate asks too, ends it, and says when it has ended", async () => {
    expect(await emr("terminate", id)).toMatchObject({ code: 2, stdout: "" });
    expect((JSON.parse((await emr("status", id, "--json")).stdout) as { state: string }).state).not.toMatch(/TERMINAT/);
    expect(await emr("terminate", id, "--yes")).toMatchObject({ code: 0 });
    expect((JSON.parse((await emr("status", id, "--json")).stdout) as { state: string }).state).toMatch(/TERMINAT/);
    expect((await emr("terminate", id, "--yes")).stderr).toContain("has ended already");
  });
});

test.each([
  ["a cluster's id that is none", ["status", "cluster"], 2, "a cluster's id is such as j-2AXXXXXXGAPLF"],
  ["a cluster that is not there", ["status", "j-NONE"], 1, "cluster j-NONE: AWS answers 400"],
  [
    "an instance type that is none",
    ["create", ...IMAGE, "--core-type", "big"],
    2,
    "--core-type takes an instance type",
  ],
  [
    "logs that are no folder in S3",
    ["create", ...IMAGE, "--log-uri", "/tmp"],
    2,
    "--log-uri takes a folder such as s3://",
  ],
  ["GPUs without a place for their bootstrap", ["create", "--rapids"], 2, "--rapids needs --log-uri"],
  ["an image without its registry", ["config", "--image", "kindling:1"], 2, "names no registry"],
])("%s", async (_, args, code, message) => {
  const failed = await emr(...args);
  expect(failed.stderr).toContain(message);
  expect(failed.code).toBe(code);
});

test.each([
  [
    "credentials",
    { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" },
    "there are no AWS credentials: run `aws configure`",
  ],
  ["a region", { AWS_REGION: "" }, "no AWS region is set: set AWS_REGION"],
])("without %s it says what to do", async (_, cleared, message) => {
  const failed = await kindling(["emr", "status", "j-1"], { env: { ...moto.env, ...NO_CREDENTIALS, ...cleared } });
  expect(failed.stderr).toContain(message);
  expect(failed.code).toBe(1);
});
