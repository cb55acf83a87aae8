import type { Clock } from "../../../shared/clock.ts";
import type { BlobHash, ChunkKey } from "../../../shared/ids.ts";
import { HIGH_BYTES, type PeerChannel } from "./channel.ts";
import type { PartialChunk } from "./partial-chunk.ts";
import { DATA_BYTES, decodePeerFrame, encodePeerFrame, type PeerMessage } from "./wire.ts";

/** ms without a frame of a transfer after which the connection counts as broken: the other node may be gone without a word. */
export const STALL_MS = 3_000;
/** ms without a transfer after which a connection is closed. */
export const IDLE_MS = 30_000;
/** Transfers that the other side may have under way at once. */
const MAX_SERVED = 64;

/** How a transfer ended: with all bytes, without any since the peer has them not, or in the middle. */
export type FetchEnd = "complete" | "refused" | "broken";

export interface LinkOptions {
  readonly channel: PeerChannel;
  readonly clock: Clock;
  /** An encoded chunk that lies here and that the other side may have. */
  readonly serve: (key: ChunkKey, hash: BlobHash) => Uint8Array | undefined;
  /** Told of every byte of a chunk that was sent. */
  readonly sent: (bytes: number) => void;
  /** The connection is over. */
  readonly closed: () => void;
}

interface Fetch {
  readonly chunk: PartialChunk;
  heardAt: number;
  end(how: FetchEnd): void;
}

/** One connection to another node: both sides ask for chunks and serve them, and all transfers share it in turns. */
export class PeerLink {
  readonly #options: LinkOptions;
  readonly #fetches = new Map<number, Fetch>();
  /** What is being sent, by the requester's number; the first is next. */
  readonly #serving = new Map<number, Uint8Array>();
  #lastTransfer = 0;
  #closed = false;
  #hasBrought = false;
  #cancelIdle = (): void => {};

  constructor(options: LinkOptions) {
    this.#options = options;
    const { channel } = options;
    channel.onClose(() => this.#end());
    channel.onDrain(() => this.#pump());
    channel.onFrame((frame) => {
      try {
        this.#receive(decodePeerFrame(frame));
      } catch {
        // Whoever breaks the rules is no peer; its transfers go by other ways.
        this.close();
      }
    });
    this.#rest();
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Whether bytes of any chunk have come by it. */
  get hasBrought(): boolean {
    return this.#hasBrought;
  }

  /** Fetches what `chunk` has not yet. Rejects only with the signal's reason; what has come stays in `chunk`. */
  fetch(key: ChunkKey, hash: BlobHash, chunk: PartialChunk, signal: AbortSignal): Promise<FetchEnd> {
    signal.throwIfAborted();
    if (chunk.isComplete) return Promise.resolve("complete");
    if (this.#closed) return Promise.resolve("broken");
    const { clock } = this.#options;
    const transfer = ++this.#lastTransfer;
    const { promise, resolve, reject } = Promise.withResolvers<FetchEnd>();
    const leave = (): void => {
      this.#fetches.delete(transfer);
      signal.removeEventListener("abort", abort);
      cancelStall();
      this.#rest();
    };
    const fetch: Fetch = {
      chunk,
      heardAt: clock.now(),
      end: (how) => {
        leave();
        resolve(how);
      },
    };
    const abort = (): void => {
      leave();
      this.#send({ kind: "cancelled", transfer });
      reject(signal.reason as Error);
    };
    let cancelStall = (): void => {};
    const watch = (): void => {
      const left = fetch.heardAt + STALL_MS - clock.now();
      if (left > 0) {
        cancelStall = clock.after(left, watch);
        return;
      }
      // Transfers take turns: if this one gets nothing, none does.
      this.close();
    };
    this.#cancelIdle();
    this.#fetches.set(transfer, fetch);
    signal.addEventListener("abort", abort, { once: true });
    watch();
    this.#send({ kind: "request", transfer, key, hash, offset: chunk.received });
    return promise;
  }

  close(): void {
    this.#options.channel.close();
    this.#end();
  }

  #receive(message: PeerMessage): void {
    if (message.kind === "request") return this.#serve(message);
    if (message.kind === "cancelled") {
      this.#serving.delete(message.transfer);
      return this.#rest();
    }
    const fetch = this.#fetches.get(message.transfer);
    if (fetch === undefined) {
      // Frames of a transfer that was cancelled may still be under way; those of one that never was are a lie.
      if (message.transfer > this.#lastTransfer) this.close();
      return;
    }
    fetch.heardAt = this.#options.clock.now();
    switch (message.kind) {
      case "header":
        if (message.bytes !== fetch.chunk.size) this.#reject(message.transfer, fetch);
        return;
      case "refused":
        return fetch.end("refused");
      case "data":
        if (!fetch.chunk.append(message.bytes)) return this.close();
        this.#hasBrought = true;
        if (fetch.chunk.isComplete) fetch.end("complete");
    }
  }

  #reject(transfer: number, fetch: Fetch): void {
    this.#send({ kind: "cancelled", transfer });
    fetch.end("refused");
  }

  #serve({ transfer, key, hash, offset }: PeerMessage & { kind: "request" }): void {
    if (this.#serving.size >= MAX_SERVED || this.#serving.has(transfer)) return this.close();
    const bytes = this.#options.serve(key, hash);
    if (bytes === undefined) return this.#send({ kind: "refused", transfer, reason: "missing" });
    if (offset > bytes.byteLength) return this.#send({ kind: "refused", transfer, reason: "offset" });
    this.#cancelIdle();
    this.#send({ kind: "header", transfer, bytes: bytes.byteLength });
    if (offset < bytes.byteLength) this.#serving.set(transfer, bytes.subarray(offset));
    this.#pump();
  }

  /** Sends as much as the channel takes, one frame of each transfer in turn. */
  #pump(): void {
    const { channel, sent } = this.#options;
    while (!this.#closed && channel.bufferedBytes < HIGH_BYTES) {
      const [next] = this.#serving;
      if (next === undefined) return this.#rest();
      const [transfer, rest] = next;
      const bytes = rest.subarray(0, DATA_BYTES);
      this.#serving.delete(transfer);
      this.#send({ kind: "data", transfer, bytes });
      sent(bytes.byteLength);
      if (bytes.byteLength < rest.byteLength) this.#serving.set(transfer, rest.subarray(bytes.byteLength));
    }
  }

  #send(message: PeerMessage): void {
    if (!this.#closed) this.#options.channel.send(encodePeerFrame(message));
  }

  /** Without transfers the connection is kept for a while only. */
  #rest(): void {
    this.#cancelIdle();
    if (this.#closed || this.#fetches.size > 0 || this.#serving.size > 0) return;
    this.#cancelIdle = this.#options.clock.after(IDLE_MS, () => this.close());
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelIdle();
    this.#serving.clear();
    for (const fetch of [...this.#fetches.values()]) fetch.end("broken");
    this.#options.closed();
  }
}
