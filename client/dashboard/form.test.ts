import { expect, test } from "vitest";
import * as z from "zod";
import { file } from "../../shared/sdk/file.ts";
import type { Value } from "../../shared/value.ts";
import { fieldsOf, paramsOf } from "./form.ts";

const schemaOf = (schema: z.ZodType): Value => z.toJSONSchema(schema, { io: "input" }) as Value;

const fields = fieldsOf(
  schemaOf(
    z.object({
      tuples: z.number().int().positive().default(100_000_000).describe("how many"),
      rate: z.number().min(0).max(1).default(0.5),
      alphabet: z.string().default("A-Z"),
      backend: z.enum(["auto", "js"]).default("auto"),
      skip: z.boolean().default(false),
      input: file().optional(),
      depth: z.union([z.literal("full"), z.number().int()]).optional(),
      limit: z.number().int().nullable().default(null),
      date: z.string(),
      ranges: z.array(z.number()).default([1, 2]),
    }),
  ),
);
const filled = (answers: Record<string, string>) => paramsOf(fields, { date: "2020", ...answers });

test("every kind of parameter becomes its field", () => {
  expect(fields.map(({ name, type, initial, required }) => [name, type, initial, required])).toEqual([
    ["tuples", { kind: "number", whole: true, min: 1 }, "100,000,000", false],
    ["rate", { kind: "number", whole: false, min: 0, max: 1 }, "0.5", false],
    ["alphabet", { kind: "text" }, "A-Z", false],
    ["backend", { kind: "choice", options: ["auto", "js"] }, "auto", false],
    ["skip", { kind: "flag" }, "false", false],
    ["input", { kind: "file" }, "", false],
    ["depth", { kind: "mixed" }, "", false],
    ["limit", { kind: "number", whole: true }, "", false],
    ["date", { kind: "text" }, "", true],
    ["ranges", { kind: "json" }, "[1,2]", false],
  ]);
  expect(fields[0]?.description).toBe("how many");
});

test("only what differs from its default is sent", () => {
  expect(filled({})).toEqual({ ok: true, params: { date: "2020" } });
  expect(filled({ tuples: "100,000,000", alphabet: "A-Z", skip: "false" })).toEqual({
    ok: true,
    params: { date: "2020" },
  });
});

test("answers get the parameters' types", () => {
  const answers = {
    tuples: "1e6",
    rate: "0.25",
    skip: "true",
    backend: "js",
    depth: "7",
    ranges: "[3]",
    input: "a.csv",
  };
  expect(filled(answers)).toEqual({
    ok: true,
    params: { tuples: 1e6, rate: 0.25, skip: true, backend: "js", depth: 7, ranges: [3], input: "a.csv", date: "2020" },
  });
  expect(filled({ depth: "full" })).toMatchObject({ params: { depth: "full" } });
});

test.each(["2,000,000", "2 000 000", "2_000_000", "2e6"])("%s is two million", (text) => {
  expect(filled({ tuples: text })).toMatchObject({ params: { tuples: 2_000_000 } });
});

test.each([
  [{ tuples: "abc" }, "tuples", /number/],
  [{ tuples: "1,2" }, "tuples", /number/],
  [{ tuples: "1.5" }, "tuples", /whole/],
  [{ tuples: "0" }, "tuples", /1 or more/],
  [{ rate: "1.01" }, "rate", /1 or less/],
  [{ ranges: "[" }, "ranges", /JSON/],
  [{ date: " " }, "date", /needed/],
])("%j is refused at %s", (answers, field, why) => {
  const result = filled(answers);
  expect(result.ok ? {} : result.problems).toEqual({ [field]: expect.stringMatching(why) as string });
});

test("what is no schema of an object has no fields", () => {
  expect(fieldsOf(null)).toEqual([]);
  expect(fieldsOf({ type: "string" })).toEqual([]);
});
