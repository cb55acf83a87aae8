import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync } from "node:fs";
import { dirname, join } from "node:path";
import { preparePython } from "./python.ts";
import { until } from "./until.ts";

const PROJECT = join(import.meta.dirname, "../..");

/** The releases that are tested: of EMR 6.15, of EMR 7, and the newest. */
export const SPARK_RELEASES = ["3.4", "3.5", "4"] as const;
type Release = (typeof SPARK_RELEASES)[number];
/** Tested by default. */
const DEFAULT_RELEASE: Release = "3.5";

/** Names the releases to test, or says why there is none, for the processes that test. */
const RELEASES = "KINDLING_TEST_SPARK";
const PROBLEM = "KINDLING_TEST_SPARK_PROBLEM";
/** ms; Debian's package with its dependencies. */
const PACKAGE_LIMIT = 600_000;

/** Installs Spark's releases from PyPI into private folders, and Java where it is missing and may be installed. */
export function ensureSpark(say: (line: string) => void, releases: readonly Release[] = [DEFAULT_RELEASE]): void {
  const problem = javaProblem(say);
  if (problem !== undefined) {
    process.env[PROBLEM] = problem;
    return;
  }
  for (const release of releases) {
    preparePython(folderOf(release), join(PROJECT, `e2e/spark/requirements-${release}.txt`), say);
  }
  process.env[RELEASES] = releases.join(",");
}

const folderOf = (release: string): string => join(PROJECT, ".python", `spark-${release}`);

/** The environment of commands that use each release under test, by its name; empty where Spark cannot run. */
export function testedReleases(): { readonly release: string; readonly env: Record<string, string> }[] {
  const named =
    process.env[RELEASES]?.split(",") ?? [DEFAULT_RELEASE].filter((release) => existsSync(folderOf(release)));
  return process.env[PROBLEM] === undefined
    ? named.map((release) => ({ release, env: sparkEnv(folderOf(release)) }))
    : [];
}

/** Why no release is under test. */
export const sparkProblem = (): string => process.env[PROBLEM] ?? "npm test has not installed it";

/** For commands that are to use the Spark of a Python environment. */
export function sparkEnv(folder: string): Record<string, string> {
  const [home = ""] = globSync("lib/python*/site-packages/pyspark", { cwd: folder });
  return {
    SPARK_HOME: join(folder, home),
    PYSPARK_PYTHON: join(folder, "bin/python"),
    // A machine's own name may lead nowhere.
    SPARK_LOCAL_IP: "127.0.0.1",
  };
}

/** Why no Java can be had, or undefined. As root Debian's is installed where there is none. */
export function javaProblem(say: (line: string) => void): string | undefined {
  const hasJava = (): boolean => spawnSync("java", ["-version"]).status === 0;
  if (hasJava()) return undefined;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get"))
    return "there is no Java, and only root can install it";
  say("no Java here: trying the distribution's package");
  const script = "apt-get update && apt-get install -y --no-install-recommends openjdk-17-jre-headless";
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  spawnSync("/bin/sh", ["-c", script], { env, timeout: PACKAGE_LIMIT });
  return hasJava() ? undefined : "apt-get install openjdk-17-jre-headless has brought no Java";
}

/** A standalone cluster on loopback: a master and workers of one core, each a process. */
export class SparkCluster {
  readonly env: Record<string, string>;
  readonly #folder: string;
  readonly workers: ChildProcess[] = [];
  #master!: ChildProcess;
  url = "";
  page = "";

  private constructor(env: Record<string, string>, folder: string) {
    this.env = env;
    this.#folder = folder;
  }

  static async start(env: Record<string, string>, folder: string, workers = 2): Promise<SparkCluster> {
    const cluster = new SparkCluster(env, folder);
    const options = ["--host", "127.0.0.1", "--port", "0", "--webui-port", "0"];
    const { child, output } = cluster.#start("master.Master", options);
    cluster.#master = child;
    cluster.url = await found("the master", child, output, /Starting Spark master at (spark:\S+)/);
    cluster.page = await found("the master's page", child, output, /MasterWebUI.*started at (http:\S+)/);
    for (let index = 0; index < workers; index++) await cluster.addWorker();
    return cluster;
  }

  async addWorker(): Promise<void> {
    const name = `worker-${this.workers.length}`;
    const { child, output } = this.#start("worker.Worker", [
      ...["--host", "127.0.0.1", "--cores", "1", "--memory", "2g", "--webui-port", "0"],
      ...["--work-dir", join(this.#folder, name), this.url],
    ]);
    this.workers.push(child);
    await found(name, child, output, /(Successfully registered with master)/);
  }

  /** What the master says of itself. */
  async state(): Promise<{ readonly activeapps: readonly unknown[]; readonly aliveworkers: number }> {
    return (await (await fetch(`${this.page}/json/`)).json()) as { activeapps: unknown[]; aliveworkers: number };
  }

  async close(): Promise<void> {
    for (const child of [...this.workers, this.#master]) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "close");
    }
  }

  #start(name: string, options: readonly string[]): { child: ChildProcess; output: { text: string } } {
    const home = this.env["SPARK_HOME"] ?? "";
    // Executors take Node from the path of their worker.
    const path = [dirname(process.execPath), process.env["PATH"] ?? ""].join(":");
    const env = { ...process.env, ...this.env, PATH: path, SPARK_LOG_DIR: this.#folder };
    const program = `org.apache.spark.deploy.${name}`;
    const child = spawn(join(home, "bin/spark-class"), [program, ...options], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = { text: "" };
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (data: Buffer) => {
        output.text += data.toString();
      });
    }
    return { child, output };
  }
}

function found(what: string, child: ChildProcess, output: { text: string }, pattern: RegExp): Promise<string> {
  return until(what, () => {
    if (child.exitCode !== null) throw new Error(`${what} ended: ${output.text}`);
    return pattern.exec(output.text)?.[1];
  });
}
