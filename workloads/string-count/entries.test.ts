import { expect, test } from "vitest";
import { utf8ToByteString } from "./bytes.ts";
import { decodeEntries, encodeEntries, type Entry } from "./entries.ts";

test("the bytes of a few entries", () => {
  const entries = [
    { key: "ab", sum: 1n },
    { key: "abc", sum: -1n },
    { key: "b", sum: 300n },
  ];
  // Count 3, longest 3; "ab" 1 → 2; 2 shared, "c", −1 → 1; 0 shared, "b", 300 → 600.
  const expected = [3, 0, 0, 0, 3, 0, 0, 0, 0x02, 97, 98, 2, 0x21, 99, 1, 0x01, 98, 0xd8, 0x04];
  expect([...encodeEntries(entries)]).toEqual(expected);
});

test("entries come back: empty, long and repeated keys, extreme sums", () => {
  const entries: Entry[] = [
    { key: "", sum: 0n },
    { key: "x".repeat(14), sum: 2n ** 63n - 1n },
    { key: "x".repeat(15), sum: -(2n ** 63n) },
    { key: "x".repeat(15), sum: 64n },
    { key: `${"x".repeat(10_000)}y`, sum: -65n },
    { key: `${"x".repeat(10_000)}z`, sum: 1n },
    { key: utf8ToByteString("ключ"), sum: 1n },
  ];
  expect(decodeEntries(encodeEntries(entries))).toEqual(entries);
  expect(decodeEntries(encodeEntries([]))).toEqual([]);
});
