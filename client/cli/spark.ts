import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import {
  newJobId,
  prepareSpark,
  type SparkJob,
  type SparkStatus,
  sparkJobView,
  startSpark,
} from "../../coordinator/index.ts";
import type { JobView } from "../../shared/protocol/api.ts";
import type { SparkRequest } from "../../shared/protocol/submit-request.ts";
import type { Value } from "../../shared/value.ts";
import { isUrl, STANDARD_INPUT } from "./input-files.ts";
import { onInterrupt } from "./interrupts.ts";
import type { OutFiles } from "./out-files.ts";
import { showProgress } from "./progress.ts";

export interface SparkRunOptions {
  readonly target: SparkRequest;
  readonly workload: string;
  readonly bundle: SparkJob["bundle"];
  readonly params: Readonly<Record<string, Value>>;
  /** Values of the parameters that name input files. */
  readonly files: readonly string[];
  readonly dataDir: string;
  readonly outFiles: OutFiles;
  readonly verbose: boolean;
}

/** Runs a job on Spark for this command, without a coordinator. */
export async function runSpark(options: SparkRunOptions): Promise<JobView> {
  const { workload, params, target, outFiles, verbose } = options;
  const createdAt = Date.now();
  const { id, run, prepared } = await prepare(options);
  let latest: SparkStatus | null = null;
  const view = (): JobView => sparkJobView({ id, workload, params, createdAt, target, status: latest });
  let stopProgress = (): void => undefined;
  let stopWaiting = (): void => undefined;
  try {
    const job = await startSpark(prepared, {
      status: (status) => {
        latest = status;
      },
      log: (level, line) => void ((verbose || level === "error") && process.stderr.write(`${line}\n`)),
    });
    stopProgress = showProgress(view);
    stopWaiting = onInterrupt(() => void job.cancel().catch(() => undefined)); // Told by job.ended.
    latest = await job.ended;
    for (const { name, file } of latest.artifacts) {
      const sink = await outFiles.open(name);
      if (outFiles.pathOf(name) === null && name !== "report.json") continue;
      for await (const part of createReadStream(join(job.out, file))) await sink.write(part as Uint8Array);
      await sink.finish();
    }
    await outFiles.publish();
    return view();
  } finally {
    stopWaiting();
    stopProgress();
    await rm(run, { recursive: true, force: true });
  }
}

/** What would be done, in words of a shell. The files that it names are left in the data directory, so that it can be done. */
export async function printSpark(options: SparkRunOptions): Promise<string> {
  const { prepared } = await prepare(options);
  return prepared.submission.print();
}

async function prepare(options: SparkRunOptions) {
  const { workload, bundle, params, files, dataDir, target } = options;
  const id = newJobId();
  const spark = resolve(dataDir, "spark");
  const run = join(spark, "runs", id);
  await mkdir(run, { recursive: true, mode: 0o700 });
  try {
    const inputs = new Map<string, string>();
    for (const file of files) if (!isUrl(file)) inputs.set(file, await located(file, run));
    const job = { id, workload, bundle, params, inputs };
    return { id, run, prepared: await prepareSpark(job, target, { run, spark }) };
  } catch (error) {
    await rm(run, { recursive: true, force: true });
    throw error;
  }
}

/** A path for executors, whose working folder is another one. Standard input is kept in a file. */
async function located(file: string, run: string): Promise<string> {
  if (file !== STANDARD_INPUT) return resolve(file);
  const path = join(run, "standard-input");
  await pipeline(process.stdin, createWriteStream(path, { mode: 0o600 }));
  return path;
}
