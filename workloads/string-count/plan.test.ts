import { expect, test } from "vitest";
import { byteRanges, partsOfBytes, tupleRanges, tupleSplitters } from "./plan.ts";
import { parseAlphabet } from "./tuples.ts";

const alphabet = parseAlphabet("A-Z") ?? new Uint8Array();
const spec = (keyLength: number) => ({ seed: 1, alphabet, keyLength, maxValue: 10 });

test("ranges cover everything once, whatever their number", () => {
  for (const [total, partitions] of [
    [100, 7],
    [3, 5],
    [10_000_000, undefined],
  ] as const) {
    const ranges = tupleRanges(total, partitions);
    let next = 0;
    for (const range of ranges) {
      expect(range.start).toBe(next);
      next += range.count;
    }
    expect(next).toBe(total);
    if (partitions !== undefined) expect(ranges).toHaveLength(partitions);
  }
  expect(byteRanges(4, 10, 21, 2)).toEqual([
    { source: 4, start: 10, end: 16 },
    { source: 4, start: 16, end: 21 },
  ]);
  expect(byteRanges(4, 10, 10, undefined)).toEqual([{ source: 4, start: 10, end: 10 }]);
});

test("a large file has larger parts, and a number of them that two or four slots share evenly", () => {
  const MiB = 2 ** 20;
  expect([1, 40, 600, 1700, 10_000].map((size) => partsOfBytes(size * MiB, {}))).toEqual([1, 2, 20, 24, 80]);
  expect([1, 100, 1500, 10_000].map((size) => partsOfBytes(size * MiB, {}, 4))).toEqual([1, 4, 8, 40]);
  expect(partsOfBytes(1500 * MiB, {}, 64)).toBe(24);
  expect(partsOfBytes(600 * MiB, { taskMemory: 128 * MiB })).toBe(152);
  expect(partsOfBytes(600 * MiB, { taskMemory: 128 * MiB }, 4)).toBe(152);
});

test("parts that have most keys again are one for each worker", () => {
  const parts = (bytes: number, workers: number, buckets = 4): number => partsOfBytes(bytes, { workers }, buckets);
  expect([1, 2, 8].map((workers) => parts(2 ** 30, workers))).toEqual([1, 2, 8]);
  expect([3, 5].map((workers) => parts(2 ** 30, workers))).toEqual([3, 5]);
  expect([2, 3].map((workers) => parts(2 ** 33, workers))).toEqual([8, 9]);
  expect(parts(2 ** 25, 8)).toBe(1);
  expect([1, 64].map((buckets) => parts(2 ** 31, 2, buckets))).toEqual([24, 24]);
});

test("few keys make one bucket, many are cut evenly", () => {
  expect(tupleSplitters(spec(3), 1e9)).toEqual([]);
  const splitters = tupleSplitters(spec(5), 1e8);
  expect(splitters.length).toBe(63);
  expect(splitters).toEqual([...new Set(splitters)].sort());
  expect(splitters[31]).toBe("NAAAA");
  expect(tupleSplitters(spec(1000), 1e12)).toHaveLength(63);
});
