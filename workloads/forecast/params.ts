import { fields, type Params } from "./options.ts";

type Problem = { readonly param: keyof Params; readonly message: string };

/** The parameters, refused where they contradict each other. */
export const params = fields.superRefine((given, context) => {
  for (const { param, message } of [...columnProblems(given), ...modelProblems(given), ...horizonProblems(given)]) {
    context.addIssue({ code: "custom", path: [param], message });
  }
});

/** What stands for columns. */
const WORDS = ["all", "none", "target"];

/** Columns that need be different ones, and are not. */
function columnProblems({ target, date, series, lagColumns, known }: Params): Problem[] {
  const named = (text: string): string[] => (WORDS.includes(text) ? [] : text.split(",").map((name) => name.trim()));
  const [past, ahead] = [named(lagColumns), named(known)];
  const taken = [
    {
      what: "the column of dates",
      column: date,
      by: { target: [target], series: [series], lagColumns: past, known: ahead },
    },
    { what: "the column to predict", column: target, by: { series: [series], known: ahead } },
    { what: "the column of the series", column: series, by: { lagColumns: past, known: ahead } },
  ];
  return taken.flatMap(({ what, column, by }) =>
    Object.entries<readonly (string | undefined)[]>(by)
      .filter(([, columns]) => column !== undefined && columns.includes(column))
      .map(([param]) => ({
        param: param as keyof Params,
        message: `${JSON.stringify(column)} is ${what}; name another column`,
      })),
  );
}

/** What the model that is asked for would not look at, or not be written as. */
function modelProblems({ model, trees, maxIter, stepSize, bags, intervals, ...given }: Params): Problem[] {
  const problems: Problem[] = [];
  const check = (isWrong: boolean, param: keyof Params, message: string): void => {
    if (isWrong) problems.push({ param, message });
  };
  const boosts = model === "gbt";
  const notBoosted = model === "auto" ? "auto sets it for each model that it tries" : `--model ${model} has none`;
  check(maxIter !== undefined && !boosts, "maxIter", `${notBoosted}; it is for --model gbt`);
  check(stepSize !== undefined && !boosts, "stepSize", `${notBoosted}; it is for --model gbt`);
  check(bags !== undefined && !boosts && model !== "auto", "bags", `${notBoosted}; it is for --model gbt or auto`);
  check(
    boosts && trees !== undefined && maxIter !== undefined && trees !== maxIter,
    "trees",
    "of --model gbt it means the same as --max-iter; leave one of them out",
  );
  check(
    boosts && intervals !== undefined,
    "intervals",
    "they come from the leaves of independent trees: use --model rf or et, or auto",
  );
  const { series, seriesModels, modelFormat } = given;
  check(seriesModels && series === undefined, "seriesModels", "name the column of the series with --series");
  check(
    seriesModels && modelFormat !== "json",
    "modelFormat",
    "--series-models writes JSON only: leave out --model-format, or let the model's file end in .json",
  );
  return problems;
}

/** What looks at the past, or ahead, needs to know how far. */
function horizonProblems({ horizon, lags, windows, lagColumns, known }: Params): Problem[] {
  const looksBack = lags !== undefined || windows !== undefined;
  const given = { lags: lags !== undefined, windows: windows !== undefined, known: known !== "none" };
  const message = "it needs --horizon: how many days before the predicted day values are known";
  const problems = Object.entries(given)
    .filter(([, isGiven]) => isGiven && horizon === undefined)
    .map(([param]): Problem => ({ param: param as keyof Params, message }));
  if (looksBack || lagColumns === "target") return problems;
  return [...problems, { param: "lagColumns", message: "it needs --lags or --windows: which values of these columns" }];
}
