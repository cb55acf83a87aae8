import { readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join, resolve } from "node:path";
import { systemClock } from "../shared/clock.ts";
import { KindlingError } from "../shared/errors.ts";
import { S3 } from "./aws/s3.ts";
import { Fabric } from "./executors/fabric/fabric.ts";
import { openServedFile } from "./executors/fabric/files.ts";
import { Spool } from "./executors/fabric/spool.ts";
import { SparkJobs } from "./executors/spark/spark-jobs.ts";
import type { WebRule } from "./executors/fabric/web-address.ts";
import { Nodes } from "./executors/fabric/nodes.ts";
import { blobArtifacts } from "./jobs/artifacts.ts";
import { JobManager } from "./jobs/manager.ts";
import { checkPort, createServer, type Server } from "./net/server.ts";
import type { DataService } from "./net/services.ts";
import { JobLog } from "./observe/log.ts";
import { DiskBlobs } from "./store/disk-blobs.ts";
import { SqliteJournal } from "./store/sqlite-journal.ts";
import { ensureTokens, type Tokens } from "./tokens.ts";

export { readTokens } from "./tokens.ts";

const ROOT = resolve(import.meta.dirname, "..");
/** The workloads that every coordinator offers. */
const BUILTINS = ["forecast", "string-count", "pi"];

export interface CoordinatorOptions {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  /** The folder under which jobs may name files; null for none. */
  readonly dataRoot: string | null;
  /** Which URLs jobs may name as inputs; null for none. */
  readonly urls: WebRule | null;
  /** Which buckets jobs may read with this machine's AWS credentials; null for none. */
  readonly s3Buckets: "any" | readonly string[] | null;
  /** How others reach it, where that is not `http://host:port`. */
  readonly publicUrl: string | null;
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** ms that one attempt may run before its worker is killed. */
  readonly taskDeadlineMs: number;
  readonly verbose: boolean;
  /** Where log lines go. */
  readonly write: (line: string) => void;
}

export interface Coordinator {
  /** `http://host:port`, with the port that it got: how this machine reaches it. */
  readonly url: string;
  /** How others reach it, with the tokens in the fragment. */
  readonly links: { readonly dashboard: string; readonly join: string };
  readonly tokens: Tokens;
  readonly jobs: JobManager;
  /** Stops taking work, tells the nodes, and closes the store. What is under way goes on at the next start. */
  close(): Promise<void>;
}

/** Starts a coordinator on a data directory. Rejects with a KindlingError that says what to do. */
export async function startCoordinator(options: CoordinatorOptions): Promise<Coordinator> {
  const clock = systemClock;
  const log = new JobLog(options.write, options.verbose ? "debug" : "info");
  const publicUrl = options.publicUrl === null ? null : originOf(options.publicUrl);
  await checkDataRoot(options.dataRoot);
  // Before anything is made on disk: a start that cannot listen leaves nothing behind.
  await checkPort(options.host, options.port);
  const { journal, problems } = await SqliteJournal.open(options.dataDir);
  for (const problem of problems) log.warn(`Journal: ${problem}`);
  const [blobs, tokens] = await Promise.all([
    DiskBlobs.open(join(options.dataDir, "blobs")),
    ensureTokens(options.dataDir),
  ]).catch(async (error: unknown) => {
    await journal.close();
    throw error;
  });
  const spool = new Spool(join(options.dataDir, "spool"));
  await spool.clear();
  const remote = {
    urls: options.urls,
    s3: options.s3Buckets === null ? null : { s3: new S3(), buckets: options.s3Buckets },
  };
  const spark = new SparkJobs({
    folder: resolve(options.dataDir, "spark"),
    openFile: openServedFile(blobs, options.dataRoot, spool, remote, true),
    log,
  });
  await spark.clear();
  const fabric = new Fabric({
    clock,
    journal,
    blobs,
    openFile: openServedFile(blobs, options.dataRoot, spool, remote),
    log,
    taskDeadlineMs: options.taskDeadlineMs,
    inProcess: false,
  });
  const version = packageVersion();
  let links: Coordinator["links"] | undefined;
  const jobs = new JobManager({
    version,
    fabric,
    spark,
    journal,
    blobs,
    artifacts: blobArtifacts(blobs),
    log,
    builtins: BUILTINS,
    joinLink: () => links?.join,
  });
  const data: DataService = {
    blobs,
    async locate(hash, signal) {
      const found = await Promise.race([fabric.outputs.locate(hash), aborted(signal)]);
      const bytes = found ? await blobs.size(hash) : null;
      if (bytes === null) throw new KindlingError("BlobMissing", `There is no blob ${hash}`);
      return { bytes };
    },
    receive: (hash, length, content) => fabric.outputs.receive(hash, length, content),
    stored: (hash) => fabric.outputs.stored(hash),
    source: (job, ordinal) => fabric.source(job, ordinal),
  };
  const nodes: Nodes = new Nodes(fabric, clock, log, (token, address) => server.mayJoin(token, address));
  const server: Server = createServer(
    {
      host: options.host,
      port: options.port,
      publicUrl,
      tls: options.tls,
      tokens,
      pages: join(ROOT, "dist/pages"),
    },
    {
      jobs,
      nodes,
      peers: fabric.introductions,
      data,
      log,
      health: {
        ready: () => (fabric.storageProblem === null ? { ok: true } : { ok: false, reason: fabric.storageProblem }),
      },
    },
  );
  const closeStores = async () => {
    jobs.close();
    await spark.close();
    nodes.close();
    fabric.close();
    await journal.close();
  };
  try {
    await jobs.start();
    const { url } = await server.listen();
    const shared = publicUrl ?? outsideUrl(url, options.host);
    links = { dashboard: `${shared}/dashboard#token=${tokens.operator}`, join: `${shared}/join#token=${tokens.join}` };
    return {
      url,
      links,
      tokens,
      jobs,
      async close() {
        jobs.close();
        nodes.close();
        await server.close();
        await closeStores();
      },
    };
  } catch (error) {
    await closeStores();
    throw error;
  }
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });

async function checkDataRoot(dataRoot: string | null): Promise<void> {
  if (dataRoot === null) return;
  const info = await stat(dataRoot).catch(() => null);
  if (!info?.isDirectory()) throw new KindlingError("BadUsage", `--data-root ${dataRoot}: there is no such folder`);
}

/** `https://host`, of a URL with or without a path. */
function originOf(text: string): string {
  const url = URL.parse(text);
  if (url?.protocol === "http:" || url?.protocol === "https:") return url.origin;
  throw new KindlingError("BadUsage", `--public-url takes a URL such as https://host, not ${JSON.stringify(text)}`);
}

/** Bound to all addresses, it is reached from elsewhere by one that is not loopback. */
function outsideUrl(url: string, host: string): string {
  if (!["0.0.0.0", "::"].includes(host)) return url;
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outside = addresses.find(({ family, internal }) => family === "IPv4" && !internal);
  return outside ? url.replace("127.0.0.1", outside.address) : url;
}

const packageVersion = (): string =>
  (JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string }).version;
