import type { Metrics } from "kindling";
import { byteStringToText } from "./bytes.ts";
import type { Entry } from "./entries.ts";
import { byRank, type MergeSummary } from "./merging.ts";

/** An exact integer for JSON: a number while every reader keeps it exact (|x| ≤ 2⁵³ − 1), else decimal digits as text. */
const exactInteger = (value: bigint): number | string =>
  value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value);

export function resultMetrics(
  counted: { readonly tuples: number; readonly skippedRows: number },
  buckets: readonly MergeSummary[],
  tops: readonly Entry[],
  top: number,
): Metrics {
  const best = [...tops].sort(byRank).slice(0, top);
  return {
    tuples: counted.tuples,
    keys: buckets.reduce((total, bucket) => total + bucket.keys, 0),
    sum: exactInteger(buckets.reduce((total, bucket) => total + bucket.sum, 0n)),
    skippedRows: counted.skippedRows,
    top: best.map(({ key, sum }) => ({ key: byteStringToText(key), sum: exactInteger(sum) })),
  };
}
