import { type Dataset, defineWorkload, type Job } from "kindling";
import { badRowError } from "./bad-row.ts";
import { checkBorders } from "./borders.ts";
import type { CountSummary, CsvPart, CsvPlan } from "./counting.ts";
import { csvField } from "./csv.ts";
import { decodeEntries, type Entry } from "./entries.ts";
import { KeySums } from "./key-sums.ts";
import type { MergePlan } from "./merging.ts";
import { resultMetrics } from "./metrics.ts";
import { delimiterByte, type Parameters, parameters, tupleSpec } from "./parameters.ts";
import { byteRanges, SAMPLE_FROM_BYTES, sampleRanges, sampleSplitters, tupleRanges, tupleSplitters } from "./plan.ts";
import { count, generate, inspectFile, merge, top } from "./tasks.ts";

/** What counting gives, from whichever source. */
interface Counted {
  readonly shards: Dataset<Uint8Array>;
  readonly tuples: number;
  readonly skippedRows: number;
  /** Names of the result's two columns. */
  readonly columns: readonly [string, string];
  readonly subject: string;
}

export default defineWorkload({
  name: "string-count",
  description: "Sums the values of each key, of generated tuples or of a CSV file",
  unit: "tuples",
  params: parameters,
  tasks: { generate, inspectFile, count, merge, top },
  async drive(job, params) {
    const counted =
      params.input === undefined ? await countTuples(job, params) : await countFile(job, params, params.input);
    const { shards, columns, subject } = counted;
    const header = new TextEncoder().encode(`${columns.map(csvField).join(",")}\n`);
    const plan: MergePlan = { header, top: params.top, subject };
    const broadcast = await job.broadcast(plan);
    const merged = await job.reduce(merge, shards, { broadcast, backend: params.backend });
    const tops: Entry[] = merged.summaries.flatMap((summary) => summary.top ?? []);
    if (merged.summaries.some((summary) => summary.top === null)) {
      const found = await job.map(top, merged, { broadcast });
      tops.length = 0;
      for (const partition of found.parts.keys()) tops.push(...(await job.fetch(found, partition)));
    }
    return job.collect({ "counts.csv": merged }, resultMetrics(counted, merged.summaries, tops, params.top));
  },
});

async function countTuples(job: Job, params: Parameters): Promise<Counted> {
  const spec = tupleSpec(params);
  const splitters = tupleSplitters(spec, params.tuples);
  const shards = await job.shuffle(generate, tupleRanges(params.tuples, params.partitions), {
    broadcast: await job.broadcast({ spec, splitters }),
    buckets: splitters.length + 1,
    backend: params.backend,
  });
  return { shards, tuples: params.tuples, skippedRows: 0, columns: ["key", "count"], subject: "generated tuples" };
}

async function countFile(job: Job, params: Parameters, input: string): Promise<Counted> {
  const source = await job.source(input);
  const names = params.header
    ? { key: params.key ?? "key", value: params.value ?? "value" }
    : { key: params.key ?? "1", value: params.value ?? "2" };
  const delimiter = delimiterByte(params.delimiter) ?? 0;
  const inspected = await job.map(
    inspectFile,
    [{ source: source.ordinal, delimiter, header: params.header, ...names }],
    {
      label: "read header",
    },
  );
  const { dialect, start } = await job.fetch(inspected, 0);
  const plan: CsvPlan = { dialect, skipBadRows: params.onBadRow === "skip", isSample: false, splitters: [] };
  const splitters = await chooseSplitters(job, params, plan, { source: source.ordinal, start, end: source.bytes });
  const parts = byteRanges(source.ordinal, start, source.bytes, params.partitions).map(
    (range, index): CsvPart => ({ range, first: index === 0 ? start : null }),
  );
  const options = {
    broadcast: await job.broadcast<CsvPlan>({ ...plan, splitters }),
    buckets: splitters.length + 1,
    backend: params.backend,
  };
  let counted = await job.shuffle(count, parts, options);
  for (;;) {
    const verdict = checkBorders(counted.summaries, start);
    if (verdict.kind === "consistent") break;
    if (verdict.kind === "bad") {
      throw badRowError(source.name, verdict.bad, verdict.row + (params.header ? 2 : 1), dialect, names);
    }
    const wrong = verdict.parts.map(({ part, first }): CsvPart => ({ ...(parts[part] as CsvPart), first }));
    const again = await job.shuffle(count, wrong, { ...options, label: "count again from the right row" });
    counted = replaceParts(
      counted,
      again,
      verdict.parts.map(({ part }) => part),
    );
  }
  const total = (of: (summary: CountSummary) => number) => counted.summaries.reduce((sum, each) => sum + of(each), 0);
  return {
    shards: counted,
    tuples: total((summary) => summary.tuples),
    skippedRows: total((summary) => summary.skipped),
    columns: params.header ? [names.key, names.value] : ["key", "count"],
    subject: `${source.name}, column ${JSON.stringify(names.value)}`,
  };
}

/** Counts a few small parts of a large file to see how many keys there may be, and where to cut between them. */
async function chooseSplitters(
  job: Job,
  params: Parameters,
  plan: CsvPlan,
  { source, start, end }: { readonly source: number; readonly start: number; readonly end: number },
): Promise<readonly string[]> {
  if (end - start < SAMPLE_FROM_BYTES) return [];
  const ranges = sampleRanges(source, start, end);
  const sampled = await job.shuffle(
    count,
    ranges.map((range, index): CsvPart => ({ range, first: index === 0 ? start : null })),
    {
      broadcast: await job.broadcast<CsvPlan>({ ...plan, isSample: true }),
      buckets: 1,
      backend: params.backend,
      label: "sample keys",
    },
  );
  const sums = new KeySums();
  for (const partition of sampled.parts.keys()) {
    for (const { key, sum } of decodeEntries(await job.fetch(sampled, partition))) sums.add(key, sum);
  }
  const sampledBytes = ranges.reduce((total, range) => total + range.end - range.start, 0);
  return sampleSplitters(sums.entries(), sampledBytes / (end - start));
}

/** `counted` with the partitions listed in `places` taken from `again`, in that order. */
function replaceParts<T>(
  counted: Dataset<T, CountSummary>,
  again: Dataset<T, CountSummary>,
  places: readonly number[],
): Dataset<T, CountSummary> {
  const parts = [...counted.parts];
  const summaries = [...counted.summaries];
  for (const [index, place] of places.entries()) {
    const part = again.parts[index];
    const summary = again.summaries[index];
    if (part !== undefined) parts[place] = part;
    if (summary !== undefined) summaries[place] = summary;
  }
  return { parts, summaries, buckets: counted.buckets };
}
