/**
 * The driver's process beside Spark's driver: runs a workload's driver on the Spark application that started it. Bundled into one
 * file for Node 20. Arguments: the job's file, the bundle, the folder for results, and where inputs lie.
 */
import { Console } from "node:console";
import { open, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  type ArtifactSink,
  checkedResult,
  createReplayingJob,
  driverError,
  loadWorkload,
  MemoryJournal,
  openLocalFile,
  parseParams,
  S3,
  type SparkStatus,
  Spool,
  streamedArtifacts,
} from "../../coordinator/driving.ts";
import { jobId } from "../../shared/ids.ts";
import { plainJson } from "../../shared/plain-json.ts";
import type { Value } from "../../shared/value.ts";
import { Link } from "./link.ts";
import { SparkExecutor } from "./spark-executor.ts";
import type { StageCounts } from "./stage-record.ts";

interface JobFile {
  readonly job: string;
  readonly workload: string;
  readonly bundle: string;
  readonly params: Value;
  readonly memoryBytes: number;
}
type Event =
  | { readonly event: "hello"; readonly spark: string; readonly application: string; readonly page: string | null }
  | { readonly event: "progress"; readonly stages: readonly (StageCounts & { readonly ordinal: number })[] };

/** Workloads that write to the console must not write into the frames. */
globalThis.console = new Console(process.stderr, process.stderr);
const [jobFile = "", bundleFile = "", folder = "", located = "[]"] = process.argv.slice(2);
const { job, workload: origin, bundle, params, memoryBytes } = JSON.parse(await readFile(jobFile, "utf8")) as JobFile;
const inputs = new Map(JSON.parse(located) as [string, string][]);

let spark: Pick<SparkStatus, "spark" | "application" | "page"> = { spark: "Spark", application: "", page: null };
let unit = "tasks";
const files: SparkStatus["artifacts"][number][] = [];
const link = new Link(process.stdin, process.stdout, (event) => told(event as Event));
/** Standard input has the frames; the caller's was kept in a file. */
const noStandardInput = (async function* (): AsyncIterable<Uint8Array> {})();
const spool = new Spool(join(folder, "unpacked"));
const openFile = openLocalFile(spool, noStandardInput, new S3());
const executor = new SparkExecutor({
  link,
  bundle,
  bundleFile: basename(bundleFile),
  memoryBytes,
  openSource: async (file) => {
    const location = inputs.get(file) ?? file;
    return { ...(await openFile(location)), location, name: file === "-" ? "standard input" : file };
  },
  now: () => performance.now(),
});
let began = performance.now();
let opened = 0;

try {
  const workload = await loadWorkload(await readFile(bundleFile), origin);
  unit = workload.unit ?? unit;
  const store = streamedArtifacts(openArtifact);
  const driver = createReplayingJob(jobId(job), workload, executor, new MemoryJournal(), store);
  began = performance.now();
  const { metrics, artifacts } = checkedResult(origin, await workload.drive(driver, parseParams(workload, params)));
  const made = artifacts.map((artifact, index) => ({ ...artifact, file: `artifact-${index}` }));
  files.push(...made);
  tell({ state: "succeeded", metrics: JSON.parse(JSON.stringify(metrics, plainJson)) as SparkStatus["metrics"] });
} catch (error) {
  tell({ state: "failed", error: driverError(origin, error) });
}
executor.end();
await spool.clear();
await link.flushed();
process.exit();

function told(event: Event): void {
  if (event.event === "hello") spark = { spark: event.spark, application: event.application, page: event.page };
  else executor.progressed(event.stages);
  tell({ state: "running" });
}

function tell(end: Pick<SparkStatus, "state"> & Partial<Pick<SparkStatus, "metrics" | "error">>): void {
  const now = performance.now();
  const stages = executor.stages.map((stage) => stage.view(now));
  const { state, metrics = {}, error = null } = end;
  const seconds = (now - began) / 1000;
  const status: SparkStatus = { state, seconds, unit, ...spark, stages, metrics, artifacts: files, error };
  link.tell({ op: "status", status });
}

/** Artifacts are made one after the other, in the order in which the result lists them. */
async function openArtifact(): Promise<ArtifactSink> {
  const file = await open(join(folder, `artifact-${opened++}`), "w");
  return {
    async write(part) {
      for (let at = 0; at < part.byteLength; ) at += (await file.write(part, at)).bytesWritten;
    },
    finish: () => file.close(),
    abandon: () => file.close().catch(() => undefined),
  };
}
