import { expect, test } from "vitest";
import { PIECE_BYTES, streamOf, take } from "./byte-stream.ts";

const CONTENT = Uint8Array.from({ length: 2_500_000 }, (_, index) => (index * 7) % 251);

/** Pieces of one memory that is written again and again, as files and sockets give them. */
async function* pieces(size: number, state = { ended: false }): AsyncGenerator<Uint8Array> {
  const memory = new Uint8Array(size);
  try {
    for (let at = 0; at < CONTENT.length; at += size) {
      const part = CONTENT.subarray(at, at + size);
      memory.set(part);
      yield memory.subarray(0, part.byteLength);
    }
  } finally {
    state.ended = true;
  }
}

test.each([1_000, PIECE_BYTES, 2_500_000])("pieces of %i bytes fill buffers of any size, in order", async (size) => {
  const stream = streamOf(() => pieces(size));
  const got: Uint8Array[] = [];
  for (const bytes of [1, 999, 1_000_000, 7, 2_000_000]) got.push((await stream.next(new ArrayBuffer(bytes))).slice());
  expect(got.map(({ byteLength }) => byteLength)).toEqual([1, 999, 1_000_000, 7, 1_498_993]);
  expect(Buffer.compare(Buffer.concat(got), CONTENT)).toBe(0);
  expect(await stream.next(new ArrayBuffer(5))).toHaveLength(0);
});

test.each([0, 10, PIECE_BYTES, PIECE_BYTES + 1, 2_500_000, 9_000_000])(
  "%i bytes are taken, or what there is",
  async (bytes) => {
    const got = await take(
      streamOf(() => pieces(400_000)),
      bytes,
    );
    expect(Buffer.compare(got, CONTENT.subarray(0, bytes))).toBe(0);
  },
);

test("pieces begin when they are wanted, and end when they are not", async () => {
  const state = { ended: false };
  let begun = 0;
  const stream = streamOf(() => {
    begun++;
    return pieces(1_000, state);
  });
  expect(begun).toBe(0);
  await stream.next(new ArrayBuffer(10));
  expect([begun, state.ended]).toEqual([1, false]);
  stream.close();
  await expect.poll(() => state.ended).toBe(true);
});
