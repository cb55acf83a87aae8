import type { TaskContext } from "kindling";
import { toByteString } from "./bytes.ts";
import { readRecord } from "./csv.ts";
import { entryCount, longestKey } from "./entries.ts";
import type { Kernel } from "./kernel.ts";
import { byRank, type MergePlan, type MergeSummary, overflowError, topIfSmall } from "./merging.ts";

/** Bytes of one of the kernel's places for top keys: i64 sum, u32 number, u32 address of the field, u32 its length. */
const PLACE_BYTES = 24;

/** Keys of so many bytes are one word to the kernel, or three, and are merged run by run. */
const SHORT_KEY = 8;
const WIDE_KEY = 24;
/** For each key some of the runs with wide keys are looked at: with more runs a table is better. */
const MOST_WIDE_RUNS = 1024;

/** Merges a bucket: as mergeJs, byte for byte. */
export function mergeWasm(
  kernel: Kernel,
  parts: readonly Uint8Array[],
  context: TaskContext<MergePlan, MergeSummary>,
): Uint8Array {
  const { calls } = kernel;
  const plan = context.broadcast;
  const fail = () => {
    throw overflowError(plan, toByteString(kernel.bytes(calls.currentKey(), calls.currentKeyLength())));
  };
  if (!takeParts(kernel, parts)) fail();
  const header = context.partition === 0 ? plan.header : new Uint8Array();
  const start = calls.writeResult(header.length, plan.top);
  if (start === 0) fail();
  const length = calls.resultLimit() - start;
  const output = context.allocate(length);
  output.set(kernel.bytes(start, length));
  output.set(header);
  context.report({
    keys: calls.keyCount(),
    sum: (calls.sumUpper() << 32n) + calls.sumLower(),
    top: topIfSmall(topEntries(kernel)),
  });
  return output;
}

/** Gives the kernel the parts of a bucket, whose keys it then has in order; false if a sum does not fit, of the current key. */
export function takeParts(kernel: Kernel, parts: readonly Uint8Array[]): boolean {
  const { calls } = kernel;
  calls.begin();
  const entries = totalEntries(parts);
  const longest = parts.reduce((most, part) => Math.max(most, longestKey(part)), 0);
  if (longest <= SHORT_KEY) {
    calls.beginMergeOfRuns(parts.length, entries);
    for (const part of parts) calls.addRun(kernel.put(part));
  } else if (longest <= WIDE_KEY && parts.length <= MOST_WIDE_RUNS) {
    calls.beginMergeOfWideRuns(parts.length);
    for (const part of parts) calls.addWideRun(kernel.put(part));
  } else {
    const buffer = kernel.put(new Uint8Array(parts.reduce((most, part) => Math.max(most, part.length), 0)));
    calls.beginMerge(entries);
    for (const [index, part] of parts.entries()) {
      calls.countedShare(index / parts.length);
      kernel.bytes(buffer, part.length).set(part);
      calls.readEntries(buffer);
    }
    return calls.sortMerged();
  }
  return true;
}

/** How many entries the parts have together: as many keys at most. */
export const totalEntries = (parts: readonly Uint8Array[]): number =>
  parts.reduce((total, part) => total + entryCount(part), 0);

function topEntries({ calls, bytes }: Kernel) {
  const view = new DataView(calls.memory.buffer, calls.topAddress(), calls.topSize() * PLACE_BYTES);
  return Array.from({ length: calls.topSize() }, (_, index) => {
    const at = index * PLACE_BYTES;
    // With a line end the field is a record.
    const field = bytes(view.getUint32(at + 12, true), view.getUint32(at + 16, true));
    const line = new Uint8Array(field.length + 1);
    line.set(field);
    line[field.length] = "\n".charCodeAt(0);
    const key = readRecord(line, 0, ",".charCodeAt(0))?.fields[0]?.text ?? "";
    return { key, sum: view.getBigInt64(at, true) };
  }).sort(byRank);
}
