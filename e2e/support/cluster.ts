import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { type ApiClient, createApiClient } from "../../client/api/client.ts";
import { jobId } from "../../shared/ids.ts";
import type { JobView } from "../../shared/protocol/api.ts";
import type { Value } from "../../shared/value.ts";
import { chromiumFlags, findChromium } from "./chromium.ts";
import { Running } from "./processes.ts";
import { until } from "./until.ts";

/** One line of a node's execution log. */
interface Execution {
  readonly attempt: string;
  readonly outcome: string;
  /** ms since 1970, when it started. */
  readonly at: number;
  /** ms that it ran. */
  readonly ms: number;
  /** The node's name. */
  readonly node: string;
}

const EXECUTIONS = ".executions.jsonl";

/** A coordinator, headless nodes and tabs of one test; `close` ends whatever is still there. */
export class Cluster {
  readonly folder = mkdtempSync(join(tmpdir(), "kindling-e2e-"));
  readonly dataDir = join(this.folder, "data");
  readonly nodes: Running[] = [];
  url = "";
  operator = "";
  joinLink = "";
  coordinator!: Running;
  client!: ApiClient;
  #browser: Browser | null = null;
  #newPage = async (): Promise<Page> => (await this.browser()).newPage();
  #port = "0";

  static async start(
    options: {
      host?: string;
      args?: readonly string[];
      env?: Record<string, string>;
      /** Opens tabs elsewhere than in a browser of this cluster's own. */
      newPage?: () => Promise<Page>;
    } = {},
  ): Promise<Cluster> {
    const cluster = new Cluster();
    if (options.newPage !== undefined) cluster.#newPage = options.newPage;
    await cluster.startCoordinator(options);
    return cluster;
  }

  /** Starts the coordinator; a second time on the port of the first. */
  async startCoordinator({
    host = "127.0.0.1",
    args = [],
    env = {},
  }: {
    host?: string;
    args?: readonly string[];
    env?: Record<string, string>;
  } = {}): Promise<void> {
    const command = ["start", "--host", host, "--port", this.#port, "--data-dir", this.dataDir, ...args];
    this.coordinator = new Running(command, { env });
    const text = await until("the coordinator's links", () => {
      if (!this.coordinator.alive) throw new Error(`the coordinator ended: ${this.coordinator.stderr}`);
      return /join link/.test(this.coordinator.stdout) && this.coordinator.stdout;
    });
    this.url = /Kindling is at (\S+)/.exec(text)?.[1] ?? "";
    this.operator = /dashboard#token=(\S+)/.exec(text)?.[1] ?? "";
    this.joinLink = /join link\s+(\S+)/.exec(text)?.[1] ?? "";
    this.#port = new URL(this.url).port;
    this.client = createApiClient({ url: this.url, token: this.operator });
  }

  async addNode(name: string, slots = 1, args: readonly string[] = []): Promise<Running> {
    const node = new Running([
      ...["node", "--join", this.joinLink, "--name", name, "--slots", String(slots)],
      ...["--execution-log", this.#executionLog(name)],
      ...args,
    ]);
    this.nodes.push(node);
    await this.joined(name);
    return node;
  }

  /** Opens the join page in a tab of a browser and starts it with `threads` workers; `prepare` sees it before the start. */
  async addTab(
    name: string,
    link = this.joinLink,
    threads = 1,
    prepare: (page: Page) => Promise<unknown> = async () => {},
  ): Promise<Page> {
    const page = await this.#newPage();
    await page.goto(link);
    await page.getByLabel("Name of this device").fill(name);
    await page.getByLabel("Threads to lend").fill(String(threads));
    await prepare(page);
    await page.getByRole("button", { name: /^start/i }).click();
    await this.joined(name);
    return page;
  }

  async browser(): Promise<Browser> {
    this.#browser ??= await chromium.launch({ executablePath: findChromium() ?? "", args: chromiumFlags });
    return this.#browser;
  }

  async joined(name: string): Promise<void> {
    await until(`${name} joined`, async () => (await this.client.overview()).nodes.some((node) => node.name === name));
  }

  async gone(name: string): Promise<void> {
    await until(`${name} gone`, async () => !(await this.client.overview()).nodes.some((node) => node.name === name));
  }

  async upload(name: string, content: string): Promise<string> {
    const { hash } = await this.client.uploadFile(new TextEncoder().encode(content));
    return `upload:${hash}/${name}`;
  }

  async submit(workload: string, params: Record<string, Value>): Promise<string> {
    return this.client.submit({ workload, params });
  }

  /** The job once it has succeeded; rejects with its error if it fails. */
  async result(id: string, limitMs = 120_000): Promise<JobView> {
    return until(
      `${id} succeeded`,
      async () => {
        const job = await this.client.job(jobId(id));
        if (job.state === "failed") throw new Error(`${id} failed: ${job.error?.message}`);
        return job.state === "succeeded" && job;
      },
      limitMs,
    );
  }

  async run(workload: string, params: Record<string, Value>): Promise<JobView> {
    return this.result(await this.submit(workload, params));
  }

  /** Waits until that share of the job's tasks is done. */
  async progressed(id: string, share: number): Promise<void> {
    await until(`${id} at ${share}`, async () => {
      const { state, stages } = await this.client.job(jobId(id));
      if (state !== "running") throw new Error(`${id} has ${state} before it could be disturbed`);
      const tasks = stages.reduce((sum, stage) => sum + stage.tasks, 0);
      const done = stages.reduce((sum, stage) => sum + stage.done, 0);
      return tasks > 0 && done >= share * tasks;
    });
  }

  /** Every attempt that a headless node of this cluster ran, as the nodes themselves logged it, in the order of their ends. */
  executions(): Execution[] {
    const logs = readdirSync(this.folder).filter((file) => file.endsWith(EXECUTIONS));
    const all = logs.flatMap((file) => {
      const lines = readFileSync(join(this.folder, file), "utf8").split("\n").filter(Boolean);
      const node = file.slice(0, -EXECUTIONS.length);
      return lines.map((line): Execution => ({ ...(JSON.parse(line) as Omit<Execution, "node">), node }));
    });
    return all.sort((a, b) => a.at + a.ms - (b.at + b.ms));
  }

  #executionLog(node: string): string {
    return join(this.folder, `${node}${EXECUTIONS}`);
  }

  async close(): Promise<void> {
    await this.#browser?.close();
    await Promise.all(this.nodes.map((node) => node.end("SIGKILL")));
    await this.coordinator.end("SIGTERM");
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Tasks that ran to their end, by the nodes that ran them. */
export function nodesByTask(executions: readonly Execution[]): Map<string, string[]> {
  const nodes = new Map<string, string[]>();
  for (const { attempt, outcome, node } of executions) {
    const [task = ""] = attempt.split("#");
    if (outcome === "ok") nodes.set(task, [...(nodes.get(task) ?? []), node]);
  }
  return nodes;
}

/** Executions of tasks that had been finished before they began: copies that ran side by side are none. */
export function madeAgain(executions: readonly Execution[]): Execution[] {
  const doneAt = new Map<string, number>();
  return executions.filter(({ attempt, outcome, at, ms }) => {
    const [task = ""] = attempt.split("#");
    const before = doneAt.get(task) ?? Number.POSITIVE_INFINITY;
    if (outcome === "ok") doneAt.set(task, Math.min(before, at + ms));
    return at > before;
  });
}

/** The artifacts' hashes by name: what must be equal on every executor. */
export const hashes = (job: { artifacts: readonly { name: string; sha256: string }[] }): Record<string, string> =>
  Object.fromEntries(job.artifacts.map(({ name, sha256 }) => [name, sha256]));
