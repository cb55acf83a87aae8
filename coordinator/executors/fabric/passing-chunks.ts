import { type ChunkKey, type JobId, jobOfTask, taskOfChunk } from "../../../shared/ids.ts";

/** Bytes of one chunk that may pass, at most. */
const CHUNK_BYTES = 2 ** 23;
/** Bytes that wait to be loaded, at most; chunks that come meanwhile are on top of them. */
const WAITING_BYTES = 2 ** 26;

/**
 * Encoded chunks that came only to be loaded, and lie in memory until they are. A chunk that becomes a part of a result file
 * need not be written, read and checked before that as well: if the coordinator ends, its node has it still, or it is made again.
 */
export class PassingChunks {
  readonly #chunks = new Map<ChunkKey, Uint8Array>();
  #bytes = 0;

  /** Whether a chunk of that size may pass now. */
  hasRoom(bytes: number): boolean {
    return bytes <= CHUNK_BYTES && this.#bytes + bytes <= WAITING_BYTES;
  }

  has(key: ChunkKey): boolean {
    return this.#chunks.has(key);
  }

  add(key: ChunkKey, encoded: Uint8Array): void {
    this.take(key);
    this.#chunks.set(key, encoded);
    this.#bytes += encoded.byteLength;
  }

  /** Gives the chunk away. */
  take(key: ChunkKey): Uint8Array | undefined {
    const encoded = this.#chunks.get(key);
    if (encoded === undefined) return undefined;
    this.#chunks.delete(key);
    this.#bytes -= encoded.byteLength;
    return encoded;
  }

  forget(job: JobId): void {
    for (const key of this.#chunks.keys()) if (jobOfTask(taskOfChunk(key)) === job) this.take(key);
  }
}
