import { type AttemptId, type BlobHash, type ChunkKey, type JobId, jobOfTask, taskOfChunk } from "../../shared/ids.ts";
import type { HeldChunk } from "../../shared/protocol/messages.ts";
import type { Payload } from "./data-plane.ts";
import type { Spill, Spilled } from "./spill.ts";

interface Held {
  readonly chunk: HeldChunk;
  readonly kept: Payload | Written;
  /** Attempts on this node that made it: equal bytes, since kernels are deterministic. */
  readonly makers: Set<AttemptId>;
  uploaded: boolean;
}

/** A payload of bytes alone that lies in the spill file. */
interface Written {
  readonly written: Spilled;
  readonly kind: "value" | "encoded";
}

/** Outputs that stay on the node that made them. */
export class HeldOutputs {
  readonly #budget: number;
  readonly #spill: Spill | undefined;
  readonly #held = new Map<ChunkKey, Held>();
  /** In memory, and the coordinator has them too; oldest first. */
  readonly #spare = new Set<ChunkKey>();
  #bytes = 0;

  /** Over `budget` bytes, outputs that the coordinator has too are let go, oldest first; then what comes is written to the spill file. */
  constructor(budget: number, spill?: Spill) {
    this.#budget = budget;
    this.#spill = spill;
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
    this.#shrink(this.#budget - chunk.bytes);
    const kept = this.#bytes + chunk.bytes > this.#budget ? this.#write(payload) : payload;
    this.#held.set(chunk.key, { chunk, kept, makers: new Set([attempt]), uploaded: false });
    if (!("written" in kept)) this.#bytes += chunk.bytes;
  }

  get(key: ChunkKey): Payload | undefined {
    const held = this.#held.get(key);
    return held && this.#payload(held);
  }

  /** The bytes with that hash, where they are encoded: what another node may have. */
  encoded(key: ChunkKey, hash: BlobHash): Uint8Array | undefined {
    const held = this.#held.get(key);
    if (held === undefined || held.chunk.hash !== hash) return undefined;
    const payload = this.#payload(held);
    return "encoded" in payload ? payload.encoded : undefined;
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
    if (!("written" in held.kept)) this.#spare.add(key);
    this.#shrink(this.#budget);
  }

  /** What a rejected attempt made is not wanted, unless another attempt made it too. */
  reject(attempts: readonly AttemptId[]): void {
    if (attempts.length === 0) return;
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
    this.#spare.clear();
    this.#bytes = 0;
    this.#spill?.close();
  }

  /** What is not bytes alone stays in memory: it is small. */
  #write(payload: Payload): Payload | Written {
    const bytes = "encoded" in payload ? payload.encoded : payload.value;
    if (this.#spill === undefined || !(bytes instanceof Uint8Array)) return payload;
    return { written: this.#spill.write(bytes), kind: "encoded" in payload ? "encoded" : "value" };
  }

  #payload({ kept }: Held): Payload {
    if (!("written" in kept)) return kept;
    const { written, kind } = kept;
    if (kind === "encoded") {
      const encoded = new Uint8Array(written.bytes);
      this.#spill?.read(written, encoded);
      return { encoded };
    }
    const value = new Uint8Array(new SharedArrayBuffer(written.bytes));
    this.#spill?.read(written, value);
    return { value };
  }

  #shrink(budget: number): void {
    for (const key of this.#spare) {
      if (this.#bytes <= budget) return;
      this.#drop(key);
    }
  }

  #drop(key: ChunkKey): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#held.delete(key);
    this.#spare.delete(key);
    if ("written" in held.kept) this.#spill?.drop();
    else this.#bytes -= held.chunk.bytes;
  }
}
