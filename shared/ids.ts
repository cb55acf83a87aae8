import { KindlingError } from "./errors.ts";

/** A string that only its own constructor may make: ids of different things cannot be mixed up. */
type Branded<Name extends string> = string & { readonly __brand: Name };

export type JobId = Branded<"JobId">;
export type NodeId = Branded<"NodeId">;
/** `JOB/ORDINAL/PARTITION`: one partition of one stage. */
export type TaskKey = Branded<"TaskKey">;
/** `JOB/ORDINAL/PARTITION#EPOCH`: one try of a task; the epoch fences late results. */
export type AttemptId = Branded<"AttemptId">;
/** `JOB/ORDINAL/PARTITION/BUCKET`: one bucket of a task's output. */
export type ChunkKey = Branded<"ChunkKey">;
/** SHA-256, 64 lower-case hexadecimal digits. */
export type BlobHash = Branded<"BlobHash">;

/** What an id made elsewhere may look like: safe in a path, a URL and a log line. */
const ID = /^[a-z0-9][a-z0-9-]{0,63}$/;
const HASH = /^[0-9a-f]{64}$/;
const ATTEMPT = /^([a-z0-9][a-z0-9-]{0,63})\/(\d{1,9})\/(\d{1,9})#(\d{1,9})$/;
const CHUNK = /^([a-z0-9][a-z0-9-]{0,63})\/(\d{1,9})\/(\d{1,9})\/(\d{1,9})$/;

function branded<T extends string>(what: string, pattern: RegExp, text: string): T {
  if (!pattern.test(text)) {
    throw new KindlingError("BadId", `${JSON.stringify(text.slice(0, 80))} is not a ${what}`);
  }
  return text as T;
}

export const jobId = (text: string): JobId => branded<JobId>("job id", ID, text);
export const nodeId = (text: string): NodeId => branded<NodeId>("node id", ID, text);
export const blobHash = (text: string): BlobHash => branded<BlobHash>("blob hash", HASH, text);
export const parseAttemptId = (text: string): AttemptId => branded<AttemptId>("attempt id", ATTEMPT, text);
export const parseChunkKey = (text: string): ChunkKey => branded<ChunkKey>("chunk key", CHUNK, text);

export const taskKey = (job: JobId, ordinal: number, partition: number): TaskKey =>
  `${job}/${ordinal}/${partition}` as TaskKey;
export const attemptId = (task: TaskKey, epoch: number): AttemptId => `${task}#${epoch}` as AttemptId;
export const chunkKey = (task: TaskKey, bucket: number): ChunkKey => `${task}/${bucket}` as ChunkKey;
export const taskOfAttempt = (attempt: AttemptId): TaskKey => attempt.slice(0, attempt.lastIndexOf("#")) as TaskKey;
export const taskOfChunk = (chunk: ChunkKey): TaskKey => chunk.slice(0, chunk.lastIndexOf("/")) as TaskKey;
export const jobOfTask = (task: TaskKey): JobId => task.slice(0, task.indexOf("/")) as JobId;
