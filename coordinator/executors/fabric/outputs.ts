import type { Clock } from "../../../shared/clock.ts";
import {
  type AttemptId,
  type BlobHash,
  type ChunkKey,
  chunkKey,
  type JobId,
  jobOfTask,
  type NodeId,
  type TaskKey,
  taskKey,
  taskOfChunk,
} from "../../../shared/ids.ts";
import type { ChunkRef } from "../../../shared/protocol/messages.ts";
import { decodeValue, encodeValue } from "../../../shared/protocol/value-codec.ts";
import type { Value } from "../../../shared/value.ts";
import type { BlobStore } from "../../store/blobs.ts";
import type { Journal, OutputRecord } from "../../store/journal.ts";
import type { ChunkName } from "../executor.ts";
import { Acceptance, type PendingOutput } from "./acceptance.ts";
import { ChunkTable } from "./chunks.ts";
import { Delivery, type Holders } from "./delivery.ts";

export interface OutputsOptions {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly blobs: BlobStore;
  /** Nodes live in this process: values pass as they are, and nothing is hashed. */
  readonly inProcess: boolean;
}

export interface OutputsListener extends Holders {
  settled(batch: readonly PendingOutput[]): void;
  storageFailed(reason: string): void;
  storageRecovered(): void;
  /** Every byte of a held output has come here. */
  becameDurable(task: TaskKey): void;
}

/** All outputs of the live jobs: their records, and the way to their bytes, wherever these lie. */
export class Outputs {
  readonly table = new ChunkTable();
  readonly #options: OutputsOptions;
  readonly #listener: OutputsListener;
  readonly #delivery: Delivery;
  readonly #acceptance: Acceptance;

  constructor(options: OutputsOptions, listener: OutputsListener) {
    this.#options = options;
    this.#listener = listener;
    this.#delivery = new Delivery(this.table, listener, options.clock);
    this.#acceptance = new Acceptance(options.journal, options.clock, listener);
  }

  /** Journals an output; `settled` tells when it is on disk. One that was accepted before stays as it is. */
  accept(record: OutputRecord, from: { readonly node: NodeId; readonly attempt: AttemptId }, awaited: boolean): void {
    const known = awaited ? undefined : this.table.record(record.task);
    this.table.add(known ?? record);
    this.#acceptance.add({ record: known ?? record, from, awaited });
    this.#delivery.holdersChanged();
  }

  /** A record of an earlier life, as far as its bytes are still to be had. */
  async recover(record: OutputRecord): Promise<OutputRecord> {
    let { durable } = record;
    for (const { hash, inline } of record.chunks) {
      if (!durable || inline || hash === null) continue;
      if (await this.#options.blobs.has(hash)) this.table.markStored(hash);
      else durable = false;
    }
    const checked = durable === record.durable ? record : { ...record, durable };
    this.table.add(checked);
    return checked;
  }

  /** Keeps a driver's value under (job, ordinal, 0, 0). */
  async keepValue(job: JobId, ordinal: number, value: Value): Promise<void> {
    const task = taskKey(job, ordinal, 0);
    const common = { task, durable: true, summary: undefined, backend: "js", reason: "", runMs: 0 } as const;
    if (this.#options.inProcess) {
      this.table.keepValue(chunkKey(task, 0), value);
      this.table.add({ ...common, chunks: [{ bytes: 0, hash: null }] });
      return;
    }
    const { hash, bytes } = await this.#options.blobs.put(encodeValue(value));
    this.table.add({ ...common, chunks: [{ bytes, hash }] });
    this.table.markStored(hash);
  }

  /** Whether the coordinator has all of it, so that no node needs to make it again. */
  isKept({ task }: ChunkName): boolean {
    return (this.table.record(task)?.durable ?? false) && this.table.isWhole(task);
  }

  async load(chunk: ChunkName): Promise<Value> {
    const ref = this.table.ref(chunk.task, chunk.bucket);
    await this.#delivery.bring(ref);
    return this.#options.inProcess ? this.table.value(ref.key) : decodeValue(await this.#bytes(ref));
  }

  /** Makes a blob readable in the store, from a holder if need be; false if neither store nor live jobs know it. */
  async locate(hash: BlobHash): Promise<boolean> {
    const key = this.table.keyOf(hash);
    if (key === undefined) return this.#options.blobs.has(hash);
    const ref = this.#ref(key);
    if (ref.inline) await this.#options.blobs.put(ref.inline, hash);
    await this.#delivery.bring(ref);
    return true;
  }

  /** A value of this process by name: what `locate` is between machines. */
  async locateValue(key: ChunkKey): Promise<Value> {
    await this.#delivery.bring(this.#ref(key));
    return this.table.value(key);
  }

  /** A chunk's bytes came as a blob. */
  stored(hash: BlobHash): void {
    this.table.markStored(hash);
    const key = this.table.keyOf(hash);
    if (key !== undefined) this.#arrived(key);
  }

  /** A chunk came as a value, within this process. */
  delivered(key: ChunkKey, value: Value): void {
    this.table.keepValue(key, value);
    this.#arrived(key);
  }

  refused(node: NodeId, keys: readonly ChunkKey[]): void {
    for (const key of keys) if (this.table.record(taskOfChunk(key))) this.#delivery.refused(key, node);
  }

  holdersChanged(): void {
    this.#delivery.holdersChanged();
  }

  /** Forgets a job and deletes the blobs that only it needed. */
  async end(job: JobId): Promise<void> {
    this.#delivery.end((key) => jobOfTask(taskOfChunk(key)) === job);
    await Promise.all(this.table.drop(job).map((hash) => this.#options.blobs.delete(hash)));
  }

  close(): void {
    this.#acceptance.close();
  }

  #ref(key: ChunkKey): ChunkRef {
    return this.table.ref(taskOfChunk(key), Number(key.slice(key.lastIndexOf("/") + 1)));
  }

  #arrived(key: ChunkKey): void {
    const task = taskOfChunk(key);
    const record = this.table.record(task);
    this.#delivery.arrived(key);
    if (!record || record.durable || this.#options.inProcess || !this.table.isWhole(task)) return;
    const durable = { ...record, durable: true };
    this.table.add(durable);
    this.#acceptance.add({ record: durable, from: null, awaited: false });
    this.#listener.becameDurable(task);
  }

  async #bytes(ref: ChunkRef): Promise<Uint8Array> {
    if (ref.inline) return ref.inline;
    if (ref.hash === null) throw new Error(`${ref.key} has neither bytes nor a hash`);
    return this.#options.blobs.get(ref.hash);
  }
}
