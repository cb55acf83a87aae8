import { expect, test } from "vitest";
import { makeBaselines } from "./baselines.ts";
import { dayOf } from "./dates.ts";
import { History } from "./history.ts";

test("persistence is the last value known before the horizon", () => {
  const days = [10, 11, 13, 14];
  const values = Float64Array.of(1, 2, Number.NaN, 4);
  const persistence = (horizon: number) =>
    makeBaselines([10, 11, 12, 13, 14, 15, 40], horizon, new History(days, values), { days, values }).persistence;
  expect([...persistence(1)]).toEqual([Number.NaN, 1, 2, 2, 2, 4, 4]);
  expect([...persistence(3)]).toEqual([Number.NaN, Number.NaN, Number.NaN, 1, 2, 2, 4]);
});

test("the seasonal mean is that of the same day of the training years, or of the nearest days that have one", () => {
  const days = [dayOf(2018, 5, 1), dayOf(2019, 5, 1), dayOf(2019, 5, 3), dayOf(2019, 12, 31), dayOf(2019, 6, 1)];
  const values = Float64Array.of(10, 20, 40, 7, Number.NaN);
  const asked = [dayOf(2021, 5, 1), dayOf(2021, 5, 2), dayOf(2021, 5, 9), dayOf(2021, 1, 2)];
  const { seasonalMean } = makeBaselines(asked, 1, new History(days.slice(0, 1), values), { days, values });
  // On 2 May: both neighbours, all three values. 2 January is nearest to New Year's Eve.
  expect([...seasonalMean]).toEqual([15, 70 / 3, 40, 7]);
});
