import { type BlobHash, type ChunkKey, chunkKey, type JobId, jobOfTask, type TaskKey } from "../../../shared/ids.ts";
import type { ChunkRef } from "../../../shared/protocol/messages.ts";
import type { Value } from "../../../shared/value.ts";
import type { OutputRecord } from "../../store/journal.ts";

/**
 * What the coordinator knows of every output chunk of the live jobs: its record, and whether its bytes are here (inline in the
 * record, as a blob, or, within one process, as the value itself).
 */
export class ChunkTable {
  readonly #records = new Map<TaskKey, OutputRecord>();
  /** Equal bytes have one hash, in whatever partitions and jobs they occur. */
  readonly #byHash = new Map<BlobHash, Set<ChunkKey>>();
  readonly #values = new Map<ChunkKey, Value>();
  readonly #stored = new Set<BlobHash>();

  record(task: TaskKey): OutputRecord | undefined {
    return this.#records.get(task);
  }

  add(record: OutputRecord): void {
    this.#records.set(record.task, record);
    record.chunks.forEach(({ hash }, bucket) => {
      if (hash === null) return;
      const keys = this.#byHash.get(hash) ?? new Set<ChunkKey>();
      this.#byHash.set(hash, keys.add(chunkKey(record.task, bucket)));
    });
  }

  /** The chunk as a task's input. Throws where its task has no output: the scheduler leases nothing before that. */
  ref(task: TaskKey, bucket: number): ChunkRef {
    const chunk = this.#records.get(task)?.chunks[bucket];
    if (!chunk) throw new Error(`${task} has no output for bucket ${bucket}`);
    return { key: chunkKey(task, bucket), ...chunk };
  }

  /** All chunks with these bytes. */
  keysOf(hash: BlobHash): readonly ChunkKey[] {
    return [...(this.#byHash.get(hash) ?? [])];
  }

  value(key: ChunkKey): Value {
    return this.#values.get(key);
  }

  keepValue(key: ChunkKey, value: Value): void {
    this.#values.set(key, value);
  }

  dropValue(key: ChunkKey): void {
    this.#values.delete(key);
  }

  markStored(hash: BlobHash): void {
    this.#stored.add(hash);
  }

  isHere(ref: ChunkRef): boolean {
    return ref.inline !== undefined || this.#values.has(ref.key) || (ref.hash !== null && this.#stored.has(ref.hash));
  }

  /** Whether every chunk of a task's output is here. */
  isWhole(task: TaskKey): boolean {
    const record = this.#records.get(task);
    return record?.chunks.every((_, bucket) => this.isHere(this.ref(task, bucket))) ?? false;
  }

  /** Forgets a job; gives the blobs that only it needed. */
  drop(job: JobId): BlobHash[] {
    const blobs: BlobHash[] = [];
    for (const [task, record] of this.#records) {
      if (jobOfTask(task) !== job) continue;
      this.#records.delete(task);
      record.chunks.forEach(({ hash }, bucket) => {
        const key = chunkKey(task, bucket);
        this.#values.delete(key);
        if (hash === null) return;
        const keys = this.#byHash.get(hash);
        keys?.delete(key);
        if (keys?.size !== 0) return;
        this.#byHash.delete(hash);
        if (this.#stored.delete(hash)) blobs.push(hash);
      });
    }
    return blobs;
  }
}
