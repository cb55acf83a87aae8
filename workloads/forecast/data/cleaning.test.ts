import { expect, test } from "vitest";
import { philoxRng } from "../../../shared/rng.ts";
import { cleanColumn, fitRange, type Repair, repairLater } from "./cleaning.ts";

/** Uniform in [low, high] by tenths, with every `each`-th value ten times too large. */
function slipped(low: number, high: number, count: number, each: number): { clean: Float64Array; dirty: Float64Array } {
  const rng = philoxRng(3, 0);
  const clean = Float64Array.from({ length: count }, () => (low * 10 + rng.below((high - low) * 10 + 1)) / 10);
  return { clean, dirty: clean.map((value, row) => (row % each === 0 ? value * 10 : value)) };
}

test("finds where the clean values end and repairs every slip above", () => {
  const { clean, dirty } = slipped(10, 40, 5000, 100);
  const range = fitRange(dirty);
  expect(range).toEqual({ low: 10, high: 40 });
  const { values, count } = cleanColumn(dirty, range);
  // Ten times a value of at least 10 lies above 40 always.
  expect(count).toEqual({ repaired: 50, impossible: 0, empty: 0, unusual: 0 });
  for (const [row, value] of values.entries()) expect(value).toBeCloseTo(clean[row] as number, 10);
});

test("leaves a slip below the range's end alone, since it cannot be told from a true value", () => {
  const { dirty } = slipped(0, 60, 5000, 100);
  const range = fitRange(dirty);
  expect(range).toEqual({ low: 0, high: 60 });
  const { values } = cleanColumn(Float64Array.of(59, 61, 599, 4 * 10), range);
  expect([...values]).toEqual([59, 6.1, 59.9, 40]);
});

test("what is no slip and far off becomes missing; what is just outside stays", () => {
  const range = { low: 10, high: 40 };
  const { values, count } = cleanColumn(Float64Array.of(-999, 5, 401, 45, 71, 20, Number.NaN), range);
  expect([...values]).toEqual([Number.NaN, 5, Number.NaN, 45, Number.NaN, 20, Number.NaN]);
  expect(count).toEqual({ repaired: 0, impossible: 3, empty: 1, unusual: 0 });
});

test("a negative slip goes away from zero too", () => {
  const { values, count } = cleanColumn(Float64Array.of(-150, -14, 30, 250), { low: -20, high: 30 });
  expect([...values]).toEqual([-15, -14, 30, 25]);
  expect(count.repaired).toBe(2);
});

test("too many values above the range are another climate, not slips", () => {
  const wetter = Float64Array.from({ length: 100 }, (_, row) => row * 1.2);
  const { values, count } = cleanColumn(wetter, { low: 0, high: 60 });
  expect(values).toEqual(wetter);
  expect(count).toEqual({ repaired: 0, impossible: 0, empty: 0, unusual: 49 });
});

test("a long tail is no gap", () => {
  const tail = Float64Array.from({ length: 10_000 }, (_, row) => 1000 / (row + 20));
  expect(fitRange(tail)).toEqual({ low: 1000 / 10_019, high: 50 });
});

test("no rule from few values, from one value, or from none", () => {
  expect(fitRange(Float64Array.from({ length: 99 }, (_, row) => row))).toBeUndefined();
  expect(fitRange(new Float64Array(500).fill(7))).toBeUndefined();
  expect(fitRange(new Float64Array(500).fill(Number.NaN))).toBeUndefined();
  expect(cleanColumn(Float64Array.of(1e9, Number.NaN), undefined).count.empty).toBe(1);
});

test("rows after the training rows are judged one by one", () => {
  const range = { low: 10, high: 40 };
  const values = Float64Array.of(20, 250, Number.NaN, -999, 65, ...new Array<number>(20).fill(300));
  const cleaned = (repair: Repair) => {
    const whole = cleanColumn(values, range, repair);
    expect([...cleanColumn(values.slice(0, 6), range, repair).values]).toEqual([...whole.values.slice(0, 6)]);
    return [...whole.values.slice(0, 6), whole.count.repaired, whole.count.unusual];
  };
  const { NaN: none } = Number;
  // 65 is 6.5 times ten, which is no value of the column.
  expect(cleaned("all")).toEqual([20, 25, none, none, 65, 30, 21, 0]);
  expect(cleaned("none")).toEqual([20, 250, none, none, 65, 300, 0, 21]);
  expect(cleanColumn(Float64Array.of(101, 64, 71), { low: 5, high: 50 }, "impossible").values).toEqual(
    Float64Array.of(10.1, 64, 71),
  );
});

test("what looks like a slip later on is one where training had some, and few", () => {
  expect([repairLater(1, 1000), repairLater(53, 1000), repairLater(54, 1000)]).toEqual(["all", "all", "none"]);
  // Without any, what is just above the range is a new record.
  expect(repairLater(0, 1000)).toBe("impossible");
});
