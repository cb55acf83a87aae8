import { KindlingError } from "../../shared/errors.ts";
import { type JobId, taskKey } from "../../shared/ids.ts";
import type { Broadcast, Dataset, Job, JobResult, Metrics, OutputRef, StageOptions } from "../../shared/sdk/job.ts";
import type { AnyTask, Workload } from "../../shared/sdk/workload.ts";
import type { Value } from "../../shared/value.ts";
import type { ChunkName, Executor, PartitionInput, StageRequest } from "../executors/executor.ts";
import type { Journal } from "../store/journal.ts";
import type { ArtifactStore } from "./artifacts.ts";
import { taskName } from "./workload.ts";

/**
 * A driver's `Job` whose calls answer from the journal where they can: each call takes the next ordinal, in the order in which the
 * driver makes them, and what it answered is kept under (job, ordinal). Stages answer for each partition on its own, inside the executor.
 */
export function createReplayingJob(
  id: JobId,
  workload: Workload,
  executor: Executor,
  journal: Journal,
  artifacts: ArtifactStore,
): Job {
  const entries = journal.entries(id);
  /** Broadcasts that pass on a finished task's output. */
  const aliases = new Map<number, ChunkName>();
  let calls = 0;

  const chunkOf = (ref: OutputRef, bucket: number): ChunkName => ({
    task: taskKey(id, ref.ordinal, ref.partition),
    bucket,
  });

  const broadcastChunk = (broadcast: Broadcast<unknown> | undefined): ChunkName | null => {
    if (!broadcast) return null;
    return aliases.get(broadcast.ordinal) ?? { task: taskKey(id, broadcast.ordinal, 0), bucket: 0 };
  };

  /** One value for each call, computed once in the job's life. */
  const remember = async <T extends Value>(ordinal: number, compute: () => T | Promise<T>): Promise<T> => {
    if (entries.has(ordinal)) return entries.get(ordinal) as T;
    const value = await compute();
    journal.putEntry(id, ordinal, value);
    await journal.sync();
    return value;
  };

  const stage = async <O, S extends Value>(
    kind: StageRequest["kind"],
    task: AnyTask,
    inputs: readonly PartitionInput[],
    options: StageOptions<unknown> & { readonly buckets?: number },
  ): Promise<Dataset<O, S>> => {
    const ordinal = calls++;
    const name = taskName(workload, task);
    const buckets = options.buckets ?? 1;
    if (!Number.isInteger(buckets) || buckets < 1) {
      throw new KindlingError("BadWorkload", `${name}: buckets must be a positive integer, not ${buckets}`);
    }
    const summaries = await executor.runStage({
      job: id,
      ordinal,
      kind,
      task: name,
      label: options.label ?? name,
      inputs,
      buckets,
      backend: options.backend ?? "auto",
      broadcast: broadcastChunk(options.broadcast),
    });
    return {
      parts: inputs.map((_, partition) => ({ ordinal, partition })),
      buckets,
      summaries: summaries as S[],
    };
  };

  const oneEach = (inputs: readonly unknown[] | Dataset<unknown>): PartitionInput[] => {
    if (isDataset(inputs)) {
      if (inputs.buckets !== 1) {
        throw new KindlingError("BadWorkload", `A dataset of ${inputs.buckets} buckets must be reduced, not mapped`);
      }
      return inputs.parts.map((part) => ({ kind: "chunk", chunk: chunkOf(part, 0) }));
    }
    return inputs.map((value) => ({ kind: "value", value: value as Value }));
  };

  return {
    async source(file) {
      const ordinal = calls++;
      const opened = await executor.openSource(id, ordinal, file);
      const known = await remember(ordinal, () => ({
        name: opened.name,
        bytes: opened.bytes,
        identity: opened.identity,
      }));
      if (known.identity !== opened.identity) {
        throw new KindlingError(
          "InputChanged",
          `${opened.name} changed while the job was under way: run the job again`,
        );
      }
      return { ordinal, name: opened.name, bytes: opened.bytes };
    },

    async broadcast(value) {
      const ordinal = calls++;
      if (isPartition(value)) {
        const part = value.dataset.parts[value.partition];
        if (!part)
          throw new KindlingError("BadWorkload", `The dataset has no partition ${value.partition} to broadcast`);
        aliases.set(ordinal, chunkOf(part, 0));
      } else {
        await executor.keepValue(id, ordinal, value as Value);
      }
      return { ordinal };
    },

    map: (task, inputs, options = {}) => stage("map", task as AnyTask, oneEach(inputs), options),
    shuffle: (task, inputs, options) => stage("shuffle", task as AnyTask, oneEach(inputs), options),
    reduce: (task, dataset, options = {}) => {
      const inputs = Array.from(
        { length: dataset.buckets },
        (_, bucket): PartitionInput => ({
          kind: "chunks",
          chunks: dataset.parts.map((part) => chunkOf(part, bucket)),
        }),
      );
      return stage("reduce", task as AnyTask, inputs, options);
    },

    async fetch<T>(dataset: Dataset<T>, partition: number) {
      const part = dataset.parts[partition];
      if (!part) throw new KindlingError("BadWorkload", `The dataset has no partition ${partition} to fetch`);
      return (await executor.load(chunkOf(part, 0))) as T;
    },

    once: (compute) => remember(calls++, compute),

    async collect(files, metrics: Metrics = {}): Promise<JobResult> {
      const named = isDataset(files) ? { result: files } : files;
      const made = [];
      for (const [name, dataset] of Object.entries(named)) {
        const parts = dataset.parts.map((part) => chunkOf(part, 0));
        made.push(await artifacts.make(id, name, parts, (chunk) => executor.load(chunk)));
      }
      return { metrics, artifacts: made };
    },
  };
}

const isDataset = (thing: object): thing is Dataset<unknown> => "parts" in thing && "buckets" in thing;

const isPartition = (thing: unknown): thing is { dataset: Dataset<unknown>; partition: number } =>
  typeof thing === "object" &&
  thing !== null &&
  "dataset" in thing &&
  "partition" in thing &&
  Object.keys(thing).length === 2;
