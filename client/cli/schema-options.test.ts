import { expect, test } from "vitest";
import { toJSONSchema } from "zod";
import { file, z } from "../../shared/sdk/index.ts";
import type { Value } from "../../shared/value.ts";
import { describeOptions, parseOptions, schemaOptions } from "./schema-options.ts";

const schema = z.object({
  input: file(),
  tuples: z.number().int().positive().default(5),
  offset: z.number().optional().describe("where it begins"),
  onBadRow: z.enum(["fail", "skip"]).default("fail"),
  header: z.boolean().default(true),
  maxFeatures: z.union([z.number(), z.enum(["all", "sqrt"])]).default("all"),
});
const options = schemaOptions(toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Value);
const own = {
  out: { type: "string", help: "" },
  json: { type: "boolean", help: "" },
  help: { type: "boolean", help: "" },
} as const;
const parse = (...argv: string[]) => parseOptions(argv, own, options);

test("each kind of parameter gets its value, and the command keeps its own options", () => {
  const { own: given, params } = parse(
    ...["--tuples", "1e3", "--offset=-2.5", "--on-bad-row", "skip", "--no-header"],
    ...["--max-features", "3", "--out", "r.csv", "--json"],
  );
  expect(params).toEqual({
    tuples: 1000,
    offset: -2.5,
    onBadRow: "skip",
    header: false,
    maxFeatures: 3,
  });
  expect(given).toEqual({ out: "r.csv", json: true });
  expect(parse("--header", "--max-features", "sqrt").params).toEqual({ header: true, maxFeatures: "sqrt" });
  expect(parse().params).toEqual({});
});

test("a negative number is a value, and another option is none", () => {
  expect(parse("--offset", "-3").params).toEqual({ offset: -3 });
  expect(parse("--offset", "-.5").params).toEqual({ offset: -0.5 });
  expect(() => parse("--offset", "--json")).toThrow(/--offset/);
});

test("-h is --help", () => {
  expect(parse("-h").own).toEqual({ help: true });
});

test.each<[string, string[], RegExp]>([
  ["an unknown option", ["--colour", "red"], /Unknown option '--colour'/],
  ["a missing value", ["--tuples"], /--tuples.* argument missing/],
  ["text for a number", ["--tuples", "many"], /--tuples takes a number, not "many"/],
  ["nothing for a number", ["--tuples", ""], /--tuples takes a number/],
  ["another word than those", ["--on-bad-row", "maybe"], /--on-bad-row takes one of fail, skip, not "maybe"/],
  ["a value for a switch", ["--json=yes"], /--json/],
  ["a word without an option", ["stray"], /stray/],
])("%s is wrong usage that names the option", (_what, argv, message) => {
  expect(() => parse(...argv)).toThrow(
    expect.objectContaining({ code: "BadUsage", message: expect.stringMatching(message) as string }),
  );
});

test("a workload's parameter that hides an option of the command is said to", () => {
  const clash = schemaOptions({ properties: { out: { type: "string" } } });
  expect(() => parseOptions([], own, clash)).toThrow(/parameter out would hide the option --out/);
});

test("help names kinds, defaults and what is required", () => {
  const text = describeOptions(options);
  expect(text).toMatch(/--input FILE\s+required/);
  expect(text).toMatch(/--on-bad-row fail\|skip\s+default fail/);
  expect(text).toMatch(/--offset NUMBER\s+where it begins/);
  expect(text).toMatch(/--\[no-\]header\s+default true/);
});
