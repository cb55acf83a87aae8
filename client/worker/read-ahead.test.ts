import { expect, test } from "vitest";
import { BLOCK_BYTES, BLOCKS_AHEAD, readAhead, SINGLE_BYTES } from "./read-ahead.ts";

const MIB = 1024 * 1024;

/** A source of `bytes` bytes whose byte at i is i mod 251, with the requests that were made of it. */
function source(bytes: number) {
  const content = Uint8Array.from({ length: bytes }, (_, index) => index % 251);
  const requests: [start: number, end: number][] = [];
  return {
    content,
    requests,
    open: (expected?: { start: number; end: number }) =>
      readAhead(
        { ordinal: 0, name: "data.csv", bytes },
        (start, end) => {
          requests.push([start, end]);
          return Promise.resolve(content.slice(start, end));
        },
        expected && { source: 0, ...expected },
      ),
  };
}

test("a range is read in large blocks that are requested before they are needed, and not past its end", async () => {
  const end = 20 * MIB;
  const { content, requests, open } = source(30 * MIB);
  const reader = open({ start: 3, end });
  const buffer = new Uint8Array(MIB);
  expect(await reader.readInto(buffer, 3)).toBe(MIB);
  expect(requests).toHaveLength(1 + BLOCKS_AHEAD);
  for (let at = 3 + MIB; at < end; at += MIB) {
    const want = Math.min(MIB, end - at);
    expect(await reader.readInto(buffer.subarray(0, want), at)).toBe(want);
    expect(Buffer.compare(buffer.subarray(0, want), content.subarray(at, at + want))).toBe(0);
  }
  expect(requests).toEqual([0, 1, 2, 3, 4].map((n) => [3 + n * BLOCK_BYTES, Math.min(3 + (n + 1) * BLOCK_BYTES, end)]));
});

test("a record that crosses the range's end costs one small request", async () => {
  const { content, requests, open } = source(MIB);
  const reader = open({ start: 0, end: 1000 });
  const buffer = new Uint8Array(1100);
  expect(await reader.readInto(buffer, 0)).toBe(1100);
  expect([...buffer]).toEqual([...content.subarray(0, 1100)]);
  expect(requests).toEqual([
    [0, 1000],
    [1000, 1000 + SINGLE_BYTES],
  ]);
});

test("without a known range the second read in a row starts fetching ahead; jumps do not", async () => {
  const { requests, open } = source(20 * MIB);
  const reader = open();
  const buffer = new Uint8Array(SINGLE_BYTES);
  await reader.readInto(buffer, 0);
  await reader.readInto(buffer, 10 * MIB);
  await reader.readInto(buffer, 5 * MIB);
  expect(requests.map(([start, end]) => end - start)).toEqual([SINGLE_BYTES, SINGLE_BYTES, SINGLE_BYTES]);
  await reader.readInto(buffer, 5 * MIB + SINGLE_BYTES);
  expect(requests.slice(3).map(([start, end]) => end - start)).toEqual(new Array(1 + BLOCKS_AHEAD).fill(BLOCK_BYTES));
});

test("reads at and past the source's end give what is there", async () => {
  const { content, open } = source(100);
  const reader = open({ start: 0, end: 100 });
  const buffer = new Uint8Array(64);
  expect(await reader.readInto(buffer, 80)).toBe(20);
  expect([...buffer.subarray(0, 20)]).toEqual([...content.subarray(80)]);
  expect(await reader.readInto(buffer, 100)).toBe(0);
  expect(await reader.readInto(buffer, 500)).toBe(0);
});

test("a failed request fails the read that needs it", async () => {
  const reader = readAhead(
    { ordinal: 0, name: "data.csv", bytes: 10 },
    () => Promise.reject(new Error("source is gone")),
    undefined,
  );
  await expect(reader.readInto(new Uint8Array(5), 0)).rejects.toThrow("source is gone");
});
