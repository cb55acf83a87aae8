import type { KindlingError } from "../../../shared/errors.ts";
import { type BlobHash, blobHash, type JobId, type NodeId, type TaskKey } from "../../../shared/ids.ts";
import type { TaskSuccess } from "../../../shared/protocol/messages.ts";
import {
  addShuffleBytes,
  NO_SHUFFLE_BYTES,
  type ShuffleBytes,
  type ShuffleMode,
} from "../../../shared/protocol/shuffle.ts";
import type { OutputRecord } from "../../store/journal.ts";
import type { NodeSession } from "./session.ts";
import type { ReadableSource } from "./source.ts";
import { ordinalOf } from "./specs.ts";
import type { RunningStage } from "./stage.ts";

/** What a job begins with. */
export interface JobStart {
  readonly id: JobId;
  readonly bundle: string;
  readonly priority: number;
  readonly shuffle?: ShuffleMode | undefined;
}

/** A job under way: its stages and sources by their ordinals, and what is counted for those who watch. */
export class LiveJob {
  readonly id: JobId;
  readonly bundle: BlobHash;
  readonly priority: number;
  readonly shuffle: ShuffleMode;
  /** Outputs of an earlier life of the coordinator. */
  readonly recovered: ReadonlyMap<TaskKey, OutputRecord>;
  readonly sources = new Map<number, ReadableSource>();
  readonly stages = new Map<number, RunningStage>();
  /** Resolved when a stage needs work that only nodes can do, or the job is over. */
  readonly waits = Promise.withResolvers<void>();
  #fetched: ShuffleBytes = NO_SHUFFLE_BYTES;
  readonly #shares = new Map<NodeId, { readonly name: string; tasks: number }>();
  #failure: KindlingError | null = null;

  constructor({ id, bundle, priority, shuffle = "auto" }: JobStart, recovered: readonly OutputRecord[]) {
    this.id = id;
    this.bundle = blobHash(bundle);
    this.priority = priority;
    this.shuffle = shuffle;
    this.recovered = new Map(recovered.map((record) => [record.task, record]));
  }

  /** Why it cannot end well, once that is known. */
  get failure(): KindlingError | null {
    return this.#failure;
  }

  /** Bytes that its tasks read from other tasks, by the way they came. */
  get fetched(): ShuffleBytes {
    return this.#fetched;
  }

  /** Tasks that each node has finished. */
  get shares(): { node: string; name: string; tasks: number }[] {
    return [...this.#shares].map(([node, share]) => ({ node, ...share }));
  }

  /** @throws if it has no such stage. */
  stage(ordinal: number): RunningStage {
    const stage = this.stages.get(ordinal);
    if (!stage) throw new Error(`${this.id} has no stage ${ordinal}`);
    return stage;
  }

  /** Counts a task's output; `by` is the node that made it, if it is still there. */
  count(record: OutputRecord, { units, fetched }: TaskSuccess, by: NodeSession | undefined): void {
    this.stages.get(ordinalOf(record.task))?.accept(record, units, false);
    if (fetched) this.#fetched = addShuffleBytes(this.#fetched, fetched);
    if (!by) return;
    by.tasksDone++;
    const share = this.#shares.get(by.id) ?? { name: by.name, tasks: 0 };
    share.tasks++;
    this.#shares.set(by.id, share);
  }

  /** Its stages under way reject, at `now` in ms; the first reason stays. */
  fail(error: KindlingError, now: number): void {
    this.#failure ??= error;
    for (const stage of this.stages.values()) if (!stage.ended) stage.fail(error, now);
  }
}
