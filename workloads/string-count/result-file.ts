import type { Dataset, Job } from "kindling";
import type { Parameters } from "./parameters.ts";
import { footer, rowGroup } from "./tasks.ts";

/** The result file by its name: the merged stretches as they are, or as a Parquet file's row groups. */
export async function resultFile(
  job: Job,
  params: Parameters,
  merged: Dataset<Uint8Array>,
  columns: readonly [string, string],
  headerBytes: number,
): Promise<{ readonly [name: string]: Dataset<Uint8Array> }> {
  if (params.output === "csv") return { "counts.csv": merged };
  const groups = await job.map(rowGroup, merged, {
    broadcast: await job.broadcast({ headerBytes }),
    label: "write Parquet",
  });
  const end = await job.map(footer, [{ columns, groups: groups.summaries }], { label: "write footer" });
  return {
    "counts.parquet": {
      parts: [...groups.parts, ...end.parts],
      summaries: [...groups.summaries, ...end.summaries],
      buckets: 1,
    },
  };
}
