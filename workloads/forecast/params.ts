import { fields, type Params } from "./options.ts";

type Problem = { readonly param: keyof Params; readonly message: string };

/** The parameters, refused where they contradict each other. */
export const params = fields.superRefine((given, context) => {
  for (const { param, message } of columnProblems(given)) {
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
