import { expect, test } from "vitest";
import { addCells, packCells, packWords } from "./cells.ts";

const zeros = (cells: number): Float64Array => new Float64Array(cells * 3);

test.each([
  ["nothing", []],
  ["few rows", [-3, 2, 1, 4, 1, 1]],
  ["sums around a word", [2 ** 32 - 1, 1, 1, 2 ** 32, 1, 1, -1, 1, 1, -(2 ** 32), 1, 1, -(2 ** 32) - 1, 1, 1]],
  ["the largest sums", [2 ** 53 - 1, 63 * 2 ** 26, 2 ** 26, -(2 ** 53) + 1, 2 ** 32 - 1, 2 ** 32 - 1]],
])("cells come back as they were: %s", (_name, numbers) => {
  const cells = Float64Array.from(numbers);
  const sum = zeros(cells.length / 3);
  addCells(sum, packCells(cells), 0);
  expect(sum).toEqual(cells);
});

test("cells are added to what is there, from a place on", () => {
  const sum = Float64Array.of(10, 20, 30);
  addCells(sum, packCells(Float64Array.of(5, 5, 5, -1, 2, 3)), 1);
  expect([...sum]).toEqual([9, 22, 33]);
});

test.each([
  [2 ** 8 - 1, Uint8Array],
  [2 ** 8, Uint16Array],
  [2 ** 16 - 1, Uint16Array],
  [2 ** 16, Uint32Array],
  [2 ** 31, Uint32Array],
])("%d rows are in the fewest bytes", (rows, kind) => {
  expect(packCells(Float64Array.of(0, 1, rows)).rows).toBeInstanceOf(kind);
});

test.each([
  [2 ** 39 - 1, Int8Array],
  [-(2 ** 39), Int8Array],
  [2 ** 39, Int16Array],
  [-(2 ** 39) - 1, Int16Array],
  [2 ** 47 - 1, Int16Array],
  [-(2 ** 47) - 1, Int32Array],
])("the upper word of a sum of %d is in the fewest bytes", (sum, kind) => {
  expect(packCells(Float64Array.of(sum, 1, 1)).high).toBeInstanceOf(kind);
});

test("a kernel's words are the same cells", () => {
  const words = Uint32Array.from([5, 0, 2, 3, -1, -1, 4, 9]);
  expect(packWords(words)).toEqual(packCells(Float64Array.of(5, 3, 2, -1, 9, 4)));
});
