/**
 * Frames between Node and Python, over pipes: two lengths, a header in JSON, the lengths of the blobs, the blobs. Numbers are
 * big-endian and have 32 bits. `kindling_worker.py` has the other side.
 */
export interface Frame {
  readonly header: unknown;
  readonly blobs: readonly Uint8Array[];
}

const HEAD_BYTES = 8;

/** The frame as pieces to write one after the other: blobs are not copied. */
export function encodeFrame(header: object, blobs: readonly Uint8Array[] = []): Uint8Array[] {
  const encoded = new TextEncoder().encode(JSON.stringify(header));
  const head = new Uint8Array(HEAD_BYTES + encoded.byteLength + 4 * blobs.length);
  const view = new DataView(head.buffer);
  view.setUint32(0, encoded.byteLength);
  view.setUint32(4, blobs.length);
  head.set(encoded, HEAD_BYTES);
  blobs.forEach((blob, index) => {
    if (blob.byteLength > 0xffffffff)
      throw new RangeError(`A value of ${blob.byteLength} bytes is too large for Spark`);
    view.setUint32(HEAD_BYTES + encoded.byteLength + 4 * index, blob.byteLength);
  });
  return [head, ...blobs];
}

/**
 * Reads one frame. `take(n)` gives the next n bytes, or null where the stream has ended before the first of them; frames that break
 * off in the middle are an error.
 */
export function* frameReader(): Generator<number, Frame | null, Uint8Array | null> {
  const head = yield HEAD_BYTES;
  if (head === null) return null;
  const [headerBytes, count] = [uint32(head, 0), uint32(head, 1)];
  const header = JSON.parse(new TextDecoder().decode(whole(yield headerBytes))) as unknown;
  const lengths = whole(yield 4 * count);
  const blobs: Uint8Array[] = [];
  for (let index = 0; index < count; index++) blobs.push(whole(yield uint32(lengths, index)));
  return { header, blobs };
}

const uint32 = (bytes: Uint8Array, index: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(4 * index);

function whole(bytes: Uint8Array | null): Uint8Array {
  if (bytes === null) throw new Error("A pipe ended in the middle of a frame");
  return bytes;
}
