/**
 * Where the parts of a CSV file meet. A part that starts within quotes cannot know it; each part guesses and says
 * where its first record began and where the record after its last begins, and here neighbours are compared.
 */
import type { BadRow, CountSummary } from "./counting.ts";

export type Verdict =
  | { readonly kind: "consistent" }
  /** These parts began at the wrong place: count them again from `first`, then check again. */
  | { readonly kind: "again"; readonly parts: readonly { readonly part: number; readonly first: number }[] }
  /** All parts before it are right, so the row really is bad; `row` counts records from the first of the file. */
  | { readonly kind: "bad"; readonly bad: BadRow; readonly row: number };

/**
 * `start` is where the file's first record begins. Each round of repairs settles at least the leftmost wrong part; the
 * others start again from what their neighbours now believe.
 */
export function checkBorders(parts: readonly CountSummary[], start: number): Verdict {
  const again: { part: number; first: number }[] = [];
  let expected = start;
  let rows = 0;
  for (const [part, summary] of parts.entries()) {
    // After a bad row in a part that may itself be wrong (-1), nothing is known about the next one.
    if (expected >= 0 && summary.first !== expected) again.push({ part, first: expected });
    else if (summary.bad !== null && again.length === 0) {
      return { kind: "bad", bad: summary.bad, row: rows + summary.bad.row };
    }
    rows += summary.rows;
    expected = summary.next;
  }
  return again.length === 0 ? { kind: "consistent" } : { kind: "again", parts: again };
}
