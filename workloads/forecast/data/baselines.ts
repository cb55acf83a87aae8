import { type Day, dayOfYear } from "./dates.ts";
import type { History } from "./history.ts";

/** Forecasts that need no model: what a model must beat. */
export type Baselines = {
  /** The last value that was known `horizon` days before. */
  readonly persistence: Float64Array;
  /** The mean of that day of the year over the years of training; of the nearest days that have one, where it has none. */
  readonly seasonalMean: Float64Array;
};

const LONGEST_YEAR = 366;

/** `days` and `values` are the training rows. Both are NaN only where nothing at all is known. */
export function makeBaselines(
  asked: readonly Day[],
  horizon: number,
  history: History,
  training: { readonly days: readonly Day[]; readonly values: Float64Array },
): Baselines {
  const means = seasonalMeans(training.days, training.values);
  return {
    persistence: Float64Array.from(asked, (day) => history.lastKnown(day - horizon)),
    seasonalMean: Float64Array.from(asked, (day) => means[dayOfYear(day) - 1] as number),
  };
}

/** By day of the year, from 0. */
function seasonalMeans(days: readonly Day[], values: Float64Array): Float64Array {
  const sums = new Float64Array(LONGEST_YEAR);
  const counts = new Uint32Array(LONGEST_YEAR);
  days.forEach((day, row) => {
    const value = values[row] as number;
    if (value !== value) return;
    const at = dayOfYear(day) - 1;
    sums[at] = (sums[at] as number) + value;
    counts[at] = (counts[at] as number) + 1;
  });
  return sums.map((_, at) => {
    for (let distance = 0; distance <= LONGEST_YEAR / 2; distance++) {
      const near =
        distance === 0 ? [at] : [at - distance, at + distance].map((place) => (place + LONGEST_YEAR) % LONGEST_YEAR);
      const known = near.reduce((total, place) => total + (counts[place] as number), 0);
      if (known > 0) return near.reduce((total, place) => total + (sums[place] as number), 0) / known;
    }
    return Number.NaN;
  });
}
