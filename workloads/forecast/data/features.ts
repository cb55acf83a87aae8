import { InputError } from "kindling";
import { cos, sin } from "../../../shared/math/trigonometry.ts";
import { type Day, dayOfYear, isoWeek } from "./dates.ts";
import type { History } from "./history.ts";
import type { Table } from "./table.ts";

/** Days of a year, for the seasons. */
const YEAR = 365.25;

/** Each feature's list of rows lies in a node's memory. */
const MAX_FEATURES = 2000;

/** Rows of numbers, one after the other, for training or prediction. */
export type Features = {
  readonly names: readonly string[];
  /** [rows × names], NaN where missing. */
  readonly values: Float64Array;
};

/**
 * What a row is predicted from. Nothing but `same` looks at the predicted day's own row; all else is the calendar, or was
 * known `horizon` days before.
 */
export type FeaturePlan = {
  /** Columns whose value on the predicted day is known ahead, sorted. */
  readonly same: readonly string[];
  /** Pairs of sine and cosine of the season: once a year, twice a year, … */
  readonly harmonics: number;
  /** Days between the last known values and the predicted day; `null`: none, and no lags either. */
  readonly horizon: number | null;
  /** Columns whose past is looked at. */
  readonly past: readonly string[];
  /** 1 is the last known value, 2 the one of the day before, … */
  readonly lags: readonly number[];
  /** Days of rolling means that end with the last known day. */
  readonly windows: readonly number[];
};

/** As the options say it. */
export type FeatureOptions = {
  readonly harmonics: number;
  readonly horizon: number | null;
  readonly lags: readonly number[];
  readonly windows: readonly number[];
  /** `target`, `all`, or names. */
  readonly lagColumns: string;
  /** `none`, `all`, or names; only with a horizon, without one all are. */
  readonly known: string;
};

/**
 * The columns that predict: all but the date and the target. They are sorted by code units, so that the order of a
 * file's columns does not change the model.
 */
export const predictorsOf = (header: readonly string[], target: string): string[] =>
  header.filter((column) => column !== target).sort();

/** Settles the options for a file's columns; `file` is its name, for messages. */
export function planFeatures(
  options: FeatureOptions,
  predictors: readonly string[],
  target: string,
  file: string,
): FeaturePlan {
  const { harmonics, horizon, lags, windows } = options;
  const looks = lags.length + windows.length > 0;
  const past = choose(file, "lag-columns", options.lagColumns, [target, ...predictors], { target: [target] });
  const known = choose(file, "known", options.known, predictors, { none: [] });
  const same = horizon === null ? predictors : known.sort();
  const count = same.length + 2 * harmonics + (looks ? past.length * (lags.length + windows.length) : 0);
  if (count > MAX_FEATURES) {
    throw new InputError(
      `${count} features are asked for; at most ${MAX_FEATURES} are possible: ask for fewer lags or columns`,
    );
  }
  return {
    same,
    harmonics,
    horizon,
    past: looks ? past : [],
    lags,
    windows,
  };
}

function choose(
  file: string,
  option: string,
  text: string,
  all: readonly string[],
  words: Readonly<Record<string, readonly string[]>>,
): string[] {
  if (text === "all") return [...all];
  const names = words[text] ?? text.split(",").map((name) => name.trim());
  for (const name of names) {
    if (all.includes(name)) continue;
    throw new InputError(
      `${file}: the column "${name}" of --${option} is missing; the file has ${all.slice(0, 20).join(", ")}`,
    );
  }
  return [...new Set(names)];
}

/**
 * ISO week, day of the year, each predictor that is known, temp × rainfall where both are; then, if asked for, the season's
 * harmonics, lags and rolling means. `histories` has the columns of `plan.past`.
 */
export function makeFeatures(table: Table, plan: FeaturePlan, histories: ReadonlyMap<string, History>): Features {
  const ofDay = (valueOf: (day: Day) => number) => (row: number) => valueOf(table.days[row] as Day);
  const columns: [string, (row: number) => number][] = [
    ["ISO week", ofDay(isoWeek)],
    ["day of year", ofDay(dayOfYear)],
    ...plan.same.map((name): [string, (row: number) => number] => [name, (row) => cell(table, name, row)]),
  ];
  if (plan.same.includes("temp") && plan.same.includes("rainfall")) {
    columns.push(["temp × rainfall", (row) => cell(table, "temp", row) * cell(table, "rainfall", row)]);
  }
  for (let order = 1; order <= plan.harmonics; order++) {
    const angle = (day: Day): number => ((2 * Math.PI * order) / YEAR) * (dayOfYear(day) - 1);
    columns.push([`season sine ${order}`, ofDay((day) => sin(angle(day)))]);
    columns.push([`season cosine ${order}`, ofDay((day) => cos(angle(day)))]);
  }
  const horizon = plan.horizon ?? 0;
  for (const name of plan.past) {
    const history = histories.get(name);
    if (history === undefined) throw new RangeError(`the history of ${name} is needed`);
    for (const lag of plan.lags) {
      columns.push([`${name} lag ${lag}`, ofDay((day) => history.at(day - horizon - lag + 1))]);
    }
    for (const window of plan.windows) {
      columns.push([`${name} mean of ${window}`, ofDay((day) => history.mean(day - horizon, window))]);
    }
  }
  const values = new Float64Array(table.days.length * columns.length);
  columns.forEach(([, valueOf], at) => {
    for (let row = 0; row < table.days.length; row++) values[row * columns.length + at] = valueOf(row);
  });
  return { names: columns.map(([name]) => name), values };
}

const cell = (table: Table, column: string, row: number): number => table.columns.get(column)?.[row] ?? Number.NaN;
