import type { TaskContext } from "kindling";
import { ByteWriter, toByteString } from "./bytes.ts";
import { csvField, readRecord } from "./csv.ts";
import { decodeEntries, type Entry } from "./entries.ts";
import { mergeEntries, overflows } from "./key-sums.ts";
import { byRank, type MergePlan, type MergeSummary, overflowError, topIfSmall } from "./merging.ts";

/** The reference kernel: one bucket of every partition in, that stretch of the result file out. */
export function mergeJs(parts: readonly Uint8Array[], context: TaskContext<MergePlan, MergeSummary>): Uint8Array {
  const plan = context.broadcast;
  const merged = mergeEntries(parts.map(decodeEntries));
  const out = new ByteWriter();
  if (context.partition === 0) out.text(toByteString(plan.header));
  let sum = 0n;
  for (const entry of merged) {
    if (overflows(entry)) throw overflowError(plan, entry.key);
    out.text(`${csvField(entry.key)},${entry.sum}\n`);
    sum += entry.sum;
  }
  context.report({ keys: merged.length, sum, top: topIfSmall([...merged].sort(byRank).slice(0, plan.top)) });
  return out.done();
}

/** The top keys of a stretch of the result file, for keys that are too long to be reported. */
export function topOfResult(result: Uint8Array, context: TaskContext<MergePlan>): readonly Entry[] {
  const { header, top } = context.broadcast;
  const best: Entry[] = [];
  let at = context.partition === 0 ? header.length : 0;
  while (at < result.length) {
    const record = readRecord(result, at, ",".charCodeAt(0));
    if (record === undefined) break;
    best.push({ key: record.fields[0]?.text ?? "", sum: BigInt(record.fields[1]?.text ?? "0") });
    if (best.length > 2 * top + 1000) best.sort(byRank).splice(top);
    at = record.next;
  }
  return best.sort(byRank).slice(0, top);
}
