import { fields, type Params } from "./options.ts";

type Problem = { readonly param: keyof Params; readonly message: string };

/** The parameters, refused where they mean nothing together. */
export const params = fields.superRefine((given, context) => {
  for (const { param, message } of problemsOf(given)) context.addIssue({ code: "custom", path: [param], message });
});

const problemsOf = (given: Params): Problem[] => [...columnProblems(given)];

/** Columns that need be different ones. */
function columnProblems({ target, date, series, lagColumns, known }: Params): Problem[] {
  const problems: Problem[] = [];
  const differ = (param: keyof Params, columns: readonly string[], other: string | undefined, what: string): void => {
    if (other === undefined || !columns.includes(other)) return;
    problems.push({ param, message: `${JSON.stringify(other)} is ${what}; name another column` });
  };
  differ("target", [target], date, "the column of dates");
  if (series !== undefined) {
    differ("series", [series], date, "the column of dates");
    differ("series", [series], target, "the column to predict");
  }
  for (const [param, names] of [["lagColumns", lagColumns] as const, ["known", known] as const]) {
    const columns = names.split(",").map((name) => name.trim());
    differ(param, columns, date, "the column of dates");
    differ(param, columns, series, "the column of the series");
    // A column may be called as the word for it.
    if (param === "known") differ(param, columns, target, "the column to predict");
  }
  return problems;
}
