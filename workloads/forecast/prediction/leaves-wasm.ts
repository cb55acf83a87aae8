import type { Rows, SumLeaves } from "./sum-leaves.ts";

/** What ../assembly/predict.ts exports; pointers are byte offsets. */
interface PredictKernel {
  readonly memory: WebAssembly.Memory;
  reset(): void;
  allocate(bytes: number): number;
  addLeaves(
    column: number,
    value: number,
    left: number,
    features: number,
    columns: number,
    rows: number,
    sums: number,
  ): void;
}

/** Numbers of a batch of rows: they stay in a core's cache while tree after tree is read. */
const BATCH_NUMBERS = 2 ** 17;

/** WebAssembly compares doubles as JavaScript does, so thresholds and features go in as they are. */
export function wasmSumLeaves(exports: WebAssembly.Exports): SumLeaves {
  const kernel = exports as unknown as PredictKernel;
  return (forest, rows) => {
    kernel.reset();
    const put = (array: Uint16Array | Uint32Array | Float64Array): number => {
      const at = kernel.allocate(array.byteLength);
      new Uint8Array(kernel.memory.buffer).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
      return at;
    };
    const column = put(forest.column);
    const value = put(forest.value);
    const left = put(forest.left);
    const all = new Float64Array(rows.count);
    const most = Math.max(1, Math.floor(BATCH_NUMBERS / Math.max(1, rows.columns)));
    const features = kernel.allocate(most * rows.columns * 8);
    const sums = kernel.allocate(most * 8);
    for (let from = 0; from < rows.count; from += most) {
      const { count, features: part } = slice(rows, from, most);
      new Float64Array(kernel.memory.buffer, features, part.length).set(part);
      const result = new Float64Array(kernel.memory.buffer, sums, count).fill(0);
      let root = 0;
      for (const size of forest.sizes) {
        kernel.addLeaves(column + 2 * root, value + 8 * root, left + 4 * root, features, rows.columns, count, sums);
        root += size;
      }
      all.set(result, from);
    }
    return all;
  };
}

/** At most `most` rows from number `from` on. */
function slice({ features, columns, count }: Rows, from: number, most: number): Rows {
  const end = Math.min(count, from + most);
  return { features: features.subarray(from * columns, end * columns), columns, count: end - from };
}
