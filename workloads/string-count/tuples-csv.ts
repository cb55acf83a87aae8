import { beginTuples } from "./count-wasm.ts";
import { kernelOf } from "./kernel.ts";
import type { TupleRange, TupleSpec } from "./tuples.ts";

/** Tuples made at a time: a few megabytes of text. */
const STEP = 2 ** 18;

/**
 * A writer of generated tuples as CSV lines, without the header: the same tuples that a job counts. `module` is the
 * workload's kernel.wasm. Each piece of text is valid only until the next one is asked for: it lies in the kernel's memory.
 */
export async function createTupleWriter(
  module: Uint8Array,
  spec: TupleSpec,
): Promise<(range: TupleRange) => Generator<Uint8Array, void, void>> {
  const { instance } = await WebAssembly.instantiate(module as Uint8Array<ArrayBuffer>, {});
  const kernel = kernelOf(instance.exports);
  return function* write({ start, count }) {
    kernel.calls.begin();
    beginTuples(kernel, spec);
    for (let done = 0; done < count; done += STEP) {
      const text = kernel.calls.writeTuples(start + done, Math.min(STEP, count - done));
      yield kernel.bytes(text, kernel.calls.textLimit() - text);
    }
  };
}
