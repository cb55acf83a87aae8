import { expect, test } from "vitest";
import { foldsOf } from "./auto.ts";

test("each fold checks a tenth of the rows with a model of those before", () => {
  expect(foldsOf(100, 0)).toEqual([50, 60, 70, 80, 90].map((from) => ({ trained: from, from, to: from + 10 })));
});

test("what a horizon keeps from a prediction is kept from the trials too; those without enough rows are left out", () => {
  expect(foldsOf(100, 40).map(({ trained, from }) => [trained, from])).toEqual([
    [30, 70],
    [40, 80],
    [50, 90],
  ]);
  expect(foldsOf(27, 0)).toEqual([]);
});
