import { band, chart, dots, HEIGHT, legend, line, numberTicks, placeX, placeY, WIDTH } from "./chart.ts";
import type { PredictedRows } from "./data.ts";
import { html, type Markup, type Content } from "./markup.ts";
import { coordinate, show } from "./numbers.ts";
import { dayTicks, type Extent, extentOf, isoDate, ticks } from "./scale.ts";
import { alternative, table } from "./table.ts";
import { thinDots, thinLine } from "./thin.ts";

/** Columns of a drawing that hold two values each. */
const COLUMNS = 500;
/** Places of a dot in either direction. */
const CELLS = 250;
/** Rows of a table on the page; the result's file has all. */
const TABLE_ROWS = 500;
const BARS = 40;

type Row = {
  readonly day: number;
  readonly predicted: number | null;
  readonly truth: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
};

export const rowsOf = ({ days, predicted, truth, lower, upper }: PredictedRows): Row[] =>
  days.map((day, row) => ({
    day,
    predicted: predicted[row] ?? null,
    truth: truth[row] ?? null,
    lower: lower[row] ?? null,
    upper: upper[row] ?? null,
  }));

/** Predictions over time, with their interval and the truth where they are known. */
export function overTime(rows: readonly Row[], target: string, id: string, title: string): Markup {
  const x = extentOf(rows.map(({ day }) => day));
  const y = extentOf(rows.flatMap(({ predicted, truth, lower, upper }) => [predicted, truth, lower, upper]));
  if (x === undefined || y === undefined) return html`<p>No day was predicted.</p>`;
  const axes = { x, y };
  const lineOf = (valueOf: (row: Row) => number | null, kind: string): Markup =>
    line(
      axes,
      thinLine(
        rows.map((row) => ({ day: row.day, value: valueOf(row) })),
        COLUMNS,
      ).map(({ day, value }) => ({ x: day, y: value })),
      kind,
    );
  const known = rows.some(({ truth }) => truth !== null);
  const interval = bandOf(rows);
  const text = {
    id,
    title: `${title}: ${target}`,
    summary: `${show(rows.length)} days from ${isoDate(x.low)} to ${isoDate(x.high)}, values between ${show(y.low)} and ${show(y.high)}.`,
    yLabel: target,
  };
  const content: Content[] = [
    interval.length > 1 ? band(axes, interval) : null,
    known ? lineOf(({ truth }) => truth, "line-actual") : null,
    lineOf(({ predicted }) => predicted, "line-predicted"),
  ];
  const entries: [string, string][] = [["line-predicted", "predicted"]];
  if (known) entries.unshift(["line-actual", "actual"]);
  if (interval.length > 1) entries.push(["band", "prediction interval"]);
  return html`${chart(text, axes, dayTicks(x, 8), content)}
${legend(...entries)}
${alternative(rowsTable(rows, target))}`;
}

/** Rows with an interval, the widest one of each column of the drawing. */
function bandOf(rows: readonly Row[]): { x: number; low: number; high: number }[] {
  const known = rows.filter(({ lower, upper }) => lower !== null && upper !== null);
  const group = Math.max(1, Math.ceil(known.length / COLUMNS));
  return Array.from({ length: Math.ceil(known.length / group) }, (_, index) => {
    const members = known.slice(index * group, (index + 1) * group);
    return {
      x: members[0]?.day ?? 0,
      low: Math.min(...members.map(({ lower }) => lower ?? 0)),
      high: Math.max(...members.map(({ upper }) => upper ?? 0)),
    };
  });
}

/** Each prediction against its truth. */
export function againstTruth(rows: readonly Row[], target: string, id: string): Markup {
  const pairs = rows.flatMap(({ predicted, truth }) =>
    predicted === null || truth === null ? [] : [{ x: truth, y: predicted }],
  );
  const both = extentOf(pairs.flatMap(({ x, y }) => [x, y]));
  if (both === undefined) return html`<p>No true value is known.</p>`;
  const axes = { x: both, y: both };
  const text = {
    id,
    title: `Predicted against actual ${target}`,
    summary: `${show(pairs.length)} days; the dashed line is where both are the same.`,
    yLabel: "predicted",
    xLabel: "actual",
  };
  const diagonal = [both.low, both.high].map((value) => ({ x: value, y: value }));
  const shown = thinDots(pairs, CELLS, (dot) => [placeX(axes, dot.x) / WIDTH, placeY(axes, dot.y) / HEIGHT]);
  const content = [dots(axes, shown, "dot-predicted"), line(axes, diagonal, "line-zero")];
  return html`<div class="square">${chart(text, axes, numberTicks(both, 5), content)}</div>`;
}

/** Predicted − actual, over time and as a histogram. */
export function residuals(rows: readonly Row[], target: string, id: string): Markup {
  const errors = rows.flatMap(({ day, predicted, truth }) =>
    predicted === null || truth === null ? [] : [{ x: day, y: predicted - truth }],
  );
  const x = extentOf(errors.map((error) => error.x));
  const y = extentOf(
    errors.map((error) => error.y),
    [0],
  );
  if (x === undefined || y === undefined) return html`<p>No true value is known.</p>`;
  const axes = { x, y };
  const text = {
    id: `${id}-time`,
    title: `Residuals of ${target} over time`,
    summary: `Predicted minus actual of ${show(errors.length)} days, between ${show(y.low)} and ${show(y.high)}.`,
    yLabel: "predicted − actual",
  };
  const shown = thinDots(errors, CELLS, (dot) => [placeX(axes, dot.x) / WIDTH, placeY(axes, dot.y) / HEIGHT]);
  const zero = [x.low, x.high].map((day) => ({ x: day, y: 0 }));
  return html`<h3>Over time</h3>
${chart(text, axes, dayTicks(x, 8), [dots(axes, shown, "dot-actual"), line(axes, zero, "line-zero")])}
<h3>How often</h3>
${histogram(
  errors.map((error) => error.y),
  y,
  `${id}-histogram`,
)}`;
}

function histogram(values: readonly number[], extent: Extent, id: string): Markup {
  const [first = extent.low, second = extent.high] = ticks(extent, BARS);
  const width = second - first;
  const low = Math.floor(extent.low / width) * width;
  const count = Math.floor((extent.high - low) / width) + 1;
  const counts = new Array<number>(count).fill(0);
  for (const value of values) {
    const bin = Math.min(count - 1, Math.max(0, Math.floor((value - low) / width)));
    counts[bin] = (counts[bin] as number) + 1;
  }
  const axes = { x: { low, high: low + count * width }, y: { low: 0, high: Math.max(...counts, 1) } };
  const columns = counts.map((number, bin) => {
    const left = placeX(axes, low + bin * width);
    const top = placeY(axes, number);
    const right = placeX(axes, low + (bin + 1) * width);
    return html`<rect class="column" x="${coordinate(left + 1)}" y="${coordinate(top)}" width="${coordinate(right - left - 2)}" height="${coordinate(HEIGHT - top)}"/>`;
  });
  const text = {
    id,
    title: "Histogram of the residuals",
    summary: `${show(values.length)} residuals in ${count} bins of ${show(width)}.`,
    yLabel: "days",
    xLabel: "predicted − actual",
  };
  const rows = counts.map((number, bin) => [
    `${show(low + bin * width)} to ${show(low + (bin + 1) * width)}`,
    show(number),
  ]);
  return html`${chart(text, axes, numberTicks(axes.x, 8), columns)}
${alternative(table("Residuals by size", ["Predicted − actual", "Days"], rows))}`;
}

function rowsTable(rows: readonly Row[], target: string): Markup {
  const shown = rows.slice(0, TABLE_ROWS);
  const known = rows.some(({ truth }) => truth !== null);
  const interval = rows.some(({ lower }) => lower !== null);
  const columns = ["Day", `Predicted ${target}`];
  if (known) columns.push("Actual", "Predicted − actual");
  if (interval) columns.push("Lower", "Upper");
  const cells = shown.map(({ day, predicted, truth, lower, upper }) => {
    const row = [isoDate(day), show(predicted, 6)];
    if (known) row.push(show(truth, 6), show(predicted === null || truth === null ? null : predicted - truth));
    if (interval) row.push(show(lower, 6), show(upper, 6));
    return row;
  });
  const more = rows.length > shown.length ? `the first ${shown.length} of ${rows.length} days` : `${rows.length} days`;
  return table(`${target}: ${more}`, columns, cells);
}
