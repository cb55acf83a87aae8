import { chart, dots, legend, line } from "./chart.ts";
import type { ColumnReport, SeriesReport } from "./data.ts";
import { html, type Markup } from "./markup.ts";
import { show } from "./numbers.ts";
import { dayTicks, extentOf, isoDate } from "./scale.ts";
import { alternative, table } from "./table.ts";

/** Columns drawn; a file may have a thousand. */
const DRAWN = 12;

/** The values as they came, with those that cleaning changed marked. */
export function rawSeries({ columns }: SeriesReport, id: string): Markup {
  const drawn = columns.slice(0, DRAWN).map((column, index) => rawColumn(column, `${id}-${index}`));
  const more = columns.length > DRAWN ? html`<p>${columns.length - DRAWN} more columns are not drawn.</p>` : null;
  return html`${drawn}${more}`;
}

function rawColumn(column: ColumnReport, id: string): Markup {
  const { name, days, values, repaired, repairedCount } = column;
  const x = extentOf(days);
  const y = extentOf(
    values,
    repaired.map(({ from }) => from),
  );
  if (x === undefined || y === undefined) return html`<h3>${name}</h3><p>No value is known.</p>`;
  const axes = { x, y };
  const changed = repairedCount === 1 ? "1 value" : `${show(repairedCount)} values`;
  const range = `From ${isoDate(x.low)} to ${isoDate(x.high)}, between ${show(y.low)} and ${show(y.high)}`;
  const points = days.map((day, index) => ({ x: day, y: values[index] ?? null }));
  const marks = repaired.map(({ day, from }) => ({ x: day, y: from }));
  const text = {
    id,
    title: `${name} over time`,
    summary: `${range}. Cleaning repaired or blanked ${changed}.`,
    yLabel: name,
  };
  return html`<h3>${name}</h3>
${chart(text, axes, dayTicks(x, 8), [line(axes, points, "line-actual"), dots(axes, marks, "dot-repaired")])}
${legend(["line-actual", "as it came"], ...(repairedCount > 0 ? [["dot-repaired", `${changed} repaired or blanked`] as const] : []))}
${alternative(html`${periods(column)}${repairedCount > 0 ? repairs(column) : null}`)}
`;
}

const periods = ({ name, periods }: ColumnReport): Markup =>
  table(
    `${name}, as it came`,
    ["Period", "Known values", "Mean", "Lowest", "Highest"],
    periods.map((period) => [period.name, show(period.known), show(period.mean), show(period.low), show(period.high)]),
  );

const repairs = ({ name, repaired, repairedCount }: ColumnReport): Markup =>
  table(
    `${name}: ${repaired.length < repairedCount ? `the first ${repaired.length} of ${repairedCount}` : "all"} changed values`,
    ["Day", "As it came", "Used"],
    repaired.map(({ day, from, to }) => [isoDate(day), show(from, 8), to === null ? "missing" : show(to, 8)]),
  );
