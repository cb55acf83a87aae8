import { dateOf, type Day, dayOf } from "../data/dates.ts";

/** A stretch of numbers or days along an axis; `low` < `high`. */
export type Extent = { readonly low: number; readonly high: number };
export type Tick = { readonly at: number; readonly label: string };

/** Ends of an axis lie within ±this, so that its length is finite. */
const FARTHEST = 8e307;
/** No axis is shorter and no step smaller: 1 divided by it is finite. */
const FINEST = 1e-300;
/** Ten times a power of ten above this is infinite. */
const COARSEST = 5e307;

/** The extent of all known values, widened where they are as good as one; `undefined` where none is known. */
export function extentOf(...lists: readonly (readonly (number | null)[])[]): Extent | undefined {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const list of lists) {
    for (const value of list) {
      if (value === null) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (low > high) return undefined;
  const within = (end: number): number => Math.min(FARTHEST, Math.max(-FARTHEST, end));
  [low, high] = [within(low), within(high)];
  if (high - low >= FINEST) return { low, high };
  const room = Math.abs(low) >= FINEST ? Math.abs(low) / 10 : 1;
  return { low: within(low - room), high: within(high + room) };
}

/** Round numbers over an extent with `low` < `high`, `count` or fewer steps, from 1, 2 or 5 times a power of ten. */
export function ticks({ low, high }: Extent, count: number): number[] {
  const step = roundStep(high / count - low / count);
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step);
  // Divided where the step is a fraction: 3 / 10 is 0.3, and 3 × 0.1 is not.
  const inverse = Math.round(1 / step);
  return Array.from({ length: last - first + 1 }, (_, index) =>
    step < 1 ? (first + index) / inverse : (first + index) * step,
  );
}

/** The least of 1, 2 or 5 times a power of ten that is not below `least`, from about FINEST to COARSEST. */
function roundStep(least: number): number {
  let power = 1;
  while (power < least && power < COARSEST) power *= 10;
  while (power / 10 >= least && power / 10 > FINEST) power /= 10;
  return [power / 5, power / 2].find((step) => step >= least) ?? power;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** Months between ticks, the finest first; above them years. */
const MONTH_STEPS = [1, 2, 3, 6];

/** Beginnings of years or months, at most `count`; the first day alone where no month begins in the extent. */
export function dayTicks({ low, high }: Extent, count: number): Tick[] {
  const months = (high - low) / 30.4;
  const step = MONTH_STEPS.find((each) => months / each <= count);
  if (step === undefined) {
    const years = ticks({ low: yearOf(low), high: yearOf(high) + 1 }, count).filter(Number.isInteger);
    const begin = years.map((year) => ({ at: dayOf(year, 1, 1), label: String(year) }));
    return begin.filter(({ at }) => at >= low && at <= high);
  }
  const begin: Tick[] = [];
  const { year, month } = dateOf(low);
  for (let index = year * 12 + month - 1; ; index++) {
    const at = dayOf(Math.floor(index / 12), (index % 12) + 1, 1);
    if (at > high) break;
    if (at >= low && index % step === 0) begin.push({ at, label: `${MONTHS[index % 12]} ${Math.floor(index / 12)}` });
  }
  return begin.length > 0 ? begin : [{ at: low, label: isoDate(low) }];
}

const yearOf = (day: Day): number => dateOf(Math.floor(day)).year;

/** YYYY-MM-DD. */
export function isoDate(day: Day): string {
  const { year, month, date } = dateOf(Math.floor(day));
  return `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(date).padStart(2, "0")}`;
}
