import type { Gpu, GpuContext } from "kindling";
import { eachRecord, guessFirstRecord } from "../count-js.ts";
import type { CountSummary, CsvPart, CsvPlan, TuplePlan } from "../counting.ts";
import { encodeBuckets } from "../key-sums.ts";
import { GroupSums } from "../parquet/count-js.ts";
import type { ParquetPart, ParquetPlan } from "../parquet/plan.ts";
import type { ParquetSummary } from "../parquet/problems.ts";
import { eachRow, type StoredKey } from "../parquet/rows.ts";
import { finishReading } from "../reading.ts";
import { SourceWindow } from "../source-window.ts";
import type { TupleRange } from "../tuples.ts";
import { linesOnGpu } from "./lines.ts";
import { RecordList } from "./record-list.ts";
import { type TableOptions, Tally } from "./tally.ts";
import { tuplesOnGpu } from "./tuples.ts";

type CsvContext = GpuContext<CsvPlan, CountSummary>;

/** Counts a range of generated tuples: as countTuplesJs, byte for byte. */
export const countTuplesGpu = (
  range: TupleRange,
  context: GpuContext<TuplePlan>,
  options?: TableOptions,
): Promise<readonly Uint8Array[]> =>
  context.webgpu(async (gpu) => {
    const tally = new Tally(gpu, options);
    for await (const batch of tuplesOnGpu(gpu, context.broadcast.spec, range)) {
      await tally.add(batch);
      context.progress(batch.count);
    }
    // Values are below 2³²: no sum comes near the limit.
    return encodeBuckets(await tally.entries(() => {}), context.broadcast.splitters);
  });

/**
 * Counts a part of a CSV file: as countCsvJs, byte for byte. Where the text is plain (no quotes, nothing wrong), the GPU also
 * finds the records; where it is not, the reference parser does, and the GPU sums what that gives.
 */
export const countCsvGpu = (
  part: CsvPart,
  context: CsvContext,
  options?: TableOptions,
): Promise<readonly Uint8Array[]> =>
  context.webgpu(async (gpu) => {
    const counted = (await countLines(gpu, part, context, options)) ?? (await countParsed(gpu, part, context, options));
    const { tally, summary } = counted;
    context.progress(summary.tuples);
    context.report(summary);
    if (summary.bad !== null) return encodeBuckets([], context.broadcast.splitters);
    const entries = await tally.entries(async (visit) => {
      await finishReading(eachRecord(part, context, visit));
    });
    return encodeBuckets(entries, context.broadcast.splitters);
  });

interface Counted {
  readonly tally: Tally;
  readonly summary: CountSummary;
}

/** Undefined where the text is not plain. */
async function countLines(
  gpu: Gpu,
  part: CsvPart,
  context: CsvContext,
  options?: TableOptions,
): Promise<Counted | undefined> {
  const { dialect, isSample } = context.broadcast;
  const reader = context.open(part.range.source);
  const first = part.first ?? (await finishReading(guessFirstRecord(new SourceWindow(reader), part.range.start)));
  if (first < 0) return undefined;
  const tally = new Tally(gpu, options);
  const summary = { first, next: first, rows: 0, tuples: 0, skipped: 0, bad: null };
  for await (const lines of linesOnGpu(gpu, reader, first, part.range.end, dialect, isSample)) {
    if (lines === "not plain") return undefined;
    await tally.add(lines);
    summary.rows += lines.count;
    summary.tuples += lines.count - lines.blank;
    summary.next = lines.next;
  }
  return { tally, summary };
}

async function countParsed(gpu: Gpu, part: CsvPart, context: CsvContext, options?: TableOptions): Promise<Counted> {
  const list = new RecordList();
  const summary = await finishReading(eachRecord(part, context, (key, value) => list.add(key, value)));
  return { tally: await tallyOf(gpu, list, options), summary };
}

/** Counts row groups of a Parquet file: as countParquetJs, byte for byte. The reference decodes the pages, the GPU sums. */
export const countParquetGpu = (
  part: ParquetPart,
  context: GpuContext<ParquetPlan, ParquetSummary>,
  options?: TableOptions,
): Promise<readonly Uint8Array[]> =>
  context.webgpu(async (gpu) => {
    const list = new RecordList();
    const visitor = { row: (key: StoredKey, value: bigint) => list.add(key.text, value), endGroup: () => {} };
    const summary = await finishReading(eachRow(part, context, visitor));
    context.progress(summary.tuples);
    context.report(summary);
    if (summary.bad !== null) return encodeBuckets([], context.broadcast.splitters);
    const tally = await tallyOf(gpu, list, options);
    const entries = await tally.entries(async (visit) => {
      await finishReading(eachRow(part, context, new GroupSums(visit)));
    });
    return encodeBuckets(entries, context.broadcast.splitters);
  });

async function tallyOf(gpu: Gpu, list: RecordList, options?: TableOptions): Promise<Tally> {
  const tally = new Tally(gpu, options);
  for (const batch of list.batches(gpu)) await tally.add(batch);
  return tally;
}
