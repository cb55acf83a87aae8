import type { TaskContext } from "kindling";
import { type ByteString, toByteString } from "./bytes.ts";
import { detailOf } from "./count-js.ts";
import { type BadRow, type CountSummary, type CsvPart, type CsvPlan, PROBLEMS, type TuplePlan } from "./counting.ts";
import { CsvBuffer, TAIL_BYTES } from "./csv-buffer.ts";
import type { Kernel } from "./kernel.ts";
import type { Reading } from "./reading.ts";
import type { TupleRange, TupleSpec } from "./tuples.ts";

/** Tuples between two reports of progress: some 10 ms. */
const PROGRESS_STEP = 2 ** 20;

/** Few bytes for a record, so that room for as many tuples suffices. */
const BYTES_PER_TUPLE = 8;

/** Counts a range of tuples: as countTuplesJs, byte for byte. */
export function countTuplesWasm(
  kernel: Kernel,
  range: TupleRange,
  context: TaskContext<TuplePlan>,
): readonly Uint8Array[] {
  kernel.calls.begin();
  kernel.calls.expectTuples(range.count);
  beginTuples(kernel, context.broadcast.spec);
  for (let done = 0; done < range.count; done += PROGRESS_STEP) {
    const step = Math.min(PROGRESS_STEP, range.count - done);
    kernel.calls.countedShare(done / range.count);
    kernel.calls.countTuples(range.start + done, step);
    context.progress(step);
  }
  return finishCount(kernel, context.broadcast.splitters, context);
}

/** Tells the kernel what tuples to make. */
export function beginTuples(kernel: Kernel, spec: TupleSpec): void {
  const alphabet = kernel.put(spec.alphabet);
  kernel.calls.beginTuples(spec.seed, spec.keyLength, alphabet, spec.alphabet.length, spec.maxValue);
}

/** Counts a part of a CSV file: as countCsvJs, byte for byte. */
export function* countCsvWasm(
  kernel: Kernel,
  part: CsvPart,
  context: TaskContext<CsvPlan, CountSummary>,
): Reading<readonly Uint8Array[]> {
  const { dialect, skipBadRows, isSample, splitters } = context.broadcast;
  const { source, start, end } = part.range;
  const { calls } = kernel;
  calls.begin();
  calls.setDialect(dialect.delimiter, dialect.columns, dialect.key, dialect.value);
  calls.beginScan(skipBadRows, isSample);
  calls.expectTuples((end - start) / BYTES_PER_TUPLE);
  const buffer = new CsvBuffer(kernel, context.open(source, end + TAIL_BYTES), part.first ?? start - 1, end);
  let bad: BadRow | null = null;
  let first = part.first;
  if (first === null) {
    first = yield* buffer.skipToRecord();
    if (first < 0) bad = { problem: "tooLong", row: 0, offset: start - 1, column: -1, detail: "" };
  }
  let reported = 0;
  while (bad === null && buffer.position < end) {
    calls.countedShare((buffer.position - start) / (end - start));
    buffer.scan();
    context.progress(calls.tupleCount() - reported);
    reported = calls.tupleCount();
    if (calls.problemCode() !== 0) bad = badRow(kernel, buffer.position);
    else if (buffer.position < end) yield* buffer.read();
  }
  context.report({
    first,
    next: bad === null ? buffer.position : -1,
    rows: calls.rowCount(),
    tuples: calls.tupleCount(),
    skipped: calls.skippedCount(),
    bad,
  });
  if (bad !== null) calls.begin();
  return finishCount(kernel, splitters, context);
}

function badRow({ calls, bytes }: Kernel, offset: number): BadRow {
  const problem = PROBLEMS[calls.problemCode() - 1] ?? "nul";
  const length = calls.problemSize();
  const hasText = problem === "encoding" || problem === "notInteger" || problem === "outOfRange";
  const text = hasText ? detailOf(toByteString(bytes(calls.problemAddress(), length))) : "";
  return {
    problem,
    row: calls.rowCount(),
    offset,
    column: calls.problemField(),
    detail: problem === "ragged" ? String(length) : text,
  };
}

/** Sorts what was counted; gives it by bucket. */
export function finishCount(
  kernel: Kernel,
  splitters: readonly ByteString[],
  context: { allocate(bytes: number): Uint8Array },
): readonly Uint8Array[] {
  kernel.calls.setSplitters(kernel.put(encodeSplitters(splitters)), splitters.length);
  const table = kernel.calls.finishCount();
  const bounds = new Uint32Array(kernel.calls.memory.buffer, table, splitters.length + 2);
  return Array.from({ length: splitters.length + 1 }, (_, bucket) => {
    const start = bounds[bucket] ?? 0;
    const length = (bounds[bucket + 1] ?? 0) - start;
    const output = context.allocate(length);
    output.set(kernel.bytes(start, length));
    return output;
  });
}

/** Each splitter as u32le length and bytes. */
function encodeSplitters(splitters: readonly ByteString[]): Uint8Array {
  const out = new Uint8Array(splitters.reduce((total, splitter) => total + 4 + splitter.length, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const splitter of splitters) {
    view.setUint32(at, splitter.length, true);
    at += 4;
    for (const character of splitter) out[at++] = character.charCodeAt(0);
  }
  return out;
}
