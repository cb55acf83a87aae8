import type { TaskContext } from "kindling";
import { csvField } from "../data/csv.ts";
import type { Prepared } from "../data/prepared.ts";
import { type Scores, score } from "../metrics.ts";

/** The scores of each query that has true values. */
export type Conclusion = { readonly scores: Readonly<Record<string, Scores>> };

/** Reports the scores of all queries and gives the result file of the first one. */
export function conclude(
  context: TaskContext<Prepared, Conclusion>,
  predictionsOf: (query: string, rows: number) => Float64Array,
): string {
  const { queries, target } = context.broadcast;
  const scores: Record<string, Scores> = {};
  let text = "";
  for (const [name, { dates, truth }] of Object.entries(queries)) {
    const predictions = predictionsOf(name, dates.length);
    const scored = score(predictions, truth);
    if (scored !== undefined) scores[name] = scored;
    if (text === "") text = resultFile(target, dates, predictions);
  }
  context.report({ scores });
  return text;
}

/** `date` as it came in, then the target; the shortest decimals that read back as the same double. */
function resultFile(target: string, dates: readonly string[], predictions: Float64Array): string {
  const rows = dates.map((date, row) => `${csvField(date)},${predictions[row]}\n`);
  return `date,${csvField(target)}\n${rows.join("")}`;
}
