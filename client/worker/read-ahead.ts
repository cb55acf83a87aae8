import { KindlingError, type WireError } from "../../shared/errors.ts";
import type { SourceSpec } from "../../shared/protocol/messages.ts";
import type { OpenSource } from "../../shared/runtime/environment.ts";
import type { SourceRange } from "../../shared/sdk/task.ts";

/** Bytes of the smallest request, for a record that crosses the range's end. */
export const SINGLE_BYTES = 64 * 1024;
/** Pieces that have been read stay so long, for readers that take turns between places near each other, as columns are. */
export const KEPT_PIECES = 4;
/** Bytes that are passed over rather than asked for anew. */
const PASSED_BYTES = 2 ** 22;

/** What a node tells the reader of a source: the next piece, in memory that is lent with it, or why there is none. */
export type FromPump =
  | { readonly kind: "piece"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "failed"; readonly error: WireError };

/** What the reader tells it: memory to fill again, or null when it wants no more. */
export type ToPump = ArrayBuffer | null;

/** The way to a source's bytes. */
export interface SourceAccess {
  /** The bytes [start, end). */
  read(start: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Sends the bytes [start, end) ahead of what is read of them, through the port that it gives. */
  stream(start: number, end: number): MessagePort;
}

interface Piece {
  readonly start: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * A source that is read through requests. Reads in sequence are fetched ahead: to the end of `expected`, the range that the
 * task was given, or, where no range is known, from the second read that continues the one before.
 */
export function readAhead(source: SourceSpec, access: SourceAccess, expected: SourceRange | undefined): OpenSource {
  let run: Run | undefined;
  let lastEnd = -1;

  const aheadLimit = (position: number, sequential: boolean): number => {
    if (expected !== undefined && position < expected.end) return Math.min(expected.end, source.bytes);
    return expected === undefined && sequential ? source.bytes : 0;
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
      const limit = aheadLimit(position, sequential);
      if (position >= limit) {
        const end = Math.min(position + Math.max(want - filled, SINGLE_BYTES), source.bytes);
        run?.close();
        run = new Run(position, position);
        const bytes = await access.read(position, end);
        if (bytes.byteLength === 0) break;
        run.add(bytes);
      } else if (run?.reaches(position) === true) {
        await run.next(position);
      } else {
        run?.close();
        run = new Run(position, limit, access.stream(position, limit));
      }
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

/** Pieces of a source without gaps between them: those that are here, and those that come up to `end` through a port. */
class Run {
  readonly #pieces: Piece[] = [];
  readonly #end: number;
  readonly #port: MessagePort | undefined;
  /** Where the next piece will begin. */
  #top: number;
  #failure: WireError | undefined;
  #arrived = (): void => {};

  constructor(start: number, end: number, port?: MessagePort) {
    this.#top = start;
    this.#end = end;
    this.#port = port;
    if (port === undefined) return;
    port.onmessage = ({ data }: MessageEvent<FromPump>) => {
      if (data.kind === "piece") this.add(data.bytes);
      else this.#failure = data.error;
      this.#arrived();
    };
  }

  add(bytes: Uint8Array<ArrayBuffer>): void {
    this.#pieces.push({ start: this.#top, bytes });
    this.#top += bytes.byteLength;
  }

  /** Whether the position lies in what is still to come, and not too far ahead. */
  reaches(position: number): boolean {
    return position >= this.#top && position < Math.min(this.#end, this.#top + PASSED_BYTES);
  }

  /** Resolves when one more piece has come, for a reader that is at `position`. */
  async next(position: number): Promise<void> {
    this.#giveBack(position);
    if (this.#failure !== undefined) {
      const { code, message, retryable } = this.#failure;
      throw new KindlingError(code, message, { retryable });
    }
    await new Promise<void>((resolve) => {
      this.#arrived = resolve;
    });
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
    this.#giveBack(position + filled);
    return filled;
  }

  close(): void {
    this.#port?.postMessage(null satisfies ToPump);
  }

  /** Gives back the memory of all pieces before the reader but the last few. */
  #giveBack(position: number): void {
    for (;;) {
      const begun = this.#pieces[KEPT_PIECES];
      if (begun === undefined || position < begun.start) return;
      const { buffer } = (this.#pieces.shift() as Piece).bytes;
      this.#port?.postMessage(buffer satisfies ToPump, [buffer]);
    }
  }
}
