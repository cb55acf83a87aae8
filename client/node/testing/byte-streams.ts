import { type ByteStream, streamOf } from "../byte-stream.ts";

/** A stream of these bytes, once they are there. */
export const streamOfBytes = (content: Uint8Array | Promise<Uint8Array>): ByteStream =>
  streamOf(async function* () {
    yield await content;
  });
