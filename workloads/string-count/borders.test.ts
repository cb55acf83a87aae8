import { expect, test } from "vitest";
import { checkBorders } from "./borders.ts";
import type { BadRow, CountSummary } from "./counting.ts";

const part = (first: number, next: number, rows = 1, bad: BadRow | null = null): CountSummary => ({
  first,
  next,
  rows,
  tuples: rows,
  skipped: 0,
  bad,
});
const bad = (row: number): BadRow => ({ problem: "ragged", row, offset: 0, column: -1, detail: "1" });

test("parts that meet are consistent, also when a record is longer than a part", () => {
  expect(checkBorders([part(5, 50), part(50, 50, 0), part(50, 90)], 5)).toEqual({ kind: "consistent" });
});

test("a part that began elsewhere than its neighbour ended starts again from there", () => {
  const parts = [part(0, 40), part(33, 70), part(70, 99)];
  expect(checkBorders(parts, 0)).toEqual({ kind: "again", parts: [{ part: 1, first: 40 }] });
});

test("a bad row counts only when all before it is right", () => {
  expect(checkBorders([part(0, 40, 7), part(40, -1, 3, bad(3)), part(80, 99)], 0)).toEqual({
    kind: "bad",
    bad: bad(3),
    row: 10,
  });
  const wrongGuess = [part(0, 40), part(33, -1, 2, bad(2)), part(80, 99)];
  expect(checkBorders(wrongGuess, 0)).toEqual({ kind: "again", parts: [{ part: 1, first: 40 }] });
});

test("what follows a part that must start again waits for nothing it cannot know", () => {
  const parts = [part(0, 40), part(-1, -1, 0, bad(0)), part(80, 120), part(110, 150)];
  expect(checkBorders(parts, 0)).toEqual({
    kind: "again",
    parts: [
      { part: 1, first: 40 },
      { part: 3, first: 120 },
    ],
  });
});
