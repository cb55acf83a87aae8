import type { BlobHash } from "../../shared/ids.ts";

export interface StoredBlob {
  readonly hash: BlobHash;
  readonly bytes: number;
}

/** Immutable bytes named by their SHA-256. */
export interface BlobStore {
  has(hash: BlobHash): Promise<boolean>;
  /** The whole blob, checked against its name. Rejects with `BlobMissing` or `BlobCorrupt` (and then forgets it). */
  get(hash: BlobHash): Promise<Uint8Array>;
  /** Bytes in the blob, or null. */
  size(hash: BlobHash): Promise<number | null>;
  /** A part of the blob, unchecked, for range requests. A piece holds until the next is asked for. */
  read(hash: BlobHash, start: number, end: number): AsyncIterable<Uint8Array>;
  /**
   * Stores bytes, durable once it resolves (written beside, synced, renamed). With `expected`, other bytes are refused with
   * `HashMismatch` and leave nothing behind.
   */
  put(content: Uint8Array | AsyncIterable<Uint8Array>, expected?: BlobHash): Promise<StoredBlob>;
  /** Where the blob lies as a file of this machine, if it does. */
  pathOf(hash: BlobHash): string | null;
  delete(hash: BlobHash): Promise<void>;
}
