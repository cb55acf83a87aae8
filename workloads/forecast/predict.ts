import { BACKEND_CHOICES, defineWorkload, file, z } from "kindling";
import { average } from "./tasks/predict.ts";
import { askRows, openModel, sumModel } from "./tasks/use-model.ts";

const params = z.object({
  model: file().describe("the model, as `run forecast --model-out` wrote it: JSON or ONNX"),
  input: file().describe("the days to predict: dates and the model's columns"),
  observed: file().optional().describe("the days before, for models that look at the past"),
  date: z.string().min(1).default("date").describe("the column of dates, YYYYMMDD or YYYY-MM-DD"),
  output: z.enum(["csv"]).default("csv").describe("the result file's format"),
  backend: z.enum(BACKEND_CHOICES).default("auto").describe("which kernel runs"),
});

/** Predicts with a saved model: the tasks of forecast, without its training. */
export default defineWorkload({
  name: "forecast-predict",
  description: "Predicts with a model that forecast has saved",
  unit: "trees",
  params,
  lacks: (_, artifact) => (artifact === "model" ? "predicting makes no model" : undefined),
  tasks: { openModel, askRows, sumModel, average },
  async drive(job, params) {
    const { ordinal: source } = await job.source(params.model);
    const input = (await job.source(params.input)).ordinal;
    const observed = params.observed === undefined ? null : (await job.source(params.observed)).ordinal;
    const opened = await job.map(openModel, [{ source }], { label: "read the model" });
    const model = await job.broadcast({ dataset: opened, partition: 0 });
    const rows = { input, observed, date: params.date };
    const asked = await job.map(askRows, [rows], { broadcast: model, label: "read the days" });
    const broadcast = await job.broadcast({ dataset: asked, partition: 0 });
    const sums = await job.map(sumModel, opened, { broadcast, backend: params.backend, label: "predict" });
    const predictions = await job.reduce(average, sums, { broadcast, label: "write" });
    const [summary] = asked.summaries;
    const counts = Object.entries(summary?.counts ?? {});
    const cells = (count: (of: (typeof counts)[number][1]) => number) =>
      Object.fromEntries(counts.map(([column, of]) => [column, count(of)] as const).filter(([, cells]) => cells > 0));
    return job.collect(
      { "result.csv": predictions },
      {
        rows: summary?.rows ?? 0,
        model: summary?.model ?? "",
        trees: summary?.trees ?? 0,
        trainedTo: summary?.trainedTo ?? "",
        repaired: cells((count) => count.repaired),
        missing: cells((count) => count.impossible + count.empty),
        unusual: cells((count) => count.unusual),
      },
    );
  },
});
