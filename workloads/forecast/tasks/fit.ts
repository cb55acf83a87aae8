import { defineTask, type TaskContext } from "kindling";
import type { Prepared } from "../data/prepared.ts";
import { fitTrees, type Grower, referenceGrower, type TreeRange } from "../forest/fit.ts";
import type { Forest, ForestOptions } from "../forest/forest.ts";
import { wasmGrower } from "../forest/wasm-grower.ts";
import wasm from "../kernel.wasm";

export type FitInput = TreeRange & {
  readonly options: ForestOptions;
  /** The trees say how they were grown; with the share that a prediction's interval is to hold, or `null`. */
  readonly intervals?: number | null;
};

export type FitSummary = { readonly leaves: number };

/** Grows a range of a forest's trees. */
export const fit = defineTask<FitInput, Forest, Prepared, FitSummary>({
  js: (input, context) => grow(input, context, referenceGrower(context.broadcast.training, input.options)),
  wasm: {
    module: wasm,
    run: (exports, input, context) =>
      grow(input, context, wasmGrower(exports, context.broadcast.training, input.options)),
  },
});

function grow(input: FitInput, context: TaskContext<Prepared, FitSummary>, grower: Grower): Forest {
  const forest = fitTrees(grower, input, context, modelsOf(input));
  context.report({ leaves: leavesOf(forest) });
  return input.intervals === undefined
    ? forest
    : { ...forest, grown: { options: input.options, intervals: input.intervals } };
}

/** Trees that are boosted one after the other are one model. */
const modelsOf = ({ count, options }: FitInput): number => (options.stepSize === undefined ? count : 1);

/** A tree of n leaves has 2 n − 1 nodes. */
const leavesOf = ({ column, sizes }: Forest): number => (column.length + sizes.length) / 2;
