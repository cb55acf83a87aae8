import { expect, test } from "vitest";
import { parseRange } from "./range.ts";

test.each([
  [undefined, 0, 100, false],
  ["bytes=0-", 0, 100, true],
  ["bytes=0-0", 0, 1, true],
  ["bytes=10-19", 10, 20, true],
  ["bytes=90-500", 90, 100, true],
  ["bytes=-10", 90, 100, true],
  ["bytes=-500", 0, 100, true],
  // What is not understood means the whole (RFC 9110, 14.2).
  ["bytes=0-1,5-6", 0, 100, false],
  ["items=0-1", 0, 100, false],
  ["bytes=-", 0, 100, false],
  ["bytes=a-b", 0, 100, false],
])("of 100 bytes, %s is [%i, %i)", (header, start, end, partial) => {
  expect(parseRange(header, 100)).toEqual({ start, end, partial });
});

test.each(["bytes=100-", "bytes=100-200", "bytes=20-10", "bytes=-0"])("of 100 bytes, %s is none", (header) => {
  expect(() => parseRange(header, 100)).toThrow(expect.objectContaining({ code: "BadRange" }));
});

test("nothing of an empty resource can be a range", () => {
  expect(parseRange(undefined, 0)).toEqual({ start: 0, end: 0, partial: false });
  expect(() => parseRange("bytes=0-", 0)).toThrow(expect.objectContaining({ code: "BadRange" }));
});
