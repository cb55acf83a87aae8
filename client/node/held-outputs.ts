import {
  type AttemptId,
  type BlobHash,
  type ChunkKey,
  type JobId,
  jobOfTask,
  type TaskKey,
  taskOfAttempt,
  taskOfChunk,
} from "../../shared/ids.ts";
import type { HeldChunk } from "../../shared/protocol/messages.ts";
import { buffersOf } from "../worker/share.ts";
import type { Payload } from "./data-plane.ts";
import type { Spill } from "./spill.ts";

/** There may be tens of thousands of them: what a task's chunks share lies in `Made`. */
interface Held {
  readonly chunk: HeldChunk;
  readonly kept: Payload | Written;
}

/** A payload of bytes alone: where it lies in the spill file. */
interface Written {
  readonly at: number;
  readonly bytes: number;
  readonly kind: "value" | "encoded";
}

/** What was made of one task. */
interface Made {
  /** Attempts on this node: equal bytes, since kernels are deterministic. */
  readonly makers: Set<AttemptId>;
  readonly keys: ChunkKey[];
}

/** Outputs that stay on the node that made them. */
export class HeldOutputs {
  readonly #budget: number;
  readonly #spill: Spill | undefined;
  readonly #held = new Map<ChunkKey, Held>();
  readonly #made = new Map<TaskKey, Made>();
  /** In memory, and the coordinator has them too; oldest first. */
  readonly #spare = new Set<ChunkKey>();
  #bytes = 0;
  #isFull = false;

  /** Over `budget` bytes, outputs that the coordinator has too are let go, oldest first; then what comes is written to the spill file. */
  constructor(budget: number, spill?: Spill) {
    this.#budget = budget;
    this.#spill = spill;
  }

  /** Whether the last output was written to the spill file, as the next ones probably will be. */
  get isFull(): boolean {
    return this.#isFull;
  }

  hold(attempt: AttemptId, chunk: HeldChunk, payload: Payload): void {
    const task = taskOfChunk(chunk.key);
    const made = this.#made.get(task) ?? { makers: new Set(), keys: [] };
    this.#made.set(task, made);
    made.makers.add(attempt);
    if (this.#held.has(chunk.key)) return;
    this.#shrink(this.#budget - chunk.bytes);
    const kept = this.#bytes + chunk.bytes > this.#budget ? this.#write(payload) : payload;
    made.keys.push(chunk.key);
    this.#held.set(chunk.key, { chunk, kept });
    this.#isFull = isWritten(kept);
    if (!this.#isFull) this.#bytes += chunk.bytes;
  }

  get(key: ChunkKey): Payload | undefined {
    const held = this.#held.get(key);
    return held && this.#payload(held, false);
  }

  /** The same for a task, to which its bytes may move: one copy costs less than the clone in a message. */
  take(key: ChunkKey): Payload | undefined {
    const held = this.#held.get(key);
    return held && (isWritten(held.kept) ? this.#payload(held, true) : copyOf(held.kept));
  }

  /** The bytes with that hash, where they are encoded: what another node may have. */
  encoded(key: ChunkKey, hash: BlobHash): Uint8Array | undefined {
    const held = this.#held.get(key);
    if (held === undefined || held.chunk.hash !== hash) return undefined;
    const payload = this.#payload(held, false);
    return "encoded" in payload ? payload.encoded : undefined;
  }

  /** Everything held, at most `limit` chunks; what a hello would not name is dropped, since nobody will ask for it. */
  list(limit: number): HeldChunk[] {
    const chunks = [...this.#held.values()].map((held) => held.chunk);
    for (const { key } of chunks.slice(limit)) this.#drop(key);
    return chunks.slice(0, limit);
  }

  /** The coordinator keeps it too. */
  kept(key: ChunkKey): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    if (!isWritten(held.kept)) this.#spare.add(key);
    this.#shrink(this.#budget);
  }

  /** What a rejected attempt made is not wanted, unless another attempt made it too. */
  reject(attempts: readonly AttemptId[]): void {
    for (const attempt of attempts) {
      const task = taskOfAttempt(attempt);
      const made = this.#made.get(task);
      if (!made?.makers.delete(attempt) || made.makers.size > 0) continue;
      for (const key of [...made.keys]) this.#drop(key);
      // It has no keys where the first of them could not be written.
      this.#made.delete(task);
    }
  }

  forget(job: JobId): void {
    for (const key of this.#held.keys()) if (jobOfTask(taskOfChunk(key)) === job) this.#drop(key);
  }

  clear(): void {
    this.#held.clear();
    this.#made.clear();
    this.#spare.clear();
    this.#bytes = 0;
    this.#spill?.close();
  }

  /** What is not bytes alone stays in memory: it is small. */
  #write(payload: Payload): Payload | Written {
    const bytes = "encoded" in payload ? payload.encoded : payload.value;
    if (this.#spill === undefined || !(bytes instanceof Uint8Array)) return payload;
    const { byteLength } = bytes;
    return { at: this.#spill.write(bytes), bytes: byteLength, kind: "encoded" in payload ? "encoded" : "value" };
  }

  #payload({ kept }: Held, moves: boolean): Payload {
    if (!isWritten(kept)) return kept;
    if (this.#spill === undefined) throw new Error("Bytes were written out, and there is no file");
    const bytes = this.#spill.read(kept.at, kept.bytes, moves);
    return kept.kind === "encoded" ? { encoded: bytes } : { value: bytes };
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
    const task = taskOfChunk(key);
    const made = this.#made.get(task);
    made?.keys.splice(made.keys.indexOf(key), 1);
    if (made?.keys.length === 0) this.#made.delete(task);
    if (isWritten(held.kept)) this.#spill?.drop();
    else this.#bytes -= held.chunk.bytes;
  }
}

/** Bytes that can be moved, once more; anything else as it is. */
function copyOf(payload: Payload): Payload {
  const [buffer] = buffersOf(payload);
  if (buffer === undefined) return payload;
  const bytes = ("encoded" in payload ? payload.encoded : payload.value) as Uint8Array;
  return "encoded" in payload ? { encoded: bytes.slice() } : { value: bytes.slice() };
}

const isWritten = (kept: Payload | Written): kept is Written => "at" in kept;
