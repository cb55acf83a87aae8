import { type Dataset, defineTask, type Job } from "kindling";
import type { Unit } from "../cases.ts";
import { cleanColumn, fitRange } from "../data/cleaning.ts";
import { parseCsv } from "../data/csv.ts";
import { type Day, parseDay } from "../data/dates.ts";
import type { Prepared } from "../data/prepared.ts";
import { tableOf } from "../data/series.ts";
import { type ColumnReport, REPORT_VERSION } from "../html-report/data.ts";
import { describeColumn, describeRows } from "../html-report/describe.ts";
import { writeText } from "./encode-series.ts";
import type { SeriesTables } from "./read.ts";

/** Columns of one series in a report. */
const MAX_COLUMNS = 50;

/** The observed columns of one series, as they came and with the values marked that the rule fitted on all rows changes. */
export const reportColumns = defineTask<readonly SeriesTables[], string, { readonly target: string }>({
  js([tables], { broadcast: { target } }) {
    if (tables === undefined) return "[]";
    const { days, columns } = tableOf(tables.observed);
    const names = [target, ...tables.predictors].slice(0, MAX_COLUMNS);
    const described = names.flatMap((name): ColumnReport[] => {
      const raw = columns.get(name);
      return raw === undefined ? [] : [describeColumn(name, days, raw, cleanColumn(raw, fitRange(raw)).values)];
    });
    return JSON.stringify(described);
  },
});

/** The rows of a result file, beside the truth that they were scored against. */
export const reportRows = defineTask<string, string, Prepared>({
  js(file, { broadcast: { queries, series, header } }) {
    const [query] = Object.values(queries);
    if (query === undefined) return "null";
    const records = parseCsv(file, "the result").slice(header ? 1 : 0);
    const at = series === null ? 1 : 2;
    const column = (place: number): number[] => records.map((record) => Number(record[place]));
    const hasInterval = (records[0]?.length ?? 0) > at + 2;
    const rows = describeRows({
      days: query.dates.map((date) => parseDay(date) as Day),
      predicted: column(at),
      truth: query.truth.some((value) => value === value) ? query.truth : undefined,
      ...(hasInterval && { lower: column(at + 1), upper: column(at + 2) }),
    });
    return JSON.stringify(rows);
  },
});

/** A model's predictions as they stand in the result's file. */
export type Predicted = { readonly unit: Unit; readonly trained: { readonly predictions: Dataset<string> } };

/** Puts `report.json` together: for each series its columns, the rows it was checked on, and its forecast. */
export async function encodeReport(
  job: Job,
  target: string,
  read: Dataset<SeriesTables>,
  checked: readonly Predicted[],
  forecast: readonly Predicted[],
): Promise<Dataset<string>> {
  const columns = await job.reduce(reportColumns, read, {
    broadcast: await job.broadcast({ target }),
    label: "report",
  });
  const rowsOf = async ({ unit, trained }: Predicted): Promise<Dataset<string>> => {
    const broadcast = await job.broadcast({ dataset: unit.dataset, partition: unit.partition });
    return job.map(reportRows, trained.predictions, { broadcast, label: "report" });
  };
  const names = [...new Set(checked.map(({ unit }) => unit.summary.series))];
  // Text that stands before each part, and at the end.
  const texts: string[] = [];
  const parts: Dataset<string>["parts"][number][] = [];
  let text = `{"version":${REPORT_VERSION},"target":${JSON.stringify(target)},"series":[`;
  const put = (dataset: Dataset<string>, partition: number): void => {
    texts.push(text);
    parts.push(...dataset.parts.slice(partition, partition + 1));
    text = "";
  };
  for (const [index, name] of names.entries()) {
    text += `${index === 0 ? "" : ","}{"name":${JSON.stringify(name)},"columns":`;
    put(columns, index);
    for (const [field, list] of Object.entries({ holdout: checked, forecast })) {
      text += `,"${field}":[`;
      const own = list.filter(({ unit }) => unit.summary.series === name);
      for (const [at, predicted] of own.entries()) {
        text += at === 0 ? "" : ",";
        put(await rowsOf(predicted), 0);
      }
      text += "]";
    }
    text += "}";
  }
  const glue = await job.map(writeText, [...texts, `${text}]}\n`], { label: "report" });
  const [last, ...rest] = glue.parts.toReversed();
  const pairs = rest.toReversed().flatMap((ref, at) => [ref, ...parts.slice(at, at + 1)]);
  return { parts: [...pairs, ...(last === undefined ? [] : [last])], buckets: 1, summaries: [] };
}
