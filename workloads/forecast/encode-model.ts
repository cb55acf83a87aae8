import type { Broadcast, Dataset, Job } from "kindling";
import type { Prepared } from "./data/prepared.ts";
import type { Forest } from "./forest/forest.ts";
import type { HeadInput } from "./model-file/head.ts";
import { COLUMN_COUNT, coarseUnit } from "./model-file/onnx-attributes.ts";
import { encodeFoot, encodeHead, encodeTrees } from "./tasks/encode.ts";
import { onnxAttribute, onnxPart, onnxPieces } from "./tasks/encode-onnx.ts";

/** A forest as its file. */
export async function encodeModel(
  job: Job,
  format: "json" | "onnx",
  input: HeadInput,
  forest: Dataset<Forest>,
  broadcast: Broadcast<Prepared>,
): Promise<Dataset<string | Uint8Array>> {
  if (format === "onnx") return encodeOnnx(job, input, forest, broadcast);
  const head = await job.map(encodeHead, [input], { broadcast });
  const body = await job.map(encodeTrees, forest, { broadcast });
  const foot = await job.map(encodeFoot, [null], { broadcast });
  const datasets = [head, body, foot];
  return { parts: datasets.flatMap(({ parts }) => parts), buckets: 1, summaries: [] };
}

/** The trees' lists are put together list by list, and the file's beginning says how long they are. */
async function encodeOnnx(
  job: Job,
  input: HeadInput,
  forest: Dataset<Forest>,
  broadcast: Broadcast<Prepared>,
): Promise<Dataset<Uint8Array>> {
  const unit = await job.broadcast(coarseUnit(input.models));
  const pieces = await job.shuffle(onnxPieces, forest, { broadcast: unit, buckets: COLUMN_COUNT });
  const attributes = await job.reduce(onnxAttribute, pieces);
  const attributeBytes = attributes.summaries.reduce((total, { bytes }) => total + bytes, 0);
  const ends = (["before", "after"] as const).map((part) => ({ ...input, attributeBytes, part }));
  const frame = await job.map(onnxPart, ends, { broadcast });
  const parts = [...frame.parts.slice(0, 1), ...attributes.parts, ...frame.parts.slice(1)];
  return { parts, buckets: 1, summaries: [] };
}
