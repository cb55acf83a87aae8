import { InputError } from "kindling";
import { fitRange, isSlip, type Range, type Repair, repairLater, repairOf } from "../data/cleaning.ts";
import { compactDate, type Day } from "../data/dates.ts";
import type { FeaturePlan } from "../data/features.ts";
import { FINEST_SCALE } from "../forest/training-set.ts";
import { TARGET_LIMIT } from "./block.ts";
import { featuresOf, RowCleaner, type RowRules } from "./rules.ts";
import { columnOf, DECIMALS, type Division, partOf, rowsOf, type Survey, type TargetSurvey } from "./survey.ts";
import { middlesOf, rangesOf, type Tails } from "./tails.ts";

/** By column, what looks like a slip in these rows, and known values; of the sample. */
function slipsOf(survey: Survey, ranges: readonly (Range | null)[], wanted: (day: Day) => boolean) {
  const rows = rowsOf(survey, wanted);
  return ranges.map((range, column) => {
    // Another file may lack the target, the last column.
    if (range === null || column >= survey.distinct.length) return { slips: 0, known: 0 };
    const known = columnOf(survey, column, rows).filter((value) => value === value);
    return { slips: known.filter((value) => isSlip(value, range)).length, known: known.length };
  });
}

/** By column, which slips of a file that is known as a whole are repaired; decided on the sample. */
export const repairsOf = (survey: Survey, ranges: readonly (Range | null)[]): Repair[] =>
  slipsOf(survey, ranges, () => true).map(({ slips, known }) => repairOf(slips, known));

export type RulesRequest = {
  readonly division: Division;
  readonly target: string;
  readonly plan: FeaturePlan;
  readonly maxBins: number;
  /** The observed file's name, for messages. */
  readonly file: string;
};

/** Fits ranges (given `tails`, where the survey is of a sample), bins and the targets' unit on the training rows. */
export function fitRules(survey: Survey, tails: readonly Tails[], request: RulesRequest): RowRules {
  const { division, target, plan, maxBins, file } = request;
  const isTrain = (day: Day): boolean => partOf(division, day) === "train";
  const columns = [...plan.same, target];
  const trainRows = rowsOf(survey, isTrain);
  const ranges =
    tails.length > 0
      ? rangesOf(middlesOf(survey, division), tails)
      : columns.map((_, column) => fitRange(columnOf(survey, column, trainRows)) ?? null);
  const slips = slipsOf(survey, ranges, isTrain);
  const later = slips.map(({ slips, known }) => repairLater(slips, known));
  const repairs = { train: slips.map(({ slips, known }) => repairOf(slips, known)), holdout: later, actual: later };
  if (survey.target.rows === 0) {
    throw new InputError(`${file}: no row to train on has a value in the column "${target}"; add known values`);
  }
  const cleaner = new RowCleaner({ columns, ranges, repairs }, "train");
  const { names, bins } = binFeatures(survey, trainRows, cleaner, plan, maxBins);
  const valueStart = new Uint32Array(bins.length + 1);
  bins.forEach(({ values }, feature) => {
    valueStart[feature + 1] = (valueStart[feature] as number) + values.length;
  });
  const values = Float64Array.from(bins.flatMap((bin) => [...bin.values]));
  const uppers = Float64Array.from(bins.flatMap((bin) => [...bin.uppers]));
  const { base, scale } = targetScale(survey.target, ranges.at(-1) ?? null);
  const rows = survey.target.rows;
  return {
    prepared: {
      target,
      series: null,
      header: true,
      features: names,
      plan,
      training: {
        rows,
        columns: names.length,
        order: new Uint16Array(0),
        ranks: new Uint16Array(0),
        values,
        valueStart,
        targets: new Float64Array(0),
        base,
        scale,
      },
      trainedFrom: compactDate(division.trainedFrom),
      trainedTo: compactDate(division.trainedTo),
      ranges: Object.fromEntries(columns.map((column, at) => [column, ranges[at] ?? null])),
      queries: {},
    },
    frame: {
      rows,
      columns: names.length,
      cellStart: valueStart.map((start, feature) => start + feature),
      values,
      uppers,
      valueStart,
      base,
      scale,
    },
    bounds: boundsOf(values, uppers, valueStart),
    columns,
    ranges,
    repairs,
  };
}

type Bins = { readonly values: Float64Array; readonly uppers: Float64Array };

/** Each feature's bins, from those of the rows whose target is known. */
function binFeatures(
  survey: Survey,
  rows: Uint32Array,
  cleaner: RowCleaner,
  plan: FeaturePlan,
  maxBins: number,
): { readonly names: readonly string[]; readonly bins: readonly Bins[] } {
  const target = plan.same.length;
  const known = rows.filter((row) => {
    const value = cleaner.clean(target, survey.values[row * (target + 1) + target] as number);
    return value === value;
  });
  const cleaned = plan.same.map((_, column) =>
    columnOf(survey, column, known).map((value) => cleaner.clean(column, value)),
  );
  const days = Array.from(known, (row) => survey.days[row] as Day);
  const { names, values } = featuresOf({ plan }, days, cleaned);
  const bins = names.map((_, feature) => {
    const own = Float64Array.from(known, (_, row) => values[row * names.length + feature] as number);
    return binValues(own.filter((value) => value === value).sort(), maxBins);
  });
  // A sample may lack values that are rare: where all of a column's are known, each has its bin.
  plan.same.forEach((name, column) => {
    const distinct = survey.distinct[column];
    const own = distinct?.map((value) => cleaner.clean(column, value)).filter((value) => value === value);
    const all = own && Float64Array.from(new Set(own)).sort();
    if (all && all.length <= maxBins) bins[names.indexOf(name)] = { values: all, uppers: all };
  });
  return { names, bins };
}

/** Bins as ../forest/bins.ts makes them: a value's bin is ⌊rows below it × maxBins / rows⌋, without those that stay empty. */
function binValues(sorted: Float64Array, maxBins: number): Bins {
  const firsts = [...sorted.keys()].filter((place) => place === 0 || sorted[place] !== sorted[place - 1]);
  const values: number[] = [];
  const uppers: number[] = [];
  let last = -1;
  firsts.forEach((place, rank) => {
    const value = sorted[place] as number;
    const wanted = firsts.length <= maxBins ? rank : Math.floor((place * maxBins) / sorted.length);
    if (wanted > last) {
      last = wanted;
      values.push(value);
      uppers.push(value);
    }
    uppers[uppers.length - 1] = value;
  });
  return { values: Float64Array.from(values), uppers: Float64Array.from(uppers) };
}

/**
 * Halfway between two bins, as a split between them has its threshold: a value that the sample did not have goes to the side where the model
 * would look for it.
 */
function boundsOf(values: Float64Array, uppers: Float64Array, valueStart: Uint32Array): Float64Array {
  const bounds = new Float64Array(values.length).fill(Number.POSITIVE_INFINITY);
  for (let feature = 0; feature + 1 < valueStart.length; feature++) {
    for (let bin = valueStart[feature] as number; bin + 1 < (valueStart[feature + 1] as number); bin++) {
      const low = uppers[bin] as number;
      const high = values[bin + 1] as number;
      const half = low / 2 + high / 2;
      bounds[bin] = half >= low && half < high ? half : low;
    }
  }
  return bounds;
}

/** The largest unit in which every target that cleaning leaves is a whole number of at most TARGET_LIMIT. */
function targetScale(
  { least, most, decimal }: TargetSurvey,
  range: Range | null,
): { readonly base: number; readonly scale: number } {
  const width = range === null ? 0 : range.high - range.low;
  const low = range === null ? least : Math.max(least, range.low - width);
  const high = range === null ? most : Math.min(most, range.high + width);
  const unit = DECIMALS.find((_, at) => decimal[at]);
  const middle = low / 2 + high / 2;
  const base = unit === undefined ? middle : Math.round(middle * unit) / unit;
  const largest = Math.max(Math.abs(low - base), Math.abs(high - base));
  if (!Number.isFinite(largest)) throw new InputError("the targets are too large: their sum is no number");
  let scale = unit ?? 1;
  while (largest * scale > TARGET_LIMIT) scale /= 2;
  while (largest > 0 && scale < FINEST_SCALE && largest * scale * 2 <= TARGET_LIMIT) scale *= 2;
  return { base, scale };
}
