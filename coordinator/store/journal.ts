import type { JobId, TaskKey } from "../../shared/ids.ts";
import type { OutputChunk } from "../../shared/protocol/messages.ts";
import type { SparkRequest } from "../../shared/protocol/submit-request.ts";
import type { ShuffleMode } from "../../shared/protocol/shuffle.ts";
import type { Backend } from "../../shared/sdk/task.ts";
import type { Value } from "../../shared/value.ts";

export type JobStatus = "running" | "succeeded" | "failed" | "cancelled";

/** What a job was started with; enough to start it again. */
export interface JobSpec {
  readonly workload: string;
  /** SHA-256 of the bundle, which lies among the blobs. */
  readonly bundle: string;
  /** As given, before defaults. */
  readonly params: Value;
  /** How its nodes get each other's outputs; `auto` where it is absent. */
  readonly shuffle?: ShuffleMode | undefined;
  /** Where it runs on Spark; absent where it runs on nodes. */
  readonly spark?: SparkRequest | undefined;
}

export interface JobRecord {
  readonly id: JobId;
  readonly spec: JobSpec;
  readonly status: JobStatus;
  /** ms since 1970, for people; nothing is decided by it. */
  readonly createdAt: number;
  readonly endedAt: number | null;
  /** The driver's result once it succeeded; the error once it failed. */
  readonly outcome: Value;
}

/** An accepted output: what a replay answers instead of running the task again. */
export interface OutputRecord {
  readonly task: TaskKey;
  readonly chunks: readonly OutputChunk[];
  readonly durable: boolean;
  readonly summary: Value;
  readonly backend: Backend;
  readonly reason: string;
  readonly runMs: number;
}

/**
 * The durable record from which a restarted coordinator continues. Writes are buffered and committed in groups:
 * `sync` resolves when everything written before it is on disk, and nothing may be acknowledged earlier.
 * Every record carries a checksum; a record that does not match it is reported by `open` and never used.
 */
export interface Journal {
  /** Counts the lives of this data directory: 1 in the first, one more after each restart. Fences old attempts. */
  readonly incarnation: number;
  putJob(job: JobRecord): void;
  /** Oldest first. */
  jobs(): JobRecord[];
  putOutput(output: OutputRecord): void;
  outputs(job: JobId): OutputRecord[];
  /** What the call with this ordinal answered (source identity, broadcast chunk, `once`). */
  putEntry(job: JobId, ordinal: number, entry: Value): void;
  /** All entries of a job, by ordinal. */
  entries(job: JobId): Map<number, Value>;
  deleteJob(job: JobId): void;
  /** Rejects with `StorageFull` or `StorageFailed`; what it covered is then not durable. */
  sync(): Promise<void>;
  close(): Promise<void>;
}
