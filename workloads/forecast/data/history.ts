import type { Day } from "./dates.ts";

/** A column's known values, found by day. Days that the file lacks are missing, as empty cells are. */
export class History {
  readonly #first: Day;
  /** From the first day on, NaN where missing. */
  readonly #values: Float64Array;

  /** `days` rise; `values` has NaN where missing. */
  constructor(days: readonly Day[], values: Float64Array) {
    this.#first = days[0] ?? 0;
    this.#values = new Float64Array((days.at(-1) ?? this.#first - 1) - this.#first + 1).fill(Number.NaN);
    days.forEach((day, row) => {
      this.#values[day - this.#first] = values[row] as number;
    });
  }

  /** The value of a day, or NaN. */
  at(day: Day): number {
    return this.#values[day - this.#first] ?? Number.NaN;
  }

  /** The mean of the known values of the `days` days that end with `last`; NaN if fewer than half of them are known. */
  mean(last: Day, days: number): number {
    let sum = 0;
    let known = 0;
    for (let day = last - days + 1; day <= last; day++) {
      const value = this.at(day);
      if (value !== value) continue;
      sum += value;
      known++;
    }
    return known * 2 >= days ? sum / known : Number.NaN;
  }

  /** The last known value up to a day, or NaN. */
  lastKnown(day: Day): number {
    const end = Math.min(day - this.#first, this.#values.length - 1);
    for (let at = end; at >= 0; at--) {
      const value = this.#values[at] as number;
      if (value === value) return value;
    }
    return Number.NaN;
  }
}
