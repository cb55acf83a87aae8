import type { Day } from "../data/dates.ts";
import { philox4x32 } from "../../../shared/math/philox.ts";
import { MAX_ROW_BINS } from "./block.ts";
import type { Part } from "./rules.ts";

/** Units of targets that stay exact: 32.18 is predicted as 32.18. */
export const DECIMALS = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000];

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

/** The rows of a survey whose day is wanted. */
export const rowsOf = ({ days }: Survey, wanted: (day: Day) => boolean): Uint32Array =>
  Uint32Array.from(days.keys()).filter((row) => wanted(days[row] as Day));

/** A column of these rows. */
export function columnOf({ values, distinct }: Survey, column: number, rows: Uint32Array): Float64Array {
  const columns = distinct.length;
  return Float64Array.from(rows, (row) => values[row * columns + column] as number);
}
