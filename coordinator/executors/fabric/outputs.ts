import { createHash } from "node:crypto";
import type { Clock } from "../../../shared/clock.ts";
import { KindlingError } from "../../../shared/errors.ts";
import {
  type AttemptId,
  type BlobHash,
  blobHash,
  type ChunkKey,
  chunkKey,
  type JobId,
  jobOfTask,
  type NodeId,
  type TaskKey,
  taskKey,
  taskOfChunk,
} from "../../../shared/ids.ts";
import { type ChunkRef, INLINE_BYTES } from "../../../shared/protocol/messages.ts";
import { decodeValue, encodeValue } from "../../../shared/protocol/value-codec.ts";
import type { Value } from "../../../shared/value.ts";
import { hashMismatch } from "../../store/blob-errors.ts";
import type { BlobStore, StoredBlob } from "../../store/blobs.ts";
import type { Journal, OutputRecord } from "../../store/journal.ts";
import type { ChunkName } from "../executor.ts";
import { Acceptance, type PendingOutput } from "./acceptance.ts";
import { ChunkTable } from "./chunks.ts";
import { Delivery, type Holders } from "./delivery.ts";
import { PassingChunks } from "./passing-chunks.ts";
import type { Patience } from "./patience.ts";

/** Chunks that are fetched at once before somebody waits for them: while one is written, another is on its way and a third is asked for. */
const PARALLEL_ARRIVALS = 4;

export interface OutputsOptions {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly blobs: BlobStore;
  /** Nodes live in this process: values pass as they are, and nothing is hashed. */
  readonly inProcess: boolean;
}

export interface OutputsListener extends Holders {
  /** These outputs are on disk: their nodes may be told, and their stages may count them. */
  settled(batch: readonly PendingOutput[]): void;
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
  readonly #patience: Patience;
  readonly #passing = new PassingChunks();
  /** Ends with all deletions of blobs that have begun: the same bytes are written again only after it. */
  #deletions: Promise<unknown> = Promise.resolve();

  constructor(options: OutputsOptions, patience: Patience, listener: OutputsListener) {
    this.#options = options;
    this.#patience = patience;
    this.#listener = listener;
    this.#delivery = new Delivery(this.table, listener, options.clock);
    this.#acceptance = new Acceptance(options.journal, patience, (batch) => listener.settled(batch));
  }

  /** Journals an output; `settled` tells when it is on disk. One that was accepted before stays as it is. */
  accept(record: OutputRecord, from: { readonly node: NodeId; readonly attempt: AttemptId }, awaited: boolean): void {
    const known = awaited ? undefined : this.table.record(record.task);
    this.table.add(known ?? record);
    this.#acceptance.add({ record: known ?? record, from, awaited });
    this.#delivery.holdersChanged();
  }

  /** A record of an earlier life: durable if all its bytes are here, whatever was known when it was written. */
  async recover(record: OutputRecord): Promise<OutputRecord> {
    const stored: BlobHash[] = [];
    let durable = true;
    for (const { hash, inline } of record.chunks) {
      if (inline) continue;
      if (hash !== null && (await this.#options.blobs.has(hash))) stored.push(hash);
      else durable = false;
    }
    const checked = durable === record.durable ? record : { ...record, durable };
    this.table.add(checked);
    for (const hash of stored) this.table.markStored(hash);
    return checked;
  }

  /**
   * Keeps a driver's value under (job, ordinal, 0, 0), as long as `isLive`. A small one stays in memory and travels with its stages: after a
   * restart the driver gives it again, and a file of its own would keep all nodes waiting for the disk.
   */
  async keepValue(job: JobId, ordinal: number, value: Value, isLive: () => boolean): Promise<void> {
    const task = taskKey(job, ordinal, 0);
    const common = { task, durable: true, summary: undefined, backend: "js", reason: "", runMs: 0 } as const;
    if (this.#options.inProcess) {
      this.table.keepValue(chunkKey(task, 0), value);
      this.table.add({ ...common, chunks: [{ bytes: 0, hash: null }] });
      return;
    }
    const encoded = encodeValue(value);
    const hash = blobHash(createHash("sha256").update(encoded).digest("hex"));
    if (encoded.byteLength <= INLINE_BYTES) {
      this.table.add({ ...common, chunks: [{ bytes: encoded.byteLength, hash, inline: encoded }] });
      return;
    }
    await this.#deletions;
    if (!isLive()) return;
    // Before it is written: another job that ends meanwhile must not delete the same bytes.
    this.table.add({ ...common, chunks: [{ bytes: encoded.byteLength, hash }] });
    await this.#patience.write(() => this.#options.blobs.put(encoded, hash), isLive);
    if (isLive()) this.table.markStored(hash);
    else if (this.table.keysOf(hash).length === 0) await this.#delete([hash]);
  }

  /** Whether the coordinator has all of it, so that no node needs to make it again. */
  isKept({ task }: ChunkName): boolean {
    return (this.table.record(task)?.durable ?? false) && this.table.isWhole(task);
  }

  isHere(chunk: ChunkName): boolean {
    return this.table.isHere(this.table.ref(chunk.task, chunk.bucket));
  }

  async load(chunk: ChunkName): Promise<Value> {
    const ref = this.table.ref(chunk.task, chunk.bucket);
    if (!this.#options.inProcess) return decodeValue(await this.#bytes(ref));
    await this.#delivery.bring(ref);
    return this.table.value(ref.key);
  }

  /** Brings chunks here that will be loaded in this order. Within one process they are no sooner here, and only take memory. */
  async bringAhead(chunks: readonly ChunkName[]): Promise<void> {
    if (this.#options.inProcess) return;
    await inLanes(chunks, async ({ task, bucket }) => this.#bring(this.table.ref(task, bucket)));
  }

  /** Brings whole outputs here, one after the other, before their nodes take them along; what cannot be brought is left to lineage. */
  async keep(tasks: readonly TaskKey[]): Promise<void> {
    if (this.#options.inProcess) return;
    const chunks = tasks.flatMap(
      (task) => this.table.record(task)?.chunks.map((_, bucket) => ({ task, bucket })) ?? [],
    );
    await inLanes(chunks, async ({ task, bucket }) => this.#delivery.keep(this.table.ref(task, bucket)));
  }

  /** Resolves when all that was accepted so far is on disk, and told. */
  settled(): Promise<void> {
    return this.#acceptance.settled();
  }

  /** Makes a blob readable in the store, from a holder if need be; false if neither store nor live jobs know it. */
  async locate(hash: BlobHash): Promise<boolean> {
    const keys = this.table.keysOf(hash);
    // Equal chunks may lie on different nodes.
    const key = keys.find((candidate) => this.#listener.of(candidate).length > 0) ?? keys[0];
    if (key === undefined) return this.#options.blobs.has(hash);
    const ref = this.#ref(key);
    if (!ref.inline) {
      await this.#delivery.bringHeld(ref);
    } else if (!(await this.#options.blobs.has(hash))) {
      await this.#options.blobs.put(ref.inline, hash);
      // So that it is deleted with its job, also if that ended meanwhile.
      if (this.table.keysOf(hash).length > 0) this.table.markStored(hash);
      else await this.#delete([hash]);
    }
    return true;
  }

  /** A value of this process by name: what `locate` is between machines. */
  async locateValue(key: ChunkKey): Promise<Value> {
    await this.#delivery.bring(this.#ref(key));
    return this.table.value(key);
  }

  /**
   * Takes a chunk of `length` bytes from a node. Rejects with `HashMismatch` where its bytes are others, and with `JobEnded` where no
   * job has such a chunk (any more): nobody would ever delete it. Gives null where it is not kept, but lies in memory until it is loaded.
   */
  async receive(hash: BlobHash, length: number, content: AsyncIterable<Uint8Array>): Promise<StoredBlob | null> {
    if (!this.#mayPass(hash, length)) return this.#store(hash, content);
    const encoded = await gathered(content, length);
    const actual = blobHash(createHash("sha256").update(encoded).digest("hex"));
    if (actual !== hash) throw hashMismatch(hash, actual);
    // A node may have asked for it meanwhile, or the job may have ended.
    if (!this.#mayPass(hash, length)) return this.#store(hash, encoded);
    for (const key of this.table.keysOf(hash)) {
      this.#passing.add(key, encoded);
      this.#delivery.arrived(key);
    }
    return null;
  }

  /** A chunk's bytes came as a blob. */
  stored(hash: BlobHash): void {
    const keys = this.table.keysOf(hash);
    if (keys.length === 0) return; // Somebody's upload.
    this.table.markStored(hash);
    for (const key of keys) this.#arrived(key);
  }

  /** A chunk came as a value, within this process. */
  delivered(key: ChunkKey, value: Value): void {
    this.table.keepValue(key, value);
    this.#arrived(key);
    // Its node holds it on: what waits for it takes it now, and this side has no memory of its own to keep it in.
    this.#options.clock.after(0, () => this.table.dropValue(key));
  }

  refused(node: NodeId, keys: readonly ChunkKey[]): void {
    for (const key of keys) if (this.table.record(taskOfChunk(key))) this.#delivery.refused(key, node);
  }

  holdersChanged(cameBack: NodeId | null = null): void {
    this.#delivery.holdersChanged(cameBack);
  }

  /** Nothing of this job is brought here any more. */
  giveUp(job: JobId, error: (key: ChunkKey) => unknown): void {
    this.#passing.forget(job);
    this.#delivery.end((key) => jobOfTask(taskOfChunk(key)) === job, error);
  }

  /** Forgets a job and deletes the blobs that only it needed; `recovered` are its records of an earlier life. */
  async end(job: JobId, recovered: Iterable<OutputRecord>): Promise<void> {
    this.giveUp(job, (key) => new KindlingError("JobEnded", `The job ended before ${key} was fetched`));
    const blobs = new Set(this.table.drop(job));
    for (const { chunks } of recovered) {
      for (const { hash, inline } of chunks) {
        if (hash !== null && !inline && this.table.keysOf(hash).length === 0) blobs.add(hash);
      }
    }
    await this.#delete([...blobs]);
  }

  close(): void {
    this.#acceptance.close();
  }

  async #delete(hashes: readonly BlobHash[]): Promise<void> {
    const deleting = Promise.all(hashes.map((hash) => this.#options.blobs.delete(hash)));
    this.#deletions = Promise.allSettled([this.#deletions, deleting]);
    await deleting;
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

  /** Brings a chunk here, to the store or into memory. */
  async #bring(ref: ChunkRef): Promise<void> {
    if (!this.#passing.has(ref.key)) await this.#delivery.bring(ref);
  }

  async #bytes(ref: ChunkRef): Promise<Uint8Array> {
    if (ref.inline) return ref.inline;
    if (ref.hash === null) throw new Error(`${ref.key} has neither bytes nor a hash`);
    for (;;) {
      await this.#bring(ref);
      const passing = this.#passing.take(ref.key);
      if (passing !== undefined) return passing;
      if (this.table.isHere(ref)) return this.#options.blobs.get(ref.hash);
      // Another one took it.
    }
  }

  /** Whether all who wait for these bytes load them here. */
  #mayPass(hash: BlobHash, length: number): boolean {
    const keys = this.table.keysOf(hash);
    return keys.length > 0 && this.#passing.hasRoom(length) && keys.every((key) => this.#delivery.isForUsAlone(key));
  }

  async #store(hash: BlobHash, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<StoredBlob> {
    await this.#deletions;
    if (this.table.keysOf(hash).length === 0) throw unwanted(hash);
    const stored = await this.#options.blobs.put(content, hash);
    if (this.table.keysOf(hash).length === 0) {
      await this.#delete([hash]);
      throw unwanted(hash);
    }
    this.stored(hash);
    return stored;
  }
}

const unwanted = (hash: BlobHash): KindlingError =>
  new KindlingError("JobEnded", `No job wants the chunk ${hash} (any more)`);

/** Brings some at a time, in their order; what cannot be brought, since its job has ended or no node has it, is passed over. */
async function inLanes(chunks: readonly ChunkName[], bring: (chunk: ChunkName) => Promise<void>): Promise<void> {
  const queue = chunks.values();
  const lane = async (): Promise<void> => {
    for (const chunk of queue) await bring(chunk).catch(() => undefined);
  };
  await Promise.all(Array.from({ length: PARALLEL_ARRIVALS }, lane));
}

async function gathered(content: AsyncIterable<Uint8Array>, length: number): Promise<Uint8Array> {
  const whole = new Uint8Array(length);
  let at = 0;
  for await (const piece of content) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole.subarray(0, at);
}
