import { expect, test } from "vitest";
import {
  formatAgo,
  formatAmount,
  formatBytes,
  formatCount,
  formatDuration,
  formatInteger,
  formatMetric,
  formatPercent,
  formatRate,
} from "./format.ts";

test.each([
  [0, "0"],
  [7, "7"],
  [0.5, "0.5"],
  [999, "999"],
  [999.6, "1 k"],
  [1000, "1 k"],
  [12_345, "12.3 k"],
  [999_950, "1 M"],
  [1_234_567, "1.23 M"],
  [1e9, "1 G"],
  [-12_345, "-12.3 k"],
  [Number.NaN, "–"],
])("the amount %d is %s", (value, text) => expect(formatAmount(value)).toBe(text));

test.each([
  [0, "0 B"],
  [640, "640 B"],
  [12_000_000, "12 MB"],
  [45_678, "45.7 kB"],
])("%d bytes are %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

test("a rate names its unit, or says that it has none", () => {
  expect(formatRate(1_200_000, "tuples")).toBe("1.2 M tuples/s");
  expect(formatRate(3, "")).toBe("3 units of work/s");
});

test.each([
  [0, "0 s"],
  [0.035, "35 ms"],
  [0.9996, "1.0 s"],
  [3.41, "3.4 s"],
  [9.96, "10 s"],
  [59.6, "1 min 00 s"],
  [125, "2 min 05 s"],
  [3725, "1 h 02 min"],
  [90_000, "1 d 1 h"],
  [-1, "–"],
])("%d seconds are %s", (seconds, text) => expect(formatDuration(seconds)).toBe(text));

test.each([
  [0, "just now"],
  [40_000, "40 s ago"],
  [200_000, "3 min ago"],
  [7_200_000, "2 h ago"],
  [4e8, "4 d ago"],
])("%d ms lie %s", (ms, text) => expect(formatAgo(ms)).toBe(text));

test("percent keep the ends for nothing and all", () => {
  expect([0, 0.0001, 0.5, 0.9999, 1, Number.NaN].map(formatPercent)).toEqual([
    "0 %",
    "1 %",
    "50 %",
    "99 %",
    "100 %",
    "–",
  ]);
});

test("integers keep every digit, big ones too", () => {
  expect(formatInteger(100_000_000)).toBe("100,000,000");
  expect(formatInteger(-1234n)).toBe("-1,234");
  expect(formatInteger(2n ** 64n)).toBe("18,446,744,073,709,551,616");
  expect(formatCount(1, "task")).toBe("1 task");
  expect(formatCount(12_000, "task")).toBe("12,000 tasks");
});

test.each([
  [0.48523, "0.4852"],
  [100_000_000, "100,000,000"],
  [1234.56789, "1,234.568"],
  [0.0000123, "1.230e-5"],
  [Number.POSITIVE_INFINITY, "–"],
])("the metric %d is %s", (value, text) => expect(formatMetric(value)).toBe(text));
