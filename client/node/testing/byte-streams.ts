import type { ByteStream } from "../byte-stream.ts";

/** A stream of these bytes, once they are there. */
export function streamOf(content: Uint8Array | Promise<Uint8Array>): ByteStream {
  let position = 0;
  return {
    async next(buffer) {
      const part = (await content).subarray(position, position + buffer.byteLength);
      new Uint8Array(buffer).set(part);
      position += part.byteLength;
      return new Uint8Array(buffer, 0, part.byteLength);
    },
    close() {},
  };
}
