import { createHash } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { type BlobHash, blobHash } from "../../shared/ids.ts";
import type { BlobStore } from "./blobs.ts";

export const hashOf = (bytes: Uint8Array): BlobHash => blobHash(createHash("sha256").update(bytes).digest("hex"));

const CONTENT = Uint8Array.from({ length: 700_000 }, (_, index) => index % 251);

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

async function joined(parts: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part.slice());
  return Uint8Array.from(Buffer.concat(all));
}

/** What every blob store does, whatever it is kept in. */
export function blobContract(name: string, open: () => Promise<BlobStore>): void {
  describe(name, () => {
    let blobs: BlobStore;
    beforeEach(async () => {
      blobs = await open();
    });

    test("bytes come back under their SHA-256, whole or in pieces", async () => {
      const hash = hashOf(CONTENT);
      for (const content of [CONTENT, pieces(CONTENT, 100_000)]) {
        expect(await blobs.put(content)).toEqual({ hash, bytes: CONTENT.byteLength });
        expect(await blobs.has(hash)).toBe(true);
        expect(await blobs.size(hash)).toBe(CONTENT.byteLength);
        expect(Buffer.compare(await blobs.get(hash), CONTENT)).toBe(0);
        await blobs.delete(hash);
        expect(await blobs.has(hash)).toBe(false);
      }
    });

    test("an empty blob is a blob", async () => {
      const { hash, bytes } = await blobs.put(new Uint8Array(0));
      expect(hash).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
      expect(bytes).toBe(0);
      expect(await blobs.get(hash)).toHaveLength(0);
      expect(await joined(blobs.read(hash, 0, 0))).toHaveLength(0);
    });

    test.each([
      [0, 700_000],
      [0, 1],
      [699_999, 700_000],
      [123_456, 654_321],
      [5, 5],
    ])("bytes %i to %i can be read alone", async (start, end) => {
      const { hash } = await blobs.put(CONTENT);
      expect(Buffer.compare(await joined(blobs.read(hash, start, end)), CONTENT.subarray(start, end))).toBe(0);
    });

    test("other bytes than expected leave nothing behind", async () => {
      const expected = hashOf(Uint8Array.of(1));
      const put = blobs.put(Uint8Array.of(2), expected);
      await expect(put).rejects.toMatchObject({ code: "HashMismatch" });
      expect(await blobs.has(expected)).toBe(false);
      expect(await blobs.has(hashOf(Uint8Array.of(2)))).toBe(false);
    });

    test("content that breaks off leaves nothing behind, and its error passes", async () => {
      const broken = async function* (): AsyncGenerator<Uint8Array> {
        yield CONTENT;
        throw new Error("the sender is gone");
      };
      await expect(blobs.put(broken(), hashOf(CONTENT))).rejects.toThrow("the sender is gone");
      expect(await blobs.has(hashOf(CONTENT))).toBe(false);
    });

    test("a blob that is not there is missing", async () => {
      const hash = hashOf(Uint8Array.of(9));
      const missing = { code: "BlobMissing", retryable: true };
      await expect(blobs.get(hash)).rejects.toMatchObject(missing);
      await expect(joined(blobs.read(hash, 0, 1))).rejects.toMatchObject(missing);
      expect(await blobs.size(hash)).toBeNull();
      await blobs.delete(hash);
    });

    test("the same blob may be put many times at once", async () => {
      const puts = await Promise.all(Array.from({ length: 8 }, () => blobs.put(pieces(CONTENT, 50_000))));
      expect(new Set(puts.map((put) => put.hash))).toEqual(new Set([hashOf(CONTENT)]));
      expect(await blobs.size(hashOf(CONTENT))).toBe(CONTENT.byteLength);
    });

    test("a buffer that the caller changes afterwards does not change the blob", async () => {
      const buffer = Uint8Array.of(1, 2, 3);
      const { hash } = await blobs.put(buffer);
      buffer.fill(0);
      expect(await blobs.get(hash)).toEqual(Uint8Array.of(1, 2, 3));
    });
  });
}
