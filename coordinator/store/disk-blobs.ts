import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type BlobHash, blobHash } from "../../shared/ids.ts";
import { blobCorrupt, blobMissing, hashMismatch } from "./blob-errors.ts";
import type { BlobStore } from "./blobs.ts";
import { makeDataDir, syncDir } from "./data-dir.ts";
import { storageError } from "./failures.ts";
import { fileRange } from "./file-range.ts";

/** Hexadecimal digits of the hash that name the folder: 256 folders. */
const FOLDER_DIGITS = 2;

/**
 * Blobs as files, `DIR/ab/cdef…`. A file gets its name only when its bytes are on disk, so a crash leaves no half
 * blob, at most a nameless part, which the next start removes.
 */
export class DiskBlobs implements BlobStore {
  readonly #root: string;
  readonly #parts: string;
  #nextPart = 0;

  /** Rejects with `StorageFailed` where the directory cannot be written. */
  static async open(dir: string): Promise<DiskBlobs> {
    const parts = join(dir, "parts");
    await makeDataDir(dir);
    await rm(parts, { recursive: true, force: true });
    await makeDataDir(parts);
    await syncDir(dir);
    return new DiskBlobs(dir, parts);
  }

  private constructor(root: string, parts: string) {
    this.#root = root;
    this.#parts = parts;
  }

  async has(hash: BlobHash): Promise<boolean> {
    return (await this.size(hash)) !== null;
  }

  async get(hash: BlobHash): Promise<Uint8Array> {
    const content = await readFile(this.pathOf(hash)).catch((error: unknown) => {
      throw isMissing(error) ? blobMissing(hash) : storageError(error, this.pathOf(hash));
    });
    if (createHash("sha256").update(content).digest("hex") !== hash) {
      await this.delete(hash);
      throw blobCorrupt(hash);
    }
    return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
  }

  async size(hash: BlobHash): Promise<number | null> {
    try {
      return (await stat(this.pathOf(hash))).size;
    } catch (error) {
      if (isMissing(error)) return null;
      throw storageError(error, this.pathOf(hash));
    }
  }

  async *read(hash: BlobHash, start: number, end: number): AsyncIterable<Uint8Array> {
    if (!(await this.has(hash))) throw blobMissing(hash);
    yield* fileRange(this.pathOf(hash), start, end);
  }

  async put(
    content: Uint8Array | AsyncIterable<Uint8Array>,
    expected?: BlobHash,
  ): Promise<{ hash: BlobHash; bytes: number }> {
    const part = join(this.#parts, `${this.#nextPart++}`);
    try {
      const { digest, bytes } = await writeFile(part, content, this.#root);
      const hash = blobHash(digest);
      if (expected !== undefined && hash !== expected) throw hashMismatch(expected, hash);
      await this.#name(part, hash);
      return { hash, bytes };
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  }

  async delete(hash: BlobHash): Promise<void> {
    await rm(this.pathOf(hash), { force: true });
  }

  async #name(part: string, hash: BlobHash): Promise<void> {
    const path = this.pathOf(hash);
    const folder = dirname(path);
    try {
      const made = await mkdir(folder, { recursive: true });
      await rename(part, path);
      await syncDir(folder);
      if (made !== undefined) await syncDir(this.#root);
    } catch (error) {
      throw storageError(error, path);
    }
  }

  pathOf(hash: BlobHash): string {
    return join(this.#root, hash.slice(0, FOLDER_DIGITS), hash.slice(FOLDER_DIGITS));
  }
}

/** Writes and syncs a file. What its content's own iterator throws passes as it is. */
async function writeFile(
  path: string,
  content: Uint8Array | AsyncIterable<Uint8Array>,
  root: string,
): Promise<{ readonly digest: string; readonly bytes: number }> {
  const hash = createHash("sha256");
  let bytes = 0;
  const onDisk = async <T>(action: Promise<T>): Promise<T> => {
    try {
      return await action;
    } catch (error) {
      throw storageError(error, root);
    }
  };
  const handle = await onDisk(open(path, "wx"));
  const append = async (piece: Uint8Array): Promise<void> => {
    // Hashed while it is written.
    const written = onDisk(writeAll(handle, piece));
    hash.update(piece);
    bytes += piece.byteLength;
    await written;
  };
  try {
    if (content instanceof Uint8Array) await append(content);
    else for await (const piece of content) await append(piece);
    await onDisk(handle.sync());
  } finally {
    await handle.close();
  }
  return { digest: hash.digest("hex"), bytes };
}

async function writeAll(handle: FileHandle, piece: Uint8Array): Promise<void> {
  for (let written = 0; written < piece.byteLength; ) {
    written += (await handle.write(piece, written)).bytesWritten;
  }
}

const isMissing = (error: unknown): boolean => (error as { readonly code?: string }).code === "ENOENT";
