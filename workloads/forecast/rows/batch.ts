import type { Day } from "../data/dates.ts";
import { codeFeature, featuresOf, type RowRules } from "./rules.ts";

/** Rows whose features are made at a time. */
const BATCH = 2048;

/** Rows on their way to features. */
export class RowBatch {
  readonly #rules: RowRules;
  readonly #columns: readonly Float64Array[];
  #days: Day[] = [];

  constructor(rules: RowRules) {
    this.#rules = rules;
    this.#columns = rules.prepared.plan.same.map(() => new Float64Array(BATCH));
  }

  /** Takes a cleaned row; true when the batch is full. */
  add(day: Day, values: Float64Array): boolean {
    const at = this.#days.push(day) - 1;
    this.#columns.forEach((column, place) => {
      column[at] = values[place] as number;
    });
    return at + 1 === BATCH;
  }

  /** [rows × features] of what was taken since the last time. */
  features(): Float64Array {
    const { values } = featuresOf(this.#rules.prepared, this.#days, this.#columns);
    this.#days = [];
    return values;
  }

  codes(): Uint8Array {
    const features = this.features();
    const codes = new Uint8Array(features.length);
    for (let feature = 0; feature < this.#rules.frame.columns; feature++) {
      codeFeature(this.#rules, feature, features, codes);
    }
    return codes;
  }
}
