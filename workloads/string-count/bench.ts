/**
 * `node workloads/string-count/bench.ts [million tuples]`: what each step costs in nanoseconds of processor time a tuple, and how many
 * key-sum pairs it leaves. The floor for counting 3-letter CSV is 2.5 ns a tuple: a plain C loop over bytes in memory.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { countCsvWasm, countTuplesWasm } from "./count-wasm.ts";
import type { CountSummary, CsvPlan, TuplePlan } from "./counting.ts";
import { entryCount } from "./entries.ts";
import { kernelOf } from "./kernel.ts";
import { mergeWasm } from "./merge-wasm.ts";
import type { MergePlan, MergeSummary } from "./merging.ts";
import { byteRanges, tupleRanges, tupleSplitters } from "./plan.ts";
import { finishReading } from "./reading.ts";
import { parseAlphabet, type TupleSpec } from "./tuples.ts";
import { createTupleWriter } from "./tuples-csv.ts";

const tuples = Number(process.argv[2] ?? "16") * 1e6;
const module = readFileSync(join(import.meta.dirname, "kernel.wasm"));
const newKernel = async () => kernelOf((await WebAssembly.instantiate(module, {})).instance.exports);

function timed<T>(name: string, units: number, run: () => T): T {
  // Processor time: what else runs on the machine hardly shows in it.
  const begin = process.cpuUsage();
  const result = run();
  const used = process.cpuUsage(begin);
  const seconds = (used.user + used.system) / 1e6;
  console.log(`  ${name.padEnd(28)} ${((seconds * 1e9) / units).toFixed(2).padStart(7)} ns  (${seconds.toFixed(3)} s)`);
  return result;
}

/** A context that keeps nothing but the file. */
function contextOf<B>(broadcast: B, buckets: number, file: Uint8Array, partition = 0) {
  return {
    broadcast,
    partition,
    buckets,
    memoryBytes: 2 ** 30,
    signal: new AbortController().signal,
    open: () => ({
      name: "bench",
      size: file.length,
      readInto: (target: Uint8Array, start: number) => {
        const bytes = file.subarray(start, start + target.length);
        target.set(bytes);
        return bytes.length;
      },
    }),
    allocate: (bytes: number) => new Uint8Array(bytes),
    report: (_summary: CountSummary | MergeSummary) => {},
    progress: (_units: number) => {},
  };
}

const pairs = (shards: readonly (readonly Uint8Array[])[]) =>
  shards.flat().reduce((total, bucket) => total + entryCount(bucket), 0);

async function measure(title: string, spec: TupleSpec): Promise<void> {
  console.log(`${title}, ${tuples / 1e6}M tuples`);
  const splitters = tupleSplitters(spec, tuples);
  const buckets = splitters.length + 1;
  const none = new Uint8Array();
  const kernel = await newKernel();
  countTuplesWasm(kernel, { start: 0, count: 1e6 }, contextOf<TuplePlan>({ spec, splitters }, buckets, none));
  const ranges = tupleRanges(tuples, undefined);
  const generated = timed("generate and count", tuples, () =>
    ranges.map((range) => countTuplesWasm(kernel, range, contextOf<TuplePlan>({ spec, splitters }, buckets, none))),
  );

  const write = await createTupleWriter(module, spec);
  const file = new Uint8Array(tuples * (spec.keyLength + 4));
  let size = 0;
  timed("write CSV (and copy)", tuples, () => {
    for (const text of write({ start: 0, count: tuples })) {
      file.set(text, size);
      size += text.length;
    }
  });
  const csv = file.subarray(0, size);
  const dialect = { delimiter: 44, columns: 2, key: 0, value: 1 };
  const plan: CsvPlan = { dialect, skipBadRows: false, isSample: false, splitters };
  const reader = await newKernel();
  const parts = byteRanges(0, 0, size, undefined);
  const count = (end: number): void => {
    for (const range of parts.slice(0, end)) {
      const part = { range, first: range.start === 0 ? 0 : null };
      void finishReading(countCsvWasm(reader, part, contextOf(plan, buckets, csv)));
    }
  };
  count(1);
  timed("count CSV", tuples, () => count(parts.length));

  const merger = await newKernel();
  const mergePlan: MergePlan = { header: new TextEncoder().encode("key,count\n"), top: 10, subject: "bench" };
  const entries = pairs(generated);
  const bytes = generated.flat().reduce((total, bucket) => total + bucket.length, 0);
  console.log(
    `  ${entries} pairs in ${ranges.length} × ${buckets} buckets, ${(bytes / entries).toFixed(2)} bytes each`,
  );
  let written = 0;
  timed("merge, for each pair", entries, () => {
    for (let bucket = 0; bucket < buckets; bucket++) {
      const shards = generated.map((part) => part[bucket] ?? none);
      written += mergeWasm(merger, shards, contextOf(mergePlan, 1, none, bucket)).length;
    }
  });
  console.log(`  result ${(written / 1e6).toFixed(1)} MB`);
}

const alphabet = (text: string): Uint8Array => parseAlphabet(text) ?? new Uint8Array();
const cases: Readonly<Record<string, TupleSpec>> = {
  "3 letters": { seed: 1, alphabet: alphabet("A-Z"), keyLength: 3, maxValue: 10 },
  "5 letters": { seed: 1, alphabet: alphabet("A-Z"), keyLength: 5, maxValue: 10 },
  "12 letters, few keys": { seed: 1, alphabet: alphabet("AB"), keyLength: 12, maxValue: 10 },
  "12 letters, many keys": { seed: 1, alphabet: alphabet("A-D"), keyLength: 12, maxValue: 10 },
};
for (const [title, spec] of Object.entries(cases))
  if (title.includes(process.argv[3] ?? "")) await measure(title, spec);
