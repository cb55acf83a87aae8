import type { BlobHash } from "../ids.ts";
import type { Value } from "../value.ts";
import type { BackendChoice, SourceRange, Task } from "./task.ts";

/** An input file as the driver sees it: its size is known, its bytes are not. */
export interface Source {
  readonly ordinal: number;
  readonly name: string;
  readonly bytes: number;
}

/** A value that every task of a stage can read as `context.broadcast`. `T` is only in the type. */
export interface Broadcast<T> {
  readonly ordinal: number;
  readonly __value?: T;
}

/** One partition of a stage's output, by name. */
export interface OutputRef {
  readonly ordinal: number;
  readonly partition: number;
}

/**
 * A handle to outputs that lie on nodes or on the coordinator. Plain data: partitions of several datasets may be put
 * together by building a new one from their `parts` and `summaries`.
 */
export interface Dataset<T, S extends Value = Value> {
  readonly parts: readonly OutputRef[];
  /** How many buckets each part has: 1 from map and reduce. */
  readonly buckets: number;
  /** What each part's task reported, `undefined` where it did not. */
  readonly summaries: readonly S[];
  readonly __value?: T;
}

export type Metrics = { readonly [name: string]: Value };

/** A result file: its parts one after the other. */
export interface Artifact {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: BlobHash;
}

export interface JobResult {
  readonly metrics: Metrics;
  readonly artifacts: readonly Artifact[];
}

export interface StageOptions<B> {
  readonly broadcast?: Broadcast<B>;
  /** Default `auto`. */
  readonly backend?: BackendChoice;
  /** What the dashboard calls the stage; the task's name by default. */
  readonly label?: string;
}

/**
 * What a driver works with. Every call has an ordinal, and its outcome is journalled: after a crash the driver runs
 * again from the top and finished work answers from the journal. So a driver is deterministic: the same calls in the same
 * order, with numbers of partitions that follow from parameters and input sizes alone. What is not (time, chance,
 * anything outside) goes through `once`.
 *
 * Every method rejects with a KindlingError when the job is cancelled or one of its tasks has failed for good.
 */
export interface Job {
  /** Opens a `file()` parameter. Its identity is journalled: an input that changed while the job lived fails it. */
  source(file: string): Promise<Source>;
  /** Gives a value to every node that needs it. A dataset's partition is passed on without coming here. */
  broadcast<T>(value: T | { readonly dataset: Dataset<T>; readonly partition: number }): Promise<Broadcast<T>>;
  /** One task for each input, or for each partition of a dataset. Inputs travel in messages: one of more than some 8 MB fails the job on nodes. */
  map<I, O, B = undefined, S extends Value = Value>(
    task: Task<I, O, B, S>,
    inputs: readonly I[] | Dataset<I>,
    options?: StageOptions<B>,
  ): Promise<Dataset<O, S>>;
  /** As `map`, but each task returns one output for each of `buckets`. */
  shuffle<I, O, B = undefined, S extends Value = Value>(
    task: Task<I, readonly O[], B, S>,
    inputs: readonly I[] | Dataset<I>,
    options: StageOptions<B> & { readonly buckets: number },
  ): Promise<Dataset<O, S>>;
  /** One task for each bucket; its input is that bucket of every part, in the order of the parts. */
  reduce<I, O, B = undefined, S extends Value = Value>(
    task: Task<readonly I[], O, B, S>,
    dataset: Dataset<I>,
    options?: StageOptions<B>,
  ): Promise<Dataset<O, S>>;
  /** One partition's value, to decide something by: keep it small. */
  fetch<T>(dataset: Dataset<T>, partition: number): Promise<T>;
  /** Runs `compute` once in the job's life; a replay gets the journalled value. */
  once<T extends Value>(compute: () => T | Promise<T>): Promise<T>;
  /**
   * Makes result files. Bytes are written as they are, text as UTF-8, anything else as one line of JSON for each partition.
   * A single dataset becomes the artifact `result`.
   */
  collect(
    files: Dataset<unknown> | { readonly [name: string]: Dataset<unknown> },
    metrics?: Metrics,
  ): Promise<JobResult>;
}

/** Cuts a source into ranges of about `targetBytes`; always at least one, also for an empty source. */
export function splitSource(source: Source, targetBytes: number): SourceRange[] {
  const count = Math.max(1, Math.ceil(source.bytes / targetBytes));
  const size = Math.ceil(source.bytes / count);
  return Array.from({ length: count }, (_, index) => ({
    source: source.ordinal,
    start: Math.min(index * size, source.bytes),
    end: Math.min((index + 1) * size, source.bytes),
  }));
}
