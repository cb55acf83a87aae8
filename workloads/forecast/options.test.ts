import { expect, test } from "vitest";
import { treeRanges } from "./options.ts";

const base = { partitions: undefined, maxDepth: undefined, maxBins: undefined };

test.each([1, 2, 5, 6, 19, 20, 21, 100, 103, 500, 65_535])("%i trees are each in one task, in order", (trees) => {
  for (const options of [{}, { partitions: 3 }, { partitions: 1e9 }, { maxDepth: 5, maxBins: 32 }]) {
    const ranges = treeRanges({ ...base, trees, ...options });
    let next = 0;
    for (const { first, count } of ranges) {
      expect(first).toBe(next);
      expect(count).toBeGreaterThan(0);
      next += count;
    }
    expect(next).toBe(trees);
  }
});

test("tasks follow from the parameters: five trees, at the end two, fifty of the small ones, or as asked", () => {
  const counts = (options: object) => treeRanges({ ...base, trees: 40, ...options }).map(({ count }) => count);
  expect(counts({})).toEqual([5, 5, 5, 5, 5, 5, 2, 2, 2, 2, 2]);
  expect(counts({ trees: 11 })).toEqual([3, 4, 4]);
  expect(counts({ maxDepth: 5, maxBins: 32 })).toEqual([40]);
  expect(counts({ partitions: 3 })).toEqual([13, 13, 14]);
});
