import {
  type Dataset,
  InputError,
  type Job,
  type JobResult,
  type Metrics,
  type Source,
  type SourceRange,
  splitSource,
} from "kindling";
import { type FeaturePlan, planFeatures } from "../data/features.ts";
import type { Case } from "../data/holdout.ts";
import type { Prepared } from "../data/prepared.ts";
import { encodeModel } from "../encode-model.ts";
import type { Forest } from "../forest/forest.ts";
import { MAX_ROWS } from "../forest/training-set.ts";
import { planModel, planRows } from "../models.ts";
import { featureOptions, type Params } from "../options.ts";
import { type Fitted, jobMetrics } from "../report.ts";
import { seconds } from "../seconds.ts";
import type { Judged } from "../tasks/conclude.ts";
import {
  codeRows,
  countDays,
  divideRows,
  findMiddles,
  fitRowRules,
  gatherTails,
  joinBlock,
  joinModel,
  judgePart,
  predictRows,
  preparedOf,
  readHeader,
  type RowModel,
  scoreRows,
  surveyRows,
} from "../tasks/read-rows.ts";
import { MAX_ROWS as MOST_TRAIN_ROWS } from "./block.ts";
import type { DayCounts } from "./divide.ts";
import { fitByRows } from "./fit.ts";
import type { Layout } from "./records.ts";
import { addCleaning, featuresOf, type Part, type RowRules } from "./rules.ts";
import type { Division, RulesRequest, Survey, SurveyPlan, Tails } from "./survey.ts";

/** Bytes of a file that one task reads. */
const RANGE_BYTES = 2 ** 22;
/** Of files up to this size, rules are fitted on all rows; of larger ones on a sample of about so many bytes. */
const SAMPLE_BYTES = 2 ** 22;

/** A file whose rows are read in parts. */
export interface RowFile {
  readonly source: Source;
  readonly ranges: readonly SourceRange[];
  readonly layout: Layout;
  readonly hasTarget: boolean;
  readonly counted: Dataset<DayCounts, { readonly rows: number }>;
}

/** Shorter files have no more rows than one node's lists can hold: a row has a date, a comma, a digit and a line end. */
const SHORTEST_ROW = 11;

/** The observed file, if nodes are to share its rows: as asked, or because it has more of them than one node's lists can hold. */
export async function openShared(job: Job, params: Params): Promise<RowFile | undefined> {
  const { distribute, observed, series } = params;
  if (distribute === "trees") return undefined;
  if (distribute === "rows") {
    checkParams(params);
  } else {
    const { bytes } = await job.source(observed);
    if (series !== undefined || bytes <= MAX_ROWS * SHORTEST_ROW) return undefined;
  }
  const opened = await openRows(job, params, observed, { wanted: "all", withTarget: true });
  const rows = opened.counted.summaries.reduce((total, part) => total + part.rows, 0);
  return distribute === "rows" || rows > MAX_ROWS ? opened : undefined;
}

/** The driver where nodes share the rows: no task ever has all of them. */
export async function driveRows(job: Job, params: Params, observed: RowFile): Promise<JobResult> {
  checkParams(params);
  const { target } = params;
  const plan = featurePlan(params, observed);
  const notes: string[] = [];
  const asked: { readonly part: Part; readonly file: RowFile }[] = [];
  if (params.future !== undefined) {
    const file = await openRows(job, params, params.future, { wanted: plan.same, withTarget: false });
    if (file.layout.names.includes(target)) {
      notes.push(`the future file's column "${target}" is not used; give the file as --actual to score it`);
    }
    asked.push({ part: "future", file });
  }
  if (params.actual !== undefined) {
    const what = { wanted: plan.same, withTarget: true };
    asked.push({ part: "actual", file: await openRows(job, params, params.actual, what) });
  }
  const checked = await trainCase(job, params, { kind: "holdout", holdout: params.holdout }, observed, []);
  const final = asked.length === 0 ? undefined : await trainCase(job, params, { kind: "all" }, observed, asked);
  const model = final ?? checked;
  const metrics: Metrics = jobMetrics(params, [checked.fitted], final === undefined ? [] : [final.fitted], notes);
  return job.collect({ "result.csv": model.result, [`model.${params.modelFormat}`]: model.file }, metrics);
}

const featurePlan = (params: Params, { layout }: RowFile): FeaturePlan => {
  const names = layout.columns.slice(0, -1).map((place) => layout.names[place] as string);
  return planFeatures(featureOptions(params), names, params.target);
};

const SHARED = `with --distribute rows, and for more than ${MAX_ROWS} rows, nodes share the rows`;
const OR_ELSE = `or --distribute trees for at most ${MAX_ROWS} rows`;

/** What needs the rows around a row, or all rows at once, is not possible. */
function checkParams(params: Params): void {
  const asked: Readonly<Record<string, boolean>> = {
    "--series": params.series !== undefined,
    "--backtest": params.backtest !== undefined,
    "--horizon": params.horizon !== undefined,
    "--lags": params.lags !== undefined,
    "--windows": params.windows !== undefined,
    "--trend": params.trend !== "none",
    "--intervals": params.intervals !== undefined,
    "--explain": params.explain,
    "--report": params.reportData,
    "--engine ml-random-forest": params.engine !== "kindling",
  };
  const [first] = Object.keys(asked).filter((option) => asked[option]);
  if (first !== undefined) {
    throw new InputError(`${first} needs all rows in one place, but ${SHARED}: leave it out, ${OR_ELSE}`);
  }
  if (params.model !== "rf") {
    throw new InputError(
      `--model ${params.model} needs all rows in one place, but ${SHARED}: use --model rf, ${OR_ELSE}`,
    );
  }
}

async function openRows(
  job: Job,
  { date, target }: Params,
  file: string,
  what: { readonly wanted: "all" | readonly string[]; readonly withTarget: boolean },
): Promise<RowFile> {
  const source = await job.source(file);
  const input = { source: source.ordinal, date, target, ...what };
  const layout = await job.fetch(await job.map(readHeader, [input], { label: "header" }), 0);
  const ranges = splitSource(source, RANGE_BYTES);
  const counted = await job.map(countDays, parts({ ranges, layout }), { label: `days of ${source.name}` });
  return { source, ranges, layout, hasTarget: what.withTarget, counted };
}

const parts = ({ ranges, layout }: Pick<RowFile, "ranges" | "layout">) => ranges.map((range) => ({ range, layout }));

interface TrainedCase {
  readonly fitted: Fitted;
  readonly result: Dataset<string>;
  readonly file: Dataset<string | Uint8Array>;
}

/** Fits a model on the rows that a case trains on, and predicts what it checks, or the other files. */
async function trainCase(
  job: Job,
  params: Params,
  wanted: Case,
  observed: RowFile,
  asked: readonly { readonly part: Part; readonly file: RowFile }[],
): Promise<TrainedCase> {
  const label = wanted.kind === "all" ? "all rows" : "holdout";
  const { target } = params;
  const division = await job.fetch(await divide(job, observed, wanted), 0);
  const surveyed = await survey(job, params, observed, { division, hasTarget: true }, label);
  const plan = featurePlan(params, observed);
  const features = featuresOf({ plan }, [], []).names.length;
  const model = planModel({ ...params, model: "rf" }, features);
  const { maxBins, options, blocks: wantedBlocks } = planRows(params, model);
  const tails = isSampled(observed) ? await gather(job, observed, surveyed, division, label) : undefined;
  const request: RulesRequest = {
    ...{ division, target, plan, maxBins, file: observed.source.name },
  };
  const evidence: Dataset<Survey | Tails> = {
    parts: [...surveyed.parts, ...(tails?.parts ?? [])],
    buckets: 1,
    summaries: [],
  };
  let fitted: Dataset<RowRules> = await job.reduce(fitRowRules, evidence, {
    broadcast: await job.broadcast(request),
    label: `rules (${label})`,
  });
  const rules = await job.broadcast({ dataset: fitted, partition: 0 });
  const prepared = await job.map(preparedOf, fitted);
  const trainRows = surveyed.summaries.map((summary) => summary.trainRows);
  const rows = trainRows.reduce((total, count) => total + count, 0);
  if (rows > MOST_TRAIN_ROWS) {
    throw new InputError(`${observed.source.name}: ${rows} rows to train on; at most ${MOST_TRAIN_ROWS} are possible`);
  }
  const blocks = Math.max(1, Math.min(rows, wantedBlocks));
  let first = 0;
  const inputs = parts(observed).map((part, at) => {
    const input = { ...part, division, first };
    first += trainRows[at] ?? 0;
    return input;
  });
  const coded = await job.shuffle(codeRows, inputs, { broadcast: rules, buckets: blocks, label: `code (${label})` });
  const joined = await job.reduce(joinBlock, coded, {
    broadcast: await job.broadcast({ rows, blocks }),
    label: `blocks (${label})`,
  });
  const began = await seconds(job);
  const { trees } = model;
  const fit = { trees, rows, features, blocks, maxBins, options, backend: params.backend };
  const forest = await fitByRows(job, fit, joined, rules, label);
  const fitSeconds = (await seconds(job)) - began;

  for (const { part, file } of asked) {
    // What no part of a file can see alone is found on the way.
    await divide(job, file, { kind: "all" });
    const own = await survey(job, params, file, { division: null, hasTarget: file.hasTarget }, part);
    const all: Dataset<RowRules | Survey> = { parts: [...fitted.parts, ...own.parts], buckets: 1, summaries: [] };
    fitted = await job.reduce(judgePart, all, { broadcast: await job.broadcast({ part }), label: `rules (${part})` });
  }
  const all: Dataset<RowRules | Forest> = { parts: [...fitted.parts, ...forest.parts], buckets: 1, summaries: [] };
  const predictor = await job.reduce(joinModel, all, { label: `model (${label})` });
  const questions = asked.length > 0 ? asked : [{ part: "holdout" as const, file: observed }];
  const answers: { readonly part: Part; readonly answer: Answer }[] = [];
  for (const { part, file } of questions) {
    const only = part === "holdout" ? division : null;
    answers.push({ part, answer: await predict(job, target, predictor, file, part, only) });
  }
  const counts = { train: addCleaning(coded.summaries.map((summary) => summary.counts)) };
  const [result] = answers;
  if (result === undefined) throw new RangeError("nothing was asked");
  return {
    fitted: {
      fold: 0,
      summary: {
        series: null,
        features,
        counts: { ...counts, ...Object.fromEntries(answers.map(({ part, answer }) => [part, answer.counts])) },
        rows: {
          train: coded.summaries.reduce((total, summary) => total + summary.rows, 0),
          ...Object.fromEntries(answers.map(({ part, answer }) => [part, answer.rows])),
        },
        checked: null,
      },
      trained: {
        judged: Object.fromEntries(answers.flatMap(({ answer }) => Object.entries(answer.judged))),
        fitSeconds,
        trees,
        leaves: forest.summaries.reduce((total, { leaves }) => total + leaves, 0) / trees,
      },
    },
    result: result.answer.result,
    file: await encodeModel(
      job,
      params.modelFormat,
      { model: "rf", trees, models: trees, options: model.options },
      forest,
      await job.broadcast<Prepared>({ dataset: prepared, partition: 0 }),
    ),
  };
}

async function divide(job: Job, { counted, source }: RowFile, wanted: Case): Promise<Dataset<Division>> {
  const broadcast = await job.broadcast({ wanted, file: source.name });
  return job.reduce(divideRows, counted, { broadcast, label: "divide" });
}

const isSampled = ({ source }: RowFile): boolean => source.bytes > SAMPLE_BYTES;

async function survey(
  job: Job,
  { seed }: Params,
  file: RowFile,
  what: Pick<SurveyPlan, "division" | "hasTarget">,
  label: string,
) {
  const share = Math.min(2 ** 32, Math.floor((SAMPLE_BYTES / file.source.bytes) * 2 ** 32));
  const broadcast = await job.broadcast<SurveyPlan>({ seed, share, ...what });
  return job.map(surveyRows, parts(file), { broadcast, label: `survey (${label})` });
}

async function gather(
  job: Job,
  file: RowFile,
  surveyed: Dataset<Survey>,
  division: Division,
  label: string,
): Promise<Dataset<Tails>> {
  const found = await job.reduce(findMiddles, surveyed, { broadcast: await job.broadcast(division), label: "middles" });
  const middles = await job.fetch(found, 0);
  return job.map(gatherTails, parts(file), {
    broadcast: await job.broadcast({ middles, division }),
    label: `tails (${label})`,
  });
}

interface Answer {
  readonly result: Dataset<string>;
  readonly judged: Readonly<Record<string, Judged>>;
  readonly counts: ReturnType<typeof addCleaning>;
  readonly rows: number;
}

async function predict(
  job: Job,
  target: string,
  model: Dataset<RowModel>,
  file: RowFile,
  part: Part,
  division: Division | null,
): Promise<Answer> {
  const broadcast = await job.broadcast({ dataset: model, partition: 0 });
  const inputs = parts(file).map((input) => ({ ...input, part, division, hasTarget: file.hasTarget }));
  const predicted = await job.map(predictRows, inputs, { broadcast, label: `predict (${part})` });
  const result = await job.reduce(scoreRows, predicted, {
    broadcast: await job.broadcast({ target, part }),
    label: `score (${part})`,
  });
  return {
    result,
    judged: result.summaries[0]?.judged ?? {},
    counts: addCleaning(predicted.summaries.map((summary) => summary.counts)),
    rows: predicted.summaries.reduce((total, summary) => total + summary.rows, 0),
  };
}
