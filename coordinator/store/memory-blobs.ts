import { createHash } from "node:crypto";
import { type BlobHash, blobHash } from "../../shared/ids.ts";
import type { BlobStore } from "./blobs.ts";
import { blobMissing, hashMismatch } from "./blob-errors.ts";

/** Blobs that last as long as the process. */
export class MemoryBlobs implements BlobStore {
  readonly #blobs = new Map<BlobHash, Uint8Array>();

  has(hash: BlobHash): Promise<boolean> {
    return Promise.resolve(this.#blobs.has(hash));
  }

  async get(hash: BlobHash): Promise<Uint8Array> {
    return this.#require(hash);
  }

  pathOf(): null {
    return null;
  }

  size(hash: BlobHash): Promise<number | null> {
    return Promise.resolve(this.#blobs.get(hash)?.byteLength ?? null);
  }

  async *read(hash: BlobHash, start: number, end: number): AsyncIterable<Uint8Array> {
    const part = this.#require(hash).subarray(start, end);
    if (part.byteLength > 0) yield part;
  }

  async put(
    content: Uint8Array | AsyncIterable<Uint8Array>,
    expected?: BlobHash,
  ): Promise<{ hash: BlobHash; bytes: number }> {
    const parts: Uint8Array[] = [];
    if (content instanceof Uint8Array) parts.push(content);
    else for await (const part of content) parts.push(part);
    // A copy: the caller may use its buffer again.
    const blob = Uint8Array.from(Buffer.concat(parts));
    const hash = blobHash(createHash("sha256").update(blob).digest("hex"));
    if (expected !== undefined && hash !== expected) throw hashMismatch(expected, hash);
    this.#blobs.set(hash, blob);
    return { hash, bytes: blob.byteLength };
  }

  delete(hash: BlobHash): Promise<void> {
    this.#blobs.delete(hash);
    return Promise.resolve();
  }

  #require(hash: BlobHash): Uint8Array {
    const blob = this.#blobs.get(hash);
    if (blob === undefined) throw blobMissing(hash);
    return blob;
  }
}
