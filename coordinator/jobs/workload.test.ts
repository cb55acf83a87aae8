import { expect, test } from "vitest";
import * as z from "zod";
import { checkParams } from "./workload.ts";

const schema = z.object({
  file: z.string().min(1),
  count: z.number().int().positive().max(1000).default(1),
  share: z.number().min(0).lt(1).default(0.5),
  mode: z.enum(["fast", "exact"]).default("fast"),
  only: z
    .string()
    .optional()
    .meta({ excludes: ["count", "share"] }),
  unit: z.string().optional().meta({ needs: "only" }),
});

test("parameters come back with their defaults", () => {
  expect(checkParams("thing", schema, { file: "a" })).toEqual({ file: "a", count: 1, share: 0.5, mode: "fast" });
  expect(checkParams("thing", schema, { file: "a", only: "b" })).toMatchObject({ only: "b", count: 1 });
  expect(checkParams("thing", schema, { file: "a", only: "b", unit: "m" })).toMatchObject({ unit: "m" });
});

test.each([
  [{}, "thing: file is required"],
  [{ file: "" }, "thing: file must not be empty"],
  [{ file: "a", count: 0 }, "thing: count must be more than 0, not 0"],
  [{ file: "a", count: 1.5 }, "thing: count takes a whole number, not 1.5"],
  [{ file: "a", count: 1001 }, "thing: count must be at most 1000, not 1001"],
  [{ file: "a", share: -1 }, "thing: share must be at least 0, not -1"],
  [{ file: "a", share: 1 }, "thing: share must be less than 1, not 1"],
  [{ count: 0 }, "thing: file is required; count must be more than 0, not 0"],
  [{ file: "a", size: 1 }, "thing has no parameter size; it has file, count, share, mode, only, unit"],
  [{ file: "a", unit: "m" }, "thing: unit means nothing without only"],
  [{ file: "a", share: 0.1, only: "b" }, "thing: share means nothing beside only: leave one of them out"],
])("%j is refused in plain words", (given, message) => {
  expect(() => checkParams("thing", schema, given)).toThrow(expect.objectContaining({ code: "BadParams", message }));
});

test("what is wrong otherwise is said in the schema's words", () => {
  expect(() => checkParams("thing", schema, { file: "a", mode: "slow" })).toThrow(/mode: .*"fast"/);
});
