import { type Dataset, InputError, type Job, type JobResult, type Metrics } from "kindling";
import { type FeaturePlan, planFeatures } from "../data/features.ts";
import type { Case } from "../data/holdout.ts";
import type { Prepared } from "../data/prepared.ts";
import { encodeModel } from "../encode-model.ts";
import type { Forest } from "../forest/forest.ts";
import { planModel, planRows } from "../models.ts";
import { featureOptions, type Params } from "../options.ts";
import { type Fitted, jobMetrics } from "../report.ts";
import { seconds } from "../seconds.ts";
import { codeRows, joinBlock } from "../tasks/code-rows.ts";
import type { Judged } from "../tasks/conclude.ts";
import { joinModel, predictRows, type RowModel, scoreRows } from "../tasks/predict-rows.ts";
import {
  countSeen,
  divideRows,
  findMiddles,
  fitRowRules,
  gatherDays,
  gatherTails,
  joinDays,
  judgePart,
  preparedOf,
  surveyRows,
} from "../tasks/read-rows.ts";
import { MAX_ROWS as MOST_TRAIN_ROWS } from "./block.ts";
import { fitByRows } from "./fit.ts";
import { checkParams, openRows, parts, type RowFile } from "./open.ts";
import { addCleaning, featuresOf, type Part, type RowRules } from "./rules.ts";
import type { RulesRequest } from "./fit-rules.ts";
import type { Division, Survey, SurveyPlan } from "./survey.ts";
import type { Tails } from "./tails.ts";

/** Of files up to this size, rules are fitted on all rows; of larger ones on a sample of about so many bytes. */
const SAMPLE_BYTES = 2 ** 22;

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

const featurePlan = (params: Params, { layout, source }: RowFile): FeaturePlan => {
  const names = layout.columns.slice(0, -1).map((place) => layout.names[place] as string);
  return planFeatures(featureOptions(params), names, params.target, source.name);
};

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
  const trainRows = surveyed.summaries.map((summary) => summary.trainRows);
  const rows = trainRows.reduce((total, count) => total + count, 0);
  if (rows > MOST_TRAIN_ROWS) {
    throw new InputError(`${observed.source.name}: ${rows} rows to train on; at most ${MOST_TRAIN_ROWS} are possible`);
  }
  const plan = featurePlan(params, observed);
  const features = featuresOf({ plan }, [], []).names.length;
  const model = planModel({ ...params, model: "rf" }, features);
  const { maxBins, options, blocks } = planRows(params, model, rows, features);
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

  let seen = 0;
  for (const { part, file } of asked) {
    if (part === "actual") seen = await seenRows(job, observed, file);
    // What no part of a file can see alone is found on the way.
    await divide(job, file, { kind: "all" });
    // Only a file of the future is known as a whole when its first day is predicted.
    if (part !== "future") continue;
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
        seen,
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

/** Scored rows of a file that are of days which the observed one trains on. */
async function seenRows(job: Job, observed: RowFile, asked: RowFile): Promise<number> {
  const days = await job.map(gatherDays, parts(observed), { label: "days trained on" });
  const dataset = await job.reduce(joinDays, days, { label: "days trained on, joined" });
  const broadcast = await job.broadcast({ dataset, partition: 0 });
  const { summaries } = await job.map(countSeen, parts(asked), { broadcast, label: "rows of these days" });
  return summaries.reduce((total, { seen }) => total + seen, 0);
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
