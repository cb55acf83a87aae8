import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { type Coordinator, startCoordinator } from "../../../coordinator/index.ts";
import { KindlingError } from "../../../shared/errors.ts";
import { createApiClient } from "../../api/client.ts";
import { runDemo } from "../demo.ts";
import { onInterrupt } from "../interrupts.ts";
import { wholeNumber } from "../numbers.ts";
import { writeWhole } from "../part-file.ts";

/** ms that a node of ours has to end what it runs when all stops. */
const NODE_STOP_MS = 5_000;

export interface StartOptions {
  readonly host: string;
  readonly port: string;
  readonly dataDir: string;
  readonly dataRoot?: string;
  /** True for any public host, or hosts with commas between. */
  readonly allowUrls?: boolean | string;
  /** True for any bucket, or buckets with commas between. */
  readonly allowS3?: boolean | string;
  readonly joinTokenFile?: string;
  readonly publicUrl?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly nodes: string;
  readonly taskDeadline: string;
  readonly demo?: boolean;
  readonly verbose?: boolean;
}

/** `kindling start`: a coordinator, and headless nodes beside it, until SIGINT or SIGTERM. */
export async function start(options: StartOptions): Promise<void> {
  const port = wholeNumber(options.port, "port", 0, 65_535);
  const nodes = wholeNumber(options.nodes, "nodes", 0, 64);
  const taskDeadlineMs = wholeNumber(options.taskDeadline, "task-deadline", 1, 86_400) * 1000;
  const stopping = stopSignal();
  const write = (line: string): void => void process.stderr.write(`${line}\n`);
  // A driver that drops one of its own promises fails, at worst, its own job.
  process.on("unhandledRejection", (error) => write(`error a promise nobody waits for was rejected: ${String(error)}`));
  const coordinator = await startCoordinator({
    host: options.host,
    port,
    dataDir: resolve(options.dataDir),
    dataRoot: options.dataRoot === undefined ? null : resolve(options.dataRoot),
    urls: urlRule(options.allowUrls),
    s3Buckets: bucketRule(options.allowS3),
    publicUrl: options.publicUrl ?? null,
    tls: tlsFiles(options),
    taskDeadlineMs,
    verbose: options.verbose ?? false,
    write,
  });
  const children = startNodes(coordinator, nodes, (name, how) => {
    if (!stopping.stopped) write(`warn  ${name} ${how}: start another one with \`kindling node --join LINK\``);
  });
  try {
    const { dashboard, join } = coordinator.links;
    if (options.joinTokenFile !== undefined) {
      await writeWhole(options.joinTokenFile, [new TextEncoder().encode(`${coordinator.tokens.join}\n`)]);
    }
    const links = `  dashboard  ${dashboard}\n  join link  ${join}\n`;
    process.stdout.write(`Kindling is at ${new URL(dashboard).origin}\n${links}`);
    if (options.demo) {
      const client = createApiClient({ url: coordinator.url, token: coordinator.tokens.operator });
      await Promise.race([runDemo(client), stopping.promise]);
      if (!stopping.stopped) {
        process.stdout.write(
          "\nStill serving: open the dashboard to run a job again, or the join link to take part. Ctrl+C stops.\n" +
            links,
        );
      }
    }
    await stopping.promise;
  } finally {
    await stopNodes(children);
    await coordinator.close();
  }
}

/** Nodes are processes of their own, so that one that dies takes nothing with it. The token goes by the environment: others can read arguments. */
function startNodes(
  coordinator: Coordinator,
  count: number,
  died: (name: string, how: string) => void,
): ChildProcess[] {
  const entry = resolve(import.meta.dirname, "../kindling.ts");
  return Array.from({ length: count }, (_, index) => {
    const name = `local-${index + 1}`;
    const child = spawn(process.execPath, [entry, "node", "--join", coordinator.url, "--name", name], {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, KINDLING_TOKEN: coordinator.tokens.join },
    });
    child.on("error", (error) => died(name, `does not start (${error.message})`));
    child.on("exit", (code, signal) => died(name, `has ended (${signal ?? `exit code ${code}`})`));
    return child;
  });
}

async function stopNodes(children: readonly ChildProcess[]): Promise<void> {
  await Promise.all(
    children.map(async (child) => {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      // A long task would keep it: what it does is done again elsewhere.
      const timer = setTimeout(() => child.kill("SIGKILL"), NODE_STOP_MS);
      await ended;
      clearTimeout(timer);
    }),
  );
}

function stopSignal(): { readonly promise: Promise<void>; readonly stopped: boolean } {
  const state = { promise: Promise.resolve(), stopped: false };
  state.promise = new Promise<void>((resolveSignal) => {
    onInterrupt(() => {
      state.stopped = true;
      resolveSignal();
    });
  });
  return state;
}

function tlsFiles({ tlsCert, tlsKey }: StartOptions): { cert: string; key: string } | null {
  if (tlsCert === undefined && tlsKey === undefined) return null;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new KindlingError("BadUsage", "--tls-cert and --tls-key go together");
  }
  return { cert: tlsCert, key: tlsKey };
}

function urlRule(allowed: boolean | string | undefined): "public" | readonly string[] | null {
  if (allowed === undefined || allowed === false) return null;
  return allowed === true ? "public" : allowed.split(",").map((host) => host.trim().toLowerCase());
}

function bucketRule(allowed: boolean | string | undefined): "any" | readonly string[] | null {
  if (allowed === undefined || allowed === false) return null;
  return allowed === true ? "any" : allowed.split(",").map((bucket) => bucket.trim());
}
