import { type Broadcast, type Dataset, defineWorkload, InputError, type Job } from "kindling";
import type { Prepared } from "./data/prepared.ts";
import type { Forest, ForestOptions } from "./forest/forest.ts";
import type { HeadInput } from "./model-file/head.ts";
import { COLUMN_COUNT } from "./model-file/onnx-attributes.ts";
import { forestOptions, type Params, params, treeRanges } from "./options.ts";
import { jobMetrics, type TrainedSummary } from "./report.ts";
import type { Conclusion } from "./tasks/conclude.ts";
import { encodeFoot, encodeHead, encodeTrees } from "./tasks/encode.ts";
import { onnxAttribute, onnxPart, onnxPieces } from "./tasks/encode-onnx.ts";
import { fit } from "./tasks/fit.ts";
import { libraryFit, libraryPredict } from "./tasks/ml-random-forest.ts";
import { average, predict } from "./tasks/predict.ts";
import { type PrepareSummary, prepare } from "./tasks/prepare.ts";

interface Trained extends TrainedSummary {
  readonly predictions: Dataset<string>;
  /** Writes the model's file. */
  encode(): Promise<Dataset<string | Uint8Array>>;
}

export default defineWorkload({
  name: "forecast",
  description: "Forecasts a daily series with a random forest",
  unit: "trees",
  params,
  tasks: {
    prepare,
    fit,
    predict,
    average,
    encodeHead,
    encodeTrees,
    encodeFoot,
    onnxPieces,
    onnxAttribute,
    onnxPart,
    libraryFit,
    libraryPredict,
  },
  async drive(job, params) {
    const open = async (file: string | undefined) => (file === undefined ? null : (await job.source(file)).ordinal);
    const sources = {
      observed: (await job.source(params.observed)).ordinal,
      future: await open(params.future),
      actual: await open(params.actual),
    };
    const { target, date, holdout } = params;
    const asksMore = sources.future !== null || sources.actual !== null;
    const stages = asksMore ? (["holdout", "full"] as const) : (["holdout"] as const);
    const prepared = await job.map(
      prepare,
      stages.map((stage) => ({ stage, sources, target, date, holdout })),
    );
    const checked = await train(job, params, prepared, 0);
    const final = asksMore ? await train(job, params, prepared, 1) : checked;
    return job.collect(
      {
        "result.csv": (sources.future === null ? checked : final).predictions,
        [`model.${params.modelFormat}`]: await final.encode(),
      },
      jobMetrics(params, prepared.summaries, checked, final),
    );
  },
});

/** Fits a forest on one of the prepared training sets and predicts its queries. */
function train(job: Job, params: Params, prepared: Dataset<Prepared, PrepareSummary>, stage: number): Promise<Trained> {
  const options = forestOptions(params, prepared.summaries[stage]?.features ?? 0);
  const engine = params.engine === "ml-random-forest" ? trainLibrary : trainForest;
  return engine(job, params, options, { dataset: prepared, partition: stage }, stage === 0 ? "holdout" : "all rows");
}

type Partition = { readonly dataset: Dataset<Prepared>; readonly partition: number };

async function trainForest(
  job: Job,
  params: Params,
  options: ForestOptions,
  partition: Partition,
  label: string,
): Promise<Trained> {
  const began = await seconds(job);
  const broadcast = await job.broadcast(partition);
  const ranges = treeRanges(params).map((range) => ({ ...range, options }));
  const forest = await job.map(fit, ranges, { broadcast, backend: params.backend, label: `fit (${label})` });
  const fitSeconds = (await seconds(job)) - began;
  const sums = await job.map(predict, forest, { broadcast, label: `predict (${label})` });
  const predictions = await job.reduce(average, sums, { broadcast, label: `score (${label})` });
  return {
    predictions,
    scores: scoresOf(predictions),
    fitSeconds,
    leaves: forest.summaries.reduce((total, summary) => total + summary.leaves, 0) / params.trees,
    async encode() {
      if (params.modelFormat === "onnx") return encodeOnnx(job, { trees: params.trees, options }, forest, broadcast);
      const head = await job.map(encodeHead, [{ trees: params.trees, options }], { broadcast });
      const trees = await job.map(encodeTrees, forest, { broadcast });
      const foot = await job.map(encodeFoot, [null], { broadcast });
      const datasets = [head, trees, foot];
      return { parts: datasets.flatMap(({ parts }) => parts), buckets: 1, summaries: [] };
    },
  };
}

/** The trees' lists are put together list by list, and the file's beginning says how long they are. */
async function encodeOnnx(
  job: Job,
  input: HeadInput,
  forest: Dataset<Forest>,
  broadcast: Broadcast<Prepared>,
): Promise<Dataset<Uint8Array>> {
  const pieces = await job.shuffle(onnxPieces, forest, { broadcast, buckets: COLUMN_COUNT });
  const attributes = await job.reduce(onnxAttribute, pieces);
  const attributeBytes = attributes.summaries.reduce((total, { bytes }) => total + bytes, 0);
  const ends = (["before", "after"] as const).map((part) => ({ ...input, attributeBytes, part }));
  const frame = await job.map(onnxPart, ends, { broadcast });
  const parts = [...frame.parts.slice(0, 1), ...attributes.parts, ...frame.parts.slice(1)];
  return { parts, buckets: 1, summaries: [] };
}

/** The standalone original: all trees in one task, by the library. */
async function trainLibrary(
  job: Job,
  params: Params,
  options: ForestOptions,
  partition: Partition,
  label: string,
): Promise<Trained> {
  if (params.modelFormat !== "json") {
    throw new InputError("--engine ml-random-forest writes its model as JSON only: leave out --model-format onnx");
  }
  const began = await seconds(job);
  const broadcast: Broadcast<Prepared> = await job.broadcast(partition);
  const model = await job.map(libraryFit, [{ trees: params.trees, options }], { broadcast, label: `fit (${label})` });
  const fitSeconds = (await seconds(job)) - began;
  const predictions = await job.map(libraryPredict, model, { broadcast, label: `predict (${label})` });
  return { predictions, scores: scoresOf(predictions), fitSeconds, leaves: null, encode: async () => model };
}

const scoresOf = ({ summaries }: Dataset<string, Conclusion>): Conclusion["scores"] => summaries[0]?.scores ?? {};

/** Seconds since 1970, finer than Date.now(); a driver that is replayed by another process goes on from there. */
const seconds = (job: Job): Promise<number> => job.once(() => (performance.timeOrigin + performance.now()) / 1000);
