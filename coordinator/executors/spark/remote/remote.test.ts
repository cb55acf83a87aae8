import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { jobId } from "../../../../shared/ids.ts";
import { S3 } from "../../../aws/s3.ts";
import type { SparkStatus } from "../status.ts";
import type { SparkApplication } from "../submit.ts";
import { remoteCluster } from "./remote-cluster.ts";
import { remoteSubmission } from "./remote.ts";
import { openStaging } from "./staging.ts";

const LOOK_MS = 5;
let folder: string;
let application: SparkApplication;
const shared = (): string => join(folder, "shared");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kindling-remote-"));
  for (const name of ["shared", "out"]) mkdirSync(join(folder, name));
  const file = (name: string): string => {
    writeFileSync(join(folder, name), `content of ${name}`);
    return join(folder, name);
  };
  application = {
    job: jobId("job-1"),
    name: "Kindling: pi (job-1)",
    main: file("bridge.py"),
    pyFiles: [file("worker.py")],
    files: [file("job.json"), file("driver.mjs")],
    inputs: new Map([["in.csv", file("in.csv")]]),
    conf: { "spark.driver.maxResultSize": "0" },
    out: join(folder, "out"),
  };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const STATUS: SparkStatus = {
  ...{ state: "running", seconds: 1, unit: "samples", spark: "Spark 3.5.9, yarn", application: "application_1_1" },
  ...{ page: null, stages: [], metrics: {}, artifacts: [], error: null },
};
const DONE: SparkStatus = {
  ...{ ...STATUS, state: "succeeded", metrics: { pi: 3 } },
  artifacts: [{ name: "result.csv", file: "artifact-0", bytes: 4, sha256: "0".repeat(64) }],
};

interface Batch {
  readonly file: string;
  readonly pyFiles: readonly string[];
  readonly files: readonly string[];
  readonly args: readonly string[];
  readonly conf: Readonly<Record<string, string>>;
  readonly name: string;
}

/** Livy as its REST API is documented: POST /batches, GET /batches/ID, GET /batches/ID/log, DELETE /batches/ID. */
class Livy {
  readonly asked: string[] = [];
  /** What a batch has printed: its log has one after the other. */
  readonly stdout: string[] = [];
  readonly stderr: string[] = [];
  state = "starting";
  /** Answers so many requests with an error first. */
  failing = 0;
  /** Answers so many requests to delete with an error first. */
  undeletable = 0;
  #server: Server | undefined;
  #begun: (batch: Batch) => void = () => undefined;
  readonly begun = new Promise<Batch>((resolve) => {
    this.#begun = resolve;
  });

  async start(): Promise<string> {
    this.#server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        this.asked.push(`${request.method} ${request.url}`);
        const [status, answer] = this.#answer(
          request.method ?? "",
          request.url ?? "",
          Buffer.concat(parts).toString(),
          request.headers,
        );
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
      });
    });
    await new Promise<void>((done) => this.#server?.listen(0, "127.0.0.1", done));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #answer(method: string, path: string, body: string, headers: Readonly<Record<string, unknown>>): [number, object] {
    if (method === "POST" && path === "/batches") {
      // With CSRF protection on, Livy wants this header.
      if (headers["x-requested-by"] === undefined)
        return [400, { msg: "Missing Required Header for CSRF protection." }];
      const batch = JSON.parse(body) as Batch;
      this.#begun(batch);
      return [201, this.#batch()];
    }
    if (this.failing > 0) {
      this.failing--;
      return [500, { msg: "unavailable" }];
    }
    if (method === "DELETE" && path === "/batches/7") {
      if (this.undeletable > 0) {
        this.undeletable--;
        return [500, { msg: "unavailable" }];
      }
      this.state = "killed";
      return [200, { msg: "deleted" }];
    }
    const [, from, size] = /^\/batches\/7\/log\?from=(\d+)&size=(\d+)$/.exec(path) ?? [];
    if (from !== undefined && size !== undefined) {
      const log = this.log.slice(Number(from), Number(from) + Number(size));
      return [200, { id: 7, from: Number(from), total: this.log.length, log }];
    }
    return path === "/batches/7" ? [200, this.#batch()] : [404, { msg: "not found" }];
  }

  get log(): string[] {
    return ["stdout: ", ...this.stdout, "\nstderr: ", ...this.stderr, "\nYARN Diagnostics: "];
  }

  #batch(): object {
    const appInfo = { driverLogUrl: null, sparkUiUrl: null };
    return {
      id: 7,
      name: null,
      owner: null,
      proxyUser: null,
      state: this.state,
      appId: "application_1_1",
      appInfo,
      log: this.log.slice(-10),
    };
  }

  stop(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }
}

describe("livy", () => {
  let livy: Livy;
  let url: string;
  const statuses: SparkStatus[] = [];
  const logged: string[] = [];
  const events = {
    status: (status: SparkStatus) => void statuses.push(status),
    log: (level: string, line: string) => void logged.push(`${level} ${line}`),
  };
  beforeEach(async () => {
    for (const list of [statuses, logged]) list.length = 0;
    livy = new Livy();
    url = await livy.start();
  });
  afterEach(() => livy.stop());
  const submission = () =>
    remoteSubmission(
      application,
      openStaging(shared(), "job-1", new S3()),
      remoteCluster(`livy:${url}`, undefined),
      LOOK_MS,
    );
  const atCluster = (name: string): string => join(shared(), "job-1", name);
  const write = (name: string, text: string): void => {
    mkdirSync(join(atCluster(name), ".."), { recursive: true });
    writeFileSync(atCluster(name), text);
  };
  const saw = async (isIt: () => boolean): Promise<void> => {
    while (!isIt()) await new Promise((done) => setTimeout(done, LOOK_MS));
  };

  test("the application's files lie where the request says, and its results come back", async () => {
    const submitted = await submission().start(events);
    const batch = await livy.begun;
    const at = (name: string): string => `file://${atCluster(name)}`;
    expect(batch).toEqual({
      file: at("bridge.py"),
      name: "Kindling: pi (job-1)",
      pyFiles: [at("worker.py")],
      files: [at("job.json"), at("driver.mjs")],
      conf: { "spark.driver.maxResultSize": "0" },
      args: ["--out", at("out"), "--input", JSON.stringify(["in.csv", at("inputs/0-in.csv")])],
    });
    for (const address of [batch.file, ...batch.pyFiles, ...batch.files]) {
      const name = address.split("/").at(-1) ?? "";
      expect(readFileSync(fileURLToPath(address), "utf8")).toBe(`content of ${name}`);
    }
    expect(readFileSync(atCluster("inputs/0-in.csv"), "utf8")).toBe("content of in.csv");

    livy.state = "running";
    livy.failing = 2;
    livy.stderr.push("22/01/01 INFO Client: Submitting application", "once more", "once more");
    await saw(() => logged.some((line) => line.includes("Submitting")));
    livy.stdout.push(`kindling-status ${JSON.stringify(STATUS)}`, "once more");
    await saw(() => statuses.length > 0);
    expect(statuses).toEqual([STATUS]);
    expect(logged).toContain("info 22/01/01 INFO Client: Submitting application");
    expect(logged.filter((line) => line.startsWith("warn"))).toHaveLength(2);
    livy.stdout.push("kindling-status {");
    await saw(() => logged.includes("info kindling-status {"));
    expect(logged).toContain("warn The Spark program's status is no JSON");
    write("out/artifact-0", "3.14");
    write("out/status.json", JSON.stringify(DONE));
    await submitted.ended;
    expect(statuses.at(-1)).toEqual(DONE);
    expect(readFileSync(join(application.out, "artifact-0"), "utf8")).toBe("3.14");
    expect(JSON.parse(readFileSync(join(application.out, "status.json"), "utf8"))).toEqual(DONE);
    expect(existsSync(atCluster(""))).toBe(false);
    // Each line of the log is shown once, as often as it is there.
    expect(logged.filter((line) => line === "info once more")).toHaveLength(3);
    expect(logged.filter((line) => line.includes("Submitting"))).toHaveLength(1);
  });

  test("cancelling kills the batch, and nothing is left", async () => {
    const submitted = await submission().start(events);
    await livy.begun;
    livy.state = "running";
    await Promise.all([submitted.cancel(), submitted.cancel()]);
    await expect(submitted.ended).rejects.toMatchObject({ code: "Cancelled" });
    expect(livy.asked.filter((line) => line.startsWith("DELETE"))).toEqual(["DELETE /batches/7"]);
    expect(existsSync(atCluster(""))).toBe(false);
  });

  test("cancelling is tried again", async () => {
    const submitted = await submission().start(events);
    livy.state = "running";
    livy.undeletable = 2;
    await submitted.cancel();
    await expect(submitted.ended).rejects.toMatchObject({ code: "Cancelled" });
    expect(existsSync(atCluster(""))).toBe(false);
  });

  test("an application that cannot be cancelled keeps its files, and that it goes on is told", async () => {
    const submitted = await submission().start(events);
    livy.state = "running";
    livy.undeletable = 1_000;
    await expect(submitted.cancel()).rejects.toMatchObject({ code: "CancelFailed" });
    await expect(submitted.ended).rejects.toThrow("The application cannot be cancelled, and goes on: Livy at");
    expect(livy.asked.filter((line) => line.startsWith("DELETE"))).toHaveLength(3);
    expect(existsSync(atCluster("bridge.py"))).toBe(true);
    expect(logged.at(-1)).toMatch(/^error .*It may go on; its files are left in file:/);
  });

  test("an application out of sight keeps its files", async () => {
    const submitted = await submission().start(events);
    livy.failing = 1_000;
    await expect(submitted.ended).rejects.toMatchObject({ code: "LivyRefused" });
    expect(existsSync(atCluster("bridge.py"))).toBe(true);
    expect(logged.at(-1)).toMatch(/^error .*It may go on; its files are left in file:/);
  });

  test("results that cannot be brought stay where they are", async () => {
    const submitted = await submission().start(events);
    rmSync(application.out, { recursive: true });
    write("out/artifact-0", "3.14");
    write("out/status.json", JSON.stringify(DONE));
    await expect(submitted.ended).rejects.toThrow("ENOENT");
    expect(existsSync(atCluster("out/artifact-0"))).toBe(true);
  });

  test("cancelling after the end changes nothing", async () => {
    const submitted = await submission().start(events);
    write("out/artifact-0", "3.14");
    write("out/status.json", JSON.stringify(DONE));
    await submitted.ended;
    await submitted.cancel();
    expect(livy.asked.some((line) => line.startsWith("DELETE"))).toBe(false);
  });

  test("an application that ends without a result is an error that says where to look", async () => {
    const submitted = await submission().start(events);
    await livy.begun;
    livy.stderr.push("Exception in thread main: no such image");
    livy.state = "dead";
    await expect(submitted.ended).rejects.toThrow(
      `The application has failed without a result: Livy says dead; Exception in thread main: no such image (${url}/ui/batch/7/log)`,
    );
    expect(existsSync(atCluster(""))).toBe(false);
  });

  test("a Livy that refuses or is not there", async () => {
    livy.stop();
    await expect(submission().start(events)).rejects.toMatchObject({ code: "LivyUnreachable" });
    expect(existsSync(atCluster(""))).toBe(false);
  });

  test("--print does nothing and shows the request", () => {
    const [first, ...rest] = submission().print().split("\n");
    expect(first).toBe(`# ${application.main} → file://${atCluster("bridge.py")}`);
    const at = rest.indexOf(`POST ${url}/batches`);
    expect(JSON.parse(rest.slice(at + 1).join("\n"))).toMatchObject({ file: `file://${atCluster("bridge.py")}` });
    expect(livy.asked).toEqual([]);
    expect(existsSync(atCluster(""))).toBe(false);
  });
});

const ROLE = "arn:aws:iam::123456789012:role/jobs";
const printed = (submit: string): string =>
  remoteSubmission(
    application,
    openStaging("s3://bucket/jobs/", "job-1", new S3()),
    remoteCluster(submit, ROLE),
  ).print();

test("emr: the request is a step that runs spark-submit", () => {
  const text = printed("emr:j-2AXXXXXXGAPLF");
  const request = JSON.parse(text.slice(text.indexOf("{"))) as object;
  const at = "s3://bucket/jobs/job-1";
  expect(text).toContain("elasticmapreduce AddJobFlowSteps\n");
  expect(request).toEqual({
    JobFlowId: "j-2AXXXXXXGAPLF",
    Steps: [
      {
        Name: "Kindling: pi (job-1)",
        ActionOnFailure: "CONTINUE",
        HadoopJarStep: {
          Jar: "command-runner.jar",
          Args: [
            ...["spark-submit", "--master", "yarn", "--deploy-mode", "cluster", "--name", "Kindling: pi (job-1)"],
            ...["--py-files", `${at}/worker.py`, "--files", `${at}/job.json,${at}/driver.mjs`],
            ...["--conf", "spark.driver.maxResultSize=0", `${at}/bridge.py`, "--out", `${at}/out`],
            ...["--input", JSON.stringify(["in.csv", `${at}/inputs/0-in.csv`])],
          ],
        },
      },
    ],
  });
});

test("emr-serverless: parameters are one text, with quotes where they are needed", () => {
  application = { ...application, conf: { "spark.app.note": 'a "b" $c' } };
  const text = printed("emr-serverless:00f1abcd2efgh345");
  expect(JSON.parse(text.slice(text.indexOf("{")))).toMatchObject({
    applicationId: "00f1abcd2efgh345",
    executionRoleArn: ROLE,
    clientToken: "s3---bucket-jobs-job-1-bridge.py",
    jobDriver: {
      sparkSubmit: {
        entryPoint: "s3://bucket/jobs/job-1/bridge.py",
        sparkSubmitParameters:
          '--py-files s3://bucket/jobs/job-1/worker.py --files s3://bucket/jobs/job-1/job.json,s3://bucket/jobs/job-1/driver.mjs --conf "spark.app.note=a \\"b\\" \\$c"',
      },
    },
  });
});

test.each([
  ["elsewhere", "--submit takes spark-submit, livy:URL, emr:CLUSTER_ID or emr-serverless:APP_ID"],
  ["livy:ftp://host", "--submit livy:URL takes a URL such as http://HOST:8998"],
  ["livy:http://me:secret@host:8998", "takes no password: other users see command lines"],
  ["emr:cluster", "--submit emr:CLUSTER_ID takes an id"],
  ["emr-serverless:A/B", "--submit emr-serverless:APP_ID takes an id"],
])("%s is refused", (submit, message) => {
  const refused = () => remoteCluster(submit, ROLE);
  expect(refused).toThrow(message);
  expect(refused).not.toThrow("secret");
});

test("EMR Serverless needs a role, and staging a place that a cluster has too", () => {
  expect(() => remoteCluster("emr-serverless:00f1", undefined)).toThrow("needs --execution-role arn:aws:iam::");
  expect(() => openStaging("relative/folder", "job-1", new S3())).toThrow("--staging takes s3://BUCKET/PREFIX");
});
