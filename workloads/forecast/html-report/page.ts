import type { Value } from "../../../shared/value.ts";
import type { ReportData, SeriesReport } from "./data.ts";
import type { ReportedJob } from "./reported-job.ts";
import { type Content, html, Markup } from "./markup.ts";
import { fieldsOf, metricsSection } from "./metrics.ts";
import { show } from "./numbers.ts";
import { againstTruth, overTime, residuals, rowsOf } from "./predicted.ts";
import { rawSeries } from "./raw-series.ts";
import { runSection } from "./run.ts";
import { STYLE } from "./style.ts";
import { importances } from "./importances.ts";

/** Series drawn one by one; the scores of all stand in their table. */
const DRAWN_SERIES = 6;

type Section = { readonly id: string; readonly title: string; readonly content: Content };

/**
 * A job as one HTML file that needs nothing else, not even a script. The same bytes for the same arguments; the times per stage
 * and node, and the job's id and date, are the run's own.
 */
export function reportPage(job: ReportedJob, data: ReportData): string {
  const sections = [
    { id: "metrics", title: "How good it is", content: metricsSection(job.metrics) },
    ...data.series
      .slice(0, DRAWN_SERIES)
      .flatMap((series, index) => [
        ...seriesSections(series, data.target, `s${index}`),
        data.series.length > 1 ? seriesImportances(series, job.metrics, `s${index}`) : undefined,
      ]),
    importances(job.metrics["importances"]),
    { id: "run", title: "How it was made", content: runSection(job) },
  ].filter((section): section is Section => section !== undefined);
  const title = `Forecast of ${data.target}`;
  const when = new Date(job.createdAt).toISOString().slice(0, 16).replace("T", " ");
  const more =
    data.series.length > DRAWN_SERIES
      ? html`<p>The first ${DRAWN_SERIES} of ${data.series.length} series are drawn.</p>`
      : null;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p class="muted">${job.workload} job ${job.id}, ${when} UTC, ${show(job.seconds)} s. ${modelLine(job.params, job.metrics)}</p>
${more}
</header>
<nav aria-label="Contents"><ul>${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
<main>
${sections.map(
  ({ id, title, content }) => html`<section aria-labelledby="${id}">
<h2 id="${id}">${title}</h2>
${content}
</section>
`,
)}</main>
<footer><p>Made by Kindling.</p></footer>
</body>
</html>
`;
  return page.text;
}

function seriesSections(series: SeriesReport, target: string, id: string): (Section | undefined)[] {
  const suffix = series.name === null ? "" : ` (${series.name})`;
  const holdout = series.holdout.flatMap(rowsOf);
  const forecast = series.forecast.flatMap(rowsOf);
  const scored = (rows: typeof holdout): boolean => rows.some(({ truth }) => truth !== null);
  return [
    forecast.length === 0
      ? undefined
      : {
          id: `${id}-forecast`,
          title: `The forecast${suffix}`,
          content: overTime(forecast, target, `${id}-forecast-chart`, "Forecast"),
        },
    holdout.length === 0
      ? undefined
      : {
          id: `${id}-holdout`,
          title: `Predicted and actual${suffix}`,
          content: html`<p>Days that the model was checked on and had not seen.</p>
<h3>Over time</h3>
${overTime(holdout, target, `${id}-holdout-chart`, "Checked days")}
<h3>Against each other</h3>
${againstTruth(holdout, target, `${id}-pairs`)}`,
        },
    scored(holdout)
      ? { id: `${id}-residuals`, title: `Residuals${suffix}`, content: residuals(holdout, target, `${id}-residual`) }
      : undefined,
    { id: `${id}-data`, title: `The data${suffix}`, content: rawSeries(series, `${id}-raw`) },
  ];
}

function seriesImportances({ name }: SeriesReport, metrics: ReportedJob["metrics"], id: string): Section | undefined {
  const own = fieldsOf(fieldsOf(metrics["series"])[name ?? ""]);
  return importances(own["importances"], `${id}-importances`, ` (${name})`);
}

function modelLine(params: Value, metrics: ReportedJob["metrics"]): string {
  const given = fieldsOf(params);
  const model = typeof given["model"] === "string" ? given["model"] : "rf";
  const { chosen } = fieldsOf(metrics["auto"]);
  const parts = [typeof chosen === "string" ? `Model ${model}, which chose ${chosen}` : `Model ${model}`];
  if (typeof metrics["trees"] === "number") parts.push(`${show(metrics["trees"])} trees`);
  if (typeof metrics["leaves"] === "number") parts.push(`${show(metrics["leaves"])} leaves each`);
  if (typeof metrics["features"] === "number") parts.push(`${show(metrics["features"])} features`);
  if (typeof metrics["trainRows"] === "number") parts.push(`${show(metrics["trainRows"])} rows to train on`);
  return `${parts.join(", ")}.`;
}
