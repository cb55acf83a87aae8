import type { BlobHash, JobId } from "../../shared/ids.ts";
import type { ChunkRef, HeldChunk, SourceSpec } from "../../shared/protocol/messages.ts";
import type { Value } from "../../shared/value.ts";
import type { ByteStream } from "./byte-stream.ts";

/**
 * An output chunk in a node's hands: encoded bytes where it has crossed or may cross the network, the value itself within one process
 * (its large arrays lie in shared memory, so that passing it on copies nothing).
 */
export type Payload = { readonly encoded: Uint8Array } | { readonly value: Value };

/** Where a node gets and puts bytes: over HTTP, or straight from the coordinator in the same process. */
export interface DataPlane {
  /** A workload bundle's code, checked against its hash. */
  bundle(hash: BlobHash, signal: AbortSignal): Promise<Uint8Array>;
  /**
   * A chunk that is not on this node, checked against its hash. `start`: its first bytes, where they came by another way. Rejects with
   * `InputUnavailable` (retryable).
   */
  chunk(ref: ChunkRef, signal: AbortSignal, start?: Uint8Array): Promise<Payload>;
  /** Gives a held chunk to the coordinator; tells whether that keeps it, rather than only passing it on. */
  upload(chunk: HeldChunk, payload: Payload, signal: AbortSignal): Promise<boolean>;
  /** The bytes [start, end) of a source; rejects with `SourceUnavailable`. Not used where the source has a `path`. */
  read(job: JobId, source: SourceSpec, start: number, end: number, signal: AbortSignal): ByteStream;
}
