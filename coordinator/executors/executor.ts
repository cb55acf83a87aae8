import type { JobId, TaskKey } from "../../shared/ids.ts";
import type { BackendChoice } from "../../shared/sdk/task.ts";
import type { Value } from "../../shared/value.ts";
import type { ShuffleMode } from "../../shared/protocol/shuffle.ts";
import type { OutputRecord } from "../store/journal.ts";

/** One output chunk as a task's input: a bucket of a finished task. */
export interface ChunkName {
  readonly task: TaskKey;
  readonly bucket: number;
}

/** What each partition of a stage reads. */
export type PartitionInput =
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "chunk"; readonly chunk: ChunkName }
  | { readonly kind: "chunks"; readonly chunks: readonly ChunkName[] };

export interface StageRequest {
  readonly job: JobId;
  readonly ordinal: number;
  readonly kind: "map" | "shuffle" | "reduce";
  readonly task: string;
  readonly label: string;
  readonly inputs: readonly PartitionInput[];
  readonly buckets: number;
  readonly backend: BackendChoice;
  /** A finished task's only bucket, or a value that was given under that ordinal. */
  readonly broadcast: ChunkName | null;
}

/** What identifies an opened input: journalled, so that a changed one is noticed. */
export interface OpenedSource {
  readonly name: string;
  readonly bytes: number;
  /** Size and modification time, or the content's hash. */
  readonly identity: string;
}

/** What a replaying driver runs its calls on. */
export interface Executor {
  /** Takes up a job: the bundle that its nodes load, and the outputs that its journal has. */
  begin(
    job: {
      readonly id: JobId;
      readonly bundle: string;
      readonly priority: number;
      readonly shuffle?: ShuffleMode | undefined;
    },
    recovered: readonly OutputRecord[],
  ): void;
  /** Rejects with `InputError`, naming the file, when it cannot be read. */
  openSource(job: JobId, ordinal: number, file: string): Promise<OpenedSource>;
  /** Keeps a value for broadcasting under the name (job, ordinal, 0, 0); `durable` once it resolves. */
  keepValue(job: JobId, ordinal: number, value: Value): Promise<void>;
  /** Runs a stage; gives each partition's summary when every output is journalled. */
  runStage(request: StageRequest): Promise<readonly Value[]>;
  /** Begins to fetch chunks that will be loaded in this order; what goes wrong, `load` tells. Absent where that is of no use. */
  expect?(chunks: readonly ChunkName[]): void;
  /** A chunk's value, fetched from its holder if need be. */
  load(chunk: ChunkName): Promise<Value>;
  /** Drops all that lies about for this job except its result's parts. */
  end(job: JobId, reason: "done" | "cancelled" | "failed"): void;
}
