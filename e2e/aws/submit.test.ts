import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EMRClient, ListStepsCommand } from "@aws-sdk/client-emr";
import { CreateApplicationCommand, EMRServerlessClient, ListJobRunsCommand } from "@aws-sdk/client-emr-serverless";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AWS_PYTHON, type StandIn, startMoto } from "../support/aws.ts";
import { type Finished, kindling, Running } from "../support/processes.ts";
import { openPython } from "../support/python.ts";
import { until } from "../support/until.ts";

const ROLE = "arn:aws:iam::123456789012:role/jobs";
const RESULT = "key,count\nA,1\n";
const folder = mkdtempSync(join(tmpdir(), "kindling-e2e-submit-"));
const input = join(folder, "in.csv");
let moto: StandIn;
let cluster: string;
let emr: EMRClient;
let serverless: EMRServerlessClient;

beforeAll(async () => {
  writeFileSync(input, "key,value\nA,1\n");
  moto = await startMoto();
  const credentials = { accessKeyId: "testing", secretAccessKey: "testing-secret" };
  const connection = { endpoint: moto.url, region: "us-east-1", credentials };
  emr = new EMRClient(connection);
  serverless = new EMRServerlessClient(connection);
  await moto.s3.send(new CreateBucketCommand({ Bucket: "logs" }));
  const image = ["--account", "123456789012", "--region", "us-east-1", "--image", "kindling:1"];
  const created = await run("emr", "create", ...image, "--log-uri", "s3://logs/emr/", "--yes");
  cluster = created.stdout.trim();
});
afterAll(async () => {
  await moto.close();
  rmSync(folder, { recursive: true, force: true });
});

const run = (...args: string[]): Promise<Finished> => kindling(args, { env: moto.env });
const job = ["string-count", "--input", input, "--json", "--data-dir", join(folder, "data")];

async function object(address: string): Promise<string> {
  const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.*)$/.exec(address) ?? [];
  const { Body } = await moto.s3.send(new GetObjectCommand({ Bucket, Key }));
  return (await Body?.transformToString()) ?? "";
}
async function keys(): Promise<string[]> {
  const { Contents } = await moto.s3.send(new ListObjectsV2Command({ Bucket: "logs" }));
  return (Contents ?? []).map(({ Key }) => Key ?? "").filter((key) => key.includes("/jobs/"));
}

/** What the Spark program would leave, at the place that its arguments name. */
async function actAsProgram(args: readonly string[]): Promise<void> {
  const out = args[args.indexOf("--out") + 1] ?? "";
  const [, located = "[]"] = args.slice(args.indexOf("--input"));
  const [name, location] = JSON.parse(located) as [string, string];
  expect(name).toBe(input);
  expect(await object(location)).toBe("key,value\nA,1\n");
  const sha256 = createHash("sha256").update(RESULT).digest("hex");
  const stage = {
    ordinal: 0,
    label: "count",
    kind: "shuffle",
    tasks: 4,
    done: 4,
    running: 0,
    retries: 0,
    units: 1,
    unitsPerSecond: 1,
    backends: {},
    reason: "",
    seconds: 1,
  };
  const status = {
    ...{
      state: "succeeded",
      seconds: 1.5,
      unit: "tuples",
      spark: "Spark 3.4.1, yarn",
      application: "application_1_1",
      page: null,
    },
    ...{ stages: [stage], metrics: { tuples: 1, keys: 1, sum: 1, skippedRows: 0, top: [] }, error: null },
    artifacts: [{ name: "result.csv", file: "artifact-0", bytes: RESULT.length, sha256 }],
  };
  const put = (file: string, Body: string) =>
    moto.s3.send(new PutObjectCommand({ Bucket: "logs", Key: `${out.slice("s3://logs/".length)}/${file}`, Body }));
  await put("artifact-0", RESULT);
  await put("status.json", JSON.stringify(status));
}

test("emr submit: a step with the staged program; its result comes back, and the staging goes", async () => {
  const out = join(folder, "result.csv");
  const running = new Running(["emr", "submit", cluster, ...job, "--out", out], { env: moto.env });
  const args = await until("the step is there", async () => {
    if (!running.alive) throw new Error(running.stderr);
    const { Steps } = await emr.send(new ListStepsCommand({ ClusterId: cluster }));
    return Steps?.[0]?.Config?.Args;
  });
  expect(args.slice(0, 5)).toEqual(["spark-submit", "--master", "yarn", "--deploy-mode", "cluster"]);
  for (const flag of ["--py-files", "--files"]) {
    for (const address of (args[args.indexOf(flag) + 1] ?? "").split(",")) {
      expect(address).toMatch(/^s3:\/\/logs\/emr\/kindling\/jobs\/[^/]+\/[^/]+$/);
      expect((await object(address)).length).toBeGreaterThan(0);
    }
  }
  await actAsProgram(args);
  const { code, stdout, stderr } = await running.ended;
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  expect(JSON.parse(stdout)).toMatchObject({ executor: "spark", workload: "string-count", metrics: { tuples: 1 } });
  expect(readFileSync(out, "utf8")).toBe(RESULT);
  expect(await keys()).toEqual([]);
});

/** A service of AWS's that the stand-in answers only in part: answers by `METHOD PATH TARGET`, and what it was asked. */
async function service(answer: (asked: string, body: Record<string, unknown>) => object | undefined) {
  const asked: { readonly what: string; readonly body: Record<string, unknown> }[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(parts).toString() || "{}") as Record<string, unknown>;
      const target = String(request.headers["x-amz-target"] ?? "");
      const what = `${request.method} ${request.url} ${target}`.trim();
      asked.push({ what, body });
      const found = answer(what, body);
      response.writeHead(found === undefined ? 404 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(found ?? { message: "not found" }));
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

const APPLICATION = "00f1abcd2efgh345";
const onServerless = [
  "--executor",
  "spark",
  "--submit",
  `emr-serverless:${APPLICATION}`,
  "--execution-role",
  ROLE,
  "--staging",
  "s3://logs/jobs",
];

test("emr-serverless asks, runs, and is cancelled by an interrupt", async () => {
  let state = "RUNNING";
  const runs = `/applications/${APPLICATION}/jobruns`;
  const emrServerless = await service((asked) => {
    if (asked === `POST ${runs}`) return { applicationId: APPLICATION, jobRunId: "run1", arn: "arn" };
    if (asked === `DELETE ${runs}/run1`) state = "CANCELLED";
    return {
      applicationId: APPLICATION,
      jobRunId: "run1",
      jobRun: { applicationId: APPLICATION, jobRunId: "run1", state },
    };
  });
  const env = { ...moto.env, AWS_ENDPOINT_URL_EMR_SERVERLESS: emrServerless.url };
  const started = () => emrServerless.asked.filter(({ what }) => what === `POST ${runs}`);
  try {
    const unasked = await kindling(["run", ...job, ...onServerless], { env });
    expect(unasked).toMatchObject({ code: 2, stdout: "" });
    expect(unasked.stderr).toContain("AWS bills its workers while they run");
    expect(emrServerless.asked).toEqual([]);

    const out = join(folder, "serverless.csv");
    const running = new Running(["run", ...job, ...onServerless, "--yes", "--out", out], { env });
    await until("the run is there", () => {
      if (!running.alive) throw new Error(running.stderr);
      return started().length === 1;
    });
    const body = started()[0]?.body ?? {};
    expect(body).toMatchObject({ executionRoleArn: ROLE });
    const { sparkSubmit } = body["jobDriver"] as { sparkSubmit: { entryPointArguments: string[] } };
    await actAsProgram(sparkSubmit.entryPointArguments);
    expect(await running.ended).toMatchObject({ code: 0 });
    expect(readFileSync(out, "utf8")).toBe(RESULT);

    const stopped = new Running(["run", ...job, ...onServerless, "--yes"], { env });
    await until("the second run is looked at", () => {
      if (!stopped.alive) throw new Error(stopped.stderr);
      return started().length === 2 && emrServerless.asked.at(-1)?.what === `GET ${runs}/run1`;
    });
    stopped.child.kill("SIGINT");
    const { code, stderr } = await stopped.ended;
    expect(stderr).toContain("The job was cancelled");
    expect(code).toBe(1);
    expect(state).toBe("CANCELLED");
    expect(await keys()).toEqual([]);
  } finally {
    await emrServerless.close();
  }
});

test("a run that ends without a result is told, and nothing stays behind", async () => {
  const { applicationId = "" } = await serverless.send(
    new CreateApplicationCommand({ type: "SPARK", releaseLabel: "emr-7.9.0", clientToken: "1" }),
  );
  // The stand-in has every run succeed at once, with nothing done.
  const target = onServerless.map((word) => word.replace(APPLICATION, applicationId));
  const { code, stderr } = await run("run", ...job, ...target, "--yes");
  expect(stderr).toContain("The application has succeeded without a result (EMR Serverless, application");
  expect(code).toBe(1);
  const { jobRuns } = await serverless.send(new ListJobRunsCommand({ applicationId }));
  expect(jobRuns?.map(({ executionRole }) => executionRole)).toEqual([ROLE]);
  expect(await keys()).toEqual([]);
});

test("an interrupt cancels an EMR step, and has YARN end its application", async () => {
  let state = "RUNNING";
  const elsewhere = await service((asked) => {
    if (asked.endsWith("AddJobFlowSteps")) return { StepIds: ["s-1"] };
    if (asked.endsWith("CancelSteps")) state = "CANCELLED";
    return asked.endsWith("DescribeStep") ? { Step: { Id: "s-1", Status: { State: state } } } : {};
  });
  try {
    const env = { ...moto.env, AWS_ENDPOINT_URL_EMR: elsewhere.url };
    const options = ["--executor", "spark", "--submit", "emr:j-1", "--staging", "s3://logs/jobs"];
    const running = new Running(["run", ...job, ...options], { env });
    await until("the step is looked at", () => {
      if (!running.alive) throw new Error(running.stderr);
      return elsewhere.asked.at(-1)?.what.endsWith("DescribeStep");
    });
    running.child.kill("SIGINT");
    expect((await running.ended).stderr).toContain("The job was cancelled");
    const cancel = elsewhere.asked.find(({ what }) => what.endsWith("CancelSteps"));
    const option = "TERMINATE_PROCESS";
    expect(cancel?.body).toEqual({ ClusterId: "j-1", StepIds: ["s-1"], StepCancellationOption: option });
    const added = elsewhere.asked.filter(({ what }) => what.endsWith("AddJobFlowSteps"));
    const argsOf = (index: number) =>
      (added[index]?.body["Steps"] as { HadoopJarStep: { Args: string[] } }[])[0]?.HadoopJarStep.Args ?? [];
    const name = argsOf(0)[argsOf(0).indexOf("--name") + 1] ?? "";
    expect(argsOf(1).slice(0, 2)).toEqual(["bash", "-c"]);
    // Tried with a yarn that lists three applications: it ends the one of this name.
    expect(killed(argsOf(1).slice(1), name)).toEqual(["application_1_2"]);
    expect(await keys()).toEqual([]);
  } finally {
    await elsewhere.close();
  }
});

/** Which applications a shell's arguments end, of a `yarn` that lists some. */
function killed(args: readonly string[], name: string): string[] {
  const bin = mkdtempSync(join(folder, "yarn-"));
  const line = (id: string, called: string) =>
    `${id}\\t${called.padStart(24)}\\t SPARK\\t hadoop\\t default\\t RUNNING`;
  const list = [
    line("application_1_1", "another"),
    line("application_1_2", name),
    line("application_1_3", `${name}4`),
  ].join("\\n");
  writeFileSync(
    join(bin, "yarn"),
    `#!/bin/sh\nif [ "$2" = -list ]; then printf '%b\\n' 'Total number of applications: 3' '${list}'; else echo "$3" >>"${bin}/killed"; fi\n`,
  );
  chmodSync(join(bin, "yarn"), 0o755);
  const env = { PATH: `${bin}:${process.env["PATH"]}` };
  expect(spawnSync("bash", args, { env, stdio: "ignore" }).status).toBe(0);
  return readFileSync(join(bin, "killed"), "utf8").trim().split("\n");
}

test("--print shows requests that AWS's model of its API takes, and sends none", async () => {
  const before = (await emr.send(new ListStepsCommand({ ClusterId: cluster }))).Steps?.length;
  const requests: object[] = [];
  for (const [submit, service, operation] of [
    [`emr:${cluster}`, "emr", "AddJobFlowSteps"],
    ["emr-serverless:00f1abcd2efgh345", "emr-serverless", "StartJobRun"],
  ] as const) {
    const options = [
      "--executor",
      "spark",
      "--submit",
      submit,
      "--staging",
      "s3://logs/jobs",
      "--execution-role",
      ROLE,
      "--print",
      "--yes",
    ];
    const { code, stdout } = await run("run", ...job, ...options);
    expect(code).toBe(0);
    expect(stdout).toContain(operation);
    requests.push({ service, operation, input: JSON.parse(stdout.slice(stdout.indexOf("{"))) as object });
  }
  const script = join(import.meta.dirname, "check_settings.py");
  const { problems } = await openPython(AWS_PYTHON).run(script, { schema: null, documents: [], requests });
  expect(problems).toEqual([]);
  expect((await emr.send(new ListStepsCommand({ ClusterId: cluster }))).Steps?.length).toBe(before);
});

test.each([
  ["no staging", ["--submit", "emr:j-1"], "--submit emr:j-1 needs --staging s3://BUCKET/PREFIX"],
  ["a cluster that is not there", ["--submit", "emr:j-1", "--staging", "s3://logs/jobs"], "cluster j-1: AWS answers"],
  ["no role", ["--submit", "emr-serverless:00f1", "--staging", "s3://logs/jobs", "--yes"], "needs --execution-role"],
  [
    "a bucket that is not there",
    ["--submit", "emr:j-1", "--staging", "s3://no-such-bucket/x"],
    "there is no such bucket",
  ],
])("%s is told", async (_, options, message) => {
  const { code, stderr } = await run("run", ...job, "--executor", "spark", ...options);
  expect(stderr).toContain(message);
  expect(code).not.toBe(0);
  expect(await keys()).toEqual([]);
});
