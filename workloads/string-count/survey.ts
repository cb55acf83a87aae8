/** Surveys a sample of keys: where to cut between all keys of the files that it was taken from. */
import type { TaskContext } from "kindling";
import { type ByteString, toByteString } from "./bytes.ts";
import { decodeEntries } from "./entries.ts";
import type { Kernel } from "./kernel.ts";
import { mergeEntries } from "./key-sums.ts";
import { takeParts, totalEntries } from "./merge-wasm.ts";
import { sampleSplitters } from "./plan.ts";

export type SurveyPlan = {
  /** Tuples of the sample for each of the files'. */
  readonly sampledShare: number;
  /** Bytes that a task may use; null where that is not given. */
  readonly taskMemory: number | null;
};

/** The reference kernel: sampled keys with how often each occurred in, splitters out. */
export function surveyJs(parts: readonly Uint8Array[], { broadcast }: TaskContext<SurveyPlan>): readonly ByteString[] {
  const entries = mergeEntries(parts.map(decodeEntries));
  const sample = {
    keys: entries.length,
    drawn: entries.reduce((total, { sum }) => total + Number(sum), 0),
    once: entries.filter(({ sum }) => sum === 1n).length,
    twice: entries.filter(({ sum }) => sum === 2n).length,
    keyAt: (rank: number) => entries[rank]?.key ?? "",
  };
  return sampleSplitters(sample, broadcast.sampledShare, broadcast.taskMemory ?? undefined);
}

/** As surveyJs. */
export function surveyWasm(
  kernel: Kernel,
  parts: readonly Uint8Array[],
  { broadcast }: TaskContext<SurveyPlan>,
): readonly ByteString[] {
  const { calls } = kernel;
  takeParts(kernel, parts);
  const addresses = calls.listKeys(totalEntries(parts));
  const view = new DataView(calls.memory.buffer);
  const sample = {
    keys: calls.listedCount(),
    drawn: calls.drawnCount(),
    once: calls.drawnOnceCount(),
    twice: calls.drawnTwiceCount(),
    keyAt(rank: number) {
      const at = view.getUint32(addresses + 4 * rank, true);
      return toByteString(kernel.bytes(at + 4, view.getUint32(at, true)));
    },
  };
  return sampleSplitters(sample, broadcast.sampledShare, broadcast.taskMemory ?? undefined);
}
