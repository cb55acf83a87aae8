import type { Dataset, Job } from "kindling";
import type { Case } from "./data/holdout.ts";
import type { Prepared } from "./data/prepared.ts";
import { featureOptions, type Params } from "./options.ts";
import { type PrepareInput, type PrepareSummary, prepare } from "./tasks/prepare.ts";
import { readFiles, type SeriesTables, survey } from "./tasks/read.ts";

/** What a model of each series is made from. */
export interface PreparedCase {
  readonly wanted: Case;
  /** A partition for each series. */
  readonly prepared: Dataset<Prepared, PrepareSummary>;
}

/** A model that is to be fitted: a partition of a case. */
export interface Unit {
  readonly dataset: Dataset<Prepared, PrepareSummary>;
  readonly partition: number;
  readonly summary: PrepareSummary;
  readonly wanted: Case;
  /** For stages. */
  readonly label: string;
}

/** Reads the files and prepares the holdout or the folds; and all rows, where there is more to predict. */
export async function prepareCases(
  job: Job,
  params: Params,
): Promise<{
  readonly cases: readonly PreparedCase[];
  readonly notes: readonly string[];
  /** A bucket for each series. */
  readonly read: Dataset<SeriesTables>;
}> {
  const open = async (file: string | undefined) => (file === undefined ? null : (await job.source(file)).ordinal);
  const sources = {
    observed: (await job.source(params.observed)).ordinal,
    future: await open(params.future),
    actual: await open(params.actual),
  };
  const { target } = params;
  const keys = { date: params.date, series: params.series };
  const features = featureOptions(params);
  const series =
    params.series === undefined
      ? null
      : await job.fetch(await job.map(survey, [{ source: sources.observed, keys }]), 0);
  const read = await job.shuffle(readFiles, [{ sources, target, keys, features, series }], {
    buckets: series?.length ?? 1,
    label: "read",
  });
  const asksMore = sources.future !== null || sources.actual !== null;
  const wanted = [...casesToCheck(params), ...(asksMore ? [{ kind: "all" } as const] : [])];
  const inputs = wanted.map(
    (wanted): PrepareInput => ({ wanted, target, features, seriesColumn: params.series ?? null }),
  );
  // Made in this order, whichever ends first.
  const prepared = await Promise.all(
    (await broadcastEach(job, inputs)).map((broadcast) => job.reduce(prepare, read, { broadcast })),
  );
  const cases = prepared.map((dataset, at) => ({ wanted: wanted[at] as Case, prepared: dataset }));
  return { cases, notes: read.summaries[0]?.notes ?? [], read };
}

const broadcastEach = <T>(job: Job, values: readonly T[]) =>
  Promise.all(values.map((value) => job.broadcast<T>(value)));

const casesToCheck = ({ backtest, holdout }: Params): Case[] =>
  backtest === undefined
    ? [{ kind: "holdout", holdout }]
    : Array.from({ length: backtest }, (_, fold) => ({ kind: "fold", fold, folds: backtest }));

export const unitsOf = (cases: readonly PreparedCase[]): Unit[] =>
  cases.flatMap(({ wanted, prepared }) =>
    prepared.summaries.map((summary, partition) => ({
      dataset: prepared,
      partition,
      summary,
      wanted,
      label: [labelOf(wanted), ...(summary.series === null ? [] : [summary.series])].join(", "),
    })),
  );

const labelOf = (wanted: Case): string =>
  wanted.kind === "all" ? "all rows" : wanted.kind === "fold" ? `fold ${wanted.fold + 1}` : "holdout";
