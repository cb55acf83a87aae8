import { createHash } from "node:crypto";
import { blobHash, type JobId } from "../../shared/ids.ts";
import type { Artifact } from "../../shared/sdk/job.ts";
import type { Value } from "../../shared/value.ts";
import type { ChunkName } from "../executors/executor.ts";
import type { BlobStore } from "../store/blobs.ts";

/** Where result files go. */
export interface ArtifactStore {
  /** Writes the parts one after the other; nothing half-written is left where a result should be. */
  make(
    job: JobId,
    name: string,
    parts: readonly ChunkName[],
    load: (chunk: ChunkName) => Promise<Value>,
  ): Promise<Artifact>;
}

/** Artifacts as blobs of the coordinator. */
export const blobArtifacts = (blobs: BlobStore): ArtifactStore => ({
  async make(_job, name, parts, load) {
    const { hash, bytes } = await blobs.put(contentOf(parts, load));
    return { name, bytes, sha256: hash };
  },
});

/** Artifacts that go nowhere but to `write`, which gets each part in order: for results of this process. */
export const streamedArtifacts = (write: (name: string) => Promise<ArtifactSink>): ArtifactStore => ({
  async make(_job, name, parts, load) {
    const sink = await write(name);
    const hash = createHash("sha256");
    let bytes = 0;
    try {
      for await (const part of contentOf(parts, load)) {
        // Hashed while it is written.
        const written = sink.write(part);
        hash.update(part);
        bytes += part.byteLength;
        await written;
      }
      await sink.finish();
    } catch (error) {
      await sink.abandon();
      throw error;
    }
    return { name, bytes, sha256: blobHash(hash.digest("hex")) };
  },
});

export interface ArtifactSink {
  write(part: Uint8Array): Promise<void>;
  /** All parts are there: make them visible at once. */
  finish(): Promise<void>;
  /** Leave nothing behind. */
  abandon(): Promise<void>;
}

/** The next part is fetched while the one before is written. */
async function* contentOf(
  parts: readonly ChunkName[],
  load: (chunk: ChunkName) => Promise<Value>,
): AsyncIterable<Uint8Array> {
  const fetch = (index: number): Promise<Value> | null => {
    const part = parts[index];
    if (!part) return null;
    const value = load(part);
    value.catch(() => undefined); // Seen when its turn comes.
    return value;
  };
  let next = fetch(0);
  for (let index = 0; next !== null; index++) {
    const value = await next;
    next = fetch(index + 1);
    yield toBytes(value);
  }
}

function toBytes(value: Value): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") return new TextEncoder().encode(value);
  return new TextEncoder().encode(`${JSON.stringify(value ?? null, jsonable)}\n`);
}

/** JSON of what it does not know: big integers as decimal text, typed arrays as arrays. */
function jsonable(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as Iterable<unknown>);
  return value;
}
