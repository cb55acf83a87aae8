import type { Day } from "../data/dates.ts";
import type { ColumnReport, Period, PredictedRows } from "./data.ts";
import { isoDate } from "./scale.ts";
import { thinLine } from "./thin.ts";

/** Columns of a drawing that hold two values each. */
const COLUMNS = 500;
/** Changed values that are listed. */
const MAX_MARKED = 1000;
/** Series longer than this are summed up by year. */
const MONTHLY_DAYS = 1100;

/** A column as it came and as it was used, both by rising `days`, NaN where a value is missing. */
export function describeColumn(
  name: string,
  days: ArrayLike<Day> & Iterable<Day>,
  raw: Float64Array,
  used: Float64Array,
): ColumnReport {
  const points = thinLine(
    Array.from(days, (day, row) => ({ day, value: known(raw[row]) })),
    COLUMNS,
  );
  const changed = [...raw.keys()].filter((row) => raw[row] !== used[row] && raw[row] === raw[row]);
  return {
    name,
    days: points.map(({ day }) => day),
    values: points.map(({ value }) => value),
    repaired: changed.slice(0, MAX_MARKED).map((row) => ({
      day: days[row] as Day,
      from: raw[row] as number,
      to: known(used[row]),
    })),
    repairedCount: changed.length,
    periods: periodsOf(days, raw),
  };
}

function periodsOf(days: ArrayLike<Day> & Iterable<Day>, values: Float64Array): Period[] {
  const span = (days[days.length - 1] ?? 0) - (days[0] ?? 0);
  const letters = span > MONTHLY_DAYS ? 4 : 7;
  const periods = new Map<string, number[]>();
  let row = 0;
  for (const day of days) {
    const name = isoDate(day).slice(0, letters);
    const members = periods.get(name) ?? [];
    periods.set(name, members);
    const value = known(values[row++]);
    if (value !== null) members.push(value);
  }
  return [...periods].map(([name, members]) => ({
    name,
    known: members.length,
    mean: members.length === 0 ? null : members.reduce((sum, value) => sum + value, 0) / members.length,
    low: members.length === 0 ? null : members.reduce((low, value) => Math.min(low, value)),
    high: members.length === 0 ? null : members.reduce((high, value) => Math.max(high, value)),
  }));
}

/** Predictions of rows in any order, sorted by day. Ends of intervals and truths may be absent. */
export function describeRows(rows: {
  readonly days: readonly Day[];
  readonly predicted: readonly number[];
  readonly truth?: ArrayLike<number> | undefined;
  readonly lower?: readonly number[] | undefined;
  readonly upper?: readonly number[] | undefined;
}): PredictedRows {
  const order = [...rows.days.keys()].sort((a, b) => (rows.days[a] as Day) - (rows.days[b] as Day));
  const take = (values: ArrayLike<number> | undefined): (number | null)[] =>
    values === undefined ? [] : order.map((row) => known(values[row]));
  return {
    days: order.map((row) => rows.days[row] as Day),
    predicted: take(rows.predicted),
    truth: take(rows.truth),
    lower: take(rows.lower),
    upper: take(rows.upper),
  };
}

const known = (value: number | undefined): number | null =>
  value === undefined || !Number.isFinite(value) ? null : value;
