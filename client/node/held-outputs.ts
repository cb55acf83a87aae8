import { type AttemptId, type BlobHash, type ChunkKey, type JobId, jobOfTask, taskOfChunk } from "../../shared/ids.ts";
import type { HeldChunk } from "../../shared/protocol/messages.ts";
import type { Payload } from "./data-plane.ts";

interface Held {
  readonly chunk: HeldChunk;
  readonly payload: Payload;
  /** Attempts on this node that made it: equal bytes, since kernels are deterministic. */
  readonly makers: Set<AttemptId>;
  uploaded: boolean;
}

/** Outputs that stay on the node that made them. */
export class HeldOutputs {
  readonly #budget: number;
  readonly #held = new Map<ChunkKey, Held>();
  #bytes = 0;

  /** Over `budget` bytes, outputs that the coordinator has too are let go, oldest first. */
  constructor(budget: number) {
    this.#budget = budget;
  }

  /** Whether something lies here that the coordinator has not. */
  get isSole(): boolean {
    return [...this.#held.values()].some(({ uploaded }) => !uploaded);
  }

  hold(attempt: AttemptId, chunk: HeldChunk, payload: Payload): void {
    const known = this.#held.get(chunk.key);
    if (known !== undefined) {
      known.makers.add(attempt);
      return;
    }
    this.#held.set(chunk.key, { chunk, payload, makers: new Set([attempt]), uploaded: false });
    this.#bytes += chunk.bytes;
    this.#shrink();
  }

  get(key: ChunkKey): Payload | undefined {
    return this.#held.get(key)?.payload;
  }

  /** The bytes with that hash, where they are encoded: what another node may have. */
  encoded(key: ChunkKey, hash: BlobHash): Uint8Array | undefined {
    const held = this.#held.get(key);
    if (held === undefined || held.chunk.hash !== hash || !("encoded" in held.payload)) return undefined;
    return held.payload.encoded;
  }

  /** Everything held, at most `limit` chunks; what a hello would not name is dropped, since nobody will ask for it. */
  list(limit: number): HeldChunk[] {
    const chunks = [...this.#held.values()].map((held) => held.chunk);
    for (const { key } of chunks.slice(limit)) this.#drop(key);
    return chunks.slice(0, limit);
  }

  uploaded(key: ChunkKey): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    held.uploaded = true;
    this.#shrink();
  }

  /** What a rejected attempt made is not wanted, unless another attempt made it too. */
  reject(attempts: readonly AttemptId[]): void {
    for (const [key, { makers }] of this.#held) {
      const touched = attempts.filter((attempt) => makers.delete(attempt)).length > 0;
      if (touched && makers.size === 0) this.#drop(key);
    }
  }

  forget(job: JobId): void {
    for (const key of this.#held.keys()) if (jobOfTask(taskOfChunk(key)) === job) this.#drop(key);
  }

  clear(): void {
    this.#held.clear();
    this.#bytes = 0;
  }

  #shrink(): void {
    for (const [key, { uploaded }] of this.#held) {
      if (this.#bytes <= this.#budget) return;
      if (uploaded) this.#drop(key);
    }
  }

  #drop(key: ChunkKey): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#held.delete(key);
    this.#bytes -= held.chunk.bytes;
  }
}
