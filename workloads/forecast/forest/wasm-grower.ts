import { binTrainingSet } from "./bins.ts";
import type { Grower } from "./fit.ts";
import type { ForestOptions, Tree } from "./forest.ts";
import { draws } from "./sample.ts";
import type { TrainingSet } from "./training-set.ts";

/** What ../assembly exports; every argument is an unsigned 32-bit number or a double, pointers are byte offsets. */
interface ForestKernel {
  readonly memory: WebAssembly.Memory;
  reset(): void;
  allocate(bytes: number): number;
  loadTrainingSet(
    rows: number,
    columns: number,
    order: number,
    ranks: number,
    values: number,
    uppers: number,
    valueStart: number,
    targets: number,
  ): void;
  setSampling(draws: number, withReplacement: boolean): void;
  allocateTree(stepSize: number, minGain: number): void;
  readonly columnOut: WebAssembly.Global;
  readonly valueOut: WebAssembly.Global;
  readonly leftOut: WebAssembly.Global;
  beginLists(randomThresholds: boolean, minGain: number): void;
  grow(seed: number, tree: number, maxDepth: number, minLeaf: number, maxFeatures: number): number;
  beginBinned(maxDepth: number): void;
  growBinned(seed: number, tree: number, maxDepth: number, minLeaf: number, maxFeatures: number, keep: boolean): number;
  takeOffTree(): void;
}

/** The deepest tree that is grown from histograms: one of them waits at each level. */
export const MAX_BINNED_DEPTH = 32;
/** Cells of a histogram up to which it costs less than sorted lists. */
const FEW_CELLS = 4096;

/** How splits are searched: among the rows in sorted lists, or in histograms of their bins. The trees are the same. */
export type Search = "lists" | "histograms";

/** Loads a training set into an instance of the kernel, forgetting what an earlier task left there. */
export function wasmGrower(
  exports: WebAssembly.Exports,
  exact: TrainingSet,
  options: ForestOptions,
  search?: Search,
): Grower {
  const kernel = exports as unknown as ForestKernel;
  const { seed, maxDepth, minLeaf, maxFeatures, stepSize, minInfoGain = 0 } = options;
  const set = binTrainingSet(exact, options.maxBins);
  load(kernel, set);
  kernel.setSampling(draws(set.rows, options), options.bootstrap !== false);
  const minGain = minInfoGain * set.scale * set.scale;
  kernel.allocateTree(stepSize ?? 1, minGain);
  const boosts = stepSize !== undefined;
  if (boosts || (search ?? fasterSearch(set, options)) === "histograms") {
    kernel.beginBinned(Math.min(maxDepth, MAX_BINNED_DEPTH));
    return (tree) => {
      const nodes = kernel.growBinned(seed, tree, maxDepth, minLeaf, maxFeatures, boosts);
      if (boosts) kernel.takeOffTree();
      return treeOf(kernel, nodes);
    };
  }
  kernel.beginLists(options.randomThresholds === true, minGain);
  return (tree) => treeOf(kernel, kernel.grow(seed, tree, maxDepth, minLeaf, maxFeatures));
}

/** Both searches give the same trees; which one is faster follows from sizes alone. */
function fasterSearch(set: TrainingSet, options: ForestOptions): Search {
  const countsRows = options.minLeaf === 1 || options.bootstrap === false;
  const cells = set.values.length + set.columns;
  const can = countsRows && !options.randomThresholds && options.maxDepth <= MAX_BINNED_DEPTH;
  return can && cells <= FEW_CELLS ? "histograms" : "lists";
}

function load(kernel: ForestKernel, set: TrainingSet): void {
  kernel.reset();
  const put = (array: Uint16Array | Uint32Array | Float64Array): number => {
    const at = kernel.allocate(array.byteLength);
    new Uint8Array(kernel.memory.buffer).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    return at;
  };
  const values = put(set.values);
  kernel.loadTrainingSet(
    set.rows,
    set.columns,
    put(set.order),
    put(set.ranks),
    values,
    set.uppers === undefined ? values : put(set.uppers),
    put(set.valueStart),
    put(set.targets),
  );
}

/** The tree where the kernel has written it, and writes the next one. */
function treeOf({ memory: { buffer }, columnOut, valueOut, leftOut }: ForestKernel, nodes: number): Tree {
  return {
    column: new Uint16Array(buffer, columnOut.value as number, nodes),
    value: new Float64Array(buffer, valueOut.value as number, nodes),
    left: new Uint32Array(buffer, leftOut.value as number, nodes),
  };
}
