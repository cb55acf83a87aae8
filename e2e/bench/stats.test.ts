import { expect, test } from "vitest";
import { average, mean, median } from "./stats.ts";

test("the median does not depend on order, and is between the two in the middle", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([10, 1, 4, 2])).toBe(3);
  expect(median([])).toBeNaN();
});

test("mean and maximum", () => {
  expect(mean([1, 2, 6])).toBe(3);
  expect(average([1, 2, 6], "max")).toBe(6);
  expect(average([1, 2, 6], "mean")).toBe(3);
  expect(average([], "max")).toBeNaN();
});
