import { defineTask } from "kindling";
import type { ByteString } from "./bytes.ts";
import { countCsvJs, countTuplesJs } from "./count-js.ts";
import { countCsvWasm, countTuplesWasm } from "./count-wasm.ts";
import type { CountSummary, CsvPart, CsvPlan, TuplePlan } from "./counting.ts";
import type { Entry } from "./entries.ts";
import { countCsvGpu, countParquetGpu, countTuplesGpu } from "./gpu/count-gpu.ts";
import { type InspectInput, type Inspection, inspect } from "./inspect.ts";
import wasm from "./kernel.wasm";
import { kernelOf } from "./kernel.ts";
import { countParquetJs } from "./parquet/count-js.ts";
import { countParquetWasm } from "./parquet/count-wasm.ts";
import { inspectParquet, type ParquetInspectInput } from "./parquet/inspect.ts";
import type { ParquetFile, ParquetPart, ParquetPlan } from "./parquet/plan.ts";
import type { ParquetSummary } from "./parquet/problems.ts";
import { type FooterInput, type ResultPlan, writeFooter, writeRowGroup, type WrittenGroup } from "./parquet/write.ts";
import { mergeJs, topOfResult } from "./merge-js.ts";
import { mergeWasm } from "./merge-wasm.ts";
import type { MergePlan, MergeSummary } from "./merging.ts";
import { csvProbe, parquetProbe, tupleProbe } from "./probes.ts";
import { finishReading } from "./reading.ts";
import { type SurveyPlan, surveyJs, surveyWasm } from "./survey.ts";
import type { TupleRange } from "./tuples.ts";

/** Makes a range of tuples and sums their values by key, into sorted buckets. */
export const generate = defineTask<TupleRange, readonly Uint8Array[], TuplePlan>({
  js: countTuplesJs,
  wasm: { module: wasm, run: (exports, range, context) => countTuplesWasm(kernelOf(exports), range, context) },
  webgpu: (range, context) => countTuplesGpu(range, context),
  probe: tupleProbe,
});

/** Reads a part of a CSV file and sums its values by key, into sorted buckets. */
export const count = defineTask<CsvPart, readonly Uint8Array[], CsvPlan, CountSummary>({
  js: (part, context) => finishReading(countCsvJs(part, context)),
  wasm: {
    module: wasm,
    run: (exports, part, context) => finishReading(countCsvWasm(kernelOf(exports), part, context)),
  },
  webgpu: (part, context) => countCsvGpu(part, context),
  probe: csvProbe,
});

/** Finds the columns and row groups in a Parquet file's footer. */
export const inspectParquetFile = defineTask<ParquetInspectInput, ParquetFile>({
  js: (input, context) => finishReading(inspectParquet(input, context)),
});

/** Reads row groups of a Parquet file and sums values by key, into sorted buckets. */
export const countParquet = defineTask<ParquetPart, readonly Uint8Array[], ParquetPlan, ParquetSummary>({
  js: (part, context) => finishReading(countParquetJs(part, context)),
  wasm: {
    module: wasm,
    run: (exports, part, context) => finishReading(countParquetWasm(kernelOf(exports), part, context)),
  },
  webgpu: (part, context) => countParquetGpu(part, context),
  probe: parquetProbe,
});

/** Adds up one bucket of all partitions into its stretch of the result file. */
export const merge = defineTask<readonly Uint8Array[], Uint8Array, MergePlan, MergeSummary>({
  js: mergeJs,
  wasm: { module: wasm, run: (exports, parts, context) => mergeWasm(kernelOf(exports), parts, context) },
});

/** Chooses from a sample where to cut between keys. */
export const survey = defineTask<readonly Uint8Array[], readonly ByteString[], SurveyPlan>({
  js: surveyJs,
  wasm: { module: wasm, run: (exports, parts, context) => surveyWasm(kernelOf(exports), parts, context) },
});

/** Finds the columns in the file's first record. */
export const inspectFile = defineTask<InspectInput, Inspection>({
  js: (input, context) => finishReading(inspect(input, context)),
});

export const top = defineTask<Uint8Array, readonly Entry[], MergePlan>({ js: topOfResult });

/** Writes a stretch of the result as a Parquet row group. */
export const rowGroup = defineTask<Uint8Array, Uint8Array, ResultPlan, WrittenGroup>({ js: writeRowGroup });

/** Writes the footer that makes row groups a Parquet file. */
export const footer = defineTask<FooterInput, Uint8Array>({ js: writeFooter });
