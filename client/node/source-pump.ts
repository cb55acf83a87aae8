import { toWireError } from "../../shared/errors.ts";
import { KEPT_BYTES } from "../worker/read-ahead.ts";
import type { FromPump, ToPump } from "../worker/source-pieces.ts";
import { type ByteStream, PIECE_BYTES } from "./byte-stream.ts";

/** Pieces of one request: enough that its own cost does not show. */
const REQUEST_PIECES = 16;
/** The part of a task's memory that pieces may take while they wait for it. */
const MEMORY_PART = 1 / 16;

/** Of two that the reader may keep, one is there to be filled. */
const LEAST_PIECES = (2 * KEPT_BYTES) / PIECE_BYTES;

/** How many pieces there may be for a task that may use so many bytes: while half of them are read, the others are filled. */
const piecesFor = (memoryBytes: number): number =>
  Math.max(LEAST_PIECES, Math.min(2 * REQUEST_PIECES, Math.floor((memoryBytes * MEMORY_PART) / PIECE_BYTES)));

/**
 * Sends the bytes [start, end) of a source through a port, ahead of the reader, in a limited number of pieces that go to and fro.
 * Browsers allow six connections to one host: a request begins when there is room for all of it, so that none waits for a reader.
 */
export async function pumpSource(
  port: MessagePort,
  open: (start: number, end: number) => ByteStream,
  { start, end, memoryBytes }: { readonly start: number; readonly end: number; readonly memoryBytes: number },
): Promise<void> {
  const most = piecesFor(memoryBytes);
  const pieces = new Pieces(port, most, Math.min(PIECE_BYTES, end - start));
  let stream: ByteStream | undefined;
  void pieces.ended.then(() => stream?.close());
  try {
    for (let at = start; at < end; ) {
      const wanted = Math.min(Math.ceil(most / 2), Math.ceil((end - at) / PIECE_BYTES));
      if (!(await pieces.room(wanted))) break;
      const until = Math.min(end, at + wanted * PIECE_BYTES);
      stream = open(at, until);
      while (at < until && (await pieces.room(1))) {
        const bytes = await stream.next(pieces.take());
        if (bytes.byteLength === 0) throw new Error("The source is shorter than it was");
        at += bytes.byteLength;
        port.postMessage({ kind: "piece", bytes } satisfies FromPump, [bytes.buffer]);
      }
      stream.close();
    }
  } catch (error) {
    port.postMessage({ kind: "failed", error: toWireError(error) } satisfies FromPump);
  }
  await pieces.ended;
  port.close();
}

/** The memory that goes to and fro: what the reader has given back, and what was not made yet. */
class Pieces {
  readonly #free: ArrayBuffer[] = [];
  readonly #pieceBytes: number;
  #unmade: number;
  #isEnded = false;
  #wake = (): void => {};
  readonly #ended = Promise.withResolvers<void>();
  /** Resolves when the reader wants no more. */
  readonly ended = this.#ended.promise;

  constructor(port: MessagePort, most: number, pieceBytes: number) {
    this.#unmade = most;
    this.#pieceBytes = pieceBytes;
    port.onmessage = ({ data }: MessageEvent<ToPump>) => {
      if (data === null) {
        this.#isEnded = true;
        this.#ended.resolve();
      } else {
        this.#free.push(data);
      }
      this.#wake();
    };
  }

  /** Resolves with true when there are so many, with false when the reader wants no more. */
  async room(pieces: number): Promise<boolean> {
    while (!this.#isEnded && this.#free.length + this.#unmade < pieces) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return !this.#isEnded;
  }

  take(): ArrayBuffer {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    this.#unmade--;
    return new ArrayBuffer(this.#pieceBytes);
  }
}
