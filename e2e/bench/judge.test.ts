import { expect, test } from "vitest";
import { judge, short } from "./judge.ts";
import type { Outcome } from "./model.ts";

const timed = (contender: string, ...seconds: number[]): Outcome => ({ contender, figures: { seconds } });
const failed = (contender: string, failure: string): Outcome => ({ contender, figures: {}, failure });
const bar = { label: "local ÷ peer", of: "local", over: ["duckdb", "polars"], most: 0.4 };

test("a ratio is of medians, to the faster of the peers", () => {
  const outcomes = [timed("local", 1, 2, 9), timed("duckdb", 8), timed("polars", 4, 5, 6)];
  expect(judge(bar, outcomes)).toMatchObject({ value: 0.4, over: "polars", bound: "≤ 0.4", verdict: "met" });
  expect(judge({ ...bar, most: 0.39 }, outcomes).verdict).toBe("missed");
});

test("a peer that failed is passed over, and without any the bar stays open and says why", () => {
  expect(judge(bar, [timed("local", 1), failed("duckdb", "out of memory"), timed("polars", 4)]).over).toBe("polars");
  const open = judge(bar, [timed("local", 1), failed("duckdb", "out of memory"), failed("polars", "killed")]);
  expect(open).toMatchObject({ verdict: "not measured", reason: "duckdb: out of memory; polars: killed", value: null });
});

test("our own failure is no success", () => {
  expect(judge(bar, [failed("local", "trap"), timed("duckdb", 1)])).toMatchObject({
    verdict: "not measured",
    reason: "local: trap",
  });
});

test("a figure by itself, and a lower bound", () => {
  const outcomes: Outcome[] = [{ contender: "local", figures: { peakBytes: [3e8, 4.1e8], mse: [0.4, 0.6] } }];
  const peak = { label: "peak", of: "local", figure: "peakBytes", average: "max", most: 4e8 } as const;
  expect(judge(peak, outcomes)).toMatchObject({ value: 4.1e8, over: null, bound: "≤ 400M", verdict: "missed" });
  const error = { label: "mse", of: "local", figure: "mse", average: "mean", least: 0.4, most: 0.5 } as const;
  expect(judge(error, outcomes)).toMatchObject({ value: 0.5, bound: "0.4 … 0.5", verdict: "met" });
  expect(judge({ ...error, least: 0.51 }, outcomes).verdict).toBe("missed");
  expect(judge({ ...error, figure: "leaves" }, outcomes).reason).toBe("local gave no leaves");
});

test("short numbers", () => {
  expect([0.123456, 12.3456, 398_458_880, 0].map(short)).toEqual(["0.1235", "12.35", "398.5M", "0"]);
});
