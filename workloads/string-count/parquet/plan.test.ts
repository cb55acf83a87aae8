import { expect, test } from "vitest";
import { packGroups, parquetParts, type RowGroup, sampledParts, unpackGroups } from "./plan.ts";

const MIB = 2 ** 20;

/** Row groups side by side, of so many bytes each, most of which are keys. */
const groupsOf = (count: number, bytes: number): RowGroup[] =>
  Array.from({ length: count }, (_, index) => {
    const start = 4 + index * bytes;
    const middle = start + Math.floor(bytes * 0.8);
    return {
      index,
      rows: 100 + index,
      key: { start, end: middle, codec: "SNAPPY" },
      value: { start: middle, end: start + bytes, codec: "ZSTD" },
    };
  });

test("packed row groups come out as they were", () => {
  const groups = groupsOf(3, 1000).filter(({ index }) => index !== 1);
  expect(unpackGroups(packGroups(groups))).toEqual(groups);
  expect(unpackGroups(packGroups([]))).toEqual([]);
});

test("all row groups are in parts that are even in number, each of 8 MiB or, in large files, up to 16", () => {
  for (const [megabytes, expected] of [
    [7, 1],
    [20, 3],
    [100, 16],
    [300, 24],
    [1000, 64],
  ] as const) {
    const groups = groupsOf(megabytes, MIB);
    const parts = parquetParts(0, groups, undefined, undefined);
    expect(parts.length, `${megabytes} MiB`).toBe(expected);
    expect(parts.flatMap((part) => part.groups)).toEqual(groups);
  }
  expect(parquetParts(0, groupsOf(300, MIB), undefined, 64 * MIB)).toHaveLength(300);
  expect(parquetParts(0, groupsOf(300, MIB), 7, undefined)).toHaveLength(7);
});

test("small row groups are sampled with one request each, of large ones only what is read is fetched", () => {
  const small = sampledParts(0, groupsOf(30, MIB));
  expect(small).toHaveLength(8);
  for (const { groups, range } of small) {
    expect(range).toEqual({ source: 0, start: groups[0]?.key.start, end: groups[0]?.value.end });
  }
  expect(sampledParts(0, groupsOf(30, 2 * MIB)).map(({ range }) => range)).toEqual(Array(8).fill(null));
});
