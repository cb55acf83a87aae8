import { readFile } from "node:fs/promises";
import type * as z from "zod";
import { KindlingError } from "../../shared/errors.ts";
import { type tupleParameters, tupleSpec } from "../../workloads/string-count/parameters.ts";
import { createTupleWriter } from "../../workloads/string-count/tuples-csv.ts";
import { onInterrupt } from "./interrupts.ts";
import { writeWhole } from "./part-file.ts";

const TUPLE_KERNEL = new URL("../../workloads/string-count/kernel.wasm", import.meta.url);

/** Writes the tuples that string-count would generate as a CSV file; an interrupt leaves nothing. `header` names the two columns. */
export async function writeTuples(
  out: string,
  params: z.output<typeof tupleParameters>,
  header: readonly [string, string],
): Promise<void> {
  const write = await createTupleWriter(await readFile(TUPLE_KERNEL), tupleSpec(params));
  const interrupt = new AbortController();
  const stopWaiting = onInterrupt(() => interrupt.abort());
  const content = function* (): Iterable<Uint8Array> {
    yield new TextEncoder().encode(`${header.join()}\n`);
    for (const text of write({ start: 0, count: params.tuples })) {
      if (interrupt.signal.aborted) throw new KindlingError("Cancelled", `${out} is not written: interrupted`);
      yield text;
    }
  };
  try {
    await writeWhole(out, content());
  } finally {
    stopWaiting();
  }
}
