import type { ForestOptions, Tree } from "./forest.ts";
import type { Grower } from "./fit.ts";
import type { TrainingSet } from "./training-set.ts";

/** What ../assembly exports; every argument is an unsigned 32-bit number, pointers are byte offsets into `memory`. */
interface ForestKernel {
  readonly memory: WebAssembly.Memory;
  reset(): void;
  allocate(bytes: number): number;
  begin(
    rows: number,
    columns: number,
    order: number,
    ranks: number,
    values: number,
    valueStart: number,
    targets: number,
  ): void;
  grow(
    seed: number,
    tree: number,
    maxDepth: number,
    minLeaf: number,
    maxFeatures: number,
    column: number,
    value: number,
    left: number,
  ): number;
}

/** Loads a training set into an instance of the kernel, forgetting what an earlier task left there. */
export function wasmGrower(exports: WebAssembly.Exports, set: TrainingSet, options: ForestOptions): Grower {
  const kernel = exports as unknown as ForestKernel;
  kernel.reset();
  const put = (array: Uint16Array | Uint32Array | Float64Array): number => {
    const at = kernel.allocate(array.byteLength);
    new Uint8Array(kernel.memory.buffer).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    return at;
  };
  kernel.begin(
    set.rows,
    set.columns,
    put(set.order),
    put(set.ranks),
    put(set.values),
    put(set.valueStart),
    put(set.targets),
  );
  // A tree of n leaves has 2 n − 1 nodes.
  const column = kernel.allocate(set.rows * 2 * 2);
  const value = kernel.allocate(set.rows * 2 * 8);
  const left = kernel.allocate(set.rows * 2 * 4);
  const { seed, maxDepth, minLeaf, maxFeatures } = options;
  return (tree: number): Tree => {
    const nodes = kernel.grow(seed, tree, maxDepth, minLeaf, maxFeatures, column, value, left);
    const { buffer } = kernel.memory;
    return {
      column: new Uint16Array(buffer, column, nodes).slice(),
      value: new Float64Array(buffer, value, nodes).slice(),
      left: new Uint32Array(buffer, left, nodes).slice(),
    };
  };
}
