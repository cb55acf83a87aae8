import type { TaskContext } from "kindling";
import { toByteString } from "../bytes.ts";
import { detailOf } from "../count-js.ts";
import { finishCount } from "../count-wasm.ts";
import type { Kernel, KernelExports } from "../kernel.ts";
import type { Reading } from "../reading.ts";
import { ColumnPages, type Page, PAGE_KINDS } from "./pages.ts";
import { type ParquetPart, type ParquetPlan, VALUE_TYPES } from "./plan.ts";
import { type BadParquetRow, PARQUET_PROBLEMS, type ParquetSummary } from "./problems.ts";

/** The kernel's exports for Parquet (assembly/parquet/combine.ts). */
interface ParquetExports extends KernelExports {
  unsnappy(from: number, length: number, to: number, size: number): number;
  beginParquet(valueType: number, skipBadRows: boolean, isSample: boolean): void;
  setKeyDictionary(at: number, end: number, count: number): number;
  setValueDictionary(at: number, end: number, count: number): number;
  openKeyPage(kind: number, at: number, end: number, rows: number, levels: number, levelsEnd: number): number;
  openValuePage(kind: number, at: number, end: number, rows: number, levels: number, levelsEnd: number): number;
  combine(most: number): number;
  endRowGroup(): void;
  /** 0 for none, 1 for the key's, 2 for the value's. */
  damagedPage(): number;
  parquetTuples(): number;
  parquetSkipped(): number;
  parquetProblem(): number;
  isKeyProblem(): number;
  parquetProblemAt(): number;
  parquetProblemSize(): number;
}

/** Counts row groups of a Parquet file: as countParquetJs, byte for byte. */
export function* countParquetWasm(
  kernel: Kernel,
  part: ParquetPart,
  context: TaskContext<ParquetPlan, ParquetSummary>,
): Reading<readonly Uint8Array[]> {
  const plan = context.broadcast;
  const calls = kernel.calls as ParquetExports;
  const space = {
    take: (bytes: number) => calls.take(bytes),
    bytes: kernel.bytes,
    unsnappy: (from: number, length: number, to: number, size: number) => calls.unsnappy(from, length, to, size) !== 0,
  };
  calls.begin();
  calls.beginParquet(VALUE_TYPES.indexOf(plan.valueType), plan.skipBadRows, plan.isSample);
  const reader = context.open(part.source);
  const keys = new ColumnPages(space, reader, plan.key, plan.keyIsOptional);
  const values = new ColumnPages(space, reader, plan.value, plan.valueIsOptional);
  let rows = 0;
  let bad: BadParquetRow | null = null;
  for (const group of part.groups) {
    keys.open(group.key, group.index);
    values.open(group.value, group.index);
    let left = Math.min(group.rows, part.most);
    let keyRows = 0;
    let valueRows = 0;
    while (left > 0 && bad === null) {
      while (keyRows === 0) {
        const page = yield* keys.next();
        const isRight =
          page.kind === "dictionary"
            ? calls.setKeyDictionary(page.at, page.end, page.count)
            : calls.openKeyPage(...pageArguments(page));
        if (isRight === 0) throw keys.fault("a page is damaged");
        if (page.kind !== "dictionary") keyRows = page.rows;
      }
      while (valueRows === 0) {
        const page = yield* values.next();
        const isRight =
          page.kind === "dictionary"
            ? calls.setValueDictionary(page.at, page.end, page.count)
            : calls.openValuePage(...pageArguments(page));
        if (isRight === 0) throw values.fault("a page is damaged");
        if (page.kind !== "dictionary") valueRows = page.rows;
      }
      const before = calls.parquetTuples();
      const done = calls.combine(left);
      context.progress(calls.parquetTuples() - before);
      rows += done;
      left -= done;
      keyRows -= done;
      valueRows -= done;
      const damaged = calls.damagedPage();
      if (damaged !== 0) throw (damaged === 1 ? keys : values).fault("a page is damaged");
      if (calls.parquetProblem() !== 0) bad = badRow(calls, kernel, rows);
    }
    if (bad !== null) break;
    calls.endRowGroup();
  }
  context.report({ rows, tuples: calls.parquetTuples(), skipped: calls.parquetSkipped(), bad });
  if (bad !== null) calls.begin();
  return finishCount(kernel, plan.splitters, context);
}

const pageArguments = ({ kind, at, end, rows, levels, levelsEnd }: Exclude<Page, { kind: "dictionary" }>) =>
  [PAGE_KINDS.indexOf(kind), at, end, rows, levels, levelsEnd] as const;

function badRow(calls: ParquetExports, kernel: Kernel, row: number): BadParquetRow {
  const problem = PARQUET_PROBLEMS[calls.parquetProblem() - 1] ?? "null";
  const bytes = kernel.bytes(calls.parquetProblemAt(), problem === "null" ? 0 : calls.parquetProblemSize());
  return {
    problem,
    row,
    column: calls.isKeyProblem() === 0 ? "value" : "key",
    detail: detailOf(toByteString(bytes.subarray(0, 1024))),
  };
}
