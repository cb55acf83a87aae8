import { defineWorkload, type Job } from "kindling";
import type { Counted } from "./counted.ts";
import { csvField } from "./csv.ts";
import type { Entry } from "./entries.ts";
import { countFiles } from "./files.ts";
import type { MergePlan } from "./merging.ts";
import { resultMetrics } from "./metrics.ts";
import { type Parameters, parameters, tupleSpec } from "./parameters.ts";
import { tupleParts, tupleRanges, tupleSplitters } from "./plan.ts";
import { resultFile } from "./result-file.ts";
import {
  count,
  countParquet,
  footer,
  generate,
  inspectFile,
  inspectParquetFile,
  merge,
  rowGroup,
  survey,
  top,
} from "./tasks.ts";

export default defineWorkload({
  name: "string-count",
  description: "Sums the values of each key, of generated tuples or of CSV and Parquet files",
  unit: "tuples",
  params: parameters,
  lacks: (_, artifact) => (artifact === "model" ? "string-count makes no model" : undefined),
  tasks: { generate, inspectFile, count, inspectParquetFile, countParquet, survey, merge, top, rowGroup, footer },
  async drive(job, params) {
    const { input } = params;
    const inputs = typeof input === "string" ? [input] : input;
    const counted = await (inputs === undefined ? countTuples(job, params) : countFiles(job, params, inputs));
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
    const files = await resultFile(job, params, merged, columns, header.length);
    return job.collect(files, resultMetrics(counted, merged.summaries, tops, params.top));
  },
});

async function countTuples(job: Job, params: Parameters): Promise<Counted> {
  const spec = tupleSpec(params);
  const splitters = tupleSplitters(spec, params.tuples, params.taskMemory);
  const shards = await job.shuffle(
    generate,
    tupleRanges(params.tuples, params.partitions ?? tupleParts(params.tuples, params.taskMemory)),
    {
      broadcast: await job.broadcast({ spec, splitters }),
      buckets: splitters.length + 1,
      backend: params.backend,
    },
  );
  return { shards, tuples: params.tuples, skippedRows: 0, columns: ["key", "count"], subject: "generated tuples" };
}
