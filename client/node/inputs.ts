import type { BlobHash, JobId } from "../../shared/ids.ts";
import type { ChunkRef, HeldChunk, Lease, StageSpec } from "../../shared/protocol/messages.ts";
import { NO_SHUFFLE_BYTES, type ShuffleBytes, type ShuffleMode } from "../../shared/protocol/shuffle.ts";
import type { WorkInput } from "../worker/compute-protocol.ts";
import type { PeerFetch } from "../transport/peer/exchange.ts";
import { buffersOf, estimateBytes, shareArrays } from "../worker/share.ts";
import { ByteCache } from "./byte-cache.ts";
import type { ByteStream } from "./byte-stream.ts";
import type { Payload } from "./data-plane.ts";
import { type Connection, readSteadily, type SourcePart, steadily } from "./connection.ts";
import { Gate } from "./gate.ts";
import type { HeldOutputs } from "./held-outputs.ts";
import { ShuffleRoute } from "./shuffle-route.ts";

/** Chunks of one task that are fetched at once. */
const PARALLEL_FETCHES = 6;
/**
 * Requests of this node for chunks that the coordinator may first have to get from another node. Browsers allow six requests to one host:
 * if all of them waited so, nothing could be sent, and two tabs would wait for each other for ever.
 */
const PARALLEL_RELAYS = 4;

export interface InputOptions {
  readonly connection: Connection;
  readonly held: HeldOutputs;
  /** Chunks straight from the nodes that hold them; absent where this node has no connections to others. */
  readonly peers?: { fetch(ref: ChunkRef, signal: AbortSignal): Promise<PeerFetch> };
  /** Ends everything that is under way when the node stops. */
  readonly lifetime: AbortSignal;
  /** Budget of cached bundles and broadcasts each, in bytes. */
  readonly cacheBytes: number;
  /** Told of every byte that came in or went out. */
  readonly count: (direction: "received" | "sent", bytes: number) => void;
}

/** A task's input, ready for a worker. */
export interface PreparedInput {
  readonly input: WorkInput;
  /** Buffers that nobody else uses: they move to the worker. */
  readonly transfers: readonly ArrayBuffer[];
  /** Bytes of its chunks by the way they came; undefined where it has none. */
  readonly fetched: ShuffleBytes | undefined;
}

/** What is gathered while one task's input is fetched. */
interface Gathering {
  readonly transfers: ArrayBuffer[];
  readonly shuffle: ShuffleMode;
  readonly fetched: { -readonly [K in keyof ShuffleBytes]: number };
  readonly signal: AbortSignal;
}

/** Brings what tasks read to this node, ahead of their start. A break of the connection delays it and fails nothing. */
export class Inputs {
  readonly #options: InputOptions;
  readonly #bundles: ByteCache<Uint8Array>;
  readonly #broadcasts: ByteCache<Payload>;
  readonly #route = new ShuffleRoute();
  readonly #relays = new Gate(PARALLEL_RELAYS);

  constructor(options: InputOptions) {
    this.#options = options;
    this.#bundles = new ByteCache(options.cacheBytes, (code) => code.byteLength);
    this.#broadcasts = new ByteCache(options.cacheBytes, payloadBytes);
  }

  /** Everything that the lease reads. Bundle and broadcast stay in the cache, from where workers take them. */
  async prepare(lease: Lease, stage: StageSpec, signal: AbortSignal): Promise<PreparedInput> {
    const shuffle = stage.shuffle ?? "auto";
    const gathering: Gathering = { transfers: [], shuffle, fetched: { ...NO_SHUFFLE_BYTES }, signal };
    const [input] = await Promise.all([
      this.#input(lease, gathering),
      this.bundle(stage.bundle),
      stage.broadcast === null ? undefined : this.broadcast(stage.broadcast),
    ]);
    const fetched = input.kind === "value" ? undefined : gathering.fetched;
    return { input, transfers: gathering.transfers, fetched };
  }

  bundle(hash: BlobHash): Promise<Uint8Array> {
    return this.#bundles.get(hash, async () => {
      const code = await steadily(this.#options.connection, this.#options.lifetime, (plane, signal) =>
        plane.bundle(hash, signal),
      );
      this.#options.count("received", code.byteLength);
      return compact(code);
    });
  }

  broadcast(ref: ChunkRef): Promise<Payload> {
    const signal = this.#options.lifetime;
    return this.#broadcasts.get(ref.hash ?? ref.key, () =>
      this.#chunk(ref, { transfers: [], shuffle: "relay", fetched: { ...NO_SHUFFLE_BYTES }, signal }),
    );
  }

  /** Drops what only this job has: broadcasts without a hash go by their place in it. */
  forget(job: JobId): void {
    this.#broadcasts.dropWhere((key) => key.startsWith(`${job}/`));
  }

  read(part: SourcePart): ByteStream {
    const { connection, lifetime, count } = this.#options;
    return readSteadily(connection, part, lifetime, (bytes) => count("received", bytes));
  }

  /** Tells whether the coordinator keeps it. */
  async upload(chunk: HeldChunk, payload: Payload): Promise<boolean> {
    const isKept = await steadily(this.#options.connection, this.#options.lifetime, (plane, signal) =>
      plane.upload(chunk, payload, signal),
    );
    this.#options.count("sent", chunk.bytes);
    return isKept;
  }

  async #input({ input }: Lease, gathering: Gathering): Promise<WorkInput> {
    switch (input.kind) {
      case "value":
        return input;
      case "chunk":
        return { kind: "chunk", chunk: await this.#chunk(input.chunk, gathering) };
      case "chunks": {
        const chunks = await inParallel(input.chunks, PARALLEL_FETCHES, (ref) => this.#chunk(ref, gathering));
        return { kind: "chunks", chunks };
      }
    }
  }

  /** From the message itself, from this node, from another that holds it, or from the coordinator. */
  async #chunk(ref: ChunkRef, gathering: Gathering): Promise<Payload> {
    const { fetched, transfers } = gathering;
    if (ref.inline !== undefined) {
      fetched.relay += ref.bytes;
      return { encoded: compact(ref.inline) };
    }
    const held = this.#options.held.take(ref.key);
    if (held !== undefined) {
      fetched.local += ref.bytes;
      transfers.push(...buffersOf(held));
      return held;
    }
    const payload = await this.#fetch(ref, gathering);
    this.#options.count("received", ref.bytes);
    if ("value" in payload) return { value: shareArrays(payload.value) };
    const encoded = { encoded: compact(payload.encoded) };
    transfers.push(...buffersOf(encoded));
    return encoded;
  }

  /** What a peer did not finish, the coordinator does. */
  async #fetch(ref: ChunkRef, { shuffle, fetched, signal }: Gathering): Promise<Payload> {
    const { peers, connection } = this.#options;
    const { clock } = connection;
    const hasPeers = peers !== undefined && (ref.holders?.length ?? 0) > 0;
    const route = hasPeers ? this.#route.choose(shuffle, ref.bytes) : "relay";
    const since = clock.now();
    const measure = (): void => {
      if (hasPeers) this.#route.measured(route, ref.bytes, clock.now() - since);
    };
    let start: Uint8Array | undefined;
    if (peers !== undefined && route === "peer") {
      const fetch = await peers.fetch(ref, signal);
      if (fetch.complete) {
        fetched.peer += ref.bytes;
        measure();
        return { encoded: fetch.bytes };
      }
      start = fetch.start;
    }
    const payload = await this.#relayed(ref, start, signal);
    fetched.peer += start?.byteLength ?? 0;
    fetched.relay += ref.bytes - (start?.byteLength ?? 0);
    measure();
    return payload;
  }

  async #relayed(ref: ChunkRef, start: Uint8Array | undefined, signal: AbortSignal): Promise<Payload> {
    let known = start;
    return steadily(this.#options.connection, signal, (plane, abort) =>
      this.#relays.run(() => {
        // Only once: where the whole turns out wrong, the start may be what was.
        const first = known;
        known = undefined;
        return plane.chunk(ref, abort, first);
      }),
    );
  }
}

const payloadBytes = (payload: Payload): number =>
  "encoded" in payload ? payload.encoded.byteLength : estimateBytes(payload.value);

/** Bytes in a buffer of their own: cloning or moving a view would take along all that lies around it. */
const compact = (bytes: Uint8Array): Uint8Array =>
  bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();

/** Maps with at most `limit` calls under way; results in the order of the items, the first failure ends it. */
async function inParallel<T, R>(items: readonly T[], limit: number, act: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  const queue = items.entries();
  const lane = async (): Promise<void> => {
    // The lanes share one iterator: each takes the next item when it is free.
    for (const [index, item] of queue) results[index] = await act(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  return results;
}
