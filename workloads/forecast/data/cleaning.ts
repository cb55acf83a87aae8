/**
 * Finds impossible values by a rule that is fitted on training rows alone. A decimal slip (a value written ten times too
 * large) leaves a gap above the values that a column really takes; ÷ 10 puts it back among them.
 */

/** Fewer known values than this tell nothing about a range. */
const FEWEST = 100;
/** Slips are rare. More values of one file than this share above the range are another climate, and are kept. */
const RARE = 0.05;
/** … but so many are always rare. */
const FEW = 3;

/** The values that a column took in training: from `low` to `high`; what is off by more than their width is impossible. */
export type Range = { readonly low: number; readonly high: number };

/** What cleaning did to one column. */
export type CleaningCount = {
  /** Slips divided by ten. */
  readonly repaired: number;
  /** Impossible values that became missing. */
  readonly impossible: number;
  /** Cells without a value as they came. */
  readonly empty: number;
  /** Values that look like slips but are too many to be: kept as they are. */
  readonly unusual: number;
};

/**
 * The range of a column: from its 2nd and 98th percentile outwards until a gap that is wider than 1.5 times the distance of
 * the 95th from the 98th percentile (or of the 2nd from the 5th, if that is more). `undefined`, so no rule, for fewer than
 * 100 known values and for columns whose tails are single values.
 */
export function fitRange(values: Float64Array): Range | undefined {
  const known = values.filter((value) => value === value).sort();
  const middle = fitMiddle(known);
  if (middle === undefined) return undefined;
  const { gap } = middle;
  let top = place(known, 0.98);
  while (top + 1 < known.length && (known[top + 1] as number) - (known[top] as number) <= gap) top++;
  let bottom = place(known, 0.02);
  while (bottom > 0 && (known[bottom] as number) - (known[bottom - 1] as number) <= gap) bottom--;
  return { low: known[bottom] as number, high: known[top] as number };
}

/** Where a range grows from, and the gap that ends it; `undefined` where there is no rule. Takes sorted values. */
export function fitMiddle(known: Float64Array): (Range & { readonly gap: number }) | undefined {
  if (known.length < FEWEST) return undefined;
  const quantile = (share: number): number => known[place(known, share)] as number;
  const gap = 1.5 * Math.max(quantile(0.98) - quantile(0.95), quantile(0.05) - quantile(0.02));
  return gap > 0 ? { low: quantile(0.02), high: quantile(0.98), gap } : undefined;
}

const place = (known: Float64Array, share: number): number => Math.floor(share * (known.length - 1));

/** Whether so many slips among so many known values are rare enough to be slips. */
const areRare = (slips: number, known: number): boolean => slips <= FEW + RARE * known;

/** Which of the values that look like slips are repaired: all, those that are impossible as they stand, or none. */
export type Repair = "all" | "impossible" | "none";

/** For values that are known as a whole. */
export const repairOf = (slips: number, known: number): Repair => (areRare(slips, known) ? "all" : "none");

/**
 * For rows after the training rows, which had so many: each value is judged without the others, so that what a later day brings changes
 * nothing of an earlier one. Where training had no slips, a value just above the range is a new record.
 */
export const repairLater = (slips: number, known: number): Repair =>
  slips === 0 ? "impossible" : repairOf(slips, known);

/** Repairs slips and blanks the impossible; the values of one column and file at a time, which stay as they are. */
export function cleanColumn(
  values: Float64Array,
  range: Range | undefined,
  repair?: Repair,
): { readonly values: Float64Array; readonly count: CleaningCount } {
  const count = { repaired: 0, impossible: 0, empty: values.filter((value) => value !== value).length, unusual: 0 };
  if (range === undefined) return { values, count };
  const slips = values.filter((value) => isSlip(value, range)).length;
  const which = repair ?? repairOf(slips, values.length - count.empty);
  return { values: values.map((value) => cleanValue(value, range, which, count)), count };
}

/** A known value as it is to be used, NaN where it is impossible; counts what was done. NaN stays, uncounted. */
export function cleanValue(
  value: number,
  range: Range,
  repair: Repair,
  count: { -readonly [K in keyof CleaningCount]: number },
): number {
  const isOff = isImpossible(value, range);
  if (isSlip(value, range)) {
    const repairs = repair === "all" || (repair === "impossible" && isOff);
    count[repairs ? "repaired" : "unusual"]++;
    return repairs ? value / 10 : value;
  }
  if (!isOff) return value;
  count.impossible++;
  return Number.NaN;
}

/** Farther from zero than the range, and inside it when divided by ten. */
export const isSlip = (value: number, { low, high }: Range): boolean =>
  (value > Math.max(high, 0) || value < Math.min(low, 0)) && value / 10 >= low && value / 10 <= high;

const isImpossible = (value: number, { low, high }: Range): boolean =>
  value > high + (high - low) || value < low - (high - low);
