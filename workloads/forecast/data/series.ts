import { InputError } from "kindling";
import type { Day } from "./dates.ts";
import { type Table, takeRows } from "./table.ts";

/** Series of one job: each is a model of its own. */
const MAX_SERIES = 1000;

/** A table as a task hands it on. */
export type PlainTable = {
  readonly name: string;
  readonly dates: readonly string[];
  readonly days: Int32Array;
  readonly names: readonly string[];
  /** By the place of the name. */
  readonly values: readonly Float64Array[];
};

export const plainTable = ({ name, dates, days, columns }: Table): PlainTable => ({
  name,
  dates,
  days: Int32Array.from(days),
  names: [...columns.keys()],
  values: [...columns.values()],
});

export const tableOf = ({ name, dates, days, names, values }: PlainTable): Table => ({
  name,
  dates,
  days: [...days],
  columns: new Map(names.map((column, at) => [column, values[at] as Float64Array])),
});

/** The names of the series in a file, sorted by code units, so that the order of its rows does not matter. */
export function seriesOf(names: readonly string[], file: string): string[] {
  const distinct = [...new Set(names)].sort();
  if (distinct.length <= MAX_SERIES) return distinct;
  throw new InputError(`${file}: ${distinct.length} series; at most ${MAX_SERIES} are possible, divide the file`);
}

/** The rows of each series, as tables of their own, in the order of `series`; empty tables for those that have none. */
export function splitSeries(table: Table, series: readonly string[]): Table[] {
  const rows = new Map(series.map((name) => [name, [] as number[]]));
  table.series?.forEach((name, row) => {
    const own = rows.get(name);
    if (own === undefined) {
      throw new InputError(
        `${table.name}: row ${row + 2}: the series ${JSON.stringify(name)} is not in the observed file`,
      );
    }
    own.push(row);
  });
  return series.map((name) => ({ ...takeRows(table, rows.get(name) ?? []), name: `${table.name} (${name})` }));
}

/** Sorted by day. */
export const sortByDay = (table: Table): Table =>
  takeRows(
    table,
    [...table.days.keys()].sort((a, b) => (table.days[a] as Day) - (table.days[b] as Day)),
  );
