import type { Dataset, Job, Source } from "kindling";
import { quoted } from "./bytes.ts";
import type { Counted, FileGroup } from "./counted.ts";
import { csvGroups } from "./csv-files.ts";
import type { Parameters } from "./parameters.ts";
import { parquetGroups } from "./parquet-files.ts";
import { SAMPLE_FROM_BYTES } from "./plan.ts";
import { survey } from "./tasks.ts";

/** Counts all files into one result. Each has its own header or footer; formats may be mixed. */
export async function countFiles(job: Job, params: Parameters, inputs: readonly string[]): Promise<Counted> {
  const sources: Source[] = [];
  for (const input of inputs) sources.push(await job.source(input));
  const isParquet = ({ name }: Source): boolean =>
    params.format === undefined ? /\.(parquet|pq)$/i.test(name) : params.format === "parquet";
  const groups = [
    ...(await csvGroups(
      job,
      params,
      sources.filter((source) => !isParquet(source)),
    )),
    ...(await parquetGroups(job, params, sources.filter(isParquet))),
  ];
  const splitters = await chooseSplitters(job, groups, params);
  const counted = [];
  for (const group of groups) counted.push(await group.count(splitters));
  const hasNames = params.header || sources.every(isParquet);
  const [first] = sources;
  const name = sources.length === 1 ? (first?.name ?? "") : `${sources.length} files, ${first?.name ?? ""} the first`;
  const column = params.value ?? (hasNames ? "value" : "2");
  return {
    shards: joined(
      counted.map(({ shards }) => shards),
      splitters.length + 1,
    ),
    tuples: counted.reduce((total, { tuples }) => total + tuples, 0),
    skippedRows: counted.reduce((total, { skippedRows }) => total + skippedRows, 0),
    columns: hasNames ? [params.key ?? "key", params.value ?? "value"] : ["key", "count"],
    subject: `${name}, column ${quoted(column)}`,
  };
}

/** Counts a few small parts of large files to see how many keys there may be, and where to cut between them. */
async function chooseSplitters(
  job: Job,
  groups: readonly FileGroup[],
  { backend, taskMemory }: Parameters,
): Promise<readonly string[]> {
  if (groups.reduce((total, { bytes }) => total + bytes, 0) < SAMPLE_FROM_BYTES) return [];
  const sampled = [];
  let seen = 0;
  let estimated = 0;
  for (const group of groups) {
    const { shards, tuples, share } = await group.sample();
    sampled.push(shards);
    seen += tuples;
    estimated += share === 0 ? 0 : tuples / share;
  }
  const broadcast = await job.broadcast({ sampledShare: seen / estimated, taskMemory: taskMemory ?? null });
  const surveyed = await job.reduce(survey, joined(sampled, 1), { broadcast, backend, label: "survey keys" });
  return job.fetch(surveyed, 0);
}

const joined = (datasets: readonly Dataset<Uint8Array>[], buckets: number): Dataset<Uint8Array> => ({
  parts: datasets.flatMap(({ parts }) => parts),
  summaries: datasets.flatMap(({ summaries }) => summaries),
  buckets,
});
