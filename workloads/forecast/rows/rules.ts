import { type CleaningCount, cleanValue, type Range, type Repair } from "../data/cleaning.ts";
import type { Day } from "../data/dates.ts";
import { makeFeatures } from "../data/features.ts";
import type { CleaningCounts, Prepared } from "../data/prepared.ts";
import type { RowFrame } from "./block.ts";

/** The rows that a cleaning rule is applied to together. */
export type Part = "train" | "holdout" | "future" | "actual";

/** What turns a row of the file into numbers for the forest: fitted once on training rows, used by all who read rows. */
export type RowRules = {
  /** What the model's file and its predictions need; its training set has no rows. */
  readonly prepared: Prepared;
  readonly frame: RowFrame;
  /** By valueStart[feature] + bin, the largest value that is coded as that bin; no bound for a feature's last. */
  readonly bounds: Float64Array;
  /** The predictors of the day itself, then the target. */
  readonly columns: readonly string[];
  readonly ranges: readonly (Range | null)[];
  /** By part and column. */
  readonly repairs: Readonly<Partial<Record<Part, readonly Repair[]>>>;
};

/** Columns whose counts are reported: a summary is small. */
export const LISTED = 30;

/** Cleans the values of some columns, row by row, and counts what it did: `cleanColumn` where all rows are not at hand. */
export class RowCleaner {
  readonly #rules: Pick<RowRules, "columns" | "ranges">;
  readonly #repairs: readonly Repair[];
  readonly #counts: { repaired: number; impossible: number; empty: number; unusual: number }[];

  constructor(rules: Pick<RowRules, "columns" | "ranges" | "repairs">, part: Part) {
    this.#rules = rules;
    this.#repairs = rules.repairs[part] ?? [];
    this.#counts = rules.columns.map(() => ({ repaired: 0, impossible: 0, empty: 0, unusual: 0 }));
  }

  clean(column: number, value: number): number {
    const count = this.#counts[column] as { -readonly [K in keyof CleaningCount]: number };
    if (value !== value) {
      count.empty++;
      return value;
    }
    const range = this.#rules.ranges[column] ?? null;
    if (range === null) return value;
    return cleanValue(value, range, this.#repairs[column] ?? "none", count);
  }

  /** Of the first `most` columns that were touched. */
  counts(most: number): CleaningCounts {
    const touched = this.#rules.columns
      .map((column, at) => [column, this.#counts[at] as CleaningCount] as const)
      .filter(([, count]) => Object.values(count).some((cells) => cells > 0));
    return Object.fromEntries(touched.slice(0, most));
  }
}

export function addCleaning(parts: readonly CleaningCounts[]): CleaningCounts {
  const sums: Record<string, CleaningCount> = {};
  for (const [column, count] of parts.flatMap(Object.entries<CleaningCount>)) {
    const sum = sums[column] ?? { repaired: 0, impossible: 0, empty: 0, unusual: 0 };
    sums[column] = {
      repaired: sum.repaired + count.repaired,
      impossible: sum.impossible + count.impossible,
      empty: sum.empty + count.empty,
      unusual: sum.unusual + count.unusual,
    };
  }
  return sums;
}

/** [rows × features] of `rows` cleaned rows; `columns` has those of `prepared.plan.same`, by their place. */
export function featuresOf(
  { plan }: Pick<Prepared, "plan">,
  days: readonly Day[],
  columns: readonly Float64Array[],
): { readonly names: readonly string[]; readonly values: Float64Array } {
  const named = new Map(plan.same.map((name, at) => [name, columns[at] as Float64Array]));
  return makeFeatures({ name: "", dates: [], days, columns: named }, plan, new Map());
}

/** The codes of `count` values of one feature: each one's bin. */
export function codeFeature(
  { frame, bounds }: Pick<RowRules, "frame" | "bounds">,
  feature: number,
  features: Float64Array,
  codes: Uint8Array,
): void {
  const { columns, valueStart } = frame;
  const first = valueStart[feature] as number;
  const missing = (valueStart[feature + 1] as number) - first;
  for (let at = feature; at < features.length; at += columns) {
    const value = features[at] as number;
    if (value !== value || missing === 0) {
      codes[at] = missing;
      continue;
    }
    let low = 0;
    let high = missing - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((bounds[first + middle] as number) < value) low = middle + 1;
      else high = middle;
    }
    codes[at] = low;
  }
}
