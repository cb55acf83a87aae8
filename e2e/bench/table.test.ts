import { expect, test } from "vitest";
import { barTable, outcomeLines, textTable } from "./table.ts";

test("columns line up, numbers to the right", () => {
  expect(
    textTable(
      ["name", "s"],
      [
        ["a", "1.5"],
        ["longer", "10.25"],
      ],
      [1],
    ),
  ).toEqual(["name        s", "------  -----", "a         1.5", "longer  10.25"]);
});

test("a contender's line has its median, spread and other figures, or why it failed", () => {
  expect(
    outcomeLines([
      { contender: "local", figures: { seconds: [0.5, 0.25, 1], peakBytes: [2e8, 3e8, 2e8] } },
      { contender: "tab", figures: {}, failure: "no browser" },
    ]),
  ).toEqual(["  local: 0.500 s (0.25 … 1), peakBytes 200M", "  tab: FAILED: no browser"]);
});

test("the table of bars says who was compared, and why something was not", () => {
  const judgement = { label: "local ÷ peer", of: "local", over: "duckdb", value: 0.0876, bound: "≤ 0.1" } as const;
  const open = { ...judgement, over: null, value: null, verdict: "not measured", reason: "no browser" } as const;
  const [, , met, unknown] = barTable([
    { name: "csv-3", judgement: { ...judgement, verdict: "met" } },
    { name: "csv-3", judgement: open },
  ]);
  expect(met).toMatch(/^csv-3 {2}local ÷ peer {2}local ÷ duckdb {2}0\.0876 {2}≤ 0\.1 +met$/);
  expect(unknown).toMatch(/– {2}≤ 0\.1 +not measured: no browser$/);
});
