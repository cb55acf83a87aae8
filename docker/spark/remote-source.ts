import type { ReadableSource } from "../../coordinator/driving.ts";
import { KindlingError } from "../../shared/errors.ts";
import type { SourceSpec } from "../../shared/protocol/messages.ts";
import type { OpenSource } from "../../shared/runtime/environment.ts";
import type { SourceRange } from "../../shared/sdk/task.ts";

/** Bytes of one request. */
const BLOCK_BYTES = 4 * 1024 * 1024;
/** Blocks that are kept: the one that is read, the next, and one for a reader that turns back. */
const BLOCKS_KEPT = 3;

/** A source as the driver tells of it, where it is no file of this machine. */
export type RemoteSpec = SourceSpec & { readonly location?: string; readonly identity?: string };

/**
 * A source in S3 or on the web, read in blocks, the next one fetched while one is read, up to the end of `expected`. It must be the one
 * that the driver has opened.
 */
export function remoteSource(
  spec: RemoteSpec,
  opening: Promise<ReadableSource>,
  expected: SourceRange | undefined,
): OpenSource {
  const blocks = new Map<number, Promise<Uint8Array>>();
  const lastAhead = Math.floor(((expected?.end ?? spec.bytes) - 1) / BLOCK_BYTES);

  async function fetchBlock(index: number): Promise<Uint8Array> {
    const source = await opening;
    if (source.identity !== spec.identity) {
      throw new KindlingError("InputChanged", `${spec.name} changed while the job was under way: run the job again`);
    }
    const start = index * BLOCK_BYTES;
    const bytes = new Uint8Array(Math.min(BLOCK_BYTES, spec.bytes - start));
    let filled = 0;
    for await (const part of source.read(start, start + bytes.byteLength)) {
      bytes.set(part, filled);
      filled += part.byteLength;
    }
    return bytes.subarray(0, filled);
  }

  function block(index: number): Promise<Uint8Array> {
    const known = blocks.get(index) ?? fetchBlock(index);
    known.catch(() => blocks.delete(index)); // Seen by who reads it; another try asks again.
    blocks.delete(index);
    blocks.set(index, known);
    for (const oldest of blocks.keys()) {
      if (blocks.size <= BLOCKS_KEPT) break;
      blocks.delete(oldest);
    }
    return known;
  }

  return {
    name: spec.name,
    size: spec.bytes,
    async readInto(target, start) {
      const want = Math.max(0, Math.min(target.byteLength, spec.bytes - start));
      let filled = 0;
      while (filled < want) {
        const position = start + filled;
        const index = Math.floor(position / BLOCK_BYTES);
        const current = block(index);
        if (index < lastAhead) void block(index + 1);
        const bytes = await current;
        const part = bytes.subarray(position - index * BLOCK_BYTES, position - index * BLOCK_BYTES + want - filled);
        if (part.byteLength === 0) break;
        target.set(part, filled);
        filled += part.byteLength;
      }
      return filled;
    },
    close: () => blocks.clear(),
  };
}
