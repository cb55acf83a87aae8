import type { SourceSpec } from "../../shared/protocol/messages.ts";
import type { OpenSource } from "../../shared/runtime/environment.ts";
import type { SourceRange } from "../../shared/sdk/task.ts";
import { PIECE_BYTES } from "../node/byte-stream.ts";
import type { SourcePieces } from "./source-pieces.ts";

/** Bytes of the smallest request, for a record that crosses the range's end. */
export const SINGLE_BYTES = 64 * 1024;
/** How much further each request in sequence goes than the one before, where no range is known. */
const GROWTH = 4;
/**
 * Bytes that have been read stay so long, for readers that take turns between places near each other, as columns are: so few that they stay
 * in the core's cache too, and more for a reader that went further back.
 */
const KEPT_AT_FIRST = 2 ** 20;
export const KEPT_BYTES = 2 ** 22;
/** Where pieces are short, no more of them stay: the others must come back to be filled. */
const KEPT_PIECES = KEPT_BYTES / PIECE_BYTES;
/** Bytes that are passed over rather than asked for anew. */
const PASSED_BYTES = 2 ** 22;

interface Piece {
  readonly start: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * A source that is read through requests. `expected` is the range that the task was given: it is fetched by one request, with what
 * is wanted together with its end. What lies outside of it, or all where no range is known, is fetched by small requests, which grow
 * while reads follow each other. `request` begins to fetch [start, end).
 */
export function readAhead(
  source: SourceSpec,
  request: (start: number, end: number) => SourcePieces,
  expected: SourceRange | undefined,
): OpenSource {
  let run: Run | undefined;
  let lastEnd = -1;
  let lastRequest = 0;
  let kept = KEPT_AT_FIRST;

  const requestAt = (position: number, want: number, sequential: boolean): Run => {
    if (expected !== undefined && position < expected.end) {
      const end = Math.min(Math.max(expected.end, position + want), source.bytes);
      return new Run(position, end, kept, request(position, end));
    }
    lastRequest = Math.max(want, sequential ? lastRequest * GROWTH : SINGLE_BYTES);
    const end = Math.min(position + lastRequest, source.bytes);
    return new Run(position, end, kept, request(position, end));
  };

  async function goOn(
    target: Uint8Array,
    start: number,
    want: number,
    sequential: boolean,
    done: number,
  ): Promise<number> {
    let filled = done;
    while (filled < want) {
      const position = start + filled;
      if (run?.reaches(position) !== true) {
        if (run?.hasPassed(position) === true) kept = KEPT_BYTES;
        run?.close();
        run = requestAt(position, want - filled, sequential);
      }
      await run.next(position);
      filled += run.copy(target.subarray(filled, want), position);
    }
    return filled;
  }

  return {
    name: source.name,
    size: source.bytes,
    readInto(target, start) {
      const want = Math.max(0, Math.min(target.byteLength, source.bytes - start));
      const sequential = start === lastEnd;
      lastEnd = start + want;
      const filled = run?.copy(target.subarray(0, want), start) ?? 0;
      return filled === want ? filled : goOn(target, start, want, sequential, filled);
    },
    close() {
      run?.close();
      run = undefined;
    },
  };
}

/** Pieces of a source without gaps between them: those that are here, and those that are still to come, up to `end`. */
class Run {
  readonly #pieces: Piece[] = [];
  readonly #end: number;
  readonly #kept: number;
  readonly #source: SourcePieces;
  /** Where the next piece will begin. */
  #top: number;

  /** Memory of what lies `kept` bytes before the reader is used again. */
  constructor(start: number, end: number, kept: number, source: SourcePieces) {
    this.#top = start;
    this.#end = end;
    this.#kept = kept;
    this.#source = source;
  }

  /** Whether the position lies before what is still to come. */
  hasPassed(position: number): boolean {
    return position < this.#top;
  }

  /** Whether the position lies in what is still to come, and not too far ahead. */
  reaches(position: number): boolean {
    return position >= this.#top && position < Math.min(this.#end, this.#top + PASSED_BYTES);
  }

  /** Resolves when one more piece has come, for a reader that is at `position`. */
  async next(position: number): Promise<void> {
    const bytes = await this.#source.next(this.#spare(position));
    this.#pieces.push({ start: this.#top, bytes });
    this.#top += bytes.byteLength;
  }

  /** Copies what is here from `position` on; gives how many bytes that is. */
  copy(target: Uint8Array, position: number): number {
    let filled = 0;
    for (const { start, bytes } of this.#pieces) {
      const from = position + filled - start;
      if (from < 0 || filled === target.byteLength) break;
      if (from >= bytes.byteLength) continue;
      const part = bytes.subarray(from, from + target.byteLength - filled);
      target.set(part, filled);
      filled += part.byteLength;
    }
    return filled;
  }

  close(): void {
    this.#source.close(this.#pieces.splice(0).map(({ bytes }) => bytes.buffer));
  }

  /** The memory of the first piece, where it lies far enough before the reader, who has read all that is here. */
  #spare(position: number): ArrayBuffer | undefined {
    const [first] = this.#pieces;
    if (first === undefined) return undefined;
    const isNear = first.start + first.bytes.byteLength + this.#kept > position;
    if (isNear && this.#pieces.length <= KEPT_PIECES) return undefined;
    this.#pieces.shift();
    return first.bytes.buffer;
  }
}
