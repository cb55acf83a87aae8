import { expect, test } from "vitest";
import { philoxRng } from "../../../shared/rng.ts";
import { binTrainingSet } from "./bins.ts";
import { MISSING_RANK, makeTrainingSet } from "./training-set.ts";

const rng = philoxRng(8, 0);
const rows = 1000;
const features = Float64Array.from({ length: rows * 3 }, (_, at) =>
  at % 3 === 0 ? rng.unit() : at % 3 === 1 ? rng.below(4) : rng.unit() < 0.3 ? Number.NaN : rng.below(500),
);
const set = makeTrainingSet(features, 3, new Float64Array(rows));

test("bins have about as many rows each, hold whole values, and are in the order of these", () => {
  const binned = binTrainingSet(set, 10);
  const bins = (column: number): number =>
    (binned.valueStart[column + 1] as number) - (binned.valueStart[column] as number);
  expect([bins(0), bins(1), bins(2)]).toEqual([10, 4, 10]);
  const counts = new Uint32Array(10);
  for (const rank of binned.ranks.subarray(0, rows)) counts[rank] = (counts[rank] as number) + 1;
  expect([...counts]).toEqual(Array.from({ length: 10 }, () => 100));
  for (let at = 0; at < rows * 3; at++) {
    const column = Math.floor(at / rows);
    const value = features[(set.order[at] as number) * 3 + column] as number;
    const rank = binned.ranks[at] as number;
    if (value !== value) {
      expect(rank).toBe(MISSING_RANK);
      continue;
    }
    const bin = (binned.valueStart[column] as number) + rank;
    expect(value).toBeGreaterThanOrEqual(binned.values[bin] as number);
    expect(value).toBeLessThanOrEqual(binned.uppers?.[bin] as number);
  }
});

test("a set whose columns have few values stays as it is", () => {
  expect(binTrainingSet(set, 1000)).toBe(set);
  expect(binTrainingSet(set, undefined)).toBe(set);
});
