import { InputError } from "kindling";
import { compactDate, type DateForm, type Day } from "../data/dates.ts";
import { type Case, checkRows, parseHoldout } from "../data/holdout.ts";
import type { Division } from "./survey.ts";

/** How many rows of a part of a file each day has. */
export type DayCounts = {
  readonly rows: number;
  /** Whether the part ends with a blank line. */
  readonly blank: boolean;
  readonly form: DateForm | null;
  /** Rising. */
  readonly days: Int32Array;
  readonly counts: Float64Array;
};

/** Days from a file's first to its last, as in ../tasks/read.ts. */
const LONGEST_SPAN = 146_097;
const NEVER: Day = 1e9;

/**
 * Which days of a file train and which are checked: as `divide` says it where each day has one row. Rows of a day stay together: a share
 * is the fewest last days that have so many rows.
 */
export function divideDays(parts: readonly DayCounts[], wanted: Case, file: string): Division {
  checkParts(parts, file);
  const counts = new Map<Day, number>();
  for (const part of parts) {
    part.days.forEach((day, at) => counts.set(day, (counts.get(day) ?? 0) + (part.counts[at] as number)));
  }
  const days = [...counts.keys()].sort((a, b) => a - b);
  const rows = parts.reduce((total, part) => total + part.rows, 0);
  const [first, last] = [days[0], days.at(-1)];
  if (first === undefined || last === undefined) throw new InputError(`${file}: there is a header but no row below it`);
  if (last - first > LONGEST_SPAN) {
    const span = `${compactDate(first)} to ${compactDate(last)}`;
    throw new InputError(`${file}: the dates run from ${span}, over more than 400 years; correct the wrong year`);
  }
  if (wanted.kind === "all") {
    return { trainBefore: NEVER, checkFrom: NEVER, checkTo: -NEVER, trainedFrom: first, trainedTo: last };
  }
  if (wanted.kind === "fold") throw new RangeError("there are no folds of rows");
  checkRows(rows, file);
  const { holdout } = wanted;
  const parsed = parseHoldout(holdout);
  if (parsed === undefined) {
    throw new InputError(
      `--holdout ${holdout}: write a share such as 0.1, or dates FROM..TO such as 20200701..20200930`,
    );
  }
  const range = "share" in parsed ? { from: lastDays(days, counts, parsed.share), to: last } : parsed;
  const checked = days.filter((day) => day >= range.from && day <= range.to);
  const [checkFrom, checkTo] = [checked[0], checked.at(-1)];
  if (checkFrom === undefined || checkTo === undefined) {
    throw new InputError(`${file}: no row lies in --holdout ${holdout}; choose dates of the file`);
  }
  const trainedTo = days.filter((day) => day < checkFrom).at(-1);
  if (trainedTo === undefined) {
    throw new InputError(`${file}: no row is left to train on before --holdout ${holdout}; hold out less`);
  }
  return { trainBefore: checkFrom, checkFrom, checkTo, trainedFrom: first, trainedTo };
}

/** The first of the last days that together have the share of the rows. */
function lastDays(days: readonly Day[], counts: ReadonlyMap<Day, number>, share: number): Day {
  const rows = [...counts.values()].reduce((total, count) => total + count, 0);
  let wanted = Math.ceil(rows * share);
  for (const day of days.toReversed()) {
    wanted -= counts.get(day) ?? 0;
    if (wanted <= 0) return day;
  }
  return days[0] ?? NEVER;
}

/** What no part can see alone: dates in two forms, and blank lines with rows below. Rows are counted from 1, the header. */
function checkParts(parts: readonly DayCounts[], file: string): void {
  let rows = 0;
  let form: DateForm | null = null;
  let blank = false;
  for (const part of parts) {
    if (part.rows > 0 && blank) {
      throw new InputError(`${file}: row ${rows + 2} is blank, with more rows below it; remove it`);
    }
    if (form !== null && part.form !== null && part.form !== form) {
      throw new InputError(`${file}: from row ${rows + 2} on, dates are not written as ${form}, as those above are`);
    }
    form ??= part.form;
    blank ||= part.blank;
    rows += part.rows;
  }
}
