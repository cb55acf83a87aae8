import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { checkPrintable, takeEngine, withTuples } from "./spark-engine.ts";

test("Spark's engines are taken out of the command line, in both spellings", () => {
  expect(takeEngine(["--top", "3", "--engine", "rdd", "--json"], false)).toEqual({
    engine: "rdd",
    rest: ["--top", "3", "--json"],
  });
  expect(takeEngine(["--engine=mllib"], true)).toEqual({ engine: "mllib", rest: [] });
  expect(takeEngine(["--top", "3"], false)).toEqual({ engine: undefined, rest: ["--top", "3"] });
});

test("another engine is the workload's, or none", () => {
  const argv = ["--engine", "rows"];
  expect(takeEngine(argv, true)).toEqual({ engine: undefined, rest: argv });
  expect(() => takeEngine(argv, false)).toThrow('--engine takes rdd, dataframe or mllib, not "rows"');
});

test("tuples to generate become a file for as long as it is counted", async () => {
  const file = await withTuples("rdd", { tuples: 3, keyLength: 2, top: 1 }, async ({ input, ...others }) => {
    expect(others).toEqual({ key: "key", value: "count", top: 1 });
    expect(readFileSync(String(input), "utf8")).toMatch(/^key,count\n([A-Z]{2},\d+\n){3}$/);
    return String(input);
  });
  expect(existsSync(file)).toBe(false);
});

test("a file that is there is counted as it is", async () => {
  const params = { input: "counts.csv", top: 1 };
  expect(await withTuples("dataframe", params, async (given) => given)).toBe(params);
});

test("a command that needs a file of a run cannot be printed", () => {
  expect(() => checkPrintable("rdd", { tuples: 3 })).toThrow("--engine rdd counts a file: --print needs one");
  for (const engine of ["mllib", undefined] as const) expect(() => checkPrintable(engine, {})).not.toThrow();
  expect(() => checkPrintable("rdd", { input: "counts.csv" })).not.toThrow();
});
