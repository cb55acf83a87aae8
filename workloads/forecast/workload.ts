import { type Broadcast, type Dataset, defineWorkload, type Job } from "kindling";
import { chooseModel } from "./auto.ts";
import { prepareCases, type Unit, unitsOf } from "./cases.ts";
import type { Case } from "./data/holdout.ts";
import type { Prepared } from "./data/prepared.ts";
import { encodeModel } from "./encode-model.ts";
import type { Forest } from "./forest/forest.ts";
import { checkLibraryParams } from "./library.ts";
import { lockstep } from "./lockstep.ts";
import { type ModelPlan, planModel } from "./models.ts";
import { type Params, shareTasks } from "./options.ts";
import { params } from "./params.ts";
import { type Fitted, jobMetrics, type TrainedSummary } from "./report.ts";
import { seconds } from "./seconds.ts";
import { driveRows } from "./rows/drive.ts";
import { openShared } from "./rows/open.ts";
import type { Conclusion } from "./tasks/conclude.ts";
import { detrend } from "./tasks/detrend.ts";
import { encodeFoot, encodeHead, encodeTrees } from "./tasks/encode.ts";
import { onnxAttribute, onnxPart, onnxPieces } from "./tasks/encode-onnx.ts";
import { joinModels, writeText } from "./tasks/encode-series.ts";
import { type Explanation, explain, question } from "./tasks/explain.ts";
import { fit } from "./tasks/fit.ts";
import { libraryFit, libraryPredict } from "./tasks/ml-random-forest.ts";
import { average, predict, predictIntervals } from "./tasks/predict.ts";
import { prepare } from "./tasks/prepare.ts";
import { readFiles, survey } from "./tasks/read.ts";
import { encodeReport, reportColumns, reportRows } from "./tasks/report-data.ts";
import * as coding from "./tasks/code-rows.ts";
import * as predicting from "./tasks/predict-rows.ts";
import * as reading from "./tasks/read-rows.ts";
import * as growing from "./tasks/rows.ts";
import { tryModel } from "./tasks/try-model.ts";

interface Trained extends TrainedSummary {
  readonly predictions: Dataset<string>;
  /** Writes the model's file. */
  encode(): Promise<Dataset<string | Uint8Array>>;
}

export default defineWorkload({
  name: "forecast",
  description:
    "Forecasts a daily series: random forest, extremely randomised trees, gradient boosting, or the best of them",
  unit: "trees",
  params,
  lacks({ series, seriesModels }, artifact) {
    if (artifact !== "model" || series === undefined || seriesModels) return undefined;
    return "with --series, models are written with --series-models alone: add it";
  },
  tasks: {
    survey,
    readFiles,
    prepare,
    detrend,
    tryModel,
    fit,
    question,
    explain,
    predict,
    predictIntervals,
    average,
    encodeHead,
    encodeTrees,
    encodeFoot,
    onnxPieces,
    onnxAttribute,
    onnxPart,
    writeText,
    reportColumns,
    reportRows,
    libraryFit,
    libraryPredict,
    ...reading,
    ...coding,
    ...growing,
    ...predicting,
  },
  async drive(job, params) {
    if (params.engine === "ml-random-forest") checkLibraryParams(params);
    const shared = await openShared(job, params);
    if (shared !== undefined) return driveRows(job, params, shared);
    const { cases, notes, read } = await prepareCases(job, params);
    const all = cases.filter(({ wanted }) => wanted.kind === "all");
    const checked = await trainAll(job, params, unitsOf(cases.slice(0, cases.length - all.length)), all.length === 0);
    const final = await trainAll(job, params, unitsOf(all), true);
    const lastFold = (params.backtest ?? 1) - 1;
    const models = all.length > 0 ? final : checked.filter(({ fold }) => fold === lastFold);
    const predicted = params.future === undefined ? checked : final;
    const metrics = jobMetrics(params, checked, final, notes);
    const forecast = all.length > 0 ? final : [];
    const report = params.reportData ? await encodeReport(job, params.target, read, checked, forecast) : null;
    const files = { "result.csv": inSeriesOrder(predicted), ...(report && { "report.json": report }) };
    const [single] = models;
    if (params.series === undefined) {
      const model = single?.file ?? null;
      return job.collect({ ...files, ...(model && { [`model.${params.modelFormat}`]: model }) }, metrics);
    }
    if (!params.seriesModels) return job.collect(files, metrics);
    const named = models.map(({ summary, file }) => ({ series: summary.series ?? "", file: file as Dataset<string> }));
    return job.collect({ ...files, "model.json": await joinModels(job, params.series, named) }, metrics);
  },
});

interface TrainedUnit extends Fitted {
  readonly unit: Unit;
  readonly trained: Trained;
  readonly file: Dataset<string | Uint8Array> | null;
}

/** Trains models side by side; the model files are written for those whose model leaves the job. */
async function trainAll(job: Job, params: Params, units: readonly Unit[], leaves: boolean): Promise<TrainedUnit[]> {
  const shared = shareTasks(params, units.length);
  return lockstep(job, units, async (job, unit) => {
    const trained = await train(job, shared, unit);
    const { wanted, summary } = unit;
    const writes = leaves && isLast(wanted) && (params.series === undefined || params.seriesModels);
    return {
      unit,
      fold: wanted.kind === "fold" ? wanted.fold : 0,
      summary,
      trained,
      file: writes ? await trained.encode() : null,
    };
  });
}

/** Whether a case trains on the most rows of its kind: its model is the one that leaves the job and is explained. */
const isLast = (wanted: Case): boolean => wanted.kind !== "fold" || wanted.fold === wanted.folds - 1;

/** One file: the rows of each series together, and by day. */
function inSeriesOrder(units: readonly TrainedUnit[]): Dataset<string> {
  const names = [...new Set(units.map(({ summary }) => summary.series))];
  const ordered = names.flatMap((name) => units.filter(({ summary }) => summary.series === name));
  return { parts: ordered.flatMap(({ trained }) => trained.predictions.parts), buckets: 1, summaries: [] };
}

/** Fits a forest on one of the prepared training sets and predicts its queries. */
async function train(job: Job, params: Params, { dataset, partition, summary, wanted, label }: Unit): Promise<Trained> {
  const { model } = params;
  const source = { dataset, partition };
  const size = { rows: summary.rows["train"] ?? 0, features: summary.features };
  const named = { label, explains: params.explain && wanted.kind !== "all" && isLast(wanted), ...size };
  if (params.engine === "ml-random-forest") {
    return trainLibrary(job, planModel({ ...params, model: "rf" }, size.features), source, label);
  }
  if (model !== "auto") return trainForest(job, params, planModel({ ...params, model }, size.features), source, named);
  const { plan, choice } = await chooseModel(job, params, source, size, label);
  return { ...(await trainForest(job, params, plan, source, named)), choice };
}

/** What a model is called in stages, and whether it is explained, by rows that check it. */
type Named = {
  readonly label: string;
  readonly explains: boolean;
  /** To train on. */
  readonly rows: number;
  readonly features: number;
};
type Partition = { readonly dataset: Dataset<Prepared>; readonly partition: number };

async function trainForest(
  job: Job,
  params: Params,
  plan: ModelPlan,
  partition: Partition,
  { label, explains }: Named,
): Promise<Trained> {
  const { model, options, trees, models, ranges, linear } = plan;
  const asksMore = params.intervals !== undefined || params.explain;
  const began = await seconds(job);
  const broadcast = await job.broadcast(linear ? await withoutTrend(job, partition, label) : partition);
  const inputs = ranges.map((range) => ({
    ...range,
    options,
    ...(asksMore && { intervals: params.intervals ?? null }),
  }));
  const forest = await job.map(fit, inputs, { broadcast, backend: params.backend, label: `fit (${label})` });
  const fitSeconds = (await seconds(job)) - began;
  const stage = { broadcast, backend: params.backend, label: `predict (${label})` };
  const sums = await (params.intervals === undefined
    ? job.map(predict, forest, stage)
    : job.map(predictIntervals, forest, stage));
  const predictions = await job.reduce(average, sums, { broadcast, label: `score (${label})` });
  const explanation = explains ? await explainTrees(job, forest, broadcast, label) : undefined;
  return {
    predictions,
    judged: judgedOf(predictions),
    ...(explanation !== undefined && { explanation }),
    fitSeconds,
    trees,
    leaves: forest.summaries.reduce((total, summary) => total + summary.leaves, 0) / trees,
    encode: () => encodeModel(job, params.modelFormat, { model, trees, models, options }, forest, broadcast),
  };
}

async function explainTrees(
  job: Job,
  forest: Dataset<Forest>,
  broadcast: Broadcast<Prepared>,
  label: string,
): Promise<Explanation | undefined> {
  const said = await job.map(question, forest, { broadcast, label: `question (${label})` });
  const { summaries } = await job.reduce(explain, said, { broadcast, label: `explain (${label})` });
  return summaries[0];
}

/** What a linear model leaves of the training rows. */
async function withoutTrend(job: Job, { dataset, partition }: Partition, label: string): Promise<Partition> {
  const single = { parts: dataset.parts.slice(partition, partition + 1), buckets: 1, summaries: [] };
  return { dataset: await job.map(detrend, single, { label: `trend (${label})` }), partition: 0 };
}

/** The standalone original: all trees in one task, by the library. */
async function trainLibrary(
  job: Job,
  { options, trees }: ModelPlan,
  partition: Partition,
  label: string,
): Promise<Trained> {
  const began = await seconds(job);
  const broadcast: Broadcast<Prepared> = await job.broadcast(partition);
  const model = await job.map(libraryFit, [{ trees, options }], { broadcast, label: `fit (${label})` });
  const fitSeconds = (await seconds(job)) - began;
  const predictions = await job.map(libraryPredict, model, { broadcast, label: `predict (${label})` });
  return { predictions, judged: judgedOf(predictions), fitSeconds, trees, leaves: null, encode: async () => model };
}

const judgedOf = ({ summaries }: Dataset<string, Conclusion>): Conclusion["judged"] => summaries[0]?.judged ?? {};
