import type { TaskContext } from "kindling";
import { type ByteString, byteStringToText, isUtf8 } from "./bytes.ts";
import {
  type BadRow,
  type CountSummary,
  type CsvPart,
  type CsvPlan,
  DETAIL_CHARACTERS,
  type Dialect,
  type Problem,
  type TuplePlan,
} from "./counting.ts";
import { type CsvRecord, MAX_RECORD_BYTES, readRecord, skipToRecord } from "./csv.ts";
import { encodeBuckets, KeySums } from "./key-sums.ts";
import type { Reading } from "./reading.ts";
import { SourceWindow } from "./source-window.ts";
import { eachTuple, type TupleRange } from "./tuples.ts";

/** Bytes of a field that a message may need: DETAIL_CHARACTERS of UTF-8. */
const DETAIL_BYTES = DETAIL_CHARACTERS * 4;

/** The reference kernel for generated tuples. */
export function countTuplesJs(range: TupleRange, context: TaskContext<TuplePlan>): readonly Uint8Array[] {
  const sums = new KeySums();
  eachTuple(context.broadcast.spec, range, (key, value) => sums.add(key, BigInt(value)));
  context.progress(range.count);
  return encodeBuckets(sums.entries(), context.broadcast.splitters);
}

/** The reference kernel for a part of a CSV file. */
export function* countCsvJs(
  part: CsvPart,
  context: TaskContext<CsvPlan, CountSummary>,
): Reading<readonly Uint8Array[]> {
  const sums = new KeySums();
  const summary = yield* eachRecord(part, context, (key, value) => sums.add(key, value));
  context.progress(summary.tuples);
  context.report(summary);
  return encodeBuckets(summary.bad === null ? sums.entries() : [], context.broadcast.splitters);
}

/** Calls back with the key and value of each good record of a part, in order; gives what is to be reported. */
export function* eachRecord(
  part: CsvPart,
  context: Pick<TaskContext<CsvPlan>, "broadcast" | "open">,
  visit: (key: ByteString, value: bigint) => void,
): Reading<CountSummary> {
  const { dialect, skipBadRows, isSample } = context.broadcast;
  const source = new SourceWindow(context.open(part.range.source));
  const first = part.first ?? (yield* guessFirstRecord(source, part.range.start));
  let rows = 0;
  let tuples = 0;
  let skipped = 0;
  let bad: BadRow | null = null;
  let at = first;
  if (first < 0) bad = { problem: "tooLong", row: 0, offset: part.range.start - 1, column: -1, detail: "" };
  while (bad === null && at < part.range.end) {
    const record = yield* source.parse(at, (data, index) => readRecord(data, index, dialect.delimiter));
    const outcome = judge(record, dialect, source.length(at, record));
    if (outcome === "blank") {
      // Nothing to count.
    } else if (outcome.problem === undefined) {
      tuples++;
      visit(outcome.key, isSample ? 1n : outcome.value);
    } else if (outcome.problem === "tooLong" || !(skipBadRows || isSample)) {
      const { problem, column, detail } = outcome;
      bad = { problem, row: rows, offset: at, column, detail };
    } else skipped++;
    if (bad === null) {
      rows++;
      at = record === undefined ? source.size : source.position(record.next);
    }
  }
  return { first, next: bad === null ? at : -1, rows, tuples, skipped, bad };
}

/** −1 if no record begins within reach. */
export function* guessFirstRecord(source: SourceWindow, start: number): Reading<number> {
  const index = yield* source.parse(start - 1, skipToRecord);
  if (index === undefined) return source.isWhole(start - 1) ? source.size : -1;
  return source.length(start - 1, { next: index }) > MAX_RECORD_BYTES ? -1 : source.position(index);
}

type Judged =
  | { readonly problem: undefined; readonly key: string; readonly value: bigint }
  | { readonly problem: Problem; readonly column: number; readonly detail: string };

/** What a record is worth; `length` is what could be read of it. */
function judge(record: CsvRecord | undefined, dialect: Dialect, length: number): Judged | "blank" {
  if (length > MAX_RECORD_BYTES) return { problem: "tooLong", column: -1, detail: "" };
  if (record === undefined) return { problem: "unterminated", column: -1, detail: "" };
  if (record.blank) return "blank";
  if (record.hasNul) return { problem: "nul", column: -1, detail: "" };
  const { fields } = record;
  const badQuote = fields.findIndex((field) => field.badQuote);
  if (badQuote >= 0) return { problem: "badQuote", column: badQuote, detail: "" };
  const key = fields[dialect.key]?.text;
  const value = fields[dialect.value]?.text;
  if (fields.length !== dialect.columns || key === undefined || value === undefined) {
    return { problem: "ragged", column: -1, detail: String(fields.length) };
  }
  if (!isUtf8(key)) return { problem: "encoding", column: dialect.key, detail: detailOf(key) };
  if (!/^[+-]?[0-9]+$/.test(value)) return { problem: "notInteger", column: dialect.value, detail: detailOf(value) };
  const integer = BigInt(value.replace(/^\+/, ""));
  if (BigInt.asIntN(64, integer) !== integer) {
    return { problem: "outOfRange", column: dialect.value, detail: detailOf(value) };
  }
  return { problem: undefined, key, value: integer };
}

export const detailOf = (field: string): string =>
  [...byteStringToText(field.slice(0, DETAIL_BYTES))].slice(0, DETAIL_CHARACTERS).join("");
