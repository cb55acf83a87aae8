import { type Dataset, InputError, type Job, type Source, type SourceRange, splitSource } from "kindling";
import { MAX_ROWS } from "../forest/training-set.ts";
import type { Params } from "../options.ts";
import { countDays, readHeader } from "../tasks/read-rows.ts";
import type { DayCounts } from "./divide.ts";
import type { Layout } from "./records.ts";

/** Bytes of a file that one task reads. */
const RANGE_BYTES = 2 ** 22;

/** A file whose rows are read in parts. */
export interface RowFile {
  readonly source: Source;
  readonly ranges: readonly SourceRange[];
  readonly layout: Layout;
  readonly hasTarget: boolean;
  readonly counted: Dataset<DayCounts, { readonly rows: number }>;
}

/** Shorter files have no more rows than one node's lists can hold: a row has a date, a comma, a digit and a line end. */
const SHORTEST_ROW = 11;

/** The observed file, if nodes are to share its rows: as asked, or because it has more of them than one node's lists can hold. */
export async function openShared(job: Job, params: Params): Promise<RowFile | undefined> {
  const { distribute, observed, series } = params;
  if (distribute === "trees") return undefined;
  if (distribute === "rows") {
    checkParams(params);
  } else {
    const { bytes } = await job.source(observed);
    if (series !== undefined || bytes <= MAX_ROWS * SHORTEST_ROW) return undefined;
  }
  const opened = await openRows(job, params, observed, { wanted: "all", withTarget: true });
  const rows = opened.counted.summaries.reduce((total, part) => total + part.rows, 0);
  return distribute === "rows" || rows > MAX_ROWS ? opened : undefined;
}

const SHARED = `with --distribute rows, and for more than ${MAX_ROWS} rows, nodes share the rows`;
const OR_ELSE = `or --distribute trees for at most ${MAX_ROWS} rows`;

/** What needs the rows around a row, or all rows at once, is not possible. */
export function checkParams(params: Params): void {
  const asked: Readonly<Record<string, boolean>> = {
    "--series": params.series !== undefined,
    "--backtest": params.backtest !== undefined,
    "--horizon": params.horizon !== undefined,
    "--lags": params.lags !== undefined,
    "--windows": params.windows !== undefined,
    "--trend": params.trend !== "none",
    "--intervals": params.intervals !== undefined,
    "--explain": params.explain,
    "--report": params.reportData,
    "--engine ml-random-forest": params.engine !== "kindling",
  };
  const [first] = Object.keys(asked).filter((option) => asked[option]);
  if (first !== undefined) {
    throw new InputError(`${first} needs all rows in one place, but ${SHARED}: leave it out, ${OR_ELSE}`);
  }
  if (params.model !== "rf") {
    throw new InputError(
      `--model ${params.model} needs all rows in one place, but ${SHARED}: use --model rf, ${OR_ELSE}`,
    );
  }
}

/** A file with its columns and its days' rows, in parts. */
export async function openRows(
  job: Job,
  { date, target }: Params,
  file: string,
  what: { readonly wanted: "all" | readonly string[]; readonly withTarget: boolean },
): Promise<RowFile> {
  const source = await job.source(file);
  const input = { source: source.ordinal, date, target, ...what };
  const layout = await job.fetch(await job.map(readHeader, [input], { label: "header" }), 0);
  const ranges = splitSource(source, RANGE_BYTES);
  const counted = await job.map(countDays, parts({ ranges, layout }), { label: `days of ${source.name}` });
  return { source, ranges, layout, hasTarget: what.withTarget, counted };
}

/** What each task that reads the file gets. */
export const parts = ({ ranges, layout }: Pick<RowFile, "ranges" | "layout">) =>
  ranges.map((range) => ({ range, layout }));
