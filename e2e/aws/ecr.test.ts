import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { DescribeRepositoriesCommand, ECRClient } from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type StandIn, startMoto } from "../support/aws.ts";
import { type Finished, kindling, Running } from "../support/processes.ts";
import { until } from "../support/until.ts";

const HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com";
const folder = mkdtempSync(join(tmpdir(), "kindling-e2e-ecr-"));
const bin = join(folder, "bin");
const calls = join(folder, "calls.jsonl");
const usual = join(folder, "docker-config");
const temporary = join(folder, "tmp");
let moto: StandIn;
let env: Record<string, string>;

/** A `docker` that writes down what it is told, and keeps a login where Docker would. */
const FAKE = `#!${process.execPath}
const { appendFileSync, readFileSync, writeFileSync } = require("node:fs");
const args = process.argv.slice(2);
const stdin = readFileSync(0, "utf8");
const config = process.env.DOCKER_CONFIG + "/config.json";
const before = JSON.parse(readFileSync(config, "utf8"));
if (args[0] === "login") writeFileSync(config, JSON.stringify({ ...before, auths: { here: stdin } }));
appendFileSync(${JSON.stringify(calls)}, JSON.stringify({ args, stdin, config: process.env.DOCKER_CONFIG, before }) + "\\n");
if (args[0] === process.env.HANG_ON) setInterval(() => undefined, 1000);
else process.exit(args[0] === process.env.FAIL_ON ? 9 : 0);
`;

interface Call {
  readonly args: readonly string[];
  readonly stdin: string;
  readonly config: string;
  readonly before: Record<string, unknown>;
}
const recorded = (): Call[] =>
  existsSync(calls)
    ? readFileSync(calls, "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Call)
    : [];

beforeAll(async () => {
  moto = await startMoto();
  for (const path of [bin, usual, temporary]) mkdirSync(path);
  writeFileSync(join(bin, "docker"), FAKE);
  chmodSync(join(bin, "docker"), 0o755);
  writeFileSync(
    join(usual, "config.json"),
    JSON.stringify({ currentContext: "mine", auths: { "docker.io": { auth: "old" } } }),
  );
  const PATH = [bin, process.env["PATH"] ?? ""].join(delimiter);
  env = { ...moto.env, PATH, DOCKER_CONFIG: usual, TMPDIR: temporary };
});
afterAll(async () => {
  await moto.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => rmSync(calls, { force: true }));

const push = (args: readonly string[], more: Record<string, string> = {}): Promise<Finished> =>
  kindling(["ecr", "push", ...args], { env: { ...env, ...more } });

async function repositories(): Promise<string[]> {
  const { accessKeyId, secretAccessKey } = { accessKeyId: "testing", secretAccessKey: "testing-secret" };
  const client = new ECRClient({
    endpoint: moto.url,
    region: "us-east-1",
    credentials: { accessKeyId, secretAccessKey },
  });
  const { repositories: found } = await client.send(new DescribeRepositoriesCommand({}));
  return (found ?? []).map(({ repositoryName }) => repositoryName ?? "");
}

test("nothing is made or pushed without leave", async () => {
  const { code, stderr } = await push(["kindling-spark:1"]);
  expect(code).toBe(2);
  expect(stderr).toContain("This makes the repository kindling-spark and pushes kindling-spark:1 to ECR in us-east-1");
  expect(recorded()).toEqual([]);
  expect(await repositories()).toEqual([]);
});

test("push makes the repository, logs in by standard input, tags and pushes; no password stays or is shown", async () => {
  const { code, stdout, stderr } = await push(["local/kindling-spark:1", "--yes"]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${HOST}/kindling-spark:1\n` });
  expect(await repositories()).toEqual(["kindling-spark"]);
  const [tag, login, pushed] = recorded();
  expect(recorded().map(({ args }) => args)).toEqual([
    ["tag", "local/kindling-spark:1", `${HOST}/kindling-spark:1`],
    ["login", "--username", "AWS", "--password-stdin", HOST],
    ["push", `${HOST}/kindling-spark:1`],
  ]);
  const password = login?.stdin ?? "";
  expect(password.length).toBeGreaterThan(8);
  for (const text of [stdout, stderr, JSON.stringify(recorded().map(({ args }) => args))])
    expect(text).not.toContain(password);
  // The login lies in a folder of its own, with the caller's context and without the caller's logins.
  expect(tag?.config).toBe(usual);
  expect(login?.before).toEqual({ currentContext: "mine" });
  expect(pushed?.before).toMatchObject({ auths: { here: password } });
  expect(existsSync(login?.config ?? "")).toBe(false);
  expect(readFileSync(join(usual, "config.json"), "utf8")).not.toContain(password);
  expect(readdirSync(temporary).filter((name) => name.startsWith("kindling-docker-"))).toEqual([]);
});

test("a repository that is there is used, under another name and tag too", async () => {
  const { code, stderr } = await push(["kindling-spark", "--repository", "kindling-spark", "--tag", "stable", "--yes"]);
  expect(code).toBe(0);
  expect(stderr).not.toContain("makes the repository");
  expect(recorded().at(-1)?.args).toEqual(["push", `${HOST}/kindling-spark:stable`]);
});

test.each(["login", "push"])("a docker %s that fails is told, and its login deleted", async (command) => {
  const { code, stderr } = await push(["kindling-spark:1", "--yes"], { FAIL_ON: command });
  expect(code).toBe(1);
  expect(stderr).toContain(`docker ${command} ended with exit code 9`);
  expect(readdirSync(temporary).filter((name) => name.startsWith("kindling-docker-"))).toEqual([]);
});

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s in the middle of a push ends it, and deletes the login",
  async (signal) => {
    const running = new Running(["ecr", "push", "kindling-spark:1", "--yes"], { env: { ...env, HANG_ON: "push" } });
    await until("docker pushes", () => {
      if (!running.alive) throw new Error(running.stderr);
      return recorded().at(-1)?.args[0] === "push";
    });
    running.child.kill(signal);
    await running.ended;
    expect(running.child.signalCode).toBe(signal);
    expect(readdirSync(temporary).filter((name) => name.startsWith("kindling-docker-"))).toEqual([]);
  },
);

test("without Docker it says what to install", async () => {
  const { code, stderr } = await push(["kindling-spark:1", "--yes"], { PATH: "/nowhere" });
  expect(code).toBe(1);
  expect(stderr).toContain("docker cannot be run: it is not on PATH: install Docker's command line");
});

test("a name that ECR would refuse", async () => {
  const { code, stderr } = await push(["Kindling:1", "--yes"]);
  expect(code).toBe(2);
  expect(stderr).toContain("--repository takes 2 to 256 lower-case letters");
});
