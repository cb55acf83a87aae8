import { totalmem } from "node:os";
import type { Bundle } from "../../coordinator/index.ts";
import { systemClock } from "../../shared/clock.ts";
import { KindlingError } from "../../shared/errors.ts";
import { blobHash, jobId } from "../../shared/ids.ts";
import type { JobView } from "../../shared/protocol/api.ts";
import type { ShuffleMode } from "../../shared/protocol/shuffle.ts";
import type { SparkRequest } from "../../shared/protocol/submit-request.ts";
import type { Value } from "../../shared/value.ts";
import { parseBytes } from "./bytes.ts";
import { confirm } from "./confirm.ts";
import { followJob } from "./follow-job.ts";
import { filesOf } from "./input-files.ts";
import { onInterrupt } from "./interrupts.ts";
import { DEFAULT_DATA_DIR, DEFAULT_URL } from "./link.ts";
import { startLocal } from "./local.ts";
import type { OutFiles } from "./out-files.ts";
import { showProgress } from "./progress.ts";
import { connectTo, download, uploadFile } from "./remote.ts";
import { type Executor, type RunOptions, slotsOf } from "./run-options.ts";
import type { SchemaOption } from "./schema-options.ts";
import { runSpark, type SparkRunOptions } from "./spark.ts";

/** A run that is ready to start. */
export interface Run {
  readonly workload: string;
  readonly bundle: Bundle;
  readonly params: Record<string, Value>;
  readonly options: readonly SchemaOption[];
  readonly shuffle: ShuffleMode;
  /** For executor spark alone. */
  readonly spark: SparkRequest | undefined;
  readonly own: RunOptions;
  readonly outFiles: OutFiles;
}

/** Runs a job to its end on each executor and publishes its files. Rejects with the job's error. */
export const RUN_ON: Record<Executor, (run: Run) => Promise<JobView>> = {
  local: runLocal,
  fabric: runRemote,
  spark: async (run) => {
    const { submit = "", yes = false } = run.own;
    if (submit.startsWith("emr-serverless:")) {
      await confirm(`This starts a job run on ${submit}; AWS bills its workers while they run.`, yes);
    }
    if (run.own.on !== undefined || run.spark === undefined) return runRemote(run);
    return runSpark(sparkOptions(run, run.spark));
  },
};

export function sparkOptions(
  { workload, bundle, params, options, own, outFiles }: Run,
  target: SparkRequest,
): SparkRunOptions {
  return {
    ...{ workload, bundle, params, files: filesOf(params, options), outFiles },
    target,
    dataDir: own["data-dir"] ?? DEFAULT_DATA_DIR,
    verbose: own.verbose ?? false,
  };
}

async function runLocal({ workload, bundle: { code }, params, own, outFiles }: Run): Promise<JobView> {
  const executor = await startLocal({
    slots: slotsOf(own),
    memoryBytes: own.memory === undefined ? Math.floor(totalmem() / 2) : parseBytes(own.memory, "memory"),
    outFiles,
    verbose: own.verbose ?? false,
  });
  let stopProgress = (): void => undefined;
  let stopWaiting = (): void => undefined;
  try {
    const bundle = await executor.addBundle(code);
    const id = await executor.jobs.submit({ workload, bundle, params });
    stopProgress = showProgress(() => executor.jobs.get(id));
    stopWaiting = onInterrupt(() => void executor.jobs.cancel(id).catch(() => undefined));
    await executor.jobs.ended(id);
    const job = succeeded(executor.jobs.get(id));
    await outFiles.publish();
    return job;
  } finally {
    stopWaiting();
    stopProgress();
    await executor.stop();
  }
}

async function runRemote(run: Run): Promise<JobView> {
  const {
    workload,
    bundle: { code },
    params,
    options,
    shuffle,
    spark,
    own,
    outFiles,
  } = run;
  const client = await connectTo({
    on: own.on ?? DEFAULT_URL,
    token: own.token,
    dataDir: own["data-dir"] ?? DEFAULT_DATA_DIR,
  });
  const { hash } = await client.uploadFile(code);
  const sent: Record<string, Value> = { ...params };
  for (const { param, property } of options) {
    const given = params[param];
    if (property.kindling !== "file" || given === undefined) continue;
    const uploaded: string[] = [];
    for (const file of [given].flat() as string[]) uploaded.push(await uploadFile(client, file));
    sent[param] = Array.isArray(given) ? uploaded : (uploaded[0] ?? "");
  }
  const target = spark === undefined ? {} : { spark };
  const id = await client.submit({ workload, bundle: blobHash(hash), params: sent, shuffle, ...target });
  const interrupt = new AbortController();
  const stopWaiting = onInterrupt(() => interrupt.abort());
  let latest: JobView | undefined;
  const stopProgress = showProgress(() => latest);
  try {
    const ended = await followJob(client, jobId(id), {
      clock: systemClock,
      signal: interrupt.signal,
      seen: (job) => {
        latest = job;
      },
      warn: (line) => process.stderr.write(`${line}\n`),
    });
    const job = succeeded(ended);
    for (const artifact of job.artifacts) await download(client, id, artifact, outFiles, interrupt.signal);
    await outFiles.publish();
    return job;
  } finally {
    stopWaiting();
    stopProgress();
  }
}

function succeeded(job: JobView | undefined): JobView {
  if (!job) throw new KindlingError("NotFound", "The job is not known any more");
  if (job.state === "succeeded") return job;
  throw new KindlingError(job.error?.code ?? "JobFailed", job.error?.message ?? `The job has ${job.state}`);
}
