import { KindlingError } from "../../shared/errors.ts";
import { type JobId, type TaskKey, taskKey } from "../../shared/ids.ts";
import { decodeValue, encodeValue } from "../../shared/protocol/value-codec.ts";
import type { Broadcast, Dataset, Job, JobResult, Metrics, StageOptions } from "../../shared/sdk/job.ts";
import type { AnyTask, Workload } from "../../shared/sdk/workload.ts";
import type { Value } from "../../shared/value.ts";
import type { ChunkName, Executor, PartitionInput, StageRequest } from "../executors/executor.ts";
import type { Journal } from "../store/journal.ts";
import type { ArtifactStore } from "./artifacts.ts";
import { Datasets, isDataset } from "./datasets.ts";
import { taskName } from "./workload.ts";

/**
 * A driver's `Job` whose calls answer from the journal where they can: each call takes the next ordinal, in the order in which the
 * driver makes them, and what it answered is kept under (job, ordinal). Stages answer for each partition on its own, inside the executor.
 */
export function createReplayingJob(
  id: JobId,
  workload: Workload,
  executor: Executor,
  journal: Pick<Journal, "entries" | "putEntry" | "sync">,
  artifacts: ArtifactStore,
): Job {
  const entries = journal.entries(id);
  const datasets = new Datasets(id);
  /** What each broadcast gives: a value that was kept, or a finished task's output. */
  const broadcasts = new Map<number, ChunkName>();
  let calls = 0;

  /** One value for each call, computed once in the job's life. */
  const remember = async (ordinal: number, compute: () => unknown): Promise<unknown> => {
    if (entries.has(ordinal)) return entries.get(ordinal);
    // As it will come back from the journal: what a Value cannot carry must not differ between the first run and a replay.
    const { value } = decodeValue(encodeValue({ value: (await compute()) as Value })) as { value?: Value };
    journal.putEntry(id, ordinal, value);
    await journal.sync();
    return value;
  };

  /** Notes what a call asks for; a replay must ask for the same. The note becomes durable with the outputs that follow it. */
  const repeat = (ordinal: number, call: string): void => {
    if (entries.has(ordinal) && entries.get(ordinal) !== call) {
      const before = entries.get(ordinal);
      const earlier = typeof before === "string" ? before : "something else";
      throw new KindlingError(
        "NotDeterministic",
        `Call ${ordinal} of the driver is ${call} now and was ${earlier} before the restart: take time, chance and I/O from job.once`,
      );
    }
    if (!entries.has(ordinal)) journal.putEntry(id, ordinal, call);
  };

  const stage = async <O, S extends Value>(
    kind: StageRequest["kind"],
    task: AnyTask,
    inputs: readonly PartitionInput[],
    options: StageOptions<unknown> & { readonly buckets?: number },
    ordinal: number,
  ): Promise<Dataset<O, S>> => {
    const name = taskName(workload, task);
    const buckets = kind === "shuffle" ? (options.buckets ?? Number.NaN) : 1;
    if (!Number.isInteger(buckets) || buckets < 1) {
      throw new KindlingError("BadWorkload", `${name}: buckets must be a positive integer, not ${buckets}`);
    }
    repeat(ordinal, `${kind} ${name} of ${inputs.length} partitions into ${buckets} buckets`);
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
    datasets.made(ordinal, inputs.length, buckets);
    return {
      parts: inputs.map((_, partition) => ({ ordinal, partition })),
      buckets,
      summaries: summaries as S[],
    };
  };

  const broadcastChunk = (broadcast: Broadcast<unknown> | undefined): ChunkName | null => {
    if (!broadcast) return null;
    const chunk = broadcasts.get(broadcast.ordinal);
    if (!chunk)
      throw new KindlingError("BadWorkload", "A stage's broadcast must come from job.broadcast: await it first");
    return chunk;
  };

  const oneEach = (inputs: readonly unknown[] | Dataset<unknown>): PartitionInput[] => {
    if (Array.isArray(inputs)) return inputs.map((value) => ({ kind: "value", value: value as Value }));
    return datasets.wholeTasks(inputs, "mapped").map((task) => ({ kind: "chunk", chunk: { task, bucket: 0 } }));
  };

  const eachBucket = (dataset: Dataset<unknown>): PartitionInput[] => {
    const tasks = datasets.tasks(dataset, "reduced");
    return Array.from({ length: dataset.buckets }, (_, bucket) => ({
      kind: "chunks",
      chunks: tasks.map((task) => ({ task, bucket })),
    }));
  };

  /** Runs a call with its ordinal. */
  const call = <T>(run: (ordinal: number) => Promise<T>): Promise<T> => {
    const ordinal = calls++;
    return unnumbered(() => run(ordinal));
  };

  return {
    source: (file) =>
      call(async (ordinal) => {
        const opened = await executor.openSource(id, ordinal, file);
        const { name, bytes, identity } = opened;
        const known = (await remember(ordinal, () => ({ name, bytes, identity }))) as
          | { identity?: unknown }
          | undefined;
        if (known?.identity !== identity) {
          throw new KindlingError("InputChanged", `${name} changed while the job was under way: run the job again`);
        }
        return { ordinal, name, bytes };
      }),

    broadcast: (value) =>
      call(async (ordinal) => {
        if (isPartition(value)) {
          broadcasts.set(ordinal, { task: datasets.wholeTask(value.dataset, value.partition, "broadcast"), bucket: 0 });
        } else {
          await executor.keepValue(id, ordinal, value as Value);
          broadcasts.set(ordinal, { task: taskKey(id, ordinal, 0), bucket: 0 });
        }
        return { ordinal };
      }),

    map: (task, inputs, options = {}) =>
      call(async (ordinal) => stage("map", task as AnyTask, oneEach(inputs), options, ordinal)),
    shuffle: (task, inputs, options) =>
      call(async (ordinal) => stage("shuffle", task as AnyTask, oneEach(inputs), options, ordinal)),
    reduce: (task, dataset, options = {}) =>
      call(async (ordinal) => stage("reduce", task as AnyTask, eachBucket(dataset), options, ordinal)),

    fetch: <T>(dataset: Dataset<T>, partition: number) =>
      unnumbered(
        async () => (await executor.load({ task: datasets.wholeTask(dataset, partition, "fetched"), bucket: 0 })) as T,
      ),

    once: <T extends Value>(compute: () => T | Promise<T>) =>
      call(async (ordinal) => (await remember(ordinal, compute)) as T),

    collect: (files, metrics: Metrics = {}) =>
      unnumbered(async (): Promise<JobResult> => {
        const named: Readonly<Record<string, unknown>> =
          isDataset(files) || files instanceof Promise ? { result: files } : files;
        const plans = Object.entries(named).map(([name, dataset]): [string, TaskKey[]] => [
          name,
          datasets.wholeTasks(dataset, "collected"),
        ]);
        const made = [];
        for (const [name, tasks] of plans) {
          const parts = tasks.map((task) => ({ task, bucket: 0 }));
          executor.expect?.(parts);
          made.push(await artifacts.make(id, name, parts, (chunk) => executor.load(chunk)));
        }
        return { metrics, artifacts: made };
      }),
  };
}

/** Runs a call. A driver that does not wait for it must not bring the process down when it rejects. */
function unnumbered<T>(run: () => Promise<T>): Promise<T> {
  const answer = run();
  answer.catch(() => undefined);
  return answer;
}

const isPartition = (thing: unknown): thing is { dataset: Dataset<unknown>; partition: number } =>
  typeof thing === "object" &&
  thing !== null &&
  "dataset" in thing &&
  "partition" in thing &&
  Object.keys(thing).length === 2;
