import { defineTask, type Task } from "kindling";
import type { Query } from "../data/prepared.ts";
import type { Forest } from "../forest/forest.ts";
import wasm from "../kernel.wasm";
import { webGlSumLeaves, webGpuSumLeaves } from "../prediction/leaves-gpu.ts";
import { wasmSumLeaves } from "../prediction/leaves-wasm.ts";
import { leavesProbe } from "../prediction/probe.ts";
import { type SumLeaves, sumLeavesJs } from "../prediction/sum-leaves.ts";

/** Leaf values of some trees, summed for each row of each query; whole numbers. */
export type LeafSums = {
  readonly models: number;
  readonly sums: Readonly<Record<string, Float64Array>>;
  /** With intervals: the share that they are to hold, and by query [trees × rows] targets drawn from the leaves. */
  readonly drawn?: { readonly share: number; readonly targets: Readonly<Record<string, Float64Array>> };
};

/** What summing leaves reads of the rows. */
export type Asking = {
  readonly features: readonly string[];
  readonly queries: Readonly<Record<string, Pick<Query, "dates" | "features">>>;
};

/** A task that sums leaves, of a forest or of something that has one. */
export const leafSumsTask = <I extends { readonly forest: Forest } | Forest>(
  wrap: (forest: Forest) => I,
): Task<I, LeafSums, Asking> =>
  defineTask<I, LeafSums, Asking>({
    js: (input, { broadcast }) => sumQueries(input, broadcast, sumLeavesJs),
    wasm: {
      module: wasm,
      run: (exports, input, { broadcast }) => sumQueries(input, broadcast, wasmSumLeaves(exports)),
    },
    webgpu: (input, context) => sumQueries(input, context.broadcast, webGpuSumLeaves(context)),
    webgl: (input, context) => sumQueries(input, context.broadcast, webGlSumLeaves(context)),
    probe: (size) => {
      const { forest, rows } = leavesProbe(size);
      const query = { dates: Array.from({ length: rows.count }, String), features: rows.features };
      const features = Array.from({ length: rows.columns }, (_, column) => `feature ${column}`);
      return { input: wrap(forest), broadcast: { features, queries: { probe: query } } };
    },
  });

export async function sumQueries(
  input: { readonly forest: Forest } | Forest,
  { queries, features }: Asking,
  sum: SumLeaves,
): Promise<LeafSums> {
  const forest = "forest" in input ? input.forest : input;
  const sums: Record<string, Float64Array> = {};
  for (const [name, query] of Object.entries(queries)) {
    sums[name] = await sum(forest, { features: query.features, columns: features.length, count: query.dates.length });
  }
  return { models: forest.models, sums };
}
