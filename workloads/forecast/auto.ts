import type { Dataset, Job } from "kindling";
import type { Prepared } from "./data/prepared.ts";
import { type ModelName, type ModelPlan, planModel } from "./models.ts";
import { type Params, treesOf } from "./options.ts";
import { type Trial, type TrialSummary, tryModel } from "./tasks/try-model.ts";

/** What `--model auto` chose, and how well each candidate did. */
export type Choice = {
  readonly chosen: string;
  /** Mean squared error over all folds; `null` where there were too few rows to check. */
  readonly candidates: Readonly<Record<string, number | null>>;
};

/** Folds of the backtest: each checks a tenth of the training rows, the last ones, with a model of the rows before it. */
const FOLDS = 5;
const CHECKED = 0.1;
/** Fewer rows to train on are not worth a trial; without any the first candidate is taken. */
const FEWEST_ROWS = 25;
/** Trees of a forest in the backtest: more hardly change which model does best. */
const TRIED_TREES = 50;
/** Boosted models whose mean the chosen one predicts. */
const BAGS = 8;
/** A linear trend goes on where nothing was seen, and may go wrong there: it must lower the error to this share at most. */
const TREND_PAYS = 0.95;
/** Rows × columns² up to which a linear model is cheap beside the trees. */
const LINEAR_WORK = 4e9;

type Candidate = { readonly model: ModelName } & Partial<Omit<Params, "model">>;

/** In this order; the first of equals is taken. The parameters that a candidate does not name are the user's. */
const CANDIDATES: Readonly<Record<string, Candidate>> = {
  rf: { model: "rf" },
  et: { model: "et" },
  "rf, large leaves": { model: "rf", minLeaf: 5, maxFeatures: "onethird" },
  "et, large leaves": { model: "et", minLeaf: 10 },
  gbt: { model: "gbt", maxIter: 1000, stepSize: 0.07, minLeaf: 5 },
  "slow gbt": { model: "gbt", maxIter: 300, stepSize: 0.03, minLeaf: 20, maxDepth: 4, maxFeatures: "onethird" },
  "rf, linear trend": { model: "rf", minLeaf: 5, trend: "linear" },
  "et, linear trend": { model: "et", minLeaf: 5, trend: "linear" },
  "gbt, linear trend": { model: "gbt", maxIter: 300, stepSize: 0.05, minLeaf: 20, trend: "linear" },
  "deep gbt, linear trend": { model: "gbt", maxIter: 300, stepSize: 0.05, minLeaf: 20, maxDepth: 5, trend: "linear" },
};

/**
 * Picks the candidate with the smallest squared error (one with a trend only if it is clearly better) in a rolling backtest on
 * the training rows alone: each fold trains on the rows before those that it checks, less those that a horizon keeps from it. The rows of a holdout are not looked at.
 */
export async function chooseModel(
  job: Job,
  params: Params,
  source: { readonly dataset: Dataset<Prepared>; readonly partition: number },
  size: { readonly rows: number; readonly features: number },
  label: string,
): Promise<{ readonly plan: ModelPlan; readonly choice: Choice }> {
  const candidates = Object.entries(CANDIDATES).filter(
    ([, { model, trend }]) =>
      (trend === undefined || size.rows * size.features * size.features <= LINEAR_WORK) &&
      (params.intervals === undefined || model !== "gbt"),
  );
  const planOf = (changes: Candidate, more: Partial<Omit<Params, "model">> = {}): ModelPlan =>
    planModel({ ...params, ...changes, ...more }, size.features);
  const folds = foldsOf(size.rows, (params.horizon ?? 1) - 1);
  const trials = candidates.flatMap(([, changes]) => {
    const { options, linear, trees, models } = planOf(changes, {
      trees: Math.min(treesOf(params), TRIED_TREES),
      bags: 1,
    });
    return folds.map((fold): Trial => ({ ...fold, options, linear, trees, models }));
  });
  const summaries: readonly TrialSummary[] =
    trials.length === 0
      ? []
      : (
          await job.map(tryModel, trials, {
            broadcast: await job.broadcast(source),
            backend: params.backend,
            label: `choose a model (${label})`,
          })
        ).summaries;
  const errors = candidates.map((_, at) => meanError(summaries.slice(at * folds.length, (at + 1) * folds.length)));
  const weighed = errors.map((error, at) => {
    if (error === null) return Number.POSITIVE_INFINITY;
    return candidates[at]?.[1].trend === undefined ? error : error / TREND_PAYS;
  });
  let best = 0;
  weighed.forEach((error, at) => {
    if (error < (weighed[best] as number)) best = at;
  });
  const [chosen, changes] = candidates[best] as [string, Candidate];
  return {
    plan: planOf(changes, { bags: params.bags ?? BAGS }),
    choice: { chosen, candidates: Object.fromEntries(candidates.map(([name], at) => [name, errors[at] ?? null])) },
  };
}

/** Which rows each fold trains on and checks; none where they are too few. `gap` rows before the checked ones are not known yet. */
export function foldsOf(rows: number, gap: number): Pick<Trial, "trained" | "from" | "to">[] {
  const borders = Array.from({ length: FOLDS + 1 }, (_, fold) => rows - Math.round((FOLDS - fold) * CHECKED * rows));
  return borders
    .slice(1)
    .map((to, fold) => ({ from: borders[fold] as number, to }))
    .map((fold) => ({ ...fold, trained: fold.from - gap }))
    .filter(({ trained }) => trained >= FEWEST_ROWS);
}

function meanError(summaries: readonly TrialSummary[]): number | null {
  const rows = summaries.reduce((sum, summary) => sum + summary.rows, 0);
  return rows === 0 ? null : summaries.reduce((sum, summary) => sum + summary.squares, 0) / rows;
}
