/** Bytes of a buffer that is filled again and again. */
export const PIECE_BYTES = 2 ** 20;

/** Bytes in their order, asked for piece by piece. */
export interface ByteStream {
  /**
   * Fills the buffer from its start and gives it back as a view of what came: less than the buffer has room for at the end, and where a
   * connection is poor. The buffer is taken away, also where this rejects. One call at a time.
   */
  next(buffer: ArrayBuffer): Promise<Uint8Array<ArrayBuffer>>;
  /** Ends what is under way. */
  close(): void;
}

/** The stream's next `bytes` bytes in an array of their own, fewer at its end. */
export async function take(stream: ByteStream, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const first = await stream.next(new ArrayBuffer(Math.min(bytes, PIECE_BYTES)));
  if (first.byteLength === 0 || first.byteLength === bytes) return first;
  const whole = new Uint8Array(bytes);
  whole.set(first);
  let filled = first.byteLength;
  for (let buffer = first.buffer; filled < bytes; ) {
    const piece = await stream.next(buffer);
    if (piece.byteLength === 0) break;
    whole.set(piece.subarray(0, bytes - filled), filled);
    filled += piece.byteLength;
    buffer = piece.buffer;
  }
  return whole.subarray(0, filled);
}

/** A stream of pieces that hold until the next is asked for; `open` begins them when the first is wanted. */
export function streamOf(open: () => AsyncIterable<Uint8Array>): ByteStream {
  let pieces: AsyncIterator<Uint8Array> | undefined;
  let rest = new Uint8Array(0);
  return {
    async next(buffer) {
      pieces ??= open()[Symbol.asyncIterator]();
      const target = new Uint8Array(buffer);
      let filled = 0;
      while (filled < target.byteLength) {
        if (rest.byteLength === 0) {
          const step = await pieces.next();
          if (step.done === true) break;
          rest = step.value as Uint8Array<ArrayBuffer>;
        }
        const part = rest.subarray(0, target.byteLength - filled);
        target.set(part, filled);
        filled += part.byteLength;
        rest = rest.subarray(part.byteLength);
      }
      return target.subarray(0, filled);
    },
    close: () => void pieces?.return?.(),
  };
}
