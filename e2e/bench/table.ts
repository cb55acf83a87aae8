import { type Judgement, short } from "./judge.ts";
import type { Outcome } from "./model.ts";
import { median } from "./stats.ts";

/** Lines of columns that line up; cells of numeric columns stand to the right. */
export function textTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  numeric: readonly number[],
): string[] {
  const widths = head.map((_title, column) => Math.max(...[head, ...rows].map((row) => (row[column] ?? "").length), 0));
  const line = (row: readonly string[]): string =>
    widths
      .map((width, column) => {
        const cell = row[column] ?? "";
        return numeric.includes(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  return [line(head), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(line)];
}

/** A case's contenders: the median of each figure, and the spread of the seconds. */
export function outcomeLines(outcomes: readonly Outcome[]): string[] {
  return outcomes.map(({ contender, figures, failure }) => {
    if (failure !== undefined) return `  ${contender}: FAILED: ${failure}`;
    const parts = Object.entries(figures).map(([name, values]) => {
      if (name !== "seconds") return `${name} ${short(median(values))}`;
      const spread = values.length > 1 ? ` (${short(Math.min(...values))} … ${short(Math.max(...values))})` : "";
      return `${median(values).toFixed(3)} s${spread}`;
    });
    return `  ${contender}: ${parts.join(", ")}`;
  });
}

/** All bars, one a line. */
export function barTable(bars: readonly { readonly name: string; readonly judgement: Judgement }[]): string[] {
  const rows = bars.map(({ name, judgement: { label, of, over, value, bound, verdict, reason } }) => [
    name,
    label,
    over === null ? of : `${of} ÷ ${over}`,
    value === null ? "–" : short(value),
    bound,
    reason === undefined ? verdict : `${verdict}: ${reason}`,
  ]);
  return textTable(["case", "bar", "who", "value", "must be", "verdict"], rows, [3]);
}
