import { KindlingError, type WireError } from "../../shared/errors.ts";
import { type ByteStream, PIECE_BYTES } from "../node/byte-stream.ts";

/** Bytes of a source in their order, in memory that goes to and fro. One call of `next` at a time. */
export interface SourcePieces {
  /** The next piece, one byte at least. Takes back the memory of an earlier one, to fill it again. */
  next(spare: ArrayBuffer | undefined): Promise<Uint8Array<ArrayBuffer>>;
  /** Takes back the memory of all pieces that the reader still has. */
  close(spare: readonly ArrayBuffer[]): void;
}

/** What a node tells the reader of a source: the next piece, in memory that is lent with it, or why there is none. */
export type FromPump =
  | { readonly kind: "piece"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "failed"; readonly error: WireError };

/** What the reader tells it: memory to fill again, or null when it wants no more. */
export type ToPump = ArrayBuffer | null;

/** Pieces of memory that wait for this thread's next stream: new ones for each make the engine collect garbage several times a job. */
const waiting: ArrayBuffer[] = [];
const MOST_WAITING = 4;

/** What this thread fetches itself. */
export function piecesOfStream(stream: ByteStream): SourcePieces {
  return {
    async next(spare) {
      const bytes = await stream.next(spare ?? waiting.pop() ?? new ArrayBuffer(PIECE_BYTES));
      if (bytes.byteLength === 0) throw new Error("The source is shorter than it was");
      return bytes;
    },
    close(spare) {
      stream.close();
      // What is being filled is not among them: it may still be written to.
      for (const memory of spare) if (waiting.length < MOST_WAITING) waiting.push(memory);
    },
  };
}

/** What the thread's node fetches and sends ahead through the port. */
export function piecesOfPort(port: MessagePort): SourcePieces {
  const arrived: FromPump[] = [];
  let wake = (): void => {};
  port.onmessage = ({ data }: MessageEvent<FromPump>) => {
    arrived.push(data);
    wake();
  };
  return {
    async next(spare) {
      if (spare !== undefined) port.postMessage(spare satisfies ToPump, [spare]);
      while (arrived.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const [first] = arrived as [FromPump];
      if (first.kind === "failed") {
        const { code, message, retryable } = first.error;
        throw new KindlingError(code, message, { retryable });
      }
      arrived.shift();
      return first.bytes;
    },
    close: () => port.postMessage(null satisfies ToPump),
  };
}
