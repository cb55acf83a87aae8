import { InputError } from "kindling";
import { areRare, fitMiddle, fitRange, isSlip, type Range } from "../data/cleaning.ts";
import { compactDate, type Day } from "../data/dates.ts";
import type { FeaturePlan } from "../data/features.ts";
import { philox4x32 } from "../../../shared/math/philox.ts";
import { MAX_ROW_BINS, TARGET_LIMIT } from "./block.ts";
import { featuresOf, type Part, RowCleaner, type RowRules } from "./rules.ts";

/** Units of targets that stay exact: 32.18 is predicted as 32.18. */
const DECIMALS = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000];
/** Cells of half a gap above and below the middle of a column; what lies beyond is in the last one. */
const TAIL_CELLS = 4096;

/** Which rows of the observed file train, and which are checked, by their day. Others do neither. */
export type Division = {
  /** Days before this one train. */
  readonly trainBefore: Day;
  readonly checkFrom: Day;
  readonly checkTo: Day;
  readonly trainedFrom: Day;
  readonly trainedTo: Day;
};

export const partOf = ({ trainBefore, checkFrom, checkTo }: Division, day: Day): Part | undefined =>
  day < trainBefore ? "train" : day >= checkFrom && day <= checkTo ? "holdout" : undefined;

/** What of a part of a file decides how rows are cleaned and binned; sums, extremes and sets, so that parts may be cut anywhere. */
export type Survey = {
  /** Rows whose Philox word is below the share, in the file's order: days, and [rows × columns] as they came. */
  readonly days: Int32Array;
  readonly values: Float64Array;
  /** By column, the distinct values of training rows; `null` for more than a byte can tell apart. */
  readonly distinct: readonly (Float64Array | null)[];
  /** Of the training rows' known targets. */
  readonly target: TargetSurvey;
};

export type TargetSurvey = {
  readonly rows: number;
  readonly least: number;
  readonly most: number;
  /** By unit of DECIMALS: whether all are decimals of it. */
  readonly decimal: readonly boolean[];
};

export type SurveyPlan = {
  readonly seed: number;
  /** A row is in the sample if its word is below this, 2³² for all. */
  readonly share: number;
  /** `null` where all rows count as training rows. */
  readonly division: Division | null;
  /** The target is the last column. */
  readonly hasTarget: boolean;
};

/** Gathers the survey of one part. */
export class Surveyor {
  readonly #plan: SurveyPlan;
  readonly #days: number[] = [];
  readonly #sample: number[] = [];
  readonly #distinct: (Set<number> | null)[];
  readonly #word = new Uint32Array(4);
  #rows = 0;
  #least = Number.POSITIVE_INFINITY;
  #most = Number.NEGATIVE_INFINITY;
  readonly #decimal = DECIMALS.map(() => true);

  constructor(plan: SurveyPlan, columns: number) {
    this.#plan = plan;
    this.#distinct = Array.from({ length: columns }, () => (plan.share < 2 ** 32 ? new Set<number>() : null));
  }

  /** `at`, the byte where the row begins, is its number in the generator's sequence. */
  take(day: Day, values: Float64Array, at: number): void {
    const { seed, share, division, hasTarget } = this.#plan;
    const part = division === null ? "train" : partOf(division, day);
    if (part === undefined) return;
    philox4x32(this.#word, 0, [at >>> 0, Math.floor(at / 2 ** 32), 3, 0], [seed, 0]);
    if ((this.#word[0] as number) < share) {
      this.#days.push(day);
      for (const value of values) this.#sample.push(value);
    }
    if (part !== "train") return;
    for (let column = 0; column < values.length; column++) {
      const distinct = this.#distinct[column];
      const value = values[column] as number;
      if (distinct == null || value !== value) continue;
      distinct.add(value);
      if (distinct.size > MAX_ROW_BINS) this.#distinct[column] = null;
    }
    const target = values[values.length - 1] as number;
    if (!hasTarget || target !== target) return;
    this.#rows++;
    this.#least = Math.min(this.#least, target);
    this.#most = Math.max(this.#most, target);
    DECIMALS.forEach((unit, at) => {
      if (this.#decimal[at] && Math.round(target * unit) / unit !== target) this.#decimal[at] = false;
    });
  }

  get survey(): Survey {
    return {
      days: Int32Array.from(this.#days),
      values: Float64Array.from(this.#sample),
      distinct: this.#distinct.map((values) => (values === null ? null : Float64Array.from(values).sort())),
      target: { rows: this.#rows, least: this.#least, most: this.#most, decimal: [...this.#decimal] },
    };
  }
}

/** The survey of all parts, in their order. */
export function joinSurveys(parts: readonly Survey[]): Survey {
  const days = new Int32Array(parts.reduce((total, part) => total + part.days.length, 0));
  const values = new Float64Array(parts.reduce((total, part) => total + part.values.length, 0));
  let day = 0;
  let value = 0;
  for (const part of parts) {
    days.set(part.days, day);
    values.set(part.values, value);
    day += part.days.length;
    value += part.values.length;
  }
  return {
    days,
    values,
    distinct: (parts[0]?.distinct ?? []).map((_, column) => union(parts.map((part) => part.distinct[column] ?? null))),
    target: {
      rows: parts.reduce((total, { target }) => total + target.rows, 0),
      least: parts.reduce((least, { target }) => Math.min(least, target.least), Number.POSITIVE_INFINITY),
      most: parts.reduce((most, { target }) => Math.max(most, target.most), Number.NEGATIVE_INFINITY),
      decimal: DECIMALS.map((_, at) => parts.every(({ target }) => target.decimal[at])),
    },
  };
}

function union(parts: readonly (Float64Array | null)[]): Float64Array | null {
  const all = new Set<number>();
  for (const part of parts) {
    if (part === null) return null;
    for (const value of part) all.add(value);
    if (all.size > MAX_ROW_BINS) return null;
  }
  return Float64Array.from(all).sort();
}

/** Where a column's tails begin, by the sample; `null` where there is no rule for it. */
export type Middle = (Range & { readonly gap: number }) | null;

/** The rows of a survey whose day is wanted. */
const rowsOf = ({ days }: Survey, wanted: (day: Day) => boolean): Uint32Array =>
  Uint32Array.from(days.keys()).filter((row) => wanted(days[row] as Day));

function columnOf({ values, distinct }: Survey, column: number, rows: Uint32Array): Float64Array {
  const columns = distinct.length;
  return Float64Array.from(rows, (row) => values[row * columns + column] as number);
}

export function middlesOf(survey: Survey, division: Division): Middle[] {
  const rows = rowsOf(survey, (day) => partOf(division, day) === "train");
  return survey.distinct.map((_, column) => {
    const known = columnOf(survey, column, rows).filter((value) => value === value);
    return fitMiddle(known.sort()) ?? null;
  });
}

/** By column, the smallest and the largest value of each cell: 0 … TAIL_CELLS above the middle, −1 … below it. */
export type Tails = readonly {
  readonly cells: Int32Array;
  readonly least: Float64Array;
  readonly most: Float64Array;
}[];

/** Gathers the tails of training rows: what a sample does not show is whether their ends are single values. */
export class TailGatherer {
  readonly #middles: readonly Middle[];
  readonly #cells: readonly Map<number, [number, number]>[];

  constructor(middles: readonly Middle[]) {
    this.#middles = middles;
    this.#cells = middles.map(() => new Map<number, [number, number]>());
  }

  take(values: Float64Array): void {
    for (let column = 0; column < values.length; column++) {
      const middle = this.#middles[column];
      const value = values[column] as number;
      if (middle == null || !(value > middle.high || value < middle.low)) continue;
      const off = value > middle.high ? value - middle.high : middle.low - value;
      const cell = Math.min(TAIL_CELLS, Math.floor(off / (middle.gap / 2)));
      widen(this.#cells[column] as Map<number, [number, number]>, value > middle.high ? cell : -1 - cell, value, value);
    }
  }

  get tails(): Tails {
    return this.#cells.map((cells) => {
      const sorted = [...cells].sort(([a], [b]) => a - b);
      return {
        cells: Int32Array.from(sorted, ([cell]) => cell),
        least: Float64Array.from(sorted, ([, [least]]) => least),
        most: Float64Array.from(sorted, ([, [, most]]) => most),
      };
    });
  }
}

function widen(cells: Map<number, [number, number]>, cell: number, least: number, most: number): void {
  const known = cells.get(cell);
  cells.set(cell, known === undefined ? [least, most] : [Math.min(known[0], least), Math.max(known[1], most)]);
}

/** As `fitRange` on all rows: a cell is half a gap wide, so that no gap can hide in one. */
export function rangesOf(middles: readonly Middle[], parts: readonly Tails[]): (Range | null)[] {
  return middles.map((middle, column) => {
    if (middle === null) return null;
    const cells = new Map<number, [number, number]>();
    for (const part of parts) {
      const own = part[column];
      own?.cells.forEach((cell, at) => {
        widen(cells, cell, own.least[at] as number, own.most[at] as number);
      });
    }
    let { low, high } = middle;
    const sorted = [...cells].sort(([a], [b]) => a - b);
    for (const [cell, [least, most]] of sorted) {
      if (cell < 0) continue;
      if (least - high > middle.gap) break;
      high = most;
    }
    for (const [cell, [least, most]] of sorted.reverse()) {
      if (cell >= 0) continue;
      if (low - most > middle.gap) break;
      low = least;
    }
    return { low, high };
  });
}

/** By column, whether what looks like a slip in these rows is rare enough to be one; decided on the sample. */
export function rareOf(survey: Survey, ranges: readonly (Range | null)[], wanted: (day: Day) => boolean): boolean[] {
  const rows = rowsOf(survey, wanted);
  return ranges.map((range, column) => {
    // Another file may lack the target, the last column.
    if (range === null || column >= survey.distinct.length) return false;
    const known = columnOf(survey, column, rows).filter((value) => value === value);
    return areRare(known.filter((value) => isSlip(value, range)).length, known.length);
  });
}

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
  const rare = {
    train: rareOf(survey, ranges, isTrain),
    holdout: rareOf(survey, ranges, (day) => partOf(division, day) === "holdout"),
  };
  if (survey.target.rows === 0) {
    throw new InputError(`${file}: no row to train on has a value in the column "${target}"; add known values`);
  }
  const cleaner = new RowCleaner({ columns, ranges, rare }, "train");
  const cleaned = columns.map((_, column) =>
    columnOf(survey, column, trainRows).map((value) => cleaner.clean(column, value)),
  );
  const targets = cleaned.at(-1) ?? new Float64Array(0);
  const known = [...targets.keys()].filter((row) => targets[row] === targets[row]);
  const features = featuresOf(
    { plan },
    known.map((row) => survey.days[trainRows[row] as number] as Day),
    cleaned.slice(0, -1).map((values) => Float64Array.from(known, (row) => values[row] as number)),
  );
  const bins = features.names.map((_, feature) => {
    const own = Float64Array.from(known, (_, row) => features.values[row * features.names.length + feature] as number);
    return binValues(own.filter((value) => value === value).sort(), maxBins);
  });
  // A sample may lack values that are rare: where all of a column's are known, each has its bin.
  plan.same.forEach((name, column) => {
    const distinct = survey.distinct[column];
    const own = distinct?.map((value) => cleaner.clean(column, value)).filter((value) => value === value);
    const values = own && Float64Array.from(new Set(own)).sort();
    if (values && values.length <= maxBins) bins[features.names.indexOf(name)] = { values, uppers: values };
  });
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
      features: features.names,
      plan,
      training: {
        rows,
        columns: features.names.length,
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
      columns: features.names.length,
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
    rare,
  };
}

/** Bins as ../forest/bins.ts makes them: a value's bin is ⌊rows below it × maxBins / rows⌋, without those that stay empty. */
function binValues(
  sorted: Float64Array,
  maxBins: number,
): { readonly values: Float64Array; readonly uppers: Float64Array } {
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
  while (largest > 0 && largest * scale * 2 <= TARGET_LIMIT) scale *= 2;
  return { base, scale };
}
