import { defineTask } from "kindling";
import type { Prepared } from "../data/prepared.ts";
import { fitTrees, referenceGrower, type TreeRange } from "../forest/fit.ts";
import type { Forest, ForestOptions } from "../forest/forest.ts";
import { wasmGrower } from "../forest/wasm-grower.ts";
import wasm from "../kernel.wasm";

export type FitInput = TreeRange & { readonly options: ForestOptions };

export type FitSummary = { readonly leaves: number };

/** Grows a range of a forest's trees. */
export const fit = defineTask<FitInput, Forest, Prepared, FitSummary>({
  js(input, context) {
    const forest = fitTrees(
      referenceGrower(context.broadcast.training, input.options),
      input,
      context,
      modelsOf(input),
    );
    context.report({ leaves: leavesOf(forest) });
    return forest;
  },
  wasm: {
    module: wasm,
    run(exports, input, context) {
      const forest = fitTrees(
        wasmGrower(exports, context.broadcast.training, input.options),
        input,
        context,
        modelsOf(input),
      );
      context.report({ leaves: leavesOf(forest) });
      return forest;
    },
  },
});

/** Trees that are boosted one after the other are one model. */
const modelsOf = ({ count, options }: FitInput): number => (options.stepSize === undefined ? count : 1);

/** A tree of n leaves has 2 n − 1 nodes. */
const leavesOf = ({ column, sizes }: Forest): number => (column.length + sizes.length) / 2;
