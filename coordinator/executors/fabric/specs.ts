import { createHash } from "node:crypto";
import { type AttemptId, type BlobHash, jobOfTask, type TaskKey, taskOfAttempt } from "../../../shared/ids.ts";
import type { Lease, SourceSpec, StageSpec, TaskInput, TaskSuccess } from "../../../shared/protocol/messages.ts";
import type { ShuffleMode } from "../../../shared/protocol/shuffle.ts";
import type { PartitionInput, StageRequest } from "../executor.ts";
import type { ChunkTable } from "./chunks.ts";
import type { ReadableSource } from "./source.ts";

/** What nodes are told of stages and leases, and what is wrong with what they send back: data from data. */

/** Inline bytes that one lease may carry; chunks beyond it are fetched by hash. */
const INLINE_PER_LEASE = 1024 * 1024;

export function stageSpec(
  request: StageRequest,
  bundle: BlobHash,
  sources: SourceSpec[],
  chunks: ChunkTable,
  deadline: number,
  shuffle: ShuffleMode,
): StageSpec {
  const { job, ordinal, kind, task, backend, buckets, broadcast } = request;
  return {
    ...{ job, ordinal, kind, bundle, task, backend, buckets, sources, deadline, shuffle },
    broadcast: broadcast ? chunks.ref(broadcast.task, broadcast.bucket) : null,
  };
}

/** Paths are told only within this process. */
export function sourceSpecs(sources: ReadonlyMap<number, ReadableSource>, inProcess: boolean): SourceSpec[] {
  return [...sources].map(([ordinal, { name, bytes, path }]) => ({
    ordinal,
    name,
    bytes,
    ...(inProcess && path !== null ? { path } : {}),
  }));
}

export function leaseOf(attempt: AttemptId, task: TaskKey, request: StageRequest, chunks: ChunkTable): Lease {
  const partition = partitionOf(task);
  const input = request.inputs[partition];
  if (!input) throw new Error(`${task} has no input`);
  return { attempt, job: jobOfTask(task), ordinal: request.ordinal, partition, input: taskInput(input, chunks) };
}

function taskInput(input: PartitionInput, chunks: ChunkTable): TaskInput {
  switch (input.kind) {
    case "value":
      return input;
    case "chunk":
      return { kind: "chunk", chunk: chunks.ref(input.chunk.task, input.chunk.bucket) };
    case "chunks": {
      let inline = 0;
      const refs = input.chunks.map(({ task, bucket }) => {
        const ref = chunks.ref(task, bucket);
        inline += ref.inline?.byteLength ?? 0;
        return inline <= INLINE_PER_LEASE ? ref : { key: ref.key, bytes: ref.bytes, hash: ref.hash };
      });
      return { kind: "chunks", chunks: refs };
    }
  }
}

/**
 * The tasks whose outputs each partition reads, `common` ones first. All partitions of a reduce read the same tasks and share
 * one array: M + R and not M × R names.
 */
export function dependenciesOf({ kind, inputs }: StageRequest, common: readonly TaskKey[]): (readonly TaskKey[])[] {
  if (kind !== "reduce") return inputs.map((input) => [...common, ...tasksOf(input)]);
  const [first] = inputs;
  const shared = first ? [...common, ...tasksOf(first)] : [];
  return inputs.map(() => shared);
}

function tasksOf(input: PartitionInput): TaskKey[] {
  switch (input.kind) {
    case "value":
      return [];
    case "chunk":
      return [input.chunk.task];
    case "chunks":
      return input.chunks.map(({ task }) => task);
  }
}

/** What is wrong with a result's form, in words, or null. `buckets` is null where its stage is not known (yet). */
export function problemOf(result: TaskSuccess, buckets: number | null, inProcess: boolean): string | null {
  const task = taskOfAttempt(result.attempt);
  if (buckets !== null && result.chunks.length !== buckets) {
    return `${task} must have ${buckets} chunks, not ${result.chunks.length}`;
  }
  if (inProcess) return null;
  for (const { hash, inline, bytes } of result.chunks) {
    if (hash === null) return `${task} came without hashes`;
    if (inline === undefined) continue;
    if (inline.byteLength !== bytes || createHash("sha256").update(inline).digest("hex") !== hash) {
      return `${task} came with bytes that do not match their hash`;
    }
  }
  return null;
}

export const ordinalOf = (task: TaskKey): number => Number(task.split("/")[1]);
export const partitionOf = (task: TaskKey): number => Number(task.slice(task.lastIndexOf("/") + 1));
