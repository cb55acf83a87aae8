import { expect, test } from "vitest";
import { missingNeeds } from "./needs.ts";
import { parseOptions } from "./options.ts";
import { optionsOf } from "./options-of.ts";

test("defaults are the full benchmark", () => {
  expect(parseOptions(["forecast"])).toEqual({ bench: "forecast", cases: null, repeat: 5, scale: 1, keep: false });
});

test("every option", () => {
  const argv = ["string-count", "--cases", "csv-3,floor", "--repeat", "1", "--scale", "0.02", "--keep"];
  const cases = ["csv-3", "floor"];
  expect(parseOptions(argv)).toEqual({ bench: "string-count", cases, repeat: 1, scale: 0.02, keep: true });
});

test.each([
  [[], /name one benchmark/],
  [["pi"], /not pi/],
  [["forecast", "--repeat", "0"], /--repeat/],
  [["forecast", "--scale", "2"], /--scale/],
  [["forecast", "--fast"], /--fast/],
])("%j is refused", (argv, message) => {
  expect(() => parseOptions(argv)).toThrow(message);
});

test("what a workload lacks is read from its help", () => {
  const help =
    "Options of string-count:\n  --format csv|parquet   the input's format; default csv\n  --top INTEGER  how many";
  expect(missingNeeds(help, [{ flag: "--format", word: "parquet" }, { flag: "--top" }])).toEqual([]);
  expect(missingNeeds(help, [{ flag: "--format", word: "json" }, { flag: "--shuffle" }])).toEqual([
    "--format json",
    "--shuffle",
  ]);
});

test("parameters become options", () => {
  expect(optionsOf({ keyLength: 3, input: "a b.csv" })).toEqual(["--key-length", "3", "--input", "a b.csv"]);
});
