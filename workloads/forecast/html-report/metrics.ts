import type { Value } from "../../../shared/value.ts";
import { type Content, html, type Markup } from "./markup.ts";
import { show } from "./numbers.ts";
import { table } from "./table.ts";

type Fields = Readonly<Record<string, Value>>;
type Row = readonly [name: string, scores: Fields];

/** The scores that are shown, in their order. */
const SCORES: readonly (readonly [key: string, title: string])[] = [
  ["mse", "MSE"],
  ["rmse", "RMSE"],
  ["mae", "MAE"],
  ["r2", "R²"],
  ["mape", "MAPE"],
  ["coverage", "Coverage"],
];
const BASELINES: Fields = { persistence: "Persistence", seasonalMean: "Seasonal mean" };
const SHARES = new Set(["mape", "coverage"]);
/** Rows of one table. */
const MOST = 100;

/** The scores beside those of the baselines, then those of folds, series and other files, and what cleaning did. */
export function metricsSection(metrics: Fields): Markup {
  const figures = SCORES.filter(([key]) => typeof metrics[key] === "number");
  const parts: Content[] = [
    html`<dl class="figures">${figures.map(([key, title]) => html`<div><dt>${title}</dt><dd>${score(key, metrics[key])}</dd></div>`)}</dl>`,
    comparison(`The model and forecasts that need none, over ${show(metrics["rows"])} checked days`, metrics),
  ];
  const actual = fieldsOf(metrics["actual"]);
  if (typeof actual["mse"] === "number") {
    parts.push(html`<h3>The days of the actual file</h3>`, comparison(`Over ${show(actual["rows"])} days`, actual));
  }
  const backtest = fieldsOf(metrics["backtest"]);
  if (Array.isArray(backtest["folds"])) {
    const folds = (backtest["folds"] as readonly Value[]).map((fold, index): Row => {
      const { from, to, ...scores } = fieldsOf(fold);
      return [`${index + 1}: ${String(from ?? "")} to ${String(to ?? "")}`, scores];
    });
    parts.push(
      html`<h3>Backtest</h3>`,
      scoreTable("Each fold, trained on all days before it", "Fold", [...folds, ["Mean", fieldsOf(backtest["mean"])]]),
    );
  }
  const series = Object.entries(fieldsOf(metrics["series"])).map(([name, scores]): Row => [name, fieldsOf(scores)]);
  if (series.length > 0) parts.push(html`<h3>Series</h3>`, ...seriesTables(series));
  const candidates = Object.entries(fieldsOf(fieldsOf(metrics["auto"])["candidates"]));
  if (candidates.length > 0) {
    const rows = candidates.map(([name, mse]) => [name, show(mse)]);
    parts.push(
      html`<h3>Models that were tried</h3>`,
      table("By a backtest on the training rows", ["Model", "MSE"], rows),
    );
  }
  parts.push(cleaning(metrics));
  const { notes } = metrics;
  if (Array.isArray(notes)) parts.push(html`<ul>${notes.map((note) => html`<li>${String(note)}</li>`)}</ul>`);
  return html`${parts}`;
}

/** The scores of each series and, where they were asked for, those out of bag and the models that were chosen. */
function seriesTables(series: readonly Row[]): Markup[] {
  const outOfBag = series.map(([name, scores]): Row => [name, fieldsOf(scores["outOfBag"])]);
  const chosen = series.flatMap(([name, scores]) => {
    const { chosen } = fieldsOf(scores["auto"]);
    return typeof chosen === "string" ? [[name, chosen]] : [];
  });
  const tables = [scoreTable("Each series", "Series", series)];
  if (outOfBag.some(([, scores]) => typeof scores["mse"] === "number")) {
    tables.push(scoreTable("The training rows of each series, out of bag", "Series", outOfBag));
  }
  if (chosen.length > 0) {
    const shown = chosen.length > MOST ? ` (the first ${MOST} of ${chosen.length} series)` : "";
    tables.push(table(`The model chosen for each series${shown}`, ["Series", "Model"], chosen.slice(0, MOST)));
  }
  return tables;
}

function comparison(caption: string, scores: Fields): Markup {
  const baselines = Object.entries(fieldsOf(scores["baselines"]))
    .map(([name, of]): Row => [String(BASELINES[name] ?? name), fieldsOf(of)])
    .filter(([, of]) => typeof of["mse"] === "number");
  const outOfBag = fieldsOf(scores["outOfBag"]);
  const own: Row[] = typeof outOfBag["mse"] === "number" ? [["Training rows, out of bag", outOfBag]] : [];
  return scoreTable(caption, "Forecast", [["This model", scores], ...baselines, ...own]);
}

function scoreTable(caption: string, first: string, rows: readonly Row[]): Markup {
  const known = SCORES.filter(([key]) => rows.some(([, scores]) => typeof scores[key] === "number"));
  const shown = rows.length > MOST ? `${caption} (the first ${MOST} of ${rows.length})` : caption;
  return table(
    shown,
    [first, ...known.map(([, title]) => title)],
    rows.slice(0, MOST).map(([name, scores]) => [name, ...known.map(([key]) => score(key, scores[key]))]),
  );
}

/** Cells that cleaning changed or found without a value. */
function cleaning(metrics: Fields): Content {
  const kinds: readonly (readonly [key: string, title: string])[] = [
    ["repaired", "Repaired"],
    ["missing", "Missing"],
    ["unusual", "Unusual, kept"],
  ];
  const counts = kinds.map(([key]) => fieldsOf(metrics[key]));
  const columns = [...new Set(counts.flatMap(Object.keys))];
  if (columns.length === 0) return html`<p>Cleaning left every value as it came.</p>`;
  return html`<h3>Cleaning</h3>
${table(
  "Values of training and checked rows by what cleaning did to them",
  ["Column", ...kinds.map(([, title]) => title)],
  columns.map((column) => [column, ...counts.map((of) => show(of[column] ?? 0))]),
)}`;
}

const score = (key: string, value: Value): string =>
  SHARES.has(key) && typeof value === "number" ? `${show(value * 100, 3)} %` : show(value);

export const fieldsOf = (value: Value): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)
    ? (value as Fields)
    : {};
