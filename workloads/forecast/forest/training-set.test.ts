import { expect, test } from "vitest";
import { MISSING_RANK, makeTrainingSet, meanOf, targetsOf } from "./training-set.ts";

test("ranks and orders columns, equal rows by number, missing ones last", () => {
  const features = Float64Array.of(...[5, 1], ...[Number.NaN, -0], ...[2, 0], ...[5, Number.NaN], ...[-3, 1]);
  const set = makeTrainingSet(features, 2, Float64Array.of(1, 2, 3, 4, 5));
  expect([...set.order]).toEqual([...[4, 2, 0, 3, 1], ...[1, 2, 0, 4, 3]]);
  expect([...set.ranks]).toEqual([...[0, 1, 2, 2, MISSING_RANK], ...[0, 0, 1, 1, MISSING_RANK]]);
  expect([...set.values]).toEqual([...[-3, 2, 5], ...[-0, 1]]);
  expect([...set.valueStart]).toEqual([0, 3, 5]);
});

test("decimal targets become multiples of a whole number that read back as the same decimals", () => {
  const targets = Float64Array.of(32.18, 22.84, 29.38, 71.92, 17.19);
  const set = makeTrainingSet(new Float64Array(5), 1, targets);
  expect(Number.isInteger(Math.round(set.base * 100)) && set.scale % 100 === 0).toBe(true);
  expect(targetsOf(set)).toEqual(targets);
  expect(set.targets.map((units) => meanOf(3 * units, 3, set))).toEqual(targets);
});

test.each([
  ["irrational", [Math.SQRT2, -Math.PI, Math.E]],
  ["tiny", [1e-30, 3e-30, -2e-30]],
  ["huge", [1e30, 3e30, -2e30]],
  ["constant", [7.25, 7.25]],
  ["far from zero", [1e9 + 0.25, 1e9 + 0.5, 1e9]],
])("targets that are %s keep 35 bits of their spread", (_name, list) => {
  const targets = Float64Array.from(list);
  const { base, scale, targets: units } = makeTrainingSet(new Float64Array(list.length), 1, targets);
  const spread = Math.max(...targets) - Math.min(...targets);
  expect(units.every((unit) => Number.isInteger(unit) && Math.abs(unit) <= 2 ** 36)).toBe(true);
  units.forEach((unit, row) => {
    expect(Math.abs(base + unit / scale - (targets[row] as number))).toBeLessThanOrEqual(spread / 2 ** 35);
  });
});

test("refuses what does not fit 16 bits, and targets without a mean", () => {
  expect(() => makeTrainingSet(new Float64Array(0), 1, new Float64Array(0))).toThrow("0 training rows");
  expect(() => makeTrainingSet(new Float64Array(65_536), 1, new Float64Array(65_536))).toThrow("65536 training rows");
  expect(() => makeTrainingSet(new Float64Array(1), 40_000, new Float64Array(1))).toThrow("40000 columns");
  expect(() => makeTrainingSet(new Float64Array(2), 1, Float64Array.of(1e308, 1e308))).toThrow("finite");
});
