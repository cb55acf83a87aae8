import type { SourceSpec } from "../../shared/protocol/messages.ts";
import type { OpenSource } from "../../shared/runtime/environment.ts";
import type { SourceRange } from "../../shared/sdk/task.ts";

/** Bytes of one request while reading in sequence: large enough that its round trip does not show. */
export const BLOCK_BYTES = 4 * 1024 * 1024;
/** Bytes of the smallest request, for a record that crosses the range's end. */
export const SINGLE_BYTES = 64 * 1024;
/** Blocks under way beyond the one that is being read. */
export const BLOCKS_AHEAD = 2;

interface Block {
  readonly start: number;
  readonly end: number;
  readonly bytes: Promise<Uint8Array>;
}

/**
 * A source that is read through requests. Reads in sequence are fetched ahead: to the end of `expected`, the range that the
 * task was given, or, where no range is known, from the second read that continues the one before.
 */
export function readAhead(
  source: SourceSpec,
  fetchBytes: (start: number, end: number) => Promise<Uint8Array>,
  expected: SourceRange | undefined,
): OpenSource {
  /** Without gaps, in order. */
  let blocks: Block[] = [];
  let lastEnd = -1;

  const request = (start: number, end: number): Block => {
    const bytes = fetchBytes(start, end);
    // A block that nobody comes to read must not fail the worker.
    bytes.catch(() => {});
    return { start, end, bytes };
  };
  const aheadLimit = (position: number, sequential: boolean): number => {
    if (expected !== undefined && position < expected.end) return Math.min(expected.end, source.bytes);
    return expected === undefined && sequential ? source.bytes : 0;
  };

  return {
    name: source.name,
    size: source.bytes,
    async readInto(target, start) {
      const want = Math.max(0, Math.min(target.byteLength, source.bytes - start));
      const sequential = start === lastEnd;
      lastEnd = start + want;
      let filled = 0;
      while (filled < want) {
        const position = start + filled;
        const limit = aheadLimit(position, sequential);
        while (blocks[0] !== undefined && (position < blocks[0].start || position >= blocks[0].end)) blocks.shift();
        if (blocks.length === 0) {
          const most = position < limit ? Math.min(position + BLOCK_BYTES, limit) : source.bytes;
          const needed = position < limit ? most : position + Math.max(want - filled, SINGLE_BYTES);
          blocks.push(request(position, Math.min(most, needed)));
        }
        for (let last = blocks.at(-1); last !== undefined && last.end < limit && blocks.length <= BLOCKS_AHEAD; ) {
          last = request(last.end, Math.min(last.end + BLOCK_BYTES, limit));
          blocks.push(last);
        }
        const [block] = blocks;
        if (block === undefined) break;
        const bytes = await block.bytes;
        const part = bytes.subarray(position - block.start, position - block.start + want - filled);
        if (part.byteLength === 0) break;
        target.set(part, filled);
        filled += part.byteLength;
      }
      return filled;
    },
    close() {
      blocks = [];
    },
  };
}
