/**
 * `node scan.ts FILE OUT`: counts a CSV file of two columns, key and value, on one thread as the workload's WASM kernel does, over
 * bytes that are in memory already. Prints {"seconds"}: from the first byte to the sums of all keys, sorted; writing them to OUT is not timed.
 * A few parts that are counted before warm the kernel up.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { countCsvWasm } from "../../../workloads/string-count/count-wasm.ts";
import type { CountSummary, CsvPlan } from "../../../workloads/string-count/counting.ts";
import { kernelOf } from "../../../workloads/string-count/kernel.ts";
import { mergeWasm } from "../../../workloads/string-count/merge-wasm.ts";
import type { MergePlan, MergeSummary } from "../../../workloads/string-count/merging.ts";
import { byteRanges } from "../../../workloads/string-count/plan.ts";
import { finishReading } from "../../../workloads/string-count/reading.ts";

const WARM_UP_PARTS = 2;

const [input = "", out = ""] = process.argv.slice(2);
const file = readFileSync(input);
const header = file.indexOf("\n") + 1;
const plan: CsvPlan = {
  dialect: { delimiter: ",".charCodeAt(0), columns: 2, key: 0, value: 1 },
  skipBadRows: false,
  isSample: false,
  splitters: [],
};
const mergePlan: MergePlan = { header: Buffer.from("key,value\n"), top: 10, subject: input };
const module = new WebAssembly.Module(
  readFileSync(join(import.meta.dirname, "../../../workloads/string-count/kernel.wasm")),
);
const newKernel = () => kernelOf(new WebAssembly.Instance(module, {}).exports);
const counter = newKernel();
const merger = newKernel();

const context = <B>(broadcast: B) => ({
  broadcast,
  partition: 0,
  buckets: 1,
  memoryBytes: 2 ** 30,
  signal: new AbortController().signal,
  open: () => ({
    name: input,
    size: file.length,
    readInto: (target: Uint8Array, start: number) => {
      const bytes = file.subarray(start, start + target.length);
      target.set(bytes);
      return bytes.length;
    },
  }),
  allocate: (bytes: number) => new Uint8Array(bytes),
  report: (summary: CountSummary | MergeSummary) => {
    if ("bad" in summary && summary.bad !== null) throw new Error(`${input}: row ${summary.bad.row} is bad`);
  },
  progress: () => {},
});

async function count(parts: number): Promise<Uint8Array> {
  const shards: Uint8Array[] = [];
  for (const range of byteRanges(0, header, file.length, undefined).slice(0, parts)) {
    const part = { range, first: range.start === header ? header : null };
    shards.push(...(await finishReading(countCsvWasm(counter, part, context(plan)))));
  }
  return mergeWasm(merger, shards, context(mergePlan));
}

await count(WARM_UP_PARTS);
const start = performance.now();
const result = await count(Number.POSITIVE_INFINITY);
const seconds = (performance.now() - start) / 1000;
writeFileSync(out, result);
console.log(JSON.stringify({ seconds }));
